import { expect, test } from "vitest";
import {
  fail,
  hang,
  lastUserText,
  makeBench,
  mockModel,
  say,
  settle,
  texts,
  until,
  type BenchOptions,
} from "../agents.fixture.ts";
import { isStopWord, parseMessage } from "./parse.ts";
import { findCommand } from "./table.ts";

const isModel = (word: string) => word === "mock/two" || word === "two";

test.each([
  ["hello", { text: "hello" }],
  ["/status", { command: { name: "status", args: "" } }],
  ["/STATUS now\nignored", { command: { name: "status", args: "now" } }],
  ["/id", { command: { name: "whoami", args: "" } }],
  ["/help@mybot", { command: { name: "help", args: "" } }],
  ["/think: high", { command: { name: "think", args: "high" } }],
  ["/t", { command: { name: "think", args: "" } }],
  ["/think nonsense", { command: { name: "think", args: "nonsense" } }],
  ["/think high what is 2+2", { text: "what is 2+2", thinking: "high" }],
  ["what is /think ultra 2+2", { text: "what is 2+2", thinking: "high" }],
  ["/model two say it", { text: "say it", model: "two" }],
  ["/model unknown", { command: { name: "model", args: "unknown" } }],
  ["read /v for more", { text: "read /v for more" }],
  ["/etc/passwd is a file", { text: "/etc/passwd is a file" }],
  ["/dance", { text: "/dance" }],
  ["/new\nsecond line", { command: { name: "new", args: "second line" } }],
])("%j is read as %j", (message, expected) => {
  expect(parseMessage(message, isModel)).toMatchObject(expected);
  if (!("command" in expected)) expect(parseMessage(message, isModel).command).toBeUndefined();
});

test("stop words are whole messages only", () => {
  expect(["stop", "/stop", "  Wait\n"].every(isStopWord)).toBe(true);
  expect(["stop it", "/stop now", "", "please wait"].some(isStopWord)).toBe(false);
});

async function ask(message: string, options: BenchOptions = {}, bench = makeBench(options)) {
  const key = `key-${bench.log.length}`;
  await bench.chat(message, key);
  await until(() => bench.events("chat", key).some(({ state }) => state !== "delta"));
  await settle();
  return {
    bench,
    key,
    final: bench.events("chat", key).at(-1),
    text: bench.events("chat", key).at(-1)?.message?.content[0]?.text,
  };
}

test("a command answers started, then exactly one final with the whole message, and no agent events", async () => {
  const { bench, key, final } = await ask("/status");
  expect(bench.log.map(({ kind }) => kind)).toEqual(["answer", "chat"]);
  expect(final).toMatchObject({
    runId: key,
    sessionKey: "agent:main:main",
    seq: 1,
    state: "final",
    message: {
      role: "assistant",
      command: true,
      stopReason: "stop",
      provider: "openclaw",
      model: "gateway-injected",
      usage: { totalTokens: 0, cost: { total: 0 } },
    },
  });
  expect(bench.state.requests).toEqual([]);
  expect(texts(bench.transcript())[0]).toBe("user: /status");
});

test("agent with a command answers with its text", async () => {
  const bench = makeBench();
  const answer = await bench.agent({ message: "/whoami", idempotencyKey: "k", agentId: "main" });
  expect(answer).toMatchObject({
    status: "ok",
    result: { payloads: [{ text: expect.stringContaining("Session: agent:main:main") }] },
  });
  expect(bench.events("agent")).toEqual([]);
});

test("commands and their answers are not part of the context", async () => {
  const { bench } = await ask("/help");
  await ask("hi there", {}, bench);
  expect(bench.state.requests[0]?.messages).toHaveLength(1);
  expect(lastUserText(bench.state.requests[0] ?? ({ messages: [] } as never))).toMatch(
    /^\[Fri 2026-02-13 .*\] hi there$/,
  );
});

test("an info command is answered while a run is active", async () => {
  const bench = makeBench({ script: hang("x") });
  await bench.chat("go", "run");
  await until(() => bench.state.requests.length === 1);
  const { text } = await ask("/status", {}, bench);
  expect(text).toContain("Runs: 1 running");
  await bench.abort({ sessionKey: "main" });
});

test("/think and /verbose persist, show and refuse; an inline directive holds for one message", async () => {
  const { bench, text } = await ask("/think high");
  expect(text).toContain("high");
  expect((await ask("/think", {}, bench)).text).toContain("Thinking: high");
  expect((await ask("/think banana", {}, bench)).text).toContain("no thinking level");
  await ask("/think off tell me", {}, bench);
  await ask("and now", {}, bench);
  expect(bench.state.requests.map(({ thinking }) => thinking)).toEqual(["off", "high"]);
  expect(texts(bench.transcript())).toContain("user: tell me");
  await ask("/verbose full", {}, bench);
  expect(bench.sessions.get("agent:main:main")).toMatchObject({ thinkingLevel: "high", verboseLevel: "full" });
});

