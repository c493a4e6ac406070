import { expect, test } from "vitest";
import { HttpError } from "../../kernel/http.ts";
import { createLogger, type Line } from "../../kernel/log.ts";
import { streamError } from "./answer.ts";

test("a bug behind an open stream is told without its words, and logged with them; a known error as it is", () => {
  const lines: Line[] = [];
  const log = createLogger({ subsystem: "http", sinks: [(line) => void lines.push(line)], now: () => 0 });
  const told = streamError(new TypeError("secret cause"), { id: "req_1", log });
  expect([told.status, told.message, told.headers]).toEqual([
    500,
    "Internal Server Error",
    { "x-should-retry": "false" },
  ]);
  expect(JSON.stringify(lines)).toContain("req_1");
  expect(lines).toHaveLength(1);
  const known = new HttpError(504, "agent timed out");
  expect([streamError(known, { id: "req_2", log }), lines.length]).toEqual([known, 1]);
});
