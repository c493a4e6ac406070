import { expect, test } from "vitest";
import { fuzzMethods } from "./methods.ts";

test("no method of a whole gateway answers any params with an internal error, and each is answered", async () => {
  const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
  console.log(`method fuzz seed ${seed} (repeat with FUZZ_SEED=${seed})`);
  const report = await fuzzMethods({ seed, perMethod: 40, budgetMs: 15_000 });
  expect(report.faults).toEqual([]);
  expect(report.methods).toBeGreaterThan(40);
  expect(report.requests).toBeGreaterThan(report.methods * 10);
  expect(report.reached).toBeGreaterThan(30);
}, 40_000);
