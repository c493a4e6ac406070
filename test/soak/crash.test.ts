import { expect, test } from "vitest";
import { crash } from "./crash.ts";

test("eight kills lose no acknowledged message and answer every key once", { timeout: 90_000 }, async () => {
  const seed = Number(process.env.SOAK_SEED ?? 20_261_121);
  const report = await crash({ kills: 8, seed });
  expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] });
  expect(report.acknowledged).toBeGreaterThan(0);
});
