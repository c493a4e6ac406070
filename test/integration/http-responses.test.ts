/** POST /v1/responses against a real gateway with a scripted model (http.md §9.10). */
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";

let gateway: ScriptedGateway;
let client: OpenAI;

beforeAll(async () => {
  gateway = await openScriptedGateway({
    config: { gateway: { http: { endpoints: { responses: { enabled: true } } } } },
  });
  client = new OpenAI({ baseURL: `${gateway.httpUrl}/v1`, apiKey: gateway.token, maxRetries: 0 });
});
afterAll(() => gateway.stop());

test("R24: the SDK gets a whole answer and a streamed one", async () => {
  gateway.script = () => ["Hel", "lo"];
  const whole = await client.responses.create({ model: "openclaw", input: "hi" });
  expect(whole.output_text).toBe("Hello");
  const final = await client.responses.stream({ model: "openclaw", input: "hi" }).finalResponse();
  expect(final.output_text).toBe("Hello");
});
