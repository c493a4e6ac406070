import { GatewayError } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import type { Store } from "../../store/index.ts";
import { hang, inTurn, makeBench, memoryStore, say, settle, until } from "./agents.fixture.ts";

/** A bench whose disk can be full for a while. */
function benchOnDisk(...scripts: Parameters<typeof inTurn>) {
  const world = fakeWorld({ startAt: Date.UTC(2026, 1, 13, 18, 26) });
  const inner = memoryStore(world);
  const disk = { full: false };
  const store: Store = {
    path: inner.path,
    get: (sql, ...params) => inner.get(sql, ...params),
    all: (sql, ...params) => inner.all(sql, ...params),
    check: () => inner.check(),
    close: () => inner.close(),
    commit: (unit) =>
      disk.full ? Promise.reject(new GatewayError("unavailable", "The disk is full.")) : inner.commit(unit),
  };
  return { disk, ...makeBench({ world, store, script: inTurn(...scripts) }) };
}

test("a stop that the disk refuses is not acknowledged, however often it is asked for, until it is written", async () => {
  const bench = benchOnDisk(hang("half"));
  await bench.chat("go", "k1");
  await until(() => bench.events("chat", "k1").length > 0);
  bench.disk.full = true;
  await expect(bench.abort({ sessionKey: "main", runId: "k1" })).rejects.toThrow("could not be stored");
  await expect(bench.abort({ sessionKey: "main" })).rejects.toThrow("could not be stored");
  expect(bench.events("chat", "k1").at(-1)).toMatchObject({ state: "aborted" });
  expect(bench.row("chat", "k1")?.state).toBe("running");
  bench.disk.full = false;
  await bench.world.clock.advance(200);
  await until(() => bench.row("chat", "k1")?.state === "aborted");
  await settle();
  expect(await bench.abort({ sessionKey: "main" })).toEqual({ ok: true, aborted: false, runIds: [] });
});

test("the end of a run is written as soon as the disk takes it, even after minutes", async () => {
  const bench = benchOnDisk(hang("half"));
  await bench.chat("go", "k1");
  await until(() => bench.events("chat", "k1").length > 0);
  bench.disk.full = true;
  await expect(bench.abort({ sessionKey: "main" })).rejects.toThrow("could not be stored");
  for (let minute = 0; minute < 5; minute++) {
    await bench.world.clock.advance(60_000);
    await settle();
  }
  expect(await bench.chat("go", "k1")).toEqual({ runId: "k1", status: "in_flight" });
  bench.disk.full = false;
  await bench.world.clock.advance(30_000);
  await until(() => bench.row("chat", "k1")?.state === "aborted");
});

test("a gateway that stops tries once more to write what its disk refused", async () => {
  const bench = benchOnDisk(hang("half"));
  await bench.chat("go", "k1");
  await until(() => bench.events("chat", "k1").length > 0);
  bench.disk.full = true;
  await expect(bench.abort({ sessionKey: "main" })).rejects.toThrow("could not be stored");
  bench.disk.full = false;
  await bench.agents.stop(1_000);
  expect(bench.row("chat", "k1")?.state).toBe("aborted");
});

test("notes for the prompt survive a run that could not begin", async () => {
  const bench = benchOnDisk(hang("first"), () => say("ok"));
  await bench.chat("go", "k1");
  await until(() => bench.state.requests.length === 1);
  await bench.chat("next", "k2");
  bench.systemEvents.enqueue("agent:main:main", "the lights went out");
  bench.disk.full = true;
  await expect(bench.abort({ sessionKey: "main", runId: "k1" })).rejects.toThrow("could not be stored");
  await until(() => bench.events("chat", "k2").some(({ state }) => state === "error"));
  expect(bench.systemEvents.peekAll().get("agent:main:main")).toMatchObject([{ text: "the lights went out" }]);
  bench.disk.full = false;
  await bench.chat("again", "k3");
  await until(() => bench.events("chat", "k3").some(({ state }) => state === "final"));
  expect(JSON.stringify(bench.state.requests.at(-1)?.messages)).toContain("the lights went out");
});
