import { expect, test } from "vitest";
import { fuzzFrames } from "./frames.ts";

test("100,000 generated frames leave the server alive, exact and flat", async () => {
  const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
  console.log(`frame fuzz seed ${seed} (repeat with FUZZ_SEED=${seed})`);
  const report = await fuzzFrames({ seed, framesAfterHello: 100_000, framesBeforeHello: 800 });
  expect(report.framesAfterHello).toBeGreaterThanOrEqual(100_000);
  expect(report.framesBeforeHello).toBeGreaterThanOrEqual(800);
  expect(report.answers).toBeGreaterThan(50_000);
  expect(report.heapGrowthBytes).toBeLessThan(32 * 1_048_576);
}, 60_000);
