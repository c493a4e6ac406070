/** POST /v1/responses against a real gateway with a scripted model (http.md §9.10). */
import { expect, test } from "vitest";
import { errorOf, ask, eventsOf, lastRequest, post, RawSocket, told, until } from "./http-client.ts";
import { outputOf, path, streamed, textOf, user, useResponsesGateway, weather } from "./http-responses-rig.ts";

const rig = useResponsesGateway();

test("R01: a string is answered by one message, and every field of the response is there", async () => {
  rig.gateway.script = () => ({ steps: ["Hello"], usage: { input: 12, output: 3, cacheRead: 5 } });
  const { status, json } = await rig.respond();
  expect(status).toBe(200);
  expect(json).toEqual({
    id: expect.stringMatching(/^resp_[0-9a-f-]{36}$/),
    object: "response",
    created_at: expect.any(Number),
    completed_at: expect.any(Number),
    status: "completed",
    incomplete_details: null,
    model: "openclaw",
    previous_response_id: null,
    instructions: null,
    output: [
      {
        type: "message",
        id: expect.stringMatching(/^msg_/),
        status: "completed",
        role: "assistant",
        content: [{ type: "output_text", text: "Hello", annotations: [], logprobs: [] }],
        phase: "final_answer",
      },
    ],
    error: null,
    tools: [],
    tool_choice: "auto",
    truncation: "disabled",
    parallel_tool_calls: true,
    text: { format: { type: "text" } },
    top_p: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    top_logprobs: 0,
    temperature: 1,
    reasoning: null,
    user: null,
    usage: {
      input_tokens: 17,
      input_tokens_details: { cached_tokens: 5 },
      output_tokens: 3,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 20,
    },
    max_output_tokens: null,
    max_tool_calls: null,
    store: true,
    background: false,
    service_tier: "default",
    metadata: {},
    safety_identifier: null,
    prompt_cache_key: null,
  });
});

test("R02: items with and without their type, content as text and as parts", async () => {
  for (const item of [
    user("plain"),
    { role: "user", content: "plain" },
    user([{ type: "input_text", text: "plain" }]),
  ]) {
    expect((await rig.respond({ input: [item] })).status).toBe(200);
    expect(told(lastRequest(rig.gateway), "user")).toEqual(["plain"]);
  }
});

test("R03: a stream has its events in order, numbered from 0, and ends once", async () => {
  rig.gateway.script = () => ["Hel", "lo ", "you"];
  const answer = await rig.respond({ stream: true });
  const raw = eventsOf(answer.text);
  expect(raw.at(-1)?.data).toBe("[DONE]");
  const events = streamed(answer);
  expect(raw.slice(0, -1).map(({ event }) => event)).toEqual(events.map(({ type }) => type));
  expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
  const types = events.map(({ type }) => type);
  expect(types.filter((type, index) => type !== types[index - 1])).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  expect(types.filter((type) => /^response\.(?:completed|incomplete|failed)$/.test(type))).toHaveLength(1);
  const text = events.filter(({ type }) => type.endsWith("text.delta")).map(({ delta }) => delta);
  expect(text.join("")).toBe("Hello you");
  expect(events.find(({ type }) => type === "response.output_text.done")?.text).toBe("Hello you");
  const ids = events.flatMap(({ response }) => (response ? [response["id"]] : []));
  expect(new Set(ids).size).toBe(1);
  const done = events.filter(({ type }) => type === "response.output_item.done").map(({ item }) => item);
  expect(events.at(-1)?.response?.["output"]).toEqual(done);
});

test("R04: instructions, system and developer items reach the system prompt in order", async () => {
  await rig.respond({
    instructions: "First.",
    input: [{ role: "system", content: "Second." }, { role: "developer", content: "Third." }, user("hi")],
  });
  expect(rig.systemOf()).toContain("First.\n\nSecond.\n\nThird.");
  expect(rig.systemOf()).toContain("You are a personal assistant running inside OpenClaw.");
  expect(told(lastRequest(rig.gateway), "user")).toEqual(["hi"]);
});

const nested = { type: "function", function: { name: "get_weather", description: "W" } };

