import { GatewayError } from "@openclaw/protocol";
import { afterEach, expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { createLogger, silentLogger, type Line } from "../kernel/log.ts";
import { openStore } from "./open.ts";
import type { SqliteStore } from "./sqlite-store.ts";
import type { Tx } from "./store.ts";

const migrations = [{ id: "t-1", sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE) STRICT" }];
const stores: SqliteStore[] = [];

function memoryStore(log = silentLogger, world = fakeWorld()) {
  const store = openStore({ path: ":memory:", migrations, world, log });
  stores.push(store);
  return { store, world };
}

afterEach(() => {
  for (const store of stores.splice(0)) store.close();
});

const add = (text: string) => (tx: Tx) => tx.run("INSERT INTO note (text) VALUES (?)", text).lastInsertRowid;
const texts = (store: SqliteStore) =>
  store.all<{ text: string }>("SELECT text FROM note ORDER BY id").map((row) => row.text);

test("units queued in one turn share one transaction and keep their order", async () => {
  const { store } = memoryStore();
  const results = await Promise.all(["a", "b", "c"].map((text) => store.commit(add(text))));
  expect(results).toEqual([1, 2, 3]);
  expect(texts(store)).toEqual(["a", "b", "c"]);
  expect(store.stats()).toMatchObject({ commits: 1, units: 3 });
});

test("a store that cannot be read says so when it is asked how it is, instead of throwing", () => {
  const { store } = memoryStore();
  expect(store.health()).toBeUndefined();
  store.close();
  expect(store.health()).toMatch(/^unreadable: /u);
});

test("a unit that throws rolls back alone and rejects with its error", async () => {
  const { store } = memoryStore();
  const boom = new Error("boom");
  const outcomes = await Promise.allSettled([
    store.commit(add("kept")),
    store.commit((tx) => {
      add("lost")(tx);
      throw boom;
    }),
    store.commit(add("kept too")),
  ]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(outcomes[1]).toMatchObject({ reason: boom });
  expect(texts(store)).toEqual(["kept", "kept too"]);
});

test("a violated constraint reaches the caller as it is and leaves the store usable", async () => {
  const { store } = memoryStore();
  await store.commit(add("once"));
  await expect(store.commit(add("once"))).rejects.toMatchObject({ errcode: 2067 });
  await store.commit(add("twice"));
  expect(texts(store)).toEqual(["once", "twice"]);
});

test("hooks run after the transaction, in order, before the promise resolves, and not for a failed unit", async () => {
  const { store } = memoryStore();
  const seen: string[] = [];
  const first = store.commit((tx) => {
    tx.afterCommit(() => seen.push(`hook sees ${texts(store).length}`));
    add("a")(tx);
  });
  const second = store.commit((tx) => {
    tx.afterCommit(() => seen.push("never"));
    throw new Error("no");
  });
  const third = store.commit(add("b")).then(() => seen.push("resolved"));
  await Promise.allSettled([first, second, third]);
  expect(seen).toEqual(["hook sees 2", "resolved"]);
});

test("a hook that throws is logged and the commit still succeeds", async () => {
  const lines: Line[] = [];
  const { store } = memoryStore(
    createLogger({ subsystem: "store", sinks: [(line) => lines.push(line)], now: () => 0 }),
  );
  await store.commit((tx) => {
    tx.afterCommit(() => {
      throw new Error("hook");
    });
  });
  expect(lines.some((line) => line.level === "error")).toBe(true);
});

test("an asynchronous unit is refused and rolled back", async () => {
  const { store } = memoryStore();
  const unit = async (tx: Tx) => {
    add("half")(tx);
    await Promise.resolve();
    throw new Error("late");
  };
  await expect(store.commit(unit)).rejects.toThrow("must be synchronous");
  expect(texts(store)).toEqual([]);
});

test("a tx kept beyond its unit is useless", async () => {
  const { store } = memoryStore();
  const kept = await store.commit((tx) => tx);
  expect(() => kept.run("INSERT INTO note (text) VALUES ('late')")).toThrow("transaction has ended");
});

test("a commit made inside a unit goes into the next transaction", async () => {
  const { store } = memoryStore();
  let inner: Promise<unknown> | undefined;
  await store.commit((tx) => {
    inner = store.commit(add("second"));
    add("first")(tx);
  });
  expect(texts(store)).toEqual(["first"]);
  await inner;
  expect(texts(store)).toEqual(["first", "second"]);
  expect(store.stats().commits).toBe(2);
});

test("a batch ends after its time and the rest follows in the next one", async () => {
  let ms = 0;
  const { store } = memoryStore(silentLogger, fakeWorld({ monotonic: () => (ms += 4) }));
  await Promise.all(Array.from({ length: 20 }, (_, i) => store.commit(add(`n${i}`))));
  expect(texts(store)).toEqual(Array.from({ length: 20 }, (_, i) => `n${i}`));
  expect(store.stats().commits).toBeGreaterThan(3);
});

test("a full disk refuses with DISK_FULL, is logged once, leaves reads alone and needs no restart", async () => {
  const lines: Line[] = [];
  const { store } = memoryStore(
    createLogger({ subsystem: "store", sinks: [(line) => lines.push(line)], now: () => 0 }),
  );
  await store.commit(add("before"));
  const pages = store.get<{ page_count: number }>("PRAGMA page_count")?.page_count ?? 0;
  store.get(`PRAGMA max_page_count = ${pages}`);
  const big = "x".repeat(200_000);
  for (const attempt of [1, 2]) {
    const error = await store.commit(add(big + attempt)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ kind: "unavailable", details: { code: "DISK_FULL" } });
  }
  expect(store.health()).toBe("disk-full");
  expect(texts(store)).toEqual(["before"]);
  expect(lines.filter((line) => line.level === "error")).toHaveLength(1);
  store.get("PRAGMA max_page_count = 1000000");
  await store.commit(add(big));
  expect(store.health()).toBeUndefined();
});

test("slow commits show in health", async () => {
  let ms = 0;
  const { store } = memoryStore(silentLogger, fakeWorld({ monotonic: () => (ms += 60) }));
  for (let i = 0; i < 25; i++) await store.commit(add(`n${i}`));
  expect(store.health()).toContain("slow-disk");
});

test("close commits what waits; afterwards commit is refused", async () => {
  const { store } = memoryStore();
  const last = store.commit(add("last"));
  store.close();
  await expect(last).resolves.toBe(1);
  await expect(store.commit(add("late"))).rejects.toMatchObject({ kind: "unavailable" });
  store.close();
});

test("more waiting units than allowed are refused, the others are stored", async () => {
  const { store } = memoryStore();
  const waiting = Array.from({ length: 10_000 }, () => store.commit(() => 1));
  await expect(store.commit(() => 2)).rejects.toMatchObject({ details: { code: "STORE_BUSY" } });
  expect(await Promise.all(waiting)).toHaveLength(10_000);
});

test("the statement cache is bounded", () => {
  const { store } = memoryStore();
  for (let i = 0; i < 1_000; i++) store.get(`SELECT ${i}`);
  expect(store.get<{ n: number }>("SELECT 7 AS n")?.n).toBe(7);
});
