/** The official `openai` SDK, in its current major, against a real gateway with a scripted model (http.md §16.2, C14, R24). */
import OpenAI, {
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { lastRequest, until } from "./http-client.ts";

let gateway: ScriptedGateway;
let client: OpenAI;

beforeAll(async () => {
  gateway = await openScriptedGateway({
    config: { gateway: { http: { endpoints: { chatCompletions: { enabled: true }, responses: { enabled: true } } } } },
  });
  client = new OpenAI({ baseURL: `${gateway.httpUrl}/v1`, apiKey: gateway.token, maxRetries: 0 });
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.script = () => ["Hel", "lo"];
});

const messages = [{ role: "user" as const, content: "hi" }];
const parameters = { type: "object", properties: { location: { type: "string" } } };
const chatTool = { type: "function" as const, function: { name: "get_weather", parameters } };
const responseTool = { type: "function" as const, name: "get_weather", parameters, strict: false };
const weatherScript = (request: { raw: string }) =>
  /sunny/.test(request.raw)
    ? ["It is ", "sunny."]
    : [{ toolCall: { id: "c1", name: "get_weather", arguments: { location: "Rome" } } }];

test("models: the list, one of them, and one that does not exist", async () => {
  const ids: string[] = [];
  for await (const model of client.models.list()) ids.push(model.id);
  expect(ids).toEqual(["openclaw", "openclaw/default", "openclaw/main"]);
  expect((await client.models.retrieve("openclaw/main")).owned_by).toBe("openclaw");
  await expect(client.models.retrieve("gpt-4o")).rejects.toBeInstanceOf(NotFoundError);
});

test("C14: errors become the SDK's classes, with message, code and request id", async () => {
  const create = (model: string, other = client) => other.chat.completions.create({ model, messages });
  await expect(create("gpt-4o")).rejects.toBeInstanceOf(BadRequestError);
  await expect(create("gpt-4o")).rejects.toMatchObject({
    status: 400,
    param: "model",
    requestID: expect.stringMatching(/^req_/),
  });
  // A page is counted by its origin, so that no other test is locked out.
  const page = { baseURL: client.baseURL, maxRetries: 0, defaultHeaders: { origin: "http://localhost:5173" } };
  const stranger = new OpenAI({ ...page, apiKey: "wrong" });
  for (let guess = 0; guess < 10; guess++)
    await expect(create("openclaw", stranger)).rejects.toBeInstanceOf(AuthenticationError);
  await expect(create("openclaw", new OpenAI({ ...page, apiKey: gateway.token }))).rejects.toBeInstanceOf(
    RateLimitError,
  );
  gateway.script = () => ({ status: 400, body: { error: { message: "no" } } });
  await expect(create("openclaw")).rejects.toBeInstanceOf(InternalServerError);
  await expect(client.responses.create({ model: "openclaw", input: "hi" })).rejects.toBeInstanceOf(InternalServerError);
});

test("a run that failed is not started again by the SDK's retries", async () => {
  const eager = new OpenAI({ baseURL: client.baseURL, apiKey: gateway.token, maxRetries: 2 });
  gateway.script = () => ({ status: 400, body: { error: { message: "no" } } });
  const before = gateway.provider.requests.length;
  await expect(eager.chat.completions.create({ model: "openclaw", messages })).rejects.toThrow();
  expect(gateway.provider.requests.length).toBe(before + 1);
});

describe("chat completions", () => {
  test("C14: whole and streamed", async () => {
    const whole = await client.chat.completions.create({ model: "openclaw", messages });
    expect([whole.choices[0]?.message.content, whole.usage?.total_tokens]).toEqual(["Hello", 15]);
    const stream = await client.chat.completions.create({ model: "openclaw", messages, stream: true });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe("Hello");
  });

  test("C14: the stream helper, with usage", async () => {
    const stream = client.chat.completions.stream({
      model: "openclaw",
      messages,
      stream_options: { include_usage: true },
    });
    const final = await stream.finalChatCompletion();
    expect([final.choices[0]?.message.content, final.choices[0]?.finish_reason]).toEqual(["Hello", "stop"]);
    expect(final.usage?.prompt_tokens).toBe(10);
  });

  test("the parse helper gets the schema to the model and its JSON back", async () => {
    gateway.script = () => ['{"city":"Rome","degrees":25}'];
    const format = z.object({ city: z.string(), degrees: z.number() });
    const parsed = await client.chat.completions.parse({
      model: "openclaw",
      messages,
      response_format: zodResponseFormat(format, "weather"),
    });
    expect(parsed.choices[0]?.message.parsed).toEqual({ city: "Rome", degrees: 25 });
    expect(lastRequest(gateway)?.body["response_format"]).toBeDefined();
  });

  test("tools: by hand, streamed, and by the runner", async () => {
    gateway.script = weatherScript;
    const first = await client.chat.completions.create({ model: "openclaw", messages, tools: [chatTool] });
    const message = first.choices[0]?.message;
    const call = message?.tool_calls?.[0];
    if (!message || call?.type !== "function") throw new Error("no call");
    const result = { role: "tool" as const, tool_call_id: call.id, content: "sunny" };
    const second = await client.chat.completions.create({
      model: "openclaw",
      messages: [...messages, message, result],
    });
    expect(second.choices[0]?.message.content).toBe("It is sunny.");
    const final = await client.chat.completions
      .stream({ model: "openclaw", messages, tools: [chatTool] })
      .finalChatCompletion();
    const streamed = final.choices[0]?.message.tool_calls?.[0];
    expect(streamed?.type === "function" && JSON.parse(streamed.function.arguments)).toEqual({ location: "Rome" });
    const runner = client.chat.completions.runTools({
      model: "openclaw",
      messages,
      tools: [
        {
          type: "function",
          function: {
            name: "get_weather",
            description: "Weather",
            parameters,
            parse: JSON.parse,
            function: (args: { location: string }) => `sunny in ${args.location}`,
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe("It is sunny.");
  });

  test("an abort ends the request and the run", async () => {
    gateway.script = () => ["partial", { hang: true }];
    const stream = await client.chat.completions.create({ model: "openclaw", messages, stream: true });
    const before = gateway.provider.aborted;
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    await until("the run is aborted", () => gateway.provider.aborted > before);
    const controller = new AbortController();
    const asked = gateway.provider.requests.length;
    const waiting = client.chat.completions.create({ model: "openclaw", messages }, { signal: controller.signal });
    const ended = expect(waiting).rejects.toBeInstanceOf(APIUserAbortError);
    await until("the model is asked", () => gateway.provider.requests.length > asked);
    controller.abort();
    await ended;
    await until("the run is aborted", () => gateway.provider.aborted > before + 1);
  });
});

describe("responses", () => {
  test("R24: whole, streamed, and by the stream helper", async () => {
    const whole = await client.responses.create({ model: "openclaw", input: "hi", instructions: "Be kind." });
    expect([whole.output_text, whole.status]).toEqual(["Hello", "completed"]);
    const types: string[] = [];
    const stream = await client.responses.create({ model: "openclaw", input: "hi", stream: true });
    for await (const event of stream) types.push(event.type);
    expect(types.at(0)).toBe("response.created");
    expect(types.at(-1)).toBe("response.completed");
    expect((await client.responses.stream({ model: "openclaw", input: "hi" }).finalResponse()).output_text).toBe(
      "Hello",
    );
  });

  test("the parse helper", async () => {
    gateway.script = () => ['{"city":"Rome"}'];
    const format = zodTextFormat(z.object({ city: z.string() }), "place");
    const parsed = await client.responses.parse({ model: "openclaw", input: "hi", text: { format } });
    expect(parsed.output_parsed).toEqual({ city: "Rome" });
  });

  test("tools and the id of the previous response", async () => {
    gateway.script = weatherScript;
    const first = await client.responses.create({ model: "openclaw", input: "weather?", tools: [responseTool] });
    const call = first.output.find((item) => item.type === "function_call");
    if (!call) throw new Error("no call");
    const second = await client.responses.create({
      model: "openclaw",
      previous_response_id: first.id,
      input: [{ type: "function_call_output", call_id: call.call_id, output: "sunny" }],
    });
    expect(second.output_text).toBe("It is sunny.");
    const streamed = await client.responses
      .stream({ model: "openclaw", input: "weather?", tools: [responseTool] })
      .finalResponse();
    expect(streamed.output[0]).toMatchObject({
      type: "function_call",
      name: "get_weather",
      arguments: '{"location":"Rome"}',
    });
    const gone = client.responses.create({ model: "openclaw", previous_response_id: "resp_0", input: "hi" });
    await expect(gone).rejects.toMatchObject({ status: 404, code: "previous_response_not_found" });
  });

  test("an abort ends the run", async () => {
    gateway.script = () => ["partial", { hang: true }];
    const stream = await client.responses.create({ model: "openclaw", input: "hi", stream: true });
    const before = gateway.provider.aborted;
    for await (const event of stream) if (event.type === "response.output_text.delta") break;
    await until("the run is aborted", () => gateway.provider.aborted > before);
  });
});