test("R05: a function tool in both spellings becomes a call, and the response is completed", async () => {
  rig.gateway.script = () => [{ toolCall: { id: "c1", name: "get_weather", arguments: { location: "Rome" } } }];
  for (const tool of [weather, nested]) {
    const answer = await rig.respond({ tools: [tool] });
    expect(answer.json["status"]).toBe("completed");
    const [item, ...others] = outputOf(answer);
    expect(others).toEqual([]);
    expect(item).toMatchObject({ type: "function_call", call_id: "c1", name: "get_weather", status: "completed" });
    expect(item?.id).toMatch(/^fc_/);
    expect(JSON.parse(item?.arguments ?? "")).toEqual({ location: "Rome" });
    expect(answer.json["tools"]).toEqual([
      expect.objectContaining({ type: "function", name: "get_weather", strict: null }),
    ]);
  }
});

test("R06: a streamed call has its own events and no empty message before it", async () => {
  rig.gateway.script = () => [{ toolCall: { id: "c1", name: "get_weather", arguments: { a: 1 } } }];
  const events = streamed(await rig.respond({ tools: [weather], stream: true }));
  expect(events.map(({ type }) => type)).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
    "response.completed",
  ]);
  expect(events[2]?.item).toMatchObject({ type: "function_call", arguments: "", status: "in_progress" });
});

test("R06: text before a call is a message of its own, closed before the call begins", async () => {
  rig.gateway.script = () => ["One moment.", { toolCall: { id: "c1", name: "get_weather", arguments: {} } }];
  const events = streamed(await rig.respond({ tools: [weather], stream: true }));
  const items = events.filter(({ type }) => type.startsWith("response.output_item."));
  expect(items.map(({ type, output_index: index, item }) => `${type.slice(21)} ${index} ${item?.type}`)).toEqual([
    "added 0 message",
    "done 0 message",
    "added 1 function_call",
    "done 1 function_call",
  ]);
});

const script = (request: { raw: string }) =>
  /sunny/.test(request.raw)
    ? ["It is sunny."]
    : [{ toolCall: { id: "c1", name: "get_weather", arguments: { location: "Rome" } } }];
const output = (text: unknown, callId = "c1") => ({ type: "function_call_output", call_id: callId, output: text });

test("R07: a round trip by the id of the previous response", async () => {
  rig.gateway.script = script;
  const first = await rig.respond({ tools: [weather], input: "weather?" });
  const previous = { previous_response_id: first.json["id"], tools: [weather] };
  const stray = await rig.respond({ ...previous, input: [output("x", "zzz")] });
  expect([stray.status, errorOf(stray).message]).toEqual([
    400,
    "No tool call found for function call output with call_id zzz.",
  ]);
  expect((await rig.respond({ ...previous, input: "and now?" })).status).toBe(400);
  const second = await rig.respond({ ...previous, input: [output([{ type: "input_text", text: "sunny" }])] });
  expect([second.status, textOf(second)]).toEqual([200, "It is sunny."]);
  expect(second.json["previous_response_id"]).toBe(first.json["id"]);
  expect(told(lastRequest(rig.gateway), "tool")).toEqual(["sunny"]);
  expect(told(lastRequest(rig.gateway), "user")).toEqual(["weather?"]);
});

test("R07: of two pending calls both need an output", async () => {
  rig.gateway.script = () => [
    { toolCall: { id: "a", name: "get_weather", arguments: {} } },
    { toolCall: { id: "b", name: "get_weather", arguments: {} } },
  ];
  const first = await rig.respond({ tools: [weather] });
  const missing = await rig.respond({ previous_response_id: first.json["id"], input: [output("x", "a")] });
  expect([missing.status, errorOf(missing).message]).toEqual([400, "No tool output found for function call b."]);
});

test("R08: a round trip by the whole history", async () => {
  rig.gateway.script = script;
  const call = { type: "function_call", call_id: "c9", name: "get_weather", arguments: '{"location":"Rome"}' };
  const answer = await rig.respond({ tools: [weather], input: [user("weather?"), call, output("sunny", "c9")] });
  expect(textOf(answer)).toBe("It is sunny.");
  const [prompt] = told(lastRequest(rig.gateway), "user");
  expect(prompt).toContain('Assistant: [called get_weather({"location":"Rome"})]');
  expect(prompt).toContain("Tool:get_weather: sunny");
});

