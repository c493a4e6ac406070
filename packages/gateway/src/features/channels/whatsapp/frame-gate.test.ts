import { afterEach, expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { silentLogger } from "../../../kernel/log.ts";
import { openStore, type SqliteStore } from "../../../store/index.ts";
import { channelMigrations } from "../channels.store.ts";
import { AuthStore } from "./auth.store.ts";
import { emergeMs, FrameGate, maxWaiting } from "./frame-gate.ts";
import { LinkKeys } from "./link-keys.ts";

const stores: SqliteStore[] = [];
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
});

function setUp() {
  const world = fakeWorld();
  const store = openStore({ path: ":memory:", migrations: channelMigrations, world, log: silentLogger });
  stores.push(store);
  const auth = new AuthStore(store, "default");
  const keys = new LinkKeys(auth, {}, () => ({ dir: "/keys" }));
  const written: string[] = [];
  const failures: string[] = [];
  const gate = new FrameGate({
    world,
    keys,
    write: (frame) =>
      void written.push(`${Buffer.from(frame).toString()} ${JSON.stringify(auth.read("session", "ann"))}`),
    turn: () => new Promise((resolve) => setImmediate(resolve)),
    failed: (error) => void failures.push(error.message),
  });
  const send = (name: string) => gate.send(Buffer.from(name));
  const session = (value: number) => keys.set({ session: { ann: value } });
  return { world, store, auth, keys, gate, written, failures, send, session };
}
const settle = async () => {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test("a frame leaves when the keys it used are durable, also those the library stores after it", async () => {
  const { send, session, written, gate } = setUp();
  send("frame");
  // The library ends its transaction some microtasks after it handed the frame over.
  void Promise.resolve().then(() => session(1));
  expect(written).toEqual([]);
  expect(await gate.whenWritten(gate.accepted)).toBe(true);
  expect(written).toEqual(["frame 1"]);
});

test("keys become durable without any frame", async () => {
  const { session, auth } = setUp();
  session(7);
  await settle();
  expect(auth.read("session", "ann")).toBe(7);
});

test("frames keep their order", async () => {
  const { send, session, written } = setUp();
  for (let n = 0; n < 50; n++) {
    send(`f${n}`);
    if (n % 7 === 0) session(n);
    if (n % 11 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await settle();
  expect(written.map((line) => line.split(" ")[0])).toEqual(Array.from({ length: 50 }, (_, n) => `f${n}`));
});

test("a receipt waits for the row of its message, and its keys are stored after the row", async () => {
  const { send, session, written, gate, keys, auth } = setUp();
  const row = Promise.withResolvers<void>();
  const before = keys.position;
  session(1);
  gate.decrypted(before);
  send("receipt");
  await Promise.resolve();
  gate.emerged(() => row.promise);
  await settle();
  expect(written).toEqual([]);
  expect(auth.read("session", "ann"), "older keys until the row is there").toBeUndefined();
  row.resolve();
  await settle();
  expect(written).toEqual(["receipt 1"]);
});

test("keys of a second message are not stored while only the first one has its row", async () => {
  const { session, gate, keys, auth } = setUp();
  const rows = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  for (const [n, row] of rows.entries()) {
    const before = keys.position;
    session(n + 1);
    gate.decrypted(before);
    gate.emerged(() => row.promise);
  }
  rows[0].resolve();
  await settle();
  expect(auth.read("session", "ann")).toBe(1);
  rows[1].resolve();
  await settle();
  expect(auth.read("session", "ann")).toBe(2);
});

test("rows that become durable out of order still store keys in order", async () => {
  const { session, gate, keys, auth } = setUp();
  const rows = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  for (const [n, row] of rows.entries()) {
    const before = keys.position;
    session(n + 1);
    gate.decrypted(before);
    gate.emerged(() => row.promise);
  }
  rows[1].resolve();
  await settle();
  expect(auth.read("session", "ann")).toBeUndefined();
  rows[0].resolve();
  await settle();
  expect(auth.read("session", "ann")).toBe(2);
});

test("a message that cannot be stored ends the connection; its keys stay old and its receipt never leaves", async () => {
  const { send, session, written, failures, gate, keys, auth } = setUp();
  const before = keys.position;
  session(1);
  gate.decrypted(before);
  send("receipt");
  gate.emerged(() => Promise.reject(new Error("disk full")));
  await settle();
  expect(failures).toContain("disk full");
  await gate.close();
  expect(written).toEqual([]);
  expect(auth.read("session", "ann")).toBeUndefined();
});

test("a message that was decrypted and did not come out before the end keeps its old keys", async () => {
  const { session, gate, keys, auth } = setUp();
  session(1);
  await settle();
  const before = keys.position;
  session(2);
  gate.decrypted(before);
  await gate.close();
  expect(auth.read("session", "ann")).toBe(1);
});

test("a message the library gave up holds nothing back", async () => {
  const { send, session, written, gate, keys } = setUp();
  const before = keys.position;
  session(1);
  gate.decrypted(before);
  gate.givenUp();
  send("retry");
  await settle();
  expect(written).toEqual(["retry 1"]);
});

test("a message that never comes out holds frames back for a moment only", async () => {
  const { world, send, session, written, gate, keys } = setUp();
  const before = keys.position;
  session(1);
  gate.decrypted(before);
  send("ping");
  await settle();
  expect(written).toEqual([]);
  await world.clock.advance(emergeMs);
  await settle();
  expect(written).toEqual(["ping 1"]);
});

test("a question that uses no keys leaves at once, unless something waits before it", () => {
  const { send, written, gate } = setUp();
  gate.directly(() => send("question"));
  expect(written).toEqual(["question undefined"]);
  send("waits");
  gate.directly(() => send("behind"));
  expect(written).toHaveLength(1);
});

test("what waits when the connection ends is dropped, and whoever waits is told", async () => {
  const { send, gate, written } = setUp();
  send("late");
  const told = gate.whenWritten(gate.accepted);
  await gate.close();
  expect(await told).toBe(false);
  expect(await gate.whenWritten(gate.accepted)).toBe(false);
  send("later");
  await settle();
  expect(written).toEqual([]);
});

test("keys of a connection that is over change nothing any more", async () => {
  const { gate, session, auth } = setUp();
  await gate.close();
  session(9);
  await settle();
  expect(auth.read("session", "ann")).toBeUndefined();
});

test("too many waiting frames end the connection", () => {
  const { gate, failures, keys } = setUp();
  gate.decrypted(keys.position);
  for (let n = 0; n <= maxWaiting.frames; n++) gate.send(Buffer.of(0));
  expect(failures).toHaveLength(1);
});
