import { expect, test } from "vitest";
import { wallTime } from "./wall-time.ts";

const at = Date.UTC(2026, 1, 13, 18, 26);

test("a moment is told in the zone that was asked for", () => {
  expect(wallTime(at, "UTC")).toEqual({ weekday: "Fri", date: "2026-02-13", time: "18:26", zone: "UTC" });
  expect(wallTime(at, "Asia/Tokyo")).toMatchObject({ weekday: "Sat", date: "2026-02-14", time: "03:26" });
  expect(wallTime(Date.UTC(2026, 1, 13), "UTC").time).toBe("00:00");
});

test("a zone the host does not know is the host's", () => {
  expect(wallTime(at, "Middle/Earth")).toEqual(wallTime(at, undefined));
});