test("R09: tool_choice in both spellings, and what becomes of one that is not met", async () => {
  const names = () =>
    ((lastRequest(rig.gateway)?.body["tools"] as { function: { name: string } }[]) ?? []).map(
      (tool) => tool.function.name,
    );
  const other = { type: "function", name: "other_tool" };
  rig.gateway.script = () => [{ toolCall: { name: "get_weather", arguments: {} } }];
  for (const choice of [
    { type: "function", name: "get_weather" },
    { type: "function", function: { name: "get_weather" } },
  ]) {
    expect((await rig.respond({ tools: [weather, other], tool_choice: choice })).status).toBe(200);
    expect(names()).toContain("get_weather");
    expect(names()).not.toContain("other_tool");
  }
  rig.gateway.script = () => ["no call"];
  await rig.respond({ tools: [weather], tool_choice: "none" });
  expect(names()).not.toContain("get_weather");
  const unmet = await rig.respond({ tools: [weather], tool_choice: "required" });
  expect([unmet.status, unmet.json["status"]]).toEqual([502, "failed"]);
  const events = streamed(await rig.respond({ tools: [weather], tool_choice: "required", stream: true }));
  expect(events.at(-1)?.type).toBe("response.failed");
  expect((await rig.respond({ tools: [weather], tool_choice: { type: "function", name: "zzz" } })).status).toBe(400);
});

test("R17: an id that is not known is 404; one of another agent or session is 400", async () => {
  const unknown = await rig.respond({ previous_response_id: "resp_nope" });
  expect([unknown.status, errorOf(unknown)]).toEqual([
    404,
    {
      message: "Previous response with id 'resp_nope' not found.",
      type: "invalid_request_error",
      param: "previous_response_id",
      code: "previous_response_not_found",
    },
  ]);
  const first = await rig.respond();
  const previous = { previous_response_id: first.json["id"] };
  expect((await rig.respond({ ...previous, model: "openclaw/beta" })).status).toBe(400);
  expect((await rig.respond({ ...previous, user: "somebody" })).status).toBe(400);
  const second = await rig.respond({ ...previous, input: "again" });
  expect(second.status).toBe(200);
  expect(told(lastRequest(rig.gateway), "user")).toEqual(["hi", "again"]);
  const unstored = await rig.respond({ store: false });
  expect((await rig.respond({ previous_response_id: unstored.json["id"] })).status).toBe(404);
});

test("R18: what is not known is refused with its path", async () => {
  const cases: [string, Record<string, unknown>][] = [
    ["input.1.type", { input: [user("hi"), { type: "magic" }] }],
    ["input.0.content.0.type", { input: [user([{ type: "input_audio" }])] }],
    ["input.0.role", { input: [{ role: "tool", content: "x" }] }],
    ["tools.0.type", { tools: [{ type: "web_search" }] }],
    ["input.0", { input: [5] }],
    ["input.0.call_id", { input: [{ type: "function_call_output", output: "x" }] }],
  ];
  for (const [param, body] of cases) {
    const answer = await rig.respond(body);
    expect([answer.status, errorOf(answer).param]).toEqual([400, param]);
  }
  for (const input of [undefined, "", [], [{ role: "assistant", content: "x" }], [{ role: "system", content: "x" }], 5])
    expect((await post(rig.gateway, path, { model: "openclaw", input })).status).toBe(400);
});

test("R19: max_output_tokens caps the call, and an answer cut there is incomplete", async () => {
  for (const value of [0, -1, "5", 1.5]) expect((await rig.respond({ max_output_tokens: value })).status).toBe(400);
  rig.gateway.script = () => ({ steps: ["cut o"], stop: "length" });
  const answer = await rig.respond({ max_output_tokens: 16, temperature: 0.5 });
  expect(answer.json).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
  expect(answer.json).toMatchObject({ max_output_tokens: 16, temperature: 0.5 });
  expect(lastRequest(rig.gateway)?.body["max_tokens"]).toBe(16);
  expect(streamed(await rig.respond({ stream: true })).at(-1)?.type).toBe("response.incomplete");
});

test("R20: user and header name a session that stays", async () => {
  await rig.respond({ user: "r20", input: "one" });
  await rig.respond({ user: "r20", input: "two" });
  expect(told(lastRequest(rig.gateway), "user")).toEqual(["one", "two"]);
  await rig.respond({ input: "three" }, { "x-openclaw-session-key": "agent:main:openresponses-user:r20" });
  expect(told(lastRequest(rig.gateway), "user")).toEqual(["one", "two", "three"]);
  expect((await rig.respond({}, { "x-openclaw-session-key": "cron:x" })).status).toBe(400);
});

test("R21: history is given in order, the last user message is the current one", async () => {
  await rig.respond({
    input: [user("a"), { role: "assistant", content: [{ type: "output_text", text: "b" }] }, user("c")],
  });
  const [prompt = ""] = told(lastRequest(rig.gateway), "user");
  expect(prompt.indexOf("User: a")).toBeLessThan(prompt.indexOf("Assistant: b"));
  expect(prompt.endsWith("\nc")).toBe(true);
});

