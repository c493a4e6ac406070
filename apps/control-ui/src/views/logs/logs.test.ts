import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import type { GatewayLink } from "../../gateway/index.ts";
import { levels, parseLine, passes } from "./log-line.ts";
import { keptLines, LogTail } from "./log-tail.ts";

const esc = String.fromCharCode(27);

test("a JSON line is taken apart: time, level, subsystem, message, fields", () => {
  const raw = JSON.stringify({
    "0": '{"subsystem":"gateway/ws"}',
    "1": { conn: "x" },
    "2": "connected",
    _meta: { logLevelName: "INFO", date: "2026-11-21T17:13:17.381Z" },
    time: "2026-11-21T17:13:17.381Z",
  });
  expect(parseLine(raw, 7)).toMatchObject({
    id: 7,
    level: "info",
    subsystem: "gateway/ws",
    message: "connected",
    fields: '{"conn":"x"}',
    at: Date.parse("2026-11-21T17:13:17.381Z"),
  });
});

test("any other line is shown as it is, without colours", () => {
  expect(parseLine(`${esc}[31mred${esc}[0m`, 1)).toMatchObject({ message: "red", level: undefined });
  expect(parseLine('{"half', 1).message).toBe('{"half');
  expect(parseLine("{}", 1)).toMatchObject({ message: "", level: undefined });
});

test("lines are filtered by level and by text, whatever the case; without a level they pass", () => {
  const line = parseLine(JSON.stringify({ "0": "Kettle", _meta: { logLevelName: "DEBUG" } }), 1);
  expect(passes(line, { levels: new Set(levels), text: "kETT" })).toBe(true);
  expect(passes(line, { levels: new Set(["info"]), text: "" })).toBe(false);
  expect(passes(parseLine("plain", 2), { levels: new Set(), text: "" })).toBe(true);
});

function tailOf(...answers: object[]) {
  const asked: unknown[] = [];
  const link = {
    connected: signal(true),
    call: (_method: string, params: unknown) => {
      asked.push(params);
      const answer = answers.shift();
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve({ truncated: false, reset: false, ...answer });
    },
  } as unknown as GatewayLink;
  return { tail: new LogTail(link), asked };
}

test("reading goes on where it ended; a reset replaces what is on screen", async () => {
  const { tail, asked } = tailOf(
    { file: "a", cursor: 10, lines: ["one"] },
    { file: "a", cursor: 20, lines: ["two"] },
    { file: "a", cursor: 5, lines: ["new"], reset: true },
  );
  await tail.read();
  await tail.read();
  expect(tail.state.value.lines.map(({ message }) => message)).toEqual(["one", "two"]);
  await tail.read();
  expect(tail.state.value.lines.map(({ message }) => message)).toEqual(["new"]);
  expect(asked.map((params) => (params as { cursor?: number }).cursor)).toEqual([undefined, 10, 20]);
});

test("what is kept is bounded, and says that older lines are in the file", async () => {
  const many = (from: number) => Array.from({ length: keptLines }, (_, index) => `line ${from + index}`);
  const { tail } = tailOf({ file: "a", cursor: 1, lines: many(0) }, { file: "a", cursor: 2, lines: ["last"] });
  await tail.read();
  await tail.read();
  expect(tail.state.value.lines).toHaveLength(keptLines);
  expect(tail.state.value).toMatchObject({ truncated: true });
});

test("a failed reading keeps what is there and says why", async () => {
  const { tail } = tailOf({ file: "a", cursor: 1, lines: ["one"] }, new Error("log read failed"));
  await tail.read();
  await tail.read();
  expect(tail.state.value).toMatchObject({ error: "Log read failed." });
  expect(tail.state.value.lines).toHaveLength(1);
});
