import { expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import {
  callTools,
  hang,
  inTurn,
  makeBench,
  memoryStore,
  mortal,
  probeTool,
  say,
  settle,
  until,
} from "./agents.fixture.ts";
import { textResult } from "../tools/index.ts";
import type { ClientMessage } from "./client-admission.ts";

const sessionKey = "agent:main:openai:1";
const weather = { name: "get_weather", description: "", parameters: { type: "object", properties: {} } };

const message = (more: Partial<ClientMessage> = {}): ClientMessage => ({
  runId: "chatcmpl_1",
  principal: "shared",
  sessionKey,
  agentId: "main",
  hidden: true,
  text: "weather?",
  body: (text) => text,
  images: [],
  tools: [weather],
  results: [],
  settings: {},
  ...more,
});
const run = async (bench: ReturnType<typeof makeBench>, given: ClientMessage) => {
  const { ended } = await bench.agents.submit(bench.agents.fromClient(given));
  return ended;
};

test("a call of the client's tool ends the run; its result goes on in the transcript it was called in", async () => {
  const bench = makeBench({
    script: inTurn(
      () => callTools({ name: "get_weather" }),
      () => say("sunny, then"),
    ),
  });
  const first = await run(bench, message());
  const [call] = first.ending?.clientCalls ?? [];
  expect([first.outcome.status, call?.name]).toEqual(["ok", "get_weather"]);
  expect(bench.agents.pendingCalls(sessionKey)).toEqual(first.ending?.clientCalls);
  const results = [{ callId: call?.id ?? "", name: "get_weather", content: [{ type: "text" as const, text: "25" }] }];
  const second = await run(bench, message({ runId: "chatcmpl_2", text: "", results }));
  expect(second.ending?.texts).toEqual(["sunny, then"]);
  expect(bench.agents.pendingCalls(sessionKey)).toEqual([]);
});

test("the agent's own tools of the same step run first, and their results are stored", async () => {
  const ran: string[] = [];
  const own = probeTool("own", async () => (ran.push("own"), textResult("done")), true);
  const bench = makeBench({ tools: [own], script: inTurn(() => callTools({ name: "own" }, { name: "get_weather" })) });
  const ended = await run(bench, message());
  expect(ran).toEqual(["own"]);
  expect(ended.ending?.clientCalls?.map(({ name }) => name)).toEqual(["get_weather"]);
  expect(bench.agents.pendingCalls(sessionKey).map(({ name }) => name)).toEqual(["get_weather"]);
});

test("a tool the agent has itself cannot be the client's", () => {
  const bench = makeBench({
    tools: [probeTool("get_weather", async () => textResult(""), false)],
    script: () => say(""),
  });
  expect(() => bench.agents.fromClient(message())).toThrow("taken by a tool of the agent");
  expect(() => bench.agents.fromClient(message({ tools: [], thinking: "frantic" }))).toThrow("thinking level");
});

test("what stands before the message stays out of directives", () => {
  const bench = makeBench({ script: () => say("") });
  const { request } = bench.agents.fromClient(message({ text: "/think high why", body: (text) => `history\n${text}` }));
  expect([request.message, request.thinking]).toEqual(["history\nwhy", "high"]);
});

test("a run whose client died with the process is ended by the next one, and not asked again", async () => {
  const world = fakeWorld();
  const disk = memoryStore(world);
  const process = mortal(disk);
  const first = makeBench({ world, store: process.store, script: hang() });
  void run(first, message()).catch(() => {});
  await until(() => first.row("agent", "chatcmpl_1")?.state === "running", "it runs");
  process.kill();
  await settle();
  let asked = 0;
  const next = makeBench({ world, store: disk, script: () => (asked++, say("nobody")) });
  expect(await next.agents.recover()).toEqual({ again: 0, interrupted: 1 });
  next.agents.resume();
  await settle();
  expect([asked, next.row("agent", "chatcmpl_1")?.state]).toEqual([0, "interrupted"]);
});