test("R22: model is required and echoed; the header chooses the agent", async () => {
  expect((await post(rig.gateway, path, { input: "hi" })).status).toBe(400);
  expect((await rig.respond({ model: "OpenClaw/Beta" })).json["model"]).toBe("OpenClaw/Beta");
  expect((await rig.respond({ background: true })).status).toBe(400);
  expect((await rig.respond({}, { "x-openclaw-agent": "nobody" })).status).toBe(400);
  for (const header of ["x-openclaw-agent", "x-openclaw-agent-id"])
    expect((await rig.respond({ model: "openclaw/main", user: "r22" }, { [header]: "beta" })).status).toBe(200);
  const wire = await rig.gateway.connect();
  const { sessions } = await wire.call<{ sessions: { key: string }[] }>("sessions.list", {});
  await wire.close();
  const keys = sessions.map(({ key }) => key).filter((key) => key.endsWith(":r22"));
  expect(keys).toEqual(["agent:beta:openresponses-user:r22"]);
});

test("R23: a failing provider is a failed response, never both", async () => {
  rig.gateway.script = () => ({ status: 400, body: { error: { message: "key sk-live-123456789012 refused" } } });
  const whole = await rig.respond();
  expect(whole.status).toBe(500);
  expect(whole.json).toMatchObject({
    status: "failed",
    output: [],
    error: { code: "server_error", type: "api_error" },
  });
  expect(whole.headers.get("x-should-retry")).toBe("false");
  const answer = await rig.respond({ stream: true });
  const ends = streamed(answer).filter(({ type }) => /\.(?:completed|failed|incomplete)$/.test(type));
  expect(ends.map(({ type }) => type)).toEqual(["response.failed"]);
  expect(eventsOf(answer.text).at(-1)?.data).toBe("[DONE]");
  expect(whole.text + answer.text).not.toContain("sk-live");
});

test("R25: a client that leaves aborts its run; two requests of one user run in turn", async () => {
  rig.gateway.script = () => ["partial", { hang: true }];
  const controller = new AbortController();
  const response = await fetch(`${rig.gateway.httpUrl}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${rig.gateway.token}` },
    body: JSON.stringify({ model: "openclaw", input: "hi", stream: true }),
    signal: controller.signal,
  });
  const reader = response.body?.getReader();
  let seen = "";
  while (!seen.includes("partial")) seen += new TextDecoder().decode((await reader?.read())?.value);
  const before = rig.gateway.provider.aborted;
  controller.abort();
  await until("the run is aborted", () => rig.gateway.provider.aborted > before, 1_000);
  let running = 0;
  let most = 0;
  rig.gateway.script = async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return ["ok"];
  };
  await Promise.all([1, 2, 3].map((n) => rig.respond({ user: "r25", input: `q${n}` })));
  expect(most).toBe(1);
});

test("R26: metadata is repeated or refused, and pollutes nothing", async () => {
  const good = await rig.respond({ metadata: { trace: "1" }, safety_identifier: "s", prompt_cache_key: "p" });
  expect(good.json).toMatchObject({ metadata: { trace: "1" }, safety_identifier: "s", prompt_cache_key: "p" });
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, "v"]));
  for (const metadata of [many, { a: 1 }, [], "x"]) expect((await rig.respond({ metadata })).status).toBe(400);
  const body = '{"model":"openclaw","input":"hi","metadata":{"__proto__":"x"}}';
  expect((await post(rig.gateway, path, body)).status).toBe(400);
  expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
});

test("R28: 405, 401, 413, 408 as everywhere", async () => {
  const got = await ask(rig.gateway, path);
  expect([got.status, got.headers.get("allow")]).toEqual([405, "POST"]);
  for (const authorization of ["Bearer no", ""]) {
    const refused = await rig.respond({}, { authorization });
    expect([refused.status, refused.text]).toEqual([401, '{"error":{"message":"Unauthorized","type":"unauthorized"}}']);
  }
  const stalled = new RawSocket(rig.gateway.port).write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${rig.gateway.token}\r\nContent-Length: 100\r\n\r\n{"mod`,
  );
  const armed = rig.gateway.world.pending();
  await until("the body is waited for", () => rig.gateway.world.pending() > armed);
  await rig.gateway.world.jump(30_000);
  await stalled.until("took too long");
  expect(stalled.status).toBe(408);
  expect((await post(rig.gateway, path, "x".repeat(21 * 1024 * 1024))).status).toBe(413);
  expect((await ask(rig.gateway, "/v1/responses/compact", { method: "POST" })).status).toBe(404);
});
