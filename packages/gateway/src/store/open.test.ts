import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { silentLogger } from "../kernel/log.ts";
import { StateLockedError, StoreCorruptError, StoreTooNewError } from "./errors.ts";
import { openStore } from "./open.ts";
import { openStateLock } from "./state-lock.ts";
import type { Migration } from "./store.ts";

const one: Migration = { id: "t-1", sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT" };
const two: Migration = { id: "t-2", sql: "ALTER TABLE note ADD COLUMN colour TEXT" };
let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "store-"));
  path = join(directory, "state", "openclaw.db");
});
afterEach(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const open = (migrations: Migration[] = [one], world = fakeWorld()) =>
  openStore({ path, migrations, world, log: silentLogger });
const mode = (file: string) => statSync(file).mode & 0o777;

test("files and the directory made for them are private, also the log beside the database", async () => {
  const store = open();
  await store.commit((tx) => tx.run("INSERT INTO note (text) VALUES ('a')"));
  expect(mode(join(directory, "state"))).toBe(0o700);
  for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(mode(file)).toBe(0o600);
  store.close();
  chmodSync(path, 0o644);
  open().close();
  expect(mode(path)).toBe(0o600);
});

test("a link in place of the database is refused", () => {
  open().close();
  const link = join(directory, "link.db");
  symlinkSync(path, link);
  expect(() => openStore({ path: link, migrations: [one], world: fakeWorld(), log: silentLogger })).toThrow(
    "does not follow links",
  );
});

test("write-ahead log, full synchronisation and foreign keys are on", () => {
  const store = open();
  expect(store.get("PRAGMA journal_mode")).toMatchObject({ journal_mode: "wal" });
  expect(store.get("PRAGMA synchronous")).toMatchObject({ synchronous: 2 });
  expect(store.get("PRAGMA foreign_keys")).toMatchObject({ foreign_keys: 1 });
  expect(store.check()).toBe("ok");
  expect(store.sizeBytes()).toBeGreaterThan(4_096);
  expect(store.health()).toBeUndefined();
  store.close();
});

test("migrations are applied once, and an upgrade keeps a copy until the next start that migrates nothing", async () => {
  const first = open();
  await first.commit((tx) => tx.run("INSERT INTO note (text) VALUES ('old')"));
  first.close();
  const copy = `${path}.before-1`;
  const second = open([one, two]);
  expect(second.all("SELECT text, colour FROM note")).toEqual([{ text: "old", colour: null }]);
  expect(mode(copy)).toBe(0o600);
  second.close();
  open([one, two]).close();
  expect(existsSync(copy)).toBe(false);
});

test("a migration that fails leaves the store as it was", () => {
  open().close();
  expect(() => open([one, two, { id: "t-3", sql: "CREATE TABLE broken (" }])).toThrow();
  const store = open();
  expect(store.all("PRAGMA table_info(note)")).toHaveLength(2);
  store.close();
});

test("a store written by a newer program is refused, names both versions and is not touched", () => {
  open([one, two]).close();
  const before = readFileSync(path);
  expect(() => open()).toThrow(StoreTooNewError);
  expect(() => open()).toThrow(/schema version 2 .* version 2; this one knows 1/);
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("an older program may open a store that was only added to", () => {
  open([one, { ...two, additive: true }]).close();
  const store = open();
  expect(store.all("SELECT text FROM note")).toEqual([]);
  store.close();
});

test("a damaged header is reported as damage and left alone", () => {
  open().close();
  const bytes = readFileSync(path);
  bytes.fill(0x41, 0, 40);
  writeFileSync(path, bytes);
  expect(() => open()).toThrow(StoreCorruptError);
  expect(readFileSync(path).equals(bytes)).toBe(true);
});

test("a damaged page is found when it is read, not served as truth", async () => {
  const store = open();
  await store.commit((tx) => {
    for (let i = 0; i < 2_000; i++) tx.run("INSERT INTO note (text) VALUES (?)", `text ${i} ${"x".repeat(100)}`);
  });
  store.close();
  truncateSync(path, 5 * 4096);
  let error: unknown;
  try {
    const damaged = open();
    try {
      damaged.all("SELECT count(*), max(text) FROM note");
    } finally {
      expect(damaged.health()).toBe("damaged");
      damaged.close();
    }
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(Error);
});

test("the state lock has one holder and is free again after release", () => {
  const state = join(directory, "state");
  const lock = openStateLock(state);
  expect(() => openStateLock(state)).toThrow(StateLockedError);
  expect(mode(join(state, "gateway.lock.db"))).toBe(0o600);
  lock.release();
  lock.release();
  openStateLock(state).release();
});

const root = fileURLToPath(new URL(".", import.meta.url));

/** A process of its own that runs `body`; the lines it prints are what it acknowledged. */
function child(body: string) {
  const script = `
    import { openStore, openStateLock } from ${JSON.stringify(`${root}index.ts`)};
    import { systemWorld } from ${JSON.stringify(`${root}../kernel/world.ts`)};
    import { silentLogger as log } from ${JSON.stringify(`${root}../kernel/log.ts`)};
    const world = systemWorld();
    ${body}`;
  const process_ = spawn(process.execPath, ["--conditions=openclaw-source", "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { process: process_, lines: createInterface({ input: process_.stdout }) };
}

test("after SIGKILL every acknowledged row is there, no unit is half there, and the lock is free", async () => {
  const { process: writer, lines } = child(`
    import { writeSync } from "node:fs";
    openStateLock(${JSON.stringify(join(directory, "state"))});
    const store = openStore({ path: ${JSON.stringify(path)}, migrations: ${JSON.stringify([one])}, world, log });
    const work = async (lane) => {
      for (let i = 0; ; i++) {
        const text = lane + ":" + i;
        await store.commit((tx) => {
          tx.run("INSERT INTO note (text) VALUES (?)", text);
          tx.run("INSERT INTO note (text) VALUES (?)", text + ":pair");
        });
        writeSync(1, text + "\\n");
      }
    };
    for (const lane of ["a", "b", "c"]) void work(lane);
  `);
  const acknowledged: string[] = [];
  for await (const line of lines) {
    acknowledged.push(line);
    if (acknowledged.length === 50) {
      expect(() => openStateLock(join(directory, "state"))).toThrow(StateLockedError);
    }
    if (acknowledged.length === 200) writer.kill("SIGKILL");
  }
  if (writer.exitCode === null && writer.signalCode === null) await once(writer, "exit");
  openStateLock(join(directory, "state")).release();
  const store = open();
  expect(store.check()).toBe("ok");
  const stored = new Set(store.all<{ text: string }>("SELECT text FROM note").map((row) => row.text));
  for (const text of acknowledged) expect(stored.has(text) && stored.has(`${text}:pair`)).toBe(true);
  const halves = [...stored].filter((text) => !text.endsWith(":pair") && !stored.has(`${text}:pair`));
  expect(halves).toEqual([]);
  store.close();
});
