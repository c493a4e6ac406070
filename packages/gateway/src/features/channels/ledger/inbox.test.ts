import { expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { createLogger, type Line, silentLogger } from "../../../kernel/log.ts";
import { Inbox, inboxLimits } from "./inbox.ts";
import { inboundMessage, memoryStore } from "./ledger.fixture.ts";

const day = 24 * 3_600_000;

function bench(mark: (name: string) => void = () => {}) {
  const world = fakeWorld({ mark });
  const store = memoryStore(world);
  const lines: Line[] = [];
  const log = createLogger({ subsystem: "t", sinks: [(line) => void lines.push(line)], now: () => world.now() });
  const inbox = new Inbox({ store, world, log });
  const receive = (...ids: string[]) =>
    inbox.receive("fake", "default", { ownId: "me", messages: ids.map((id) => inboundMessage(id)) });
  return { world, store, inbox, lines, receive };
}

test("fresh messages come back in order, with the cursor stored beside them", async () => {
  const { inbox, world } = bench();
  const rows = await inbox.receive("fake", "default", {
    ownId: "me",
    messages: [inboundMessage("b"), inboundMessage("a")],
    cursor: "12",
  });
  expect(rows.map(({ id, message, state }) => [id, message.platformId, state])).toEqual([
    [1, "b", "stored"],
    [2, "a", "stored"],
  ]);
  expect(inbox.cursor("fake", "default", "me")).toEqual({ value: "12", storedAt: world.now() });
  expect(inbox.open(0)).toEqual(rows);
});

test("an id that was seen before changes nothing but a counter", async () => {
  const { inbox, receive, store } = bench();
  await receive("1", "2");
  await store.commit((tx) => inbox.move(tx, 1, "ignored", { reason: "policy" }));
  const before = store.all("SELECT * FROM inbound");
  const again = await inbox.receive("fake", "default", {
    ownId: "me",
    messages: [inboundMessage("1", "other text"), inboundMessage("3"), inboundMessage("3")],
  });
  expect(again.map(({ message }) => message.platformId)).toEqual(["3"]);
  expect(store.all("SELECT * FROM inbound").slice(0, 2)).toEqual(before);
  expect(inbox.counts("fake", "default")).toEqual({
    received: 5,
    handled: 0,
    pending: 2,
    "skipped.duplicate": 2,
    "skipped.policy": 1,
  });
});

test("the same id of another account, channel or own id is another message", async () => {
  const { inbox, receive } = bench();
  await receive("1");
  const batch = { ownId: "me", messages: [inboundMessage("1")] };
  expect(await inbox.receive("fake", "second", batch)).toHaveLength(1);
  expect(await inbox.receive("other", "default", batch)).toHaveLength(1);
  expect(await inbox.receive("fake", "default", { ...batch, ownId: "you" })).toHaveLength(1);
});

test("nothing is stored when the process dies before the commit, everything when it dies after", async () => {
  for (const [point, stored] of [
    ["inbound.before-commit", 0],
    ["inbound.after-commit", 1],
  ] as const) {
    const { inbox, store } = bench((name) => {
      if (name === point) throw new Error("killed");
    });
    const batch = { ownId: "me", messages: [inboundMessage("1")], cursor: "9" };
    await expect(inbox.receive("fake", "default", batch)).rejects.toThrow("killed");
    expect(store.all("SELECT id FROM inbound")).toHaveLength(stored);
    expect(store.all("SELECT value FROM channel_cursor")).toHaveLength(stored);
    expect(store.all("SELECT n FROM channel_count")).toHaveLength(stored);
  }
});

test("a cursor belongs to its own id, and one older than six days is not used", async () => {
  const { inbox, world, lines, store } = bench();
  await inbox.receive("fake", "default", { ownId: "me", messages: [], cursor: "5" });
  expect(inbox.cursor("fake", "default", "you")).toBeUndefined();
  expect(lines.at(-1)?.message).toContain("another own id");
  world.clock.shiftWall(6 * day);
  expect(inbox.cursor("fake", "default", "me")?.value).toBe("5");
  world.clock.shiftWall(1);
  expect(inbox.cursor("fake", "default", "me")).toBeUndefined();
  expect(lines.at(-1)?.message).toContain("older than six days");
  await inbox.receive("fake", "default", { ownId: "you", messages: [], cursor: "1" });
  expect(store.all("SELECT own_id AS ownId FROM channel_cursor")).toEqual([{ ownId: "you" }]);
});

test("what the adapter passed over is counted by its reason", async () => {
  const { inbox } = bench();
  await inbox.receive("fake", "default", {
    ownId: "me",
    messages: [inboundMessage("1")],
    skipped: { own: 2, empty: 0 },
  });
  expect(inbox.counts("fake", "default")).toEqual({ received: 3, handled: 0, pending: 1, "skipped.own": 2 });
});

test("reasons beyond the limit are counted together", async () => {
  const { inbox } = bench();
  for (let n = 0; n < inboxLimits.reasons + 10; n++)
    await inbox.receive("fake", "default", { ownId: "me", messages: [], skipped: { [`reason-${n}`]: 1 } });
  const { received, handled, pending, ...skipped } = inbox.counts("fake", "default");
  expect({ received, handled, pending }).toEqual({ received: inboxLimits.reasons + 10, handled: 0, pending: 0 });
  expect(Object.keys(skipped).length).toBeLessThanOrEqual(inboxLimits.reasons + 1);
  expect(Object.values(skipped).reduce((sum, n) => sum + n, 0)).toBe(received);
});

test("rows end with their run, and only those that waited for it", async () => {
  const { inbox, receive, store } = bench();
  await receive("1", "2", "3", "4");
  await store.commit((tx) => {
    for (const id of [1, 2]) inbox.move(tx, id, "waiting", { sessionKey: "agent:main:main", runRowId: 7 });
    inbox.move(tx, 3, "waiting", { runRowId: 8 });
  });
  expect(inbox.byRun(7).map(({ id }) => id)).toEqual([1, 2]);
  await store.commit((tx) => inbox.endRun(tx, 7, "answered"));
  expect(store.all<{ state: string }>("SELECT state FROM inbound ORDER BY id").map(({ state }) => state)).toEqual([
    "answered",
    "answered",
    "waiting",
    "stored",
  ]);
  expect(inbox.counts("fake", "default")).toEqual({ received: 4, handled: 2, pending: 2 });
  await store.commit((tx) => inbox.endRun(tx, 7, "silent"));
  expect(inbox.refused).toBe(0);
});

test("a run with hundreds of messages ends them all", async () => {
  const { inbox, store, receive } = bench();
  await receive(...Array.from({ length: 700 }, (_, n) => String(n)));
  await store.commit((tx) => {
    for (let id = 1; id <= 700; id++) inbox.move(tx, id, "waiting", { runRowId: 7 });
  });
  await store.commit((tx) => inbox.endRun(tx, 7, "dropped", "stopped"));
  expect(inbox.open(0)).toEqual([]);
  expect(inbox.backlog("fake", "default").rows).toBe(0);
});

test("a row goes back to its queue after a crash, and a fourth attempt is refused", async () => {
  const { inbox, receive, store } = bench();
  await receive("1");
  const attempt = (attempts: number) =>
    store.commit((tx) => {
      const begun = inbox.move(tx, 1, "waiting", { runRowId: 10 + attempts, attempts });
      return begun && inbox.move(tx, 1, "waiting", { runRowId: null });
    });
  for (const n of [1, 2, 3]) expect(await attempt(n)).toBe(true);
  expect(await attempt(4)).toBe(false);
  expect(inbox.get(1)).toMatchObject({ state: "waiting", attempts: 3 });
  expect(inbox.get(1)?.runRowId).toBeUndefined();
  expect(inbox.refused).toBe(1);
});

test("a move of a row that does not exist is refused", async () => {
  const { inbox, store } = bench();
  expect(await store.commit((tx) => inbox.move(tx, 99, "waiting"))).toBe(false);
  expect(inbox.refused).toBe(1);
});

test("the backlog is full at its limit of rows, and of bytes, and follows what is handled", async () => {
  const { inbox, store } = bench();
  const message = inboundMessage("1", "x".repeat(1_000_000));
  const size = Buffer.byteLength(JSON.stringify(message));
  expect(inbox.backlog("fake", "default")).toEqual({ rows: 0, bytes: 0, full: false });
  await inbox.receive("fake", "default", { ownId: "me", messages: [message] });
  expect(inbox.backlog("fake", "default")).toEqual({ rows: 1, bytes: size, full: false });
  await store.commit((tx) => tx.run("UPDATE inbound SET bytes = ?", inboxLimits.backlogBytes));
  const second = new Inbox({ store, world: fakeWorld(), log: silentLogger });
  expect(second.backlog("fake", "default")).toEqual({ rows: 1, bytes: inboxLimits.backlogBytes, full: true });
  await store.commit((tx) => second.move(tx, 1, "ignored", { reason: "old" }));
  expect(second.backlog("fake", "default")).toEqual({ rows: 0, bytes: 0, full: false });
});

test("a flood beyond the limit loses none", async () => {
  const { inbox, store } = bench();
  let next = 0;
  while (next < 12_000) {
    const messages = Array.from({ length: 500 }, () => inboundMessage(String(next++), "x"));
    await inbox.receive("fake", "default", { ownId: "me", messages, cursor: String(next) });
  }
  expect(inbox.backlog("fake", "default")).toMatchObject({ rows: 12_000, full: true });
  expect(inbox.counts("fake", "default")).toEqual({ received: 12_000, handled: 0, pending: 12_000 });
  let seen = 0;
  for (let page = inbox.open(0); page.length > 0; page = inbox.open(page.at(-1)?.id ?? 0)) seen += page.length;
  expect(seen).toBe(12_000);
  expect(store.get<{ n: number }>("SELECT count(*) AS n FROM inbound")?.n).toBe(12_000);
});

test("ended rows are the memory of ids for seven days; open ones stay however old", async () => {
  const { inbox, receive, world, store } = bench();
  await receive("1", "2");
  await store.commit((tx) => inbox.move(tx, 1, "ignored"));
  world.clock.shiftWall(7 * day - 1_000);
  await inbox.sweep();
  expect(await receive("1")).toEqual([]);
  world.clock.shiftWall(2_000);
  await inbox.sweep();
  expect(inbox.get(1)).toBeUndefined();
  expect(inbox.get(2)?.state).toBe("stored");
  expect(await receive("1")).toHaveLength(1);
});

test("ended rows beyond the limit are forgotten, oldest first", async () => {
  const { inbox, receive, store } = bench();
  await receive(...Array.from({ length: 500 }, (_, n) => String(n)));
  await store.commit((tx) => {
    for (let id = 1; id < 500; id++) inbox.move(tx, id, "ignored");
    // As if many had come since.
    tx.run("UPDATE inbound SET id = id + ? WHERE id > 450", inboxLimits.keepRows);
  });
  await inbox.sweep();
  expect(store.get<{ n: number; low: number }>("SELECT count(*) AS n, min(id) AS low FROM inbound")).toEqual({
    n: 50,
    low: inboxLimits.keepRows + 451,
  });
});
