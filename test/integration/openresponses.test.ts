/** The port of the OpenResponses cases passes against a gateway with a scripted model, all cases at once (http.md §16.1, R27). */
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCases } from "../openresponses/cases.ts";
import { openCaseGateway } from "../openresponses/scripted.ts";
import type { ScriptedGateway } from "../support/agent-gateway.ts";

let gateway: ScriptedGateway;
beforeAll(async () => {
  gateway = await openCaseGateway();
});
afterAll(() => gateway.stop());

test("R27: every OpenResponses case that needs no hosted feature passes", async () => {
  const results = await runCases({ baseUrl: `${gateway.httpUrl}/v1`, apiKey: gateway.token, model: "openclaw" });
  expect(results.length).toBe(12);
  expect(results.filter(({ failure }) => failure !== undefined)).toEqual([]);
});
