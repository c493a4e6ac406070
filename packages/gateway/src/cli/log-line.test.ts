/** Reading a line of the log file back (lifecycle.md §8.1): our own lines, and those of other builds. */
import { expect, test } from "vitest";
import { formatLogLine, parseLogLine } from "./log-line.ts";

const time = "2026-02-13T10:00:00.000Z";
const bindings = JSON.stringify({ subsystem: "gateway/reload" });

test.each([
  [
    "the message behind the bindings",
    { "0": bindings, "1": "applied", _meta: { logLevelName: "INFO", name: bindings }, time },
    { time, level: "info", subsystem: "gateway/reload", message: "applied" },
  ],
  [
    "a metadata object before the message",
    { "0": bindings, "1": { paths: ["a.b"] }, "2": "applied", _meta: { logLevelName: "WARN", date: time } },
    { time, level: "warn", subsystem: "gateway/reload", message: '{"paths":["a.b"]} applied' },
  ],
  [
    "captured console output",
    { "0": "hello", _meta: { name: "openclaw", logLevelName: "ERROR" }, time },
    { time, level: "error", message: "hello" },
  ],
  [
    "a module in place of a subsystem, and no level",
    { "0": '{"module":"cron"}', "1": "ran", _meta: { name: '{"module":"cron"}' }, time },
    { time, level: "info", module: "cron", message: "ran" },
  ],
])("lifecycle 8.1: %s is read back", (_what, line, expected) => {
  expect(parseLogLine(JSON.stringify(line))).toEqual(expected);
});

test("lifecycle 8.1: what is no log object stays raw text", () => {
  for (const raw of ["plain words", "{ half", "[1]", '{"no":"time"}', ""]) expect(parseLogLine(raw)).toBeUndefined();
});

test("lifecycle 14.1: plain lines carry the ISO time, others the clock, and none brings control characters", () => {
  const line = { time, level: "info", subsystem: "gateway", message: "a\u001b[2Jb" };
  const paint = (_level: string, text: string) => text;
  expect(formatLogLine(line, true, paint)).toBe(`${time} info gateway ab`);
  expect(formatLogLine(line, false, paint)).toMatch(/^\d\d:\d\d:\d\d info gateway ab$/u);
});
