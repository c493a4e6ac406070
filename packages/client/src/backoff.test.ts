import { expect, test } from "vitest";
import { Backoff } from "./backoff.ts";

test("doubles from one second to thirty, within the jitter", () => {
  const backoff = new Backoff();
  const delays = Array.from({ length: 8 }, () => {
    backoff.failed(false);
    return [backoff.delayMs(0), backoff.delayMs(0.999)];
  });
  expect(delays.map(([low]) => low)).toEqual([900, 1800, 3600, 7200, 14_400, 27_000, 27_000, 27_000]);
  expect(Math.max(...delays.flat().map((ms) => ms ?? 0))).toBeLessThanOrEqual(30_000);
});

test("a success starts over, a refusal waits at least fifteen seconds", () => {
  const backoff = new Backoff();
  backoff.failed(true);
  expect(backoff.delayMs(0.5)).toBe(15_000);
  expect(backoff.wakeFloorMs).toBe(15_000);
  backoff.succeeded();
  backoff.failed(false);
  expect(backoff.delayMs(0.5)).toBe(1_000);
  expect(backoff.wakeFloorMs).toBe(0);
});