test("/model chooses by name or number, shows and goes back", async () => {
  const { bench } = await ask("/model two");
  expect(bench.sessions.get("agent:main:main")).toMatchObject({ providerOverride: "mock", modelOverride: "two" });
  expect((await ask("/model", {}, bench)).text).toContain("Model: mock/two (default: mock/one)");
  expect((await ask("/model other/none", {}, bench)).text).toContain("unknown model other/none");
  await ask("/model 1", {}, bench);
  expect(bench.sessions.get("agent:main:main")).toMatchObject({ modelOverride: "one" });
  await ask("/model default", {}, bench);
  expect(bench.sessions.get("agent:main:main")?.modelOverride).toBeUndefined();
});

test("/usage adds a footer to replies", async () => {
  const { bench } = await ask("/usage tokens");
  expect((await ask("hi", {}, bench)).text).toBe("ok\n\nUsage: 10 in / 5 out");
  await ask("/usage off", {}, bench);
  expect((await ask("hi", {}, bench)).text).toBe("ok");
});

test("/new text begins a new session with that text; a bare /new lets the model greet", async () => {
  const { bench } = await ask("old message");
  const before = bench.sessions.get("agent:main:main")?.sessionId;
  await ask("/new fresh start", {}, bench);
  expect(bench.sessions.get("agent:main:main")?.sessionId).not.toBe(before);
  expect(texts(bench.transcript())).toEqual(["user: fresh start", "assistant: ok"]);
  await ask("/new", {}, bench);
  expect(texts(bench.transcript())).toEqual(["user: /new", "assistant: ok"]);
  expect(lastUserText(bench.state.requests.at(-1) ?? ({ messages: [] } as never))).toContain("Greet the person");
});

test("/new with a model keeps the model; without any model it answers by itself", async () => {
  const { bench } = await ask("/new mock/two hello");
  expect(bench.sessions.get("agent:main:main")).toMatchObject({ modelOverride: "two" });
  expect(texts(bench.transcript())[0]).toBe("user: hello");
  const offline = await ask("/reset", { model: { ...mockModel, api: "offline" } });
  expect(offline.text).toContain("A new session begins");
  expect(offline.bench.state.requests).toEqual([]);
});

test("/compact summarises and says so; with nothing to summarise it says that", async () => {
  const { bench, text } = await ask("/compact");
  expect(text).toContain("nothing to compact");
  for (const message of ["one", "two", "three"]) await ask(message, {}, bench);
  bench.state.script = () => say("SUMMARY");
  expect((await ask("/compact names", {}, bench)).text).toContain("Compacted");
  expect(bench.sessions.get("agent:main:main")?.compactionCount).toBe(1);
  expect(bench.events("agent").filter(({ stream }) => stream === "compaction")).toEqual([]);
  await ask("four", {}, bench);
  expect(JSON.stringify(bench.state.requests.at(-1)?.messages)).toContain("SUMMARY");
});

test("a command that fails ends in one chat error and stays out of the context", async () => {
  const { bench } = await ask("one ".repeat(50));
  await ask("two ".repeat(50), {}, bench);
  bench.state.script = () => fail("auth", "refused");
  const { final } = await ask("/compact", {}, bench);
  expect(final).toMatchObject({
    state: "error",
    errorMessage: expect.stringContaining("could not be summarised: refused"),
  });
  bench.state.script = () => say("ok");
  await ask("three", {}, bench);
  expect(JSON.stringify(bench.state.requests.at(-1)?.messages)).not.toContain("/compact");
});

test("/context shows what the prompt is made of", async () => {
  const { bench, text } = await ask("/context");
  expect(text).toContain("Nothing to show yet");
  await ask("hi", {}, bench);
  expect((await ask("/context", {}, bench)).text).toContain("AGENTS.md");
  expect(JSON.parse((await ask("/context json", {}, bench)).text ?? "")).toMatchObject({ sections: expect.any(Array) });
});

test("every command of the table answers", async () => {
  for (const name of [
    "help",
    "commands",
    "status",
    "whoami",
    "think",
    "verbose",
    "usage",
    "model",
    "context",
    "compact",
  ]) {
    expect((await ask(`/${name}`)).text, name).not.toBe("");
  }
});

test("with commands.text off, commands are text", async () => {
  const { bench } = await ask("/status", { config: { commands: { text: false } } });
  expect(bench.state.requests).toHaveLength(1);
});

test.each(["restart", "config"])("/%s is for owners, and off until its switch is on", async (name) => {
  expect((await ask(`/${name}`)).text).toContain(`commands.${name}=true`);
  const bench = makeBench({ config: { commands: { restart: true, config: true } } });
  const call = {
    run: { sessionKey: "agent:main:main", request: { owner: false } },
    args: "",
    deps: bench.agents.deps,
    gateway: bench.agents.gateway,
  };
  expect(await findCommand(name)?.run(call as never)).toEqual({
    text: `/${name} is only for the owner of this gateway.`,
  });
});
