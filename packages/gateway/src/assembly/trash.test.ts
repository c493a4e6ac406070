import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { moveToTrash } from "./trash.ts";

const shared = "/dev/shm";
let home: string;
const folders: string[] = [];
const folder = (parent = tmpdir()) => {
  const made = mkdtempSync(join(parent, "openclaw-trash-"));
  folders.push(made);
  return made;
};
beforeEach(() => {
  home = folder();
});
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

const world = (env: Record<string, string> = {}) => ({
  ...fakeWorld({ startAt: Date.UTC(2026, 1, 3) }),
  homedir: () => home,
  env,
  platform: "linux" as const,
});

/** Files of every kind, private, a link beside a link that points nowhere. */
function fill(path: string): void {
  mkdirSync(join(path, "agents", "main"), { recursive: true });
  writeFileSync(join(path, "openclaw.json"), "{}", { mode: 0o600 });
  writeFileSync(join(path, "agents", "main", "run.sh"), "#!/bin/sh\n", { mode: 0o700 });
  writeFileSync(join(path, "empty"), "");
  symlinkSync("openclaw.json", join(path, "link"));
  symlinkSync("nowhere", join(path, "broken"));
  chmodSync(join(path, "agents"), 0o700);
  chmodSync(path, 0o700);
  utimesSync(join(path, "openclaw.json"), 1_700_000_000, 1_700_000_000);
}

function expectWhole(path: string): void {
  expect(readdirSync(path).sort()).toEqual(["agents", "broken", "empty", "link", "openclaw.json"]);
  expect(readFileSync(join(path, "openclaw.json"), "utf8")).toBe("{}");
  expect(statSync(join(path, "openclaw.json")).mtimeMs).toBe(1_700_000_000_000);
  const mode = (name: string) => lstatSync(join(path, name)).mode & 0o777;
  expect([mode("."), mode("agents"), mode("openclaw.json"), mode("agents/main/run.sh")]).toEqual([
    0o700, 0o700, 0o600, 0o700,
  ]);
  expect([readlinkSync(join(path, "link")), readlinkSync(join(path, "broken"))]).toEqual(["openclaw.json", "nowhere"]);
}

test("what is there is moved whole, two of one name side by side, and nothing is no work", () => {
  const path = join(home, ".openclaw-dev");
  expect(moveToTrash(path, world())).toBeUndefined();
  fill(path);
  const first = moveToTrash(path, world());
  fill(path);
  const second = moveToTrash(path, world());
  expect(existsSync(path)).toBe(false);
  expect([first, second].map((one) => basename(one ?? ""))).toEqual([
    "openclaw-dev-2026-02-03T00-00-00-000Z",
    "openclaw-dev-2026-02-03T00-00-00-000Z-2",
  ]);
  for (const one of [first, second]) expectWhole(one ?? "");
});

test("a desktop's trash gets the note with which it puts things back", () => {
  const data = join(home, "data");
  mkdirSync(join(data, "Trash"), { recursive: true });
  const path = join(home, "my state");
  fill(path);
  const target = moveToTrash(path, world({ XDG_DATA_HOME: data }));
  expectWhole(target ?? "");
  const note = readFileSync(join(data, "Trash", "info", `${basename(target ?? "")}.trashinfo`), "utf8");
  expect(note).toBe(`[Trash Info]\nPath=${encodeURI(path)}\nDeletionDate=2026-02-03T00:00:00\n`);
});

test.skipIf(!existsSync(shared))("from another file system it is copied whole, then removed", () => {
  const elsewhere = folder(shared);
  expect(statSync(elsewhere).dev).not.toBe(statSync(home).dev);
  const path = join(elsewhere, ".openclaw-dev");
  fill(path);
  // Nothing to keep, and nothing that can be copied.
  execFileSync("mkfifo", [join(path, "agents", "pipe")]);
  const target = moveToTrash(path, world());
  expect(target?.startsWith(home)).toBe(true);
  expectWhole(target ?? "");
  expect(existsSync(path)).toBe(false);
});
