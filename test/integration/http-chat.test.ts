/** POST /v1/chat/completions against a real gateway with a scripted model: requests, sessions, answers and streams (http.md §8.12). */
import { gate } from "../support/agent-gateway.ts";
import { chunksOf, errorOf, eventsOf, lastRequest, RawSocket, told, until } from "./http-client.ts";
import { choiceOf, deltas, path, useChatGateway, user } from "./http-chat-rig.ts";
import { expect, test } from "vitest";

const rig = useChatGateway();

test("C04: one message reaches the model as it is; the answer and its usage are the model's", async () => {
  rig.gateway.script = () => ({ steps: ["Hello ", "there"], usage: { input: 21, output: 4, cacheRead: 7 } });
  const answer = await rig.chat();
  expect(told(lastRequest(rig.gateway), "user")).toEqual(["hi"]);
  expect(choiceOf(answer)).toMatchObject({
    message: { role: "assistant", content: "Hello there" },
    finish_reason: "stop",
  });
  expect(answer.json).toMatchObject({ object: "chat.completion", model: "openclaw", system_fingerprint: null });
  expect(answer.json["id"]).toMatch(/^chatcmpl_[0-9a-f-]{36}$/);
  expect(answer.json["usage"]).toMatchObject({ prompt_tokens: 28, completion_tokens: 4, total_tokens: 32 });
  expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

test("C05: model and header choose the agent, the header first", async () => {
  const key = async (model: string | undefined, headers: Record<string, string> = {}) => {
    const answer = await rig.chat({ model, user: "c05" }, headers);
    expect(answer.status).toBe(200);
    expect(answer.json["model"]).toBe(model ?? "openclaw");
  };
  for (const model of ["openclaw:beta", "openclaw/beta", "agent:beta", "OpenClaw/BETA"]) await key(model);
  await key("openclaw/main", { "x-openclaw-agent-id": "beta" });
  expect(await rig.sessionsOf()).toContain("agent:beta:openai-user:c05");
  expect(await rig.sessionsOf()).not.toContain("agent:main:openai-user:c05");
  await key(undefined);
  expect(await rig.sessionsOf()).toContain("agent:main:openai-user:c05");
});

test("C06: what names no agent is refused", async () => {
  const foreign = await rig.chat({ model: "gpt-4o" });
  expect([foreign.status, errorOf(foreign).message]).toEqual([
    400,
    "Invalid `model`. Use `openclaw` or `openclaw/<agentId>`.",
  ]);
  const unknown = await rig.chat({ model: "openclaw/zzz" });
  expect([unknown.status, errorOf(unknown).message]).toEqual([400, "Unknown agent 'zzz'."]);
  expect((await rig.chat({}, { "x-openclaw-agent-id": "../x" })).status).toBe(400);
  expect((await rig.chat({ model: 5 })).status).toBe(400);
});

test("C07: without a user each call is alone and in no list; with one, the session is shared", async () => {
  const before = await rig.sessionsOf();
  const hidden = () =>
    rig.gateway.host.gateway.store
      .all<{ key: string }>("SELECT key FROM session WHERE hidden = 1 AND key LIKE 'agent:main:openai:%'")
      .map(({ key }) => key);
  const known = hidden();
  await rig.chat();
  await rig.chat();
  expect(await rig.sessionsOf()).toEqual(before);
  const fresh = hidden().filter((key) => !known.includes(key));
  expect(new Set(fresh).size).toBe(2);
  rig.gateway.script = () => ["first answer"];
  await rig.chat({ user: "alice", messages: [user("remember the word pear")] });
  rig.gateway.script = () => ["ok"];
  await rig.chat({ user: "alice", messages: [user("which word?")] });
  expect(told(lastRequest(rig.gateway), "user")).toEqual(["remember the word pear", "which word?"]);
  expect(told(lastRequest(rig.gateway), "assistant")).toEqual(["first answer"]);
  expect(await rig.sessionsOf()).toContain("agent:main:openai-user:alice");
});

test("C08: a session key is honoured, reserved ones and those of other agents are not", async () => {
  for (const key of ["agent:main:subagent:x", "subagent:x", "agent:main:cron:y", "acp:z", "agent:beta:mine", "a/b"]) {
    const answer = await rig.chat({}, { "x-openclaw-session-key": key });
    expect([key, answer.status]).toEqual([key, 400]);
  }
  expect(errorOf(await rig.chat({}, { "x-openclaw-session-key": "agent:main:subagent:x" })).message).toBe(
    "`x-openclaw-session-key` cannot use reserved internal session namespaces.",
  );
  expect((await rig.chat({}, { "x-openclaw-session-key": " agent:main:my-thread " })).status).toBe(200);
  expect((await rig.chat({}, { "x-openclaw-session-key": "bare" })).status).toBe(200);
  const keys = await rig.sessionsOf();
  expect(keys).toEqual(expect.arrayContaining(["agent:main:my-thread", "agent:main:bare"]));
});

test("C09: system and developer texts join the system prompt behind the product's own", async () => {
  await rig.chat({
    messages: [
      { role: "system", content: "Speak like a pirate." },
      { role: "developer", content: "Be brief." },
      user("hi"),
    ],
  });
  expect(rig.systemOf()).toContain("You are a personal assistant running inside OpenClaw.");
  expect(rig.systemOf()).toContain("Speak like a pirate.\n\nBe brief.");
  expect(told(lastRequest(rig.gateway), "user")).toEqual(["hi"]);
});

test("C10: history comes in order before the message to answer; a trailing assistant message is dropped", async () => {
  await rig.chat({
    messages: [
      user("one"),
      { role: "assistant", content: "two" },
      user("three"),
      user("four"),
      { role: "assistant", content: "five" },
    ],
  });
  const [prompt = ""] = told(lastRequest(rig.gateway), "user");
  const places = ["User: one", "Assistant: two", "User: three", "\nfour"].map((line) => prompt.indexOf(line));
  expect(places.every((place, index) => place > (places[index - 1] ?? -1))).toBe(true);
  expect(prompt).not.toContain("five");
});

test("C11: text parts are joined by line breaks; nothing to read is refused", async () => {
  await rig.chat({
    messages: [
      user([
        { type: "text", text: "a" },
        { type: "input_text", text: "b" },
      ]),
    ],
  });
  expect(told(lastRequest(rig.gateway), "user")).toEqual(["a\nb"]);
  for (const content of [[], "", "  ", [{ type: "text", text: "" }], null])
    expect((await rig.chat({ messages: [user(content)] })).status).toBe(400);
  const audio = await rig.chat({ messages: [user([{ type: "input_audio", input_audio: {} }])] });
  expect([audio.status, errorOf(audio).message]).toEqual([400, expect.stringContaining("`input_audio`")]);
  for (const messages of [
    [],
    {},
    "x",
    [null],
    [{ role: "wizard", content: "x" }],
    [{ role: "assistant", content: "x" }],
  ])
    expect((await rig.chat({ messages })).status).toBe(400);
});

test("C12: a stream has one role, the text, one finish reason and the end mark; it says what the whole answer says", async () => {
  rig.gateway.script = () => ["Hel", "lo ", "you"];
  const whole = choiceOf(await rig.chat()).message.content;
  const answer = await rig.chat({ stream: true });
  expect(answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(answer.headers.get("x-accel-buffering")).toBe("no");
  const events = eventsOf(answer.text);
  expect(events.at(-1)?.data).toBe("[DONE]");
  expect(events.every(({ event }) => event === undefined)).toBe(true);
  const chunks = chunksOf(answer.text);
  expect(
    new Set(chunks.map(({ id, created, model, object }) => JSON.stringify([id, created, model, object]))).size,
  ).toBe(1);
  const choices = chunks.map((chunk) => (chunk["choices"] as { delta: object; finish_reason: string | null }[])[0]);
  expect(choices[0]?.delta).toMatchObject({ role: "assistant" });
  expect(choices.slice(0, -1).every((choice) => choice?.finish_reason === null)).toBe(true);
  expect(choices.at(-1)).toMatchObject({ delta: {}, finish_reason: "stop" });
  expect(deltas(answer.text)).toBe(whole);
  expect(chunks.some((chunk) => "usage" in chunk)).toBe(false);
});

test("C13: usage comes last in a stream that asks for it", async () => {
  const answer = await rig.chat({ stream: true, stream_options: { include_usage: true } });
  const last = chunksOf(answer.text).at(-1);
  expect(last).toMatchObject({ choices: [], usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } });
  expect(
    chunksOf(answer.text)
      .slice(0, -1)
      .every((chunk) => chunk["usage"] === null),
  ).toBe(true);
});

test("C12: text before and after the agent's own tools is one answer, and the tools are not shown", async () => {
  const script = () => {
    let asked = 0;
    return () =>
      asked++ === 0 ? ["Let me look.", { toolCall: { name: "session_status", arguments: {} } }] : ["There it is."];
  };
  rig.gateway.script = script();
  const whole = choiceOf(await rig.chat());
  rig.gateway.script = script();
  const stream = await rig.chat({ stream: true });
  expect(whole.message).toMatchObject({ content: "Let me look.\n\nThere it is." });
  expect(whole.message.tool_calls).toBeUndefined();
  expect(deltas(stream.text)).toBe("Let me look.\n\nThere it is.");
});

test("C19: settings are judged by name and passed on; null means unset", async () => {
  const cases: [string, unknown][] = [
    ["temperature", 9],
    ["temperature", "1"],
    ["top_p", -1],
    ["frequency_penalty", 2.5],
    ["presence_penalty", -3],
    ["seed", 1.5],
    ["max_tokens", 0],
    ["max_completion_tokens", -1],
    ["n", 2],
    ["stop", ["a", "b", "c", "d", "e"]],
    ["stop", [""]],
    ["stream", "yes"],
    ["reasoning_effort", "frantic"],
  ];
  for (const [name, value] of cases) {
    const answer = await rig.chat({ [name]: value });
    expect([name, answer.status]).toEqual([name, 400]);
    expect(errorOf(answer).message).toContain(`\`${name}\``);
  }
  expect(errorOf(await rig.chat({ temperature: 9 })).message).toBe("`temperature` must be between 0 and 2.");
  const nothing = Object.fromEntries(cases.map(([name]) => [name, null]));
  expect(
    (await rig.chat({ ...nothing, tools: null, tool_choice: null, user: null, response_format: null })).status,
  ).toBe(200);
  await rig.chat({
    temperature: 0.5,
    top_p: 0.9,
    seed: 7,
    stop: ["END"],
    max_tokens: 55,
    metadata: { a: 1 },
    logprobs: true,
  });
  expect(lastRequest(rig.gateway)?.body).toMatchObject({
    temperature: 0.5,
    top_p: 0.9,
    seed: 7,
    stop: ["END"],
    max_tokens: 55,
  });
});

test("an answer that was cut at its limit says so", async () => {
  rig.gateway.script = () => ({ steps: ["long te"], stop: "length" });
  expect(choiceOf(await rig.chat({ max_tokens: 2 })).finish_reason).toBe("length");
});

test("C27: a stream arrives while the run goes on, and a silent one is kept alive", async () => {
  const held = gate();
  rig.gateway.script = async () => {
    await held.opened;
    return ["late"];
  };
  const socket = new RawSocket(rig.gateway.port);
  const body = JSON.stringify({ stream: true, messages: [user("hi")] });
  const asked = rig.gateway.provider.requests.length;
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${rig.gateway.token}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await socket.until('"role":"assistant"');
  await until("the model is asked", () => rig.gateway.provider.requests.length > asked);
  for (let second = 0; second < 60; second += 15) await rig.gateway.world.jump(15_000);
  await socket.until(": ping");
  expect(socket.text.match(/: ping\n\n/g)?.length).toBeGreaterThanOrEqual(3);
  held.open();
  await socket.until("[DONE]");
  expect(socket.text).toContain('"content":"late"');
  socket.end();
});

test("8.7: requests for one session run one after the other, each with its own answer", async () => {
  let running = 0;
  let most = 0;
  rig.gateway.script = async (request) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return [`answer to ${told(request, "user").at(-1) ?? ""}`];
  };
  const all = await Promise.all([1, 2, 3, 4].map((n) => rig.chat({ user: "lane", messages: [user(`q${n}`)] })));
  expect(most).toBe(1);
  expect(all.map((answer) => choiceOf(answer).message.content)).toEqual([1, 2, 3, 4].map((n) => `answer to q${n}`));
});

test("8.4: an agent that says nothing still gets its client an answer", async () => {
  rig.gateway.script = () => ["NO_REPLY"];
  expect(choiceOf(await rig.chat()).message.content).toBe("No response from OpenClaw.");
  expect(deltas((await rig.chat({ stream: true })).text)).toBe("No response from OpenClaw.");
});

test("8.9: directives and commands at the start count as the operator's", async () => {
  const status = await rig.chat({ messages: [user("/status")] });
  expect(status.status).toBe(200);
  expect(choiceOf(status).message.content).toContain("mock");
  await rig.chat({ messages: [user("/think high what is this")] });
  expect(told(lastRequest(rig.gateway), "user")).toEqual(["what is this"]);
});

test("8.10: a run over its time limit is 504", async () => {
  rig.gateway.script = () => [{ hang: true }];
  const asked = rig.gateway.provider.requests.length;
  const answer = rig.chat();
  await until("the model is asked", () => rig.gateway.provider.requests.length > asked);
  await rig.gateway.world.jump(3_600_000);
  const { status, json } = await answer;
  expect([status, json]).toEqual([504, { error: { message: "agent timed out", type: "api_error" } }]);
});

test("8.2: the header names another model for this run only", async () => {
  expect((await rig.chat({}, { "x-openclaw-model": "mock/mock-2" })).status).toBe(200);
  expect(lastRequest(rig.gateway)?.model).toBe("mock-2");
  await rig.chat();
  expect(lastRequest(rig.gateway)?.model).toBe("mock-1");
  expect((await rig.chat({}, { "x-openclaw-model": "nowhere/none" })).status).toBe(400);
});
