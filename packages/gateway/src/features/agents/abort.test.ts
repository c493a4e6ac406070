import { array, assert, asyncProperty, boolean, constantFrom, nat, record } from "fast-check";
import { expect, test } from "vitest";
import {
  callTools,
  hang,
  inTurn,
  makeBench,
  mortal,
  memoryStore,
  probeTool,
  say,
  settle,
  texts,
  until,
} from "./agents.fixture.ts";
import { textResult } from "../tools/index.ts";
import { fakeWorld } from "../../kernel/fake-world.ts";

test("chat.abort: the partial text is kept, nothing follows, the next message starts at once", async () => {
  const bench = makeBench({ script: inTurn(hang("half a"), () => say("next")) });
  await bench.chat("go", "k1");
  await bench.chat("after", "k2");
  await until(() => bench.events("chat", "k1").length > 0);
  expect(await bench.abort({ sessionKey: "main", runId: "k1" })).toEqual({ ok: true, aborted: true, runIds: ["k1"] });
  await until(() => bench.events("chat", "k2").some(({ state }) => state === "final"));
  await settle();
  const mine = bench.events("chat", "k1");
  expect(mine.at(-1)).toMatchObject({ state: "aborted", stopReason: "rpc" });
  expect(mine.at(-1)).not.toHaveProperty("message");
  expect(mine.filter(({ state }) => state !== "delta")).toHaveLength(1);
  expect(bench.events("agent", "k1").at(-1)).toMatchObject({
    stream: "lifecycle",
    data: { phase: "end", aborted: true },
  });
  expect(bench.transcript()[1]).toMatchObject({
    role: "assistant",
    stopReason: "aborted",
    content: [{ text: "half a" }],
  });
  const [request] = bench.state.requests.slice(-1);
  expect(JSON.stringify(request?.messages)).toContain("The previous run was stopped by the user");
});

test("chat.abort: again is false, an unknown run is false, the run of another session is refused", async () => {
  const bench = makeBench({ script: hang("x") });
  await bench.chat("go", "k1");
  await until(() => bench.state.requests.length === 1);
  await expect(bench.abort({ sessionKey: "other", runId: "k1" })).rejects.toThrow("runId does not match sessionKey");
  expect(await bench.abort({ sessionKey: "agent:main:main" })).toMatchObject({ aborted: true });
  expect(await bench.abort({ sessionKey: "main" })).toEqual({ ok: true, aborted: false, runIds: [] });
  expect(await bench.abort({ sessionKey: "main", runId: "nobody" })).toEqual({ ok: true, aborted: false, runIds: [] });
});

test.each(["stop", " /STOP ", "esc", "abort", "wait", "exit", "interrupt"])(
  "the stop word %j stops all runs of the session, before deduplication",
  async (word) => {
    const bench = makeBench({ script: hang("x") });
    await bench.chat("go", "k1");
    await bench.chat("queued", "k2");
    await until(() => bench.state.requests.length === 1);
    expect(await bench.chat(word, "k1")).toEqual({ ok: true, aborted: true, runIds: ["k1", "k2"] });
    expect(bench.events("chat", "k1").at(-1)).toMatchObject({ state: "aborted", stopReason: "stop" });
    expect(await bench.chat(word, "k9")).toEqual({ ok: true, aborted: false, runIds: [] });
    expect(texts(bench.transcript())).toEqual(expect.arrayContaining(["user: go", "user: queued"]));
    expect(bench.state.requests).toHaveLength(1);
  },
);

test("an abort in the middle of a tool closes its call and starts no other", async () => {
  const started: string[] = [];
  const gate = Promise.withResolvers<void>();
  const slow = probeTool("slow", async () => (started.push("slow"), await gate.promise, textResult("late")), true);
  const other = probeTool("other", async () => (started.push("other"), textResult("x")), true);
  const bench = makeBench({
    tools: [slow, other],
    script: inTurn(
      () => callTools({ name: "slow" }, { name: "other" }),
      () => say("never"),
    ),
  });
  await bench.chat("go", "k1");
  await until(() => started.length === 1);
  await bench.abort({ sessionKey: "main" });
  const before = bench.log.length;
  gate.resolve();
  await settle();
  expect(started).toEqual(["slow"]);
  expect(bench.state.requests).toHaveLength(1);
  expect(bench.log.slice(before).filter(({ kind }) => kind !== "answer")).toEqual([]);
  const messages = bench.transcript();
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "toolResult", "toolResult"]);
  expect(messages.slice(2).every((message) => message.role === "toolResult" && message.isError)).toBe(true);
});

test("stopSession ends everything of a session", async () => {
  const bench = makeBench({ script: hang("x") });
  await bench.chat("go", "k1");
  await until(() => bench.state.requests.length === 1);
  expect(await bench.agents.stopSession("agent:main:main")).toBe(true);
  expect(bench.agents.activeRuns()).toEqual([]);
  expect(await bench.agents.stopSession("agent:main:nothing")).toBe(true);
});

