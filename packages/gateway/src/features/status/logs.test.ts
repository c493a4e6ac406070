import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LogTail } from "./logs.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "logs-"));
  file = join(folder, "openclaw-2026-02-13.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const tail = () => new LogTail(() => file);
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join("");

test("a missing file gives zeros and no lines", async () => {
  expect(await tail().read({})).toEqual({ file, cursor: 0, size: 0, lines: [], truncated: false, reset: false });
});

test("the cursor of one call is where the next goes on, and an unfinished line waits", async () => {
  writeFileSync(file, `${lines(0, 3)}half`);
  const first = await tail().read({});
  expect(first.lines).toEqual(["line 0", "line 1", "line 2"]);
  expect(first.cursor).toBe(21);
  appendFileSync(file, " done\nnext\n");
  const second = await tail().read({ cursor: first.cursor });
  expect(second.lines).toEqual(["half done", "next"]);
  expect(second.truncated).toBe(false);
});

test("a cursor beyond the file, or too far behind, starts over at the tail", async () => {
  writeFileSync(file, lines(0, 100));
  expect(await tail().read({ cursor: 99_999, limit: 2 })).toMatchObject({ reset: true, lines: ["line 98", "line 99"] });
  const behind = await tail().read({ cursor: 0, maxBytes: 100 });
  expect(behind).toMatchObject({ reset: true, truncated: true });
  expect(behind.lines.at(-1)).toBe("line 99");
  expect(behind.lines.every((line) => /^line \d+$/u.test(line))).toBe(true);
});

test("a follower is told when there were more lines than it asked for", async () => {
  writeFileSync(file, lines(0, 10));
  expect((await tail().read({ limit: 3 })).truncated).toBe(false);
  expect(await tail().read({ cursor: 0, limit: 3 })).toMatchObject({
    truncated: true,
    lines: ["line 7", "line 8", "line 9"],
  });
});

test("before today's file exists the newest one is read", async () => {
  writeFileSync(file, "yesterday\n");
  const result = await new LogTail(() => join(folder, "openclaw-2026-02-14.log")).read({});
  expect(result).toMatchObject({ file, lines: ["yesterday"] });
});

test("a folder in place of the file is an error without a stack", async () => {
  await expect(new LogTail(() => folder).read({})).rejects.toThrow(/^log read failed: EISDIR$/u);
});

test("the newest file is one of the same profile", async () => {
  writeFileSync(file, "default\n");
  writeFileSync(join(folder, "openclaw-rescue-2026-02-12.log"), "rescue\n");
  const rescue = new LogTail(() => join(folder, "openclaw-rescue-2026-02-14.log"));
  expect((await rescue.read({})).lines).toEqual(["rescue"]);
  const plain = new LogTail(() => join(folder, "openclaw-2026-02-14.log"));
  expect((await plain.read({})).lines).toEqual(["default"]);
});
