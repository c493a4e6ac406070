import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { linesOf, saveOldFiles } from "./import-backup.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "openclaw-backup-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const put = (path: string, text: string) => {
  mkdirSync(join(folder, "old", path, ".."), { recursive: true });
  writeFileSync(join(folder, "old", path), text);
  return { path, file: join(folder, "old", path) };
};
const state = () => join(folder, "state");
const save = (files: ReturnType<typeof put>[], time: string) => saveOldFiles("source", files, state(), time);
const backups = () => readdirSync(join(state(), "backups")).sort();

test("a file is copied once in each form, and a damaged or unfinished copy is made again", () => {
  const [a, b] = [put("a.json", "a"), put("deep/b.json", "b")];
  const first = save([a, b], "1");
  expect(backups()).toEqual(["import-1"]);
  expect(readFileSync(first.files.get("deep/b.json")?.file ?? "", "utf8")).toBe("b");
  expect(save([a, b], "2")).toMatchObject({ folder: first.folder });
  writeFileSync(b.file, "b changed");
  mkdirSync(join(state(), "backups", "import-0.partial"));
  const third = save([a, b], "3");
  expect(backups()).toEqual(["import-1", "import-3"]);
  expect(third.files.get("a.json")?.file).toBe(join(state(), "backups", "import-1", "a.json"));
  expect(readdirSync(third.folder ?? "").sort()).toEqual(["deep", "manifest.json"]);
  truncateSync(third.files.get("deep/b.json")?.file ?? "", 3);
  expect(readFileSync(save([a, b], "3").files.get("deep/b.json")?.file ?? "", "utf8")).toBe("b changed");
  expect(backups()).toEqual(["import-1", "import-3", "import-3-2"]);
});

test("a file that cannot be read is named and the others are copied", () => {
  const [a, gone] = [put("a.json", "a"), { path: "gone.json", file: join(folder, "gone.json") }];
  mkdirSync(join(folder, "folder.json"));
  const odd = { path: "folder.json", file: join(folder, "folder.json") };
  const { files, failed } = save([a, gone, odd], "1");
  expect([...files.keys()]).toEqual(["a.json"]);
  expect(failed).toEqual([
    { path: "gone.json", reason: "cannot be read (ENOENT)" },
    { path: "folder.json", reason: "cannot be read (not a regular file)" },
  ]);
});

test("a backup that cannot be written ends the import before anything is taken", () => {
  mkdirSync(state());
  writeFileSync(join(state(), "backups"), "in the way");
  expect(() => save([put("a.json", "a")], "1")).toThrow();
  expect(existsSync(join(state(), "openclaw.db"))).toBe(false);
});

test("lines end with a line feed, with or without a carriage return, and long ones are cut", () => {
  const text = `one\r\n\n${"ä".repeat(700_000)}\n${"x".repeat(3_000_000)}\nlast`;
  const { file } = put("lines", text);
  const lines = [...linesOf(file, 2_000_000)];
  expect(lines.map((line) => line.length)).toEqual([3, 0, 700_000, expect.any(Number), 4]);
  expect(lines[3]?.length).toBeGreaterThan(2_000_000);
  expect(lines[3]?.length).toBeLessThan(3_100_001);
  expect(lines[2]).toBe("ä".repeat(700_000));
  expect([...linesOf(put("empty", "").file, 10)]).toEqual([]);
});
