import { expect, test } from "vitest";
import { hang, makeBench, mortal, memoryStore, say, settle, until } from "./agents.fixture.ts";
import { fakeWorld } from "../../kernel/fake-world.ts";

test("after start new messages run at once; what was left open follows a moment later", async () => {
  const world = fakeWorld();
  const disk = memoryStore(world);
  const process = mortal(disk);
  const first = makeBench({ world, store: process.store, script: hang("x") });
  await first.chat("left open", "k1");
  await until(() => first.state.requests.length === 1);
  process.kill();
  const next = makeBench({ world, store: disk, script: () => say("ok") });
  await next.agents.start();
  expect(next.row("chat", "k1")?.state).toBe("accepted");
  expect(next.state.requests).toEqual([]);
  await world.clock.advance(20);
  await until(() => next.row("chat", "k1")?.state === "ok");
  await next.agents.stop(500);
});

test("start without anything left open is ready at once; stop ends its timers and refuses new messages", async () => {
  const bench = makeBench();
  await bench.agents.start();
  expect(bench.world.clock.pending()).toBe(1);
  await bench.chat("hi", "k");
  await until(() => bench.row("chat", "k")?.state === "ok");
  await bench.agents.stop(500);
  bench.agents.resume();
  await settle();
  expect(bench.world.clock.pending()).toBe(0);
  await expect(bench.chat("hi", "k2")).rejects.toThrow("The gateway is stopping");
});

test("old runs are swept every ten minutes", async () => {
  const bench = makeBench();
  await bench.agents.start();
  await bench.chat("hi", "k");
  await until(() => bench.row("chat", "k")?.state === "ok");
  bench.world.clock.shiftWall(25 * 3_600_000);
  await bench.world.clock.advance(600_000);
  await until(() => bench.row("chat", "k") === undefined);
  await bench.agents.stop(500);
});
