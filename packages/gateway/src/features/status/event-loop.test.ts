import { expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { EventLoopWatch } from "./event-loop.ts";

test("a quiet event loop is not degraded, and every field that clients read without a guard is there", async () => {
  const world = fakeWorld();
  const watch = new EventLoopWatch(world);
  await world.clock.advance(60_000);
  const reading = watch.read();
  watch.stop();
  expect(reading).toMatchObject({ degraded: false, degradedSinceMs: null, reasons: [], intervalMs: 60_000 });
  for (const field of ["delayP99Ms", "delayMaxMs", "utilization", "cpuCoreRatio"] as const) {
    expect(reading[field], field).toBeGreaterThanOrEqual(0);
  }
});

test("each reading covers the time since the one before", async () => {
  const world = fakeWorld();
  const watch = new EventLoopWatch(world);
  await world.clock.advance(60_000);
  watch.read();
  await world.clock.advance(1_500);
  expect(watch.read().intervalMs).toBe(1_500);
  watch.stop();
});
