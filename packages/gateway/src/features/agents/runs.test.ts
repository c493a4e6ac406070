import { GatewayError } from "@openclaw/protocol";
import { expect, test } from "vitest";
import {
  callTools,
  fail,
  hang,
  inTurn,
  lastUserText,
  makeBench,
  probeTool,
  say,
  settle,
  texts,
  until,
} from "./agents.fixture.ts";
import { textResult } from "../tools/index.ts";

const main = "agent:main:main";

test("agent: accepted, then its events, then the chat final, then the answer", async () => {
  const bench = makeBench({ script: () => say("Good", " day") });
  const result = await bench.agent({ message: "hi", idempotencyKey: "k1", agentId: "main" });
  const order = bench.log.map(({ kind, payload }) => {
    const p = payload as { stream?: string; data?: { phase?: string }; state?: string };
    return [kind, p.stream, p.data?.phase, p.state].filter(Boolean).join(" ");
  });
  expect(order).toEqual([
    "ack",
    "agent lifecycle start",
    "agent assistant",
    "chat delta",
    "agent assistant",
    "agent lifecycle end",
    "chat delta",
    "chat final",
    "answer",
  ]);
  // The last delta completes the sum for clients of protocol 4; the others would get it too soon.
  expect(bench.log.filter(({ kind }) => kind === "chat").map(({ routing }) => routing)).toEqual([{}, { since: 4 }, {}]);
  expect(bench.log[0]?.payload).toEqual({ runId: "k1", status: "accepted", acceptedAt: expect.any(Number) });
  expect(result).toMatchObject({
    runId: "k1",
    status: "ok",
    summary: "completed",
    result: {
      payloads: [{ text: "Good day", mediaUrl: null }],
      meta: {
        aborted: false,
        agentMeta: { provider: "mock", model: "one", usage: { input: 10, output: 5, total: 15 } },
      },
    },
  });
  expect(bench.events("agent").map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  expect(bench.events("chat").at(-1)).toMatchObject({
    sessionKey: main,
    seq: 4,
    state: "final",
    message: { content: [{ type: "text", text: "Good day" }] },
  });
});

test("the request is durable before it is accepted", async () => {
  const bench = makeBench({ script: hang() });
  const answer = bench.agent({ message: "hi", idempotencyKey: "k1", agentId: "main" });
  const failed = answer.catch((e: unknown) => e);
  await until(() => bench.log.length > 0);
  expect(bench.row("agent", "k1")).toMatchObject({ state: "accepted", request: { message: "hi" } });
  await until(() => bench.state.requests.length > 0);
  await bench.agents.stop(500);
  expect(await failed).toMatchObject({ message: "The gateway was stopped while this run was active." });
});

test("the reply is in the transcript and the row is ended when the final is announced", async () => {
  const bench = makeBench({ script: () => say("there") });
  const seen: unknown[] = [];
  bench.bus.on(
    "chat",
    ({ state }) => void (state === "final" && seen.push(texts(bench.transcript()), bench.row("chat", "k1")?.state)),
  );
  await bench.chat("hello", "k1");
  await until(() => seen.length > 0);
  expect(seen).toEqual([["user: hello", "assistant: there"], "ok"]);
  expect(bench.sessions.get(main)).toMatchObject({
    totalTokens: 10,
    inputTokens: 10,
    outputTokens: 5,
    model: "one",
    contextTokens: 200_000,
  });
});

test("chat.send answers started before any event, then exactly one final", async () => {
  const bench = makeBench({ script: () => say("there") });
  await bench.chat("hello", "k1");
  await until(() => bench.events("chat").some(({ state }) => state === "final"));
  await settle();
  expect(bench.log[0]).toMatchObject({ kind: "answer", payload: { runId: "k1", status: "started" } });
  expect(bench.events("chat").filter(({ state }) => state !== "delta")).toHaveLength(1);
});

test("a failing model: lifecycle error, chat error, one failed answer with payload", async () => {
  const bench = makeBench({ script: () => fail("auth", "the key was refused") });
  const error = await bench.agent({ message: "hi", idempotencyKey: "k1", agentId: "main" }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(GatewayError);
  expect(error).toMatchObject({
    kind: "unavailable",
    message: "the key was refused",
    payload: { runId: "k1", status: "error", summary: "the key was refused" },
  });
  expect(bench.events("agent").at(-1)).toMatchObject({
    stream: "lifecycle",
    data: { phase: "error", error: "the key was refused" },
  });
  expect(bench.events("chat").at(-1)).toMatchObject({ state: "error", errorMessage: "the key was refused" });
  expect(bench.row("agent", "k1")?.state).toBe("error");
});

test("no session can be derived: accepted, then a final error", async () => {
  const bench = makeBench();
  const answer = bench.agent({ message: "hi", idempotencyKey: "k1" });
  await expect(answer).rejects.toThrow("Error: Pass --to <E.164>, --session-id, or --agent to choose a session");
  expect(bench.log[0]?.kind).toBe("ack");
  expect(bench.events("chat")).toEqual([]);
});

test("two messages to one session run one after the other, each with its own final", async () => {
  const bench = makeBench({ script: (request) => say(`re:${lastUserText(request).slice(-1)}`) });
  await Promise.all([bench.chat("1", "a"), bench.chat("2", "b"), bench.chat("3", "c")]);
  await until(() => bench.events("chat").filter(({ state }) => state === "final").length === 3);
  expect(texts(bench.transcript())).toEqual([
    "user: 1",
    "assistant: re:1",
    "user: 2",
    "assistant: re:2",
    "user: 3",
    "assistant: re:3",
  ]);
  const states = bench
    .events("chat")
    .filter(({ state }) => state === "final")
    .map(({ runId }) => runId);
  expect(states).toEqual(["a", "b", "c"]);
});

test("two sessions run at the same time; a third waits for a slot", async () => {
  const bench = makeBench({ script: hang("x"), config: { agents: { defaults: { maxConcurrent: 2 } } } });
  for (const [index, key] of ["one", "two", "three"].entries())
    await bench.chat("go", `k${index}`, { sessionKey: key });
  await until(() => bench.state.requests.length === 2);
  await settle();
  expect(bench.agents.status()).toMatchObject({ running: 2, waiting: 1 });
  await bench.abort({ sessionKey: "one" });
  await until(() => bench.state.requests.length === 3);
  await bench.abort({ sessionKey: "two" });
  await bench.abort({ sessionKey: "three" });
  expect(bench.agents.status()).toMatchObject({ running: 0, waiting: 0, lanes: 0 });
});

test("a thousand runs may wait, one more is refused as retryable and leaves nothing behind", async () => {
  const bench = makeBench({ script: hang(), config: { agents: { defaults: { maxConcurrent: 1 } } } });
  await Promise.all(Array.from({ length: 1_000 }, (_, index) => bench.chat("go", `k${index}`)));
  await until(() => bench.agents.status().waiting === 999);
  await bench.chat("go", "last");
  const refused = await bench.chat("go", "beyond").catch((e: unknown) => e);
  expect(refused).toMatchObject({ kind: "unavailable", retryAfterMs: 5_000 });
  expect(bench.row("chat", "beyond")).toBeUndefined();
});

test("parallel tool calls: results in the order of the calls, committed with their message", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = probeTool("slow", async () => (await gates[0]?.promise, textResult("slow result")));
  const quick = probeTool("quick", async () => (gates[0]?.resolve(), textResult("quick result")));
  const bench = makeBench({
    tools: [slow, quick],
    script: inTurn(
      () => callTools({ name: "slow" }, { name: "quick" }),
      () => say("both done"),
    ),
  });
  await bench.agent({ message: "go", idempotencyKey: "k1", agentId: "main" });
  expect(texts(bench.transcript())).toEqual([
    "user: go",
    "assistant: (toolCall)(toolCall)",
    "toolResult: slow result",
    "toolResult: quick result",
    "assistant: both done",
  ]);
  const phases = bench
    .events("agent")
    .filter(({ stream }) => stream === "tool")
    .map(({ data }) => `${String(data["phase"])} ${String(data["name"])}`);
  expect(phases).toEqual(["start slow", "start quick", "result quick", "result slow"]);
  expect(bench.events("agent").map(({ seq }) => seq)).toEqual(bench.events("agent").map((_, index) => index + 1));
});

test("tool events carry the detail the session asks for", async () => {
  for (const [level, detail] of [
    [undefined, "off"],
    ["on", "on"],
    ["full", "full"],
  ] as const) {
    const bench = makeBench({
      tools: [probeTool("look")],
      script: inTurn(
        () => callTools({ name: "look" }),
        () => say("done"),
      ),
    });
    await bench.chat(`/verbose ${level ?? "off"}`, "v");
    await until(() => bench.events("chat").length === 1);
    await bench.agent({ message: "go", idempotencyKey: "k1", agentId: "main" });
    const tools = bench.log.filter(
      ({ kind, payload }) => kind === "agent" && (payload as { stream: string }).stream === "tool",
    );
    expect(tools.map(({ routing }) => routing?.toolDetail)).toEqual([detail, detail]);
  }
});

test("a tool that fails, one that is unknown and broken arguments become error results; the run goes on", async () => {
  const boom = probeTool("boom", async () => {
    throw new Error("it exploded");
  });
  const bench = makeBench({
    tools: [boom],
    script: inTurn(
      () => callTools({ name: "boom" }, { name: "nope" }, { name: "boom", args: { n: "text" } }),
      () => say("noted"),
    ),
  });
  await bench.agent({ message: "go", idempotencyKey: "k1", agentId: "main" });
  const results = bench.transcript().filter((message) => message.role === "toolResult");
  expect(results.map(({ isError }) => isError)).toEqual([true, true, true]);
  expect(texts(results)[0]).toContain("it exploded");
  expect(texts(results)[1]).toContain('no tool "nope"');
});

test("before a tool with effects starts, the row says so", async () => {
  const seen: unknown[] = [];
  const bench = makeBench({
    tools: [
      probeTool("write_it", async () => (seen.push(bench.row("agent", "k1")?.effects), textResult("written")), true),
    ],
    script: inTurn(
      () => callTools({ name: "write_it" }),
      () => say("done"),
    ),
  });
  await bench.agent({ message: "go", idempotencyKey: "k1", agentId: "main" });
  expect(seen).toEqual([true]);
  expect(bench.world.marks).toEqual(
    expect.arrayContaining(["run.after-accept", "run.before-effect", "run.after-tool", "run.before-final"]),
  );
});

test("a model that never stops calling tools ends at the limit", async () => {
  let n = 0;
  const bench = makeBench({
    tools: [probeTool("look")],
    script: () =>
      callTools(
        { name: "look", args: { n: n++ } },
        { name: "look", args: { n: n++ } },
        { name: "look", args: { n: n++ } },
      ),
  });
  await expect(bench.agent({ message: "go", idempotencyKey: "k1", agentId: "main" })).rejects.toThrow(
    "may not make more than 200 tool calls",
  );
  expect(bench.agents.status().lanes).toBe(0);
});

test("deltas are at least 150 ms apart and cumulative; all deltaText spells the text", async () => {
  const step: (() => void)[] = [];
  const bench = makeBench({
    script: async function* () {
      for (let i = 0; i < 50; i++) {
        yield { type: "text", delta: `w${i} ` };
        await new Promise<void>((resolve) => step.push(resolve));
      }
      yield* say(...Array.from({ length: 50 }, (_, i) => `w${i} `));
    },
  });
  const times: number[] = [];
  bench.bus.on(
    "chat",
    ({ state }, { since }) => void (state === "delta" && !since && times.push(bench.world.monotonic())),
  );
  await bench.chat("go", "k1");
  for (let i = 0; i < 50; i++) {
    await until(() => step.length > 0);
    await bench.world.clock.advance(20);
    step.shift()?.();
  }
  await until(() => bench.events("chat").some(({ state }) => state === "final"));
  for (const [index, time] of times.entries())
    if (index > 0) expect(time - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(150);
  expect(times.length).toBeGreaterThan(4);
  let text = "";
  for (const event of bench.events("chat")) {
    if (event.deltaText !== undefined) text = event.replace ? event.deltaText : text + event.deltaText;
    if (event.state === "delta") expect(text).toBe(event.message?.content[0]?.text);
  }
  expect(text).toBe(bench.events("chat").at(-1)?.message?.content[0]?.text);
});

test.each([
  ["NO_REPLY", undefined],
  [" no_reply \n", undefined],
  ["HEARTBEAT_OK", undefined],
  ["Fine.\nNO_REPLY", "Fine."],
  ["NO_REPLY is the token for silence.", "NO_REPLY is the token for silence."],
])("the reply %j is told as %j", async (said, told) => {
  const bench = makeBench({ script: () => say(...said) });
  const result = await bench.agent({ message: "go", idempotencyKey: "k1", agentId: "main" });
  expect(bench.events("chat").at(-1)?.message?.content[0]?.text).toBe(told);
  expect(result).toMatchObject({ result: { payloads: told === undefined ? [] : [{ text: told }] } });
  const streamed = bench
    .events("agent")
    .filter(({ stream }) => stream === "assistant")
    .map(({ data }) => String(data["text"]));
  for (const text of streamed) expect(told ?? "").toContain(text);
});

test("the deadline ends the run as a timeout, frees the lane and fences what comes late", async () => {
  const bench = makeBench({ script: inTurn(hang("half"), () => say("next")) });
  const answer = bench.agent({ message: "go", idempotencyKey: "k1", agentId: "main", timeout: 5 });
  const failed = answer.catch((e: unknown) => e);
  await until(() => bench.state.requests.length === 1);
  await settle();
  await bench.chat("next please", "k2");
  await bench.world.clock.advance(5_000);
  expect(await failed).toMatchObject({ kind: "timeout", payload: { runId: "k1", status: "error" } });
  await until(() => bench.events("chat", "k2").some(({ state }) => state === "final"));
  expect(bench.events("chat", "k1").at(-1)).toMatchObject({ state: "aborted", stopReason: "timeout" });
  expect(bench.row("agent", "k1")?.state).toBe("timeout");
  expect(texts(bench.transcript())).toEqual(["user: go", "assistant: half", "user: next please", "assistant: next"]);
  expect(await bench.wait({ runId: "k1", timeoutMs: 0 })).toMatchObject({
    status: "timeout",
    endedAt: expect.any(Number),
  });
});

test("a model that falls silent for two minutes is given up", async () => {
  const bench = makeBench({ script: hang("half") });
  const answer = bench.agent({ message: "go", idempotencyKey: "k1", agentId: "main" });
  const failed = answer.catch((e: unknown) => e);
  await until(() => bench.state.requests.length === 1);
  await settle();
  await bench.world.clock.advance(119_000);
  expect(bench.agents.activeRuns()).toHaveLength(1);
  await bench.world.clock.advance(1_100);
  expect(await failed).toMatchObject({ kind: "timeout", message: expect.stringContaining("120 s") });
});

test("a message that waited too long expires without running", async () => {
  const bench = makeBench({ script: hang("x") });
  await bench.chat("first", "k1", { timeoutMs: 0 });
  await until(() => bench.state.requests.length === 1);
  await bench.chat("second", "k2", { timeoutMs: 1_000 });
  await settle();
  await bench.world.clock.advance(119_000);
  expect(bench.row("chat", "k2")?.state).toBe("accepted");
  await bench.world.clock.advance(1_001);
  await until(() => bench.row("chat", "k2")?.state === "expired");
  await settle();
  expect(bench.events("chat", "k2")).toMatchObject([{ state: "aborted", stopReason: "timeout" }]);
  expect(bench.state.requests).toHaveLength(1);
});
