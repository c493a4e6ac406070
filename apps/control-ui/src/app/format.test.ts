import { expect, test } from "vitest";
import { bytes, count, duration, plural, relative } from "./format.ts";

const minute = 60_000;
const hour = 60 * minute;

test("a distance in time is told in one unit, rounded", () => {
  const ago = (ms: number) => relative(0, ms);
  expect(ago(2_000)).toBe("just now");
  expect(ago(12_400)).toBe("12 s ago");
  expect(ago(59_700)).toBe("1 min ago");
  expect(ago(hour + 55 * minute)).toBe("2 h ago");
  expect(ago(23 * hour + 40 * minute)).toBe("1 d ago");
  expect(relative(66 * minute, 0)).toBe("in 1 h");
  expect(relative(3 * minute, 0)).toBe("in 3 min");
});

test("a duration keeps two units where the second matters", () => {
  expect([450, 4_200, 42_000, 9 * minute, hour + 5 * minute, 51 * hour].map(duration)).toEqual([
    "450 ms",
    "4.2 s",
    "42 s",
    "9 min",
    "1 h 5 min",
    "2 d 3 h",
  ]);
});

test("sizes and counts carry their unit", () => {
  expect([0, 1_023, 1_536, 20 * 1_048_576].map(bytes)).toEqual(["0 B", "1023 B", "1.5 KB", "20 MB"]);
  expect([950, 1_234, 12_345, 1_234_567].map(count)).toEqual(["950", "1.2k", "12k", "1.2M"]);
  expect([plural(1, "job"), plural(2, "job")]).toEqual(["1 job", "2 jobs"]);
});
