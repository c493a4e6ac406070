import { expect, test } from "vitest";
import { RowHeights } from "./row-heights.ts";

const keys = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`);

test("rows that were not measured count with the guess", () => {
  const rows = new RowHeights(100);
  rows.measured("k1", 40);
  rows.lay(keys(3));
  expect([rows.topOf(0), rows.topOf(1), rows.topOf(2), rows.total]).toEqual([0, 100, 140, 240]);
});

test("the window holds what is visible and a margin, never everything", () => {
  const rows = new RowHeights(100);
  rows.lay(keys(5_000));
  expect(rows.window(250_000, 800, 200)).toEqual([2_498, 2_511]);
  expect(rows.window(0, 800, 200)).toEqual([0, 11]);
  expect(rows.window(rows.total, 800, 0)).toEqual([4_999, 5_000]);
});

test("no rows make no window", () => {
  const rows = new RowHeights(100);
  rows.lay([]);
  expect(rows.window(0, 800, 200)).toEqual([0, 0]);
});

test("laying five thousand rows anew takes a moment only", () => {
  const rows = new RowHeights(100);
  const list = keys(5_000);
  const startedAt = performance.now();
  for (let times = 0; times < 20; times++) rows.lay(list);
  expect(performance.now() - startedAt).toBeLessThan(500);
});