test("aborted at any step: one terminal event, nothing after the acknowledgement, the lane is free", async () => {
  await assert(
    asyncProperty(nat({ max: 40 }), boolean(), async (steps, effects) => {
      let acknowledged = false;
      const after: string[] = [];
      const note = (what: string) => void (acknowledged && after.push(what));
      const look = probeTool("look", async () => (note("tool"), textResult("seen")), effects);
      const bench = makeBench({
        tools: [look],
        script: inTurn(
          () => (note("model"), callTools({ name: "look" }, { name: "look", args: { n: 2 } })),
          () => (note("model"), say("a", "b", "c")),
          () => (note("model"), say("next")),
        ),
      });
      bench.bus.subscribe(({ event, payload }) => void ((payload as { runId: string }).runId === "k" && note(event)));
      await bench.chat("go", "k");
      await settle(steps);
      const { aborted } = await bench.abort({ sessionKey: "main", runId: "k" });
      acknowledged = aborted;
      await settle(40);
      expect(after).toEqual([]);
      const ends = bench
        .events("agent", "k")
        .filter(({ stream, data }) => stream === "lifecycle" && data["phase"] !== "start");
      expect(ends).toHaveLength(1);
      const terminal = bench.events("chat", "k").filter(({ state }) => state !== "delta");
      expect(terminal.map(({ state }) => state)).toEqual([aborted ? "aborted" : "final"]);
      expect(bench.row("chat", "k")?.state).toBe(aborted ? "aborted" : "ok");
      expect(bench.agents.status()).toMatchObject({ running: 0, waiting: 0, lanes: 0 });
      const roles = bench.transcript().map(({ role }) => role);
      expect(roles.filter((role) => role === "toolResult").length % 2).toBe(0);
      expect(roles.filter((role) => role === "user")).toHaveLength(1);
    }),
    { numRuns: 60 },
  );
});

test("a stop of the gateway: active runs end in the store, waiting ones stay and run in the next process", async () => {
  const world = fakeWorld();
  const disk = memoryStore(world);
  const first = mortal(disk);
  const bench = makeBench({ world, store: first.store, script: hang("half") });
  await bench.chat("active", "k1");
  await bench.chat("waiting", "k2");
  await until(() => bench.state.requests.length === 1);
  await bench.agents.stop(500);
  first.kill();
  expect(bench.events("chat", "k1").at(-1)).toMatchObject({ state: "error" });
  await expect(bench.chat("more", "k3")).rejects.toMatchObject({ kind: "unavailable" });
  const next = makeBench({ world, store: disk, script: () => say("done") });
  expect(next.row("chat", "k1")?.state).toBe("aborted");
  expect(await next.agents.recover()).toEqual({ again: 1, interrupted: 0 });
  next.agents.resume();
  await until(() => next.row("chat", "k2")?.state === "ok");
  expect(texts(next.transcript())).toEqual(["user: active", "assistant: half", "user: waiting", "assistant: done"]);
});

test("a drain lets active runs finish and starts none", async () => {
  const gate = Promise.withResolvers<void>();
  const bench = makeBench({
    script: async function* () {
      await gate.promise;
      yield* say("done");
    },
  });
  await bench.chat("active", "k1");
  await bench.chat("waiting", "k2");
  await until(() => bench.state.requests.length === 1);
  const drained = bench.agents.drain(300_000);
  gate.resolve();
  expect(await drained).toBe(0);
  await settle();
  expect(bench.row("chat", "k1")?.state).toBe("ok");
  expect(bench.row("chat", "k2")?.state).toBe("accepted");
});

test("a stop with 200 active runs is one short durable step, and none of them can run again", async () => {
  const bench = makeBench({ script: hang("x"), config: { agents: { defaults: { maxConcurrent: 200 } } } });
  await Promise.all(
    Array.from({ length: 200 }, (_, index) => bench.chat("go", `k${index}`, { sessionKey: `s${index}` })),
  );
  await until(() => bench.state.requests.length === 200);
  const started = performance.now();
  await bench.agents.stop(500);
  expect(performance.now() - started).toBeLessThan(500);
  const next = makeBench({ world: bench.world, store: bench.store });
  expect(await next.agents.recover()).toEqual({ again: 0, interrupted: 0 });
});

test("any schedule of messages and stops: one terminal per message, in order within a session, no lane left", async () => {
  const step = record({
    session: constantFrom("a", "b", "c"),
    what: constantFrom("send", "send", "send", "stop"),
    pause: nat({ max: 6 }),
  });
  await assert(
    asyncProperty(array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const bench = makeBench({ script: () => say("a", "b"), config: { agents: { defaults: { maxConcurrent: 2 } } } });
      const sent: { key: string; session: string }[] = [];
      for (const [index, { session, what, pause }] of steps.entries()) {
        if (what === "send") {
          sent.push({ key: `k${index}`, session });
          await bench.chat(`m${index}`, `k${index}`, { sessionKey: session });
        } else await bench.abort({ sessionKey: session });
        await settle(pause);
      }
      await until(() => bench.agents.activeRuns().length === 0);
      await settle();
      for (const { key } of sent) {
        const terminal = bench.events("chat", key).filter(({ state }) => state !== "delta");
        expect(terminal).toHaveLength(1);
        expect(["ok", "aborted"]).toContain(bench.row("chat", key)?.state);
      }
      for (const session of ["a", "b", "c"]) {
        const written = texts(bench.transcript(`agent:main:${session}`)).filter((line) => line.startsWith("user"));
        const wanted = sent.filter((one) => one.session === session).map(({ key }) => `user: m${key.slice(1)}`);
        expect(written.toSorted()).toEqual(wanted.toSorted());
      }
      expect(bench.agents.status()).toMatchObject({ running: 0, waiting: 0, lanes: 0 });
    }),
    { numRuns: 40 },
  );
});
