import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { silentLogger } from "../../../kernel/log.ts";
import { openStore, type SqliteStore } from "../../../store/index.ts";
import { channelMigrations } from "../channels.store.ts";
import { AuthStore } from "./auth.store.ts";
import { encodeKey } from "./key-codec.ts";
import { keyOfFile, LinkDirectory } from "./link-directory.ts";

const stores: SqliteStore[] = [];
const dirs: string[] = [];
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

const creds = {
  me: { id: "15550001000:3@s.whatsapp.net" },
  account: { details: Buffer.from("x") },
  noiseKey: Buffer.from("n"),
};

function setUp(accountId = "default") {
  const state = mkdtempSync(join(tmpdir(), "whatsapp-link-"));
  dirs.push(state);
  const world = fakeWorld();
  world.env = { OPENCLAW_STATE_DIR: state, HOME: state };
  const store = openStore({ path: ":memory:", migrations: channelMigrations, world, log: silentLogger });
  stores.push(store);
  const auth = new AuthStore(store, accountId);
  const directory = new LinkDirectory({ world, log: silentLogger, accountId, auth });
  const dir = directory.path(undefined);
  const put = (name: string, value: unknown, into = dir) => {
    mkdirSync(into, { recursive: true });
    writeFileSync(join(into, name), typeof value === "string" ? value : encodeKey(value));
  };
  return { state, auth, directory, dir, put, world };
}

test("a directory of another program is read once and left as it is", async () => {
  const { auth, directory, dir, put } = setUp();
  put("creds.json", creds);
  put("pre-key-12.json", { public: Buffer.from("p"), private: Buffer.from("q") });
  put("session-4915112345678.0.json", Buffer.from("session"));
  put("sender-key-120363@g.us--4915112345678--0.json", Buffer.from("sender"));
  put("sender-key-memory-120363@g.us.json", { a: true });
  put("app-state-sync-key-AAAA__Bc=.json", { keyData: Buffer.from("k") });
  put("lid-mapping-123_reverse.json", '"4915112345678"');
  put("notes.txt", "mine");
  const before = readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), "utf8")]);
  expect(directory.holdsLink(undefined)).toBe(true);
  await directory.ensureImported(undefined);
  expect(auth.creds()).toEqual(creds);
  expect(auth.read("pre-key", "12")).toEqual({ public: Buffer.from("p"), private: Buffer.from("q") });
  expect(auth.read("session", "4915112345678.0")).toEqual(Buffer.from("session"));
  expect(auth.read("sender-key", "120363@g.us::4915112345678::0")).toEqual(Buffer.from("sender"));
  expect(auth.read("sender-key-memory", "120363@g.us")).toEqual({ a: true });
  expect(auth.read("app-state-sync-key", "AAAA/Bc=")).toEqual({ keyData: Buffer.from("k") });
  expect(auth.read("lid-mapping", "123_reverse")).toBe("4915112345678");
  expect(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), "utf8")])).toEqual(before);
  expect(directory.holdsLink(undefined)).toBe(false);
  // What the account did since then is newer than the files.
  await auth.write([{ kind: "session", id: "4915112345678.0", value: encodeKey("newer") }]);
  await directory.ensureImported(undefined);
  expect(auth.read("session", "4915112345678.0")).toBe("newer");
});

test.each([
  ["cut off", '{"me":{"id":"155'],
  ["empty", ""],
  ["missing", undefined],
])("credentials that are %s are read from their backup", async (_how, content) => {
  const { auth, directory, put } = setUp();
  if (content !== undefined) put("creds.json", content);
  put("creds.json.bak", creds);
  await directory.ensureImported(undefined);
  expect(auth.creds()).toEqual(creds);
});

test("credentials of a login that was never finished are no link", async () => {
  const { auth, directory, put } = setUp();
  put("creds.json", { me: { id: "1@s.whatsapp.net" } });
  await directory.ensureImported(undefined);
  expect(auth.creds()).toBeUndefined();
});

test("the first account is also looked for where old versions kept it, other accounts are not", async () => {
  const first = setUp();
  first.put("creds.json", creds, join(first.state, "credentials"));
  await first.directory.ensureImported(undefined);
  expect(first.auth.creds()).toEqual(creds);
  const second = setUp("work");
  second.put("creds.json", creds, join(second.state, "credentials"));
  await second.directory.ensureImported(undefined);
  expect(second.auth.creds()).toBeUndefined();
});

test("another authDir is another device: the link in use is set aside, not mixed with the new one", async () => {
  const { auth, directory, put, state } = setUp();
  put("creds.json", creds);
  put("pre-key-1.json", { old: true });
  await directory.ensureImported(undefined);
  const other = join(state, "other");
  put("creds.json", { ...creds, me: { id: "49@s.whatsapp.net" } }, other);
  await directory.ensureImported(other);
  expect(auth.creds()).toMatchObject({ me: { id: "49@s.whatsapp.net" } });
  expect(auth.read("pre-key", "1")).toBeUndefined();
  expect(auth.asides()).toHaveLength(1);
});

test("a link that was set aside is not imported again, and only the last few are kept", async () => {
  const { auth, directory, put, world } = setUp();
  put("creds.json", creds);
  await directory.ensureImported(undefined);
  expect(await auth.setAside(world.now())).toBe(true);
  await directory.ensureImported(undefined);
  expect(auth.creds()).toBeUndefined();
  expect(await auth.setAside(world.now())).toBe(false);
  for (let n = 1; n < 6; n++) {
    await auth.write([{ kind: "creds", id: "", value: encodeKey({ n }) }]);
    await auth.setAside(world.now() + n);
  }
  expect(auth.asides()).toHaveLength(3);
});

test("files that are no keys are passed by", () => {
  expect(keyOfFile("creds.json")).toBeUndefined();
  expect(keyOfFile("pre-key-.json")).toBeUndefined();
  expect(keyOfFile("session-1.0.json.tmp")).toBeUndefined();
  expect(keyOfFile("oauth.json")).toBeUndefined();
  expect(keyOfFile("tctoken-__index.json")).toEqual({ kind: "tctoken", id: "__index" });
});
