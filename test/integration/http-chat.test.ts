/** POST /v1/chat/completions against a real gateway with a scripted model (http.md §8.12). */
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";

let gateway: ScriptedGateway;
let client: OpenAI;

beforeAll(async () => {
  gateway = await openScriptedGateway({
    config: { gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } } },
  });
  client = new OpenAI({ baseURL: `${gateway.httpUrl}/v1`, apiKey: gateway.token, maxRetries: 0 });
});
afterAll(() => gateway.stop());

test("the SDK gets a whole answer and a streamed one", async () => {
  gateway.script = () => ["Hel", "lo"];
  const whole = await client.chat.completions.create({ model: "openclaw", messages: [{ role: "user", content: "hi" }] });
  expect(whole.choices[0]?.message.content).toBe("Hello");
  const stream = client.chat.completions.stream({ model: "openclaw", messages: [{ role: "user", content: "hi" }] });
  const final = await stream.finalChatCompletion();
  expect(final.choices[0]?.message.content).toBe("Hello");
});
