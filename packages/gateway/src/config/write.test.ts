import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemWorld, type World } from "../kernel/world.ts";
import { hashOf, listHistory, readHistory } from "./history.ts";
import { killWriters } from "./kill.fixture.ts";
import { parseDocument } from "./parse.ts";
import { demo } from "./write.fixture.ts";
import { editConfigFile, replaceConfigFile } from "./write.ts";

let folder: string;
let file: string;
let world: World;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "config-write-"));
  file = join(folder, "openclaw.json");
  world = systemWorld({ HOME: folder });
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const text = () => readFileSync(file, "utf8");
const set = (n: number, more: Partial<World> = {}, options = {}) =>
  editConfigFile(file, [{ path: ["demo", "n"], value: n }], { ...world, ...more }, demo, options);

const fixture = join(import.meta.dirname, "write.fixture.ts");
function child(...args: string[]): ChildProcess {
  return spawn(process.execPath, ["--conditions=openclaw-source", fixture, ...args], {
    env: { HOME: folder, PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

test("another hash than the one that was read is a conflict, and writes nothing", async () => {
  writeFileSync(file, "{ demo: { n: 1 } }");
  await expect(set(2, {}, { baseHash: "0".repeat(64) })).rejects.toThrow(
    "config changed since last load; re-run config.get and retry",
  );
  expect(text()).toBe("{ demo: { n: 1 } }");
  const written = await set(2, {}, { baseHash: hashOf(text()) });
  expect(written).toMatchObject({ changed: true, hash: hashOf(text()) });
});

test("of two writers with the same base one gets the conflict", async () => {
  writeFileSync(file, "{ demo: { n: 1 } }");
  const baseHash = hashOf(text());
  const results = await Promise.allSettled([set(2, {}, { baseHash }), set(3, {}, { baseHash })]);
  expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
});

test("a change that is there already writes nothing", async () => {
  writeFileSync(file, "{ demo: { n: 1 } }");
  expect(await set(1)).toMatchObject({ changed: false });
  expect(readdirSync(folder)).toEqual(["openclaw.json"]);
});

test("an editor's save in the middle of a write is not lost", async () => {
  writeFileSync(file, "{ demo: { n: 1 } }");
  let saved = false;
  const mark = (name: string) => {
    if (name !== "config.backed-up" || saved) return;
    saved = true;
    writeFileSync(file, "{ demo: { n: 1, pad: 'by hand' } } // saved");
  };
  await set(2, { mark });
  expect(text()).toBe("{ demo: { n: 2, pad: 'by hand' } } // saved");
});

test("five backups and a history of twenty stay, private", async () => {
  for (let n = 0; n < 30; n++) await set(n);
  const names = readdirSync(folder)
    .filter((name) => name.startsWith("openclaw.json"))
    .sort();
  expect(names).toEqual([
    "openclaw.json",
    "openclaw.json.bak",
    "openclaw.json.bak.1",
    "openclaw.json.bak.2",
    "openclaw.json.bak.3",
    "openclaw.json.bak.4",
  ]);
  expect(names.map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual(names.map(() => 0o600));
  expect(parseDocument(readFileSync(`${file}.bak.4`, "utf8"))).toEqual({ demo: { n: 24 } });
  const entries = listHistory(world);
  expect(entries).toHaveLength(20);
  expect(entries.map((entry) => (parseDocument(readHistory(entry)) as { demo: { n: number } }).demo.n)).toEqual(
    Array.from({ length: 20 }, (_, i) => 29 - i),
  );
  expect(statSync(entries[0]?.path ?? "").mode & 0o777).toBe(0o600);
});

test("a stricter mode stays, a wider one is closed", async () => {
  writeFileSync(file, "{}", { mode: 0o644 });
  await set(1);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a link that points nowhere yet is written through", async () => {
  symlinkSync(join(folder, "real.json5"), file);
  await set(1);
  expect(parseDocument(readFileSync(join(folder, "real.json5"), "utf8"))).toEqual({ demo: { n: 1 } });
});

test("a value that comes from an included file is changed there", async () => {
  writeFileSync(join(folder, "demo.json5"), "{ n: 1 }");
  const written = "{ demo: { $include: './demo.json5', pad: 'x' } }";
  writeFileSync(file, written);
  await expect(set(2)).rejects.toThrow(/demo\.n is set in the included file .*demo\.json5\. Change it there\./u);
  expect(text()).toBe(written);
  await editConfigFile(file, [{ path: ["demo", "pad"], value: "y" }], world, demo);
  expect(text()).toBe(written.replace("'x'", '"y"'));
});

test("references and includes stay as they are written", async () => {
  const written = '{ demo: { pad: "${HOME}" }, keys: { a: 1 } }';
  writeFileSync(file, written);
  await editConfigFile(file, [{ path: ["keys", "a"], value: 2 }], world, demo);
  expect(text()).toBe(written.replace("1", "2"));
});

test("bookkeeping is brought up to date where it stands, and never added", async () => {
  const meta = {
    path: "meta",
    reload: "none",
    schema: { type: "object", properties: {}, additionalProperties: { type: "string" } },
  };
  const versioned = { version: "2026.11.0", sections: [...demo.sections, meta] };
  const edit = (n: number) =>
    editConfigFile(file, [{ path: ["demo", "n"], value: n }], { ...world, now: () => 0 }, versioned);
  writeFileSync(file, "{ demo: {} }");
  await edit(1);
  expect(text()).not.toContain("meta");
  writeFileSync(file, '{ demo: {}, meta: { lastTouchedVersion: "1" } }');
  await edit(1);
  const stamped =
    '{ demo: { "n": 1 }, meta: { lastTouchedVersion: "2026.11.0", lastTouchedAt: "1970-01-01T00:00:00.000Z" } }';
  expect(parseDocument(text())).toEqual(parseDocument(stamped));
  expect(await edit(1)).toMatchObject({ changed: false });
});

test("nothing is written under Nix, into a folder that is closed, or over a lock that is held", async () => {
  writeFileSync(file, "{}");
  await expect(set(1, { env: { HOME: folder, OPENCLAW_NIX_MODE: "1" } })).rejects.toThrow("managed by Nix");
  let now = 0;
  writeFileSync(`${file}.lock`, JSON.stringify({ pid: process.pid, start: null, host: world.hostname(), id: "x" }));
  const waiting = { monotonic: () => (now += 5_000), sleep: async () => {} };
  await expect(set(1, waiting)).rejects.toThrow(`The config is being written by process ${process.pid} on`);
  expect(text()).toBe("{}");
});

test("a lock of a process that is gone, or older than ten seconds, is taken over", async () => {
  writeFileSync(file, "{}");
  writeFileSync(`${file}.lock`, JSON.stringify({ pid: 4_000_000, start: "1", host: world.hostname(), id: "x" }));
  await set(1);
  writeFileSync(`${file}.lock`, JSON.stringify({ pid: 1, start: null, host: "elsewhere", id: "x" }));
  const old = new Date(Date.now() - 60_000);
  utimesSync(`${file}.lock`, old, old);
  await set(2);
  expect(parseDocument(text())).toEqual({ demo: { n: 2 } });
  expect(existsSync(`${file}.lock`)).toBe(false);
});

test("a read-only file stays as it is, and says so", async () => {
  writeFileSync(file, "{}", { mode: 0o400 });
  if (process.getuid?.() === 0) for (const path of [file, folder]) chownSync(path, 65_534, 65_534);
  const writer = child("once", file, "unprivileged", "1");
  let said = "";
  writer.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  // After `exit` some of what it said may still be on its way.
  expect((await once(writer, "close"))[0]).toBe(1);
  expect(said).toContain("is read-only for this user (EACCES). Nothing was written.");
  expect(text()).toBe("{}");
});

test("a disk that refuses leaves the old file and no remains", async () => {
  mkdirSync(join(folder, "state"));
  writeFileSync(file, "{ demo: { n: 1 } }");
  const full = (name: string) => {
    if (name === "config.temp-written") throw Object.assign(new Error("no space"), { code: "ENOSPC" });
  };
  await expect(set(2, { mark: full })).rejects.toThrow("cannot be written (ENOSPC). It is unchanged.");
  expect(text()).toBe("{ demo: { n: 1 } }");
  expect(readdirSync(folder).filter((name) => /tmp|lock/u.test(name))).toEqual([]);
});

test("an edit that names a prototype is refused, and objects stay clean", async () => {
  writeFileSync(file, '{ "demo": {} }');
  for (const key of ["__proto__", "constructor", "prototype"]) {
    const edit = editConfigFile(file, [{ path: ["demo", key, "polluted"], value: 1 }], world, demo);
    await expect(edit).rejects.toThrow(`"${key}" cannot be a config key.`);
    await expect(replaceConfigFile(file, `{ "demo": { "${key}": { "polluted": 1 } } }`, world, demo)).rejects.toThrow(
      "Nothing was written.",
    );
  }
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(text()).toBe('{ "demo": {} }');
});

test("a text that is not UTF-8 is neither read as something else nor edited", async () => {
  writeFileSync(file, Buffer.from([0x7b, 0xff, 0x7d]));
  await expect(set(1)).rejects.toThrow("is not UTF-8 text");
  expect(readFileSync(file)).toEqual(Buffer.from([0x7b, 0xff, 0x7d]));
});

test("a whole text replaces another one, kept in both rings", async () => {
  writeFileSync(file, "{ demo: { n: 1 } } // old");
  await replaceConfigFile(file, "{}", world, demo, { baseHash: hashOf(text()) });
  expect(text()).toBe("{}");
  expect(readFileSync(`${file}.bak`, "utf8")).toBe("{ demo: { n: 1 } } // old");
  expect(listHistory(world).map(readHistory)).toEqual(["{}", "{ demo: { n: 1 } } // old"]);
});

test("twenty processes set different keys at once: no change is lost, comments stay", async () => {
  writeFileSync(file, "{\n  // by hand\n  keys: {\n    base: 0, // first\n  },\n}\n");
  const children = Array.from({ length: 20 }, (_, i) => child("once", file, `k${i}`, String(i)));
  for (const one of children) one.stderr?.on("data", (chunk: Buffer) => process.stderr.write(chunk));
  const codes = await Promise.all(children.map(async (one) => (await once(one, "exit"))[0] as number));
  expect(codes).toEqual(codes.map(() => 0));
  expect(parseDocument(text())).toEqual({
    keys: { base: 0, ...Object.fromEntries(codes.map((_, i) => [`k${i}`, i])) },
  });
  expect(text()).toContain("// by hand");
  expect(text()).toContain("base: 0, // first");
}, 60_000);

test("kill -9 during a write, sixteen times: the file is the old or the new one, and the next writer goes on", async () => {
  expect(await killWriters({ folder, kills: 16, random: Math.random })).toEqual([]);
}, 120_000);
