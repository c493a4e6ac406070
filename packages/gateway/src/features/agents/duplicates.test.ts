import { GatewayError } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { fail, hang, inTurn, makeBench, say, settle, texts, until } from "./agents.fixture.ts";

test("agent: a duplicate while running is told accepted, and the final when the run ends; the model is asked once", async () => {
  const gate = Promise.withResolvers<void>();
  const bench = makeBench({
    script: async function* () {
      await gate.promise;
      yield* say("once");
    },
  });
  const params = { message: "hi", idempotencyKey: "k", agentId: "main" };
  const first = bench.agent(params);
  await until(() => bench.state.requests.length === 1);
  const second = bench.agent(params);
  await settle();
  const acks = bench.log.filter(({ kind }) => kind === "ack").map(({ payload }) => payload);
  expect(acks).toHaveLength(2);
  expect(acks[1]).toEqual(acks[0]);
  gate.resolve();
  expect(await second).toEqual(await first);
  expect(bench.state.requests).toHaveLength(1);
  expect(texts(bench.transcript())).toEqual(["user: hi", "assistant: once"]);
});

test("agent: a duplicate after the end gets the final alone, also from another process", async () => {
  const bench = makeBench();
  const params = { message: "hi", idempotencyKey: "k", agentId: "main" };
  const first = await bench.agent(params);
  bench.log.length = 0;
  expect(await bench.agent(params)).toEqual(first);
  expect(bench.log.map(({ kind }) => kind)).toEqual(["answer"]);
  const next = makeBench({ store: bench.store, world: bench.world });
  expect(await next.agent(params)).toEqual(first);
  expect(next.state.requests).toEqual([]);
});

test("agent: the failure of a run is replayed with its payload", async () => {
  const bench = makeBench({ script: () => fail("billing", "no money") });
  const params = { message: "hi", idempotencyKey: "k", agentId: "main" };
  const errors = [
    await bench.agent(params).catch((e: unknown) => e),
    await bench.agent(params).catch((e: unknown) => e),
  ] as GatewayError[];
  expect(errors[1]?.payload).toEqual(errors[0]?.payload);
  expect(errors[1]?.message).toBe(errors[0]?.message);
  expect(bench.state.requests).toHaveLength(1);
});

test("two identical requests in the same moment are one run", async () => {
  const bench = makeBench();
  const params = { message: "hi", idempotencyKey: "k", agentId: "main" };
  const [a, b] = await Promise.all([bench.agent(params), bench.agent(params)]);
  expect(b).toEqual(a);
  expect(texts(bench.transcript())).toEqual(["user: hi", "assistant: ok"]);
});

test("chat.send: in_flight while running, ok or the error afterwards", async () => {
  const bench = makeBench({ script: inTurn(hang("x"), () => fail("auth", "refused")) });
  expect(await bench.chat("hi", "k")).toEqual({ runId: "k", status: "started" });
  expect(await bench.chat("hi", "k")).toEqual({ runId: "k", status: "in_flight" });
  await until(() => bench.state.requests.length === 1);
  await bench.abort({ sessionKey: "main" });
  expect(await bench.chat("hi", "k")).toEqual({ runId: "k", status: "ok" });
  await bench.chat("again", "k2");
  await until(() => bench.events("chat", "k2").some(({ state }) => state === "error"));
  const error = await bench.chat("again", "k2").catch((e: unknown) => e);
  expect(error).toMatchObject({ message: "refused", payload: { runId: "k2", status: "error", summary: "refused" } });
});

test("the same key in the two families does not collide", async () => {
  const bench = makeBench();
  await bench.chat("hi", "k");
  await bench.agent({ message: "ho", idempotencyKey: "k", agentId: "main" });
  await settle();
  expect(texts(bench.transcript())).toEqual(["user: hi", "assistant: ok", "user: ho", "assistant: ok"]);
});

test("another principal's key is refused by name, running or over, and its result never shown", async () => {
  const bench = makeBench({ script: inTurn(hang("secret"), () => say("secret")) });
  await bench.chat("hi", "mine", {}, "device:a");
  await expect(bench.chat("hi", "mine", {}, "device:b")).rejects.toThrow(
    'idempotencyKey "mine" is in use by another client',
  );
  await bench.abort({ sessionKey: "main" });
  await expect(bench.chat("hi", "mine", {}, "device:b")).rejects.toMatchObject({
    kind: "invalid",
    details: { code: "IDEMPOTENCY_KEY_IN_USE" },
  });
});

test("refused requests are not remembered", async () => {
  const bench = makeBench();
  await expect(bench.agent({ message: "hi", idempotencyKey: "k", agentId: "main", channel: "zz" })).rejects.toThrow(
    "unknown channel",
  );
  expect(bench.row("agent", "k")).toBeUndefined();
  await expect(bench.agent({ message: "hi", idempotencyKey: "k", agentId: "main" })).resolves.toMatchObject({
    status: "ok",
  });
});

test("agent.wait: polls, waits for the end, times out for unknown ids, and leaves nothing behind", async () => {
  const bench = makeBench({ script: hang("x") });
  expect(await bench.wait({ runId: "nobody", timeoutMs: 0 })).toEqual({ runId: "nobody", status: "timeout" });
  await bench.chat("hi", "k");
  await until(() => bench.state.requests.length === 1);
  const ended = bench.wait({ runId: "k" });
  await bench.abort({ sessionKey: "main", runId: "k" });
  expect(await ended).toMatchObject({
    runId: "k",
    status: "ok",
    startedAt: expect.any(Number),
    endedAt: expect.any(Number),
  });
  const late = bench.wait({ runId: "later", timeoutMs: 100 });
  await settle(2);
  await bench.world.clock.advance(100);
  expect(await late).toEqual({ runId: "later", status: "timeout" });
  expect(bench.world.clock.pending()).toBe(0);
});

test("old rows are swept after 24 h, open ones stay", async () => {
  const bench = makeBench({ script: inTurn(() => say("ok"), hang("x")) });
  await bench.chat("hi", "old");
  await until(() => bench.row("chat", "old")?.state === "ok");
  await settle();
  const { table } = bench.agents.deps;
  expect(await bench.store.commit((tx) => table.sweep(tx, bench.world.now() + 23 * 3_600_000))).toBe(0);
  await bench.chat("still running", "open");
  expect(await bench.store.commit((tx) => table.sweep(tx, bench.world.now() + 25 * 3_600_000))).toBe(1);
  expect(bench.row("chat", "old")).toBeUndefined();
  expect(bench.row("chat", "open")).toBeDefined();
});
