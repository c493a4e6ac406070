import { expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { degradedBy, EventLoopWatch } from "./event-loop.ts";

test("a reading has every field that clients of generation N read without a guard", async () => {
  const world = fakeWorld();
  const watch = new EventLoopWatch(world);
  await world.clock.advance(60_000);
  const reading = watch.read();
  watch.stop();
  expect(Array.isArray(reading.reasons)).toBe(true);
  expect(reading.degraded).toBe(reading.reasons.length > 0);
  expect(reading.degradedSinceMs).toBe(reading.degraded ? world.now() : null);
  for (const field of ["delayP99Ms", "delayMaxMs", "utilization", "cpuCoreRatio"] as const) {
    expect(reading[field], field).toBeGreaterThanOrEqual(0);
  }
});

test("each reading covers the time since the one before", async () => {
  const world = fakeWorld();
  const watch = new EventLoopWatch(world);
  await world.clock.advance(60_000);
  expect(watch.read().intervalMs).toBe(60_000);
  await world.clock.advance(1_500);
  expect(watch.read().intervalMs).toBe(1_500);
  watch.stop();
});

test("only what lasted at least a second counts as degraded", () => {
  expect(degradedBy({ intervalMs: 60_000, delayP99Ms: 20, utilization: 0.4 })).toEqual([]);
  expect(degradedBy({ intervalMs: 60_000, delayP99Ms: 900, utilization: 0.99 })).toEqual([
    "event_loop_delay",
    "event_loop_utilization",
  ]);
  expect(degradedBy({ intervalMs: 200, delayP99Ms: 900, utilization: 1 })).toEqual([]);
});
