/** What a crash leaves behind, and what the next process makes of it (reliability.md §3.1, R-OUT-2). */
import { expect, test } from "vitest";
import { fakeWorld, type FakeWorld } from "../../../kernel/fake-world.ts";
import { silentLogger } from "../../../kernel/log.ts";
import {
  fakeAccount,
  type FakeAccount,
  memoryStore,
  mortal,
  outboxBench,
  part,
  request,
  settle,
} from "./ledger.fixture.ts";
import { Outbox } from "./outbox.ts";
import type { OutboxRequest } from "./request.ts";

type Point = "outbox.after-attempting" | "outbox.after-provider" | "store.commit.after";

const byNumber = (a: string, b: string) => Number(a.slice(5)) - Number(b.slice(5));

/** Sends until the process dies at a point, then starts another one on the same disk. */
async function crashAt(
  point: Point,
  options: {
    clientMessageIds: boolean;
    request?: OutboxRequest;
    between?: (world: FakeWorld, account: FakeAccount) => void;
  },
) {
  let kill = () => {};
  const world = fakeWorld({ mark: (name) => name === point && kill() });
  const disk = memoryStore(world);
  const account = fakeAccount(world, options);
  const events: string[] = [];
  const make = () => {
    const process = mortal(disk);
    const outbox = new Outbox({
      store: process.store,
      world,
      log: silentLogger,
      // The connection dies with its process.
      account: () => ({
        ...account,
        send: (...args) => (process.dead ? new Promise(() => {}) : account.send(...args)),
      }),
      systemEvent: (_key, text) => void (process.dead || events.push(text)),
    });
    return { process, outbox };
  };
  const first = make();
  await first.outbox.start();
  first.outbox.opened("fake", "default");
  await disk.commit((tx) =>
    first.outbox.insert(tx, options.request ?? request(["one", "two"], { sessionKey: "s", key: "k" })),
  );
  kill = () => first.process.kill();
  await settle();
  expect(first.process.dead).toBe(true);
  kill = () => {};
  const states = () => disk.all<{ state: string }>("SELECT state FROM outbox ORDER BY id").map(({ state }) => state);
  const died = states();
  options.between?.(world, account);
  const second = make();
  await second.outbox.start();
  const recovered = states();
  if (account.open) second.outbox.opened("fake", "default");
  for (let n = 0; n < 10; n++) {
    await world.clock.advance(1_000);
    await settle();
  }
  return { died, recovered, states, account, events, outbox: second.outbox, disk, world };
}

test("without client ids an attempt cut off becomes unknown, is told once and not repeated", async () => {
  for (const [point, arrived] of [
    ["outbox.after-attempting", []],
    ["outbox.after-provider", ["one"]],
  ] as const) {
    const { died, recovered, states, account, events } = await crashAt(point, { clientMessageIds: false });
    expect(died).toEqual(["attempting", "queued"]);
    expect(recovered).toEqual(["unknown", "queued"]);
    expect(states()).toEqual(["unknown", "sent"]);
    expect(account.sent.map(({ text }) => text)).toEqual([...arrived, "two"]);
    expect(events).toHaveLength(1);
  }
});

test("with client ids an attempt cut off is made again with the same id, and arrives once", async () => {
  for (const point of ["outbox.after-attempting", "outbox.after-provider"] as const) {
    const { recovered, states, account, events, disk } = await crashAt(point, { clientMessageIds: true });
    expect(recovered).toEqual(["queued", "queued"]);
    expect(states()).toEqual(["sent", "sent"]);
    expect(account.sent.map(({ text }) => text)).toEqual(["one", "two"]);
    expect(account.sent[0]?.clientMsgId).toBe("C1");
    expect(disk.get("SELECT attempts, provider_msg_id AS id, reason FROM outbox WHERE id = 1")).toEqual({
      attempts: 2,
      id: "C1",
      reason: null,
    });
    expect(events).toEqual([]);
  }
});

test("what was cut off and may have arrived is never called failed, even when its time is over", async () => {
  const { recovered, states, account, events } = await crashAt("outbox.after-provider", {
    clientMessageIds: true,
    between: (world) => world.clock.shiftWall(2 * 3_600_000),
  });
  expect(recovered).toEqual(["unknown", "failed"]);
  expect(states()).toEqual(["unknown", "failed"]);
  expect(account.sent.map(({ text }) => text)).toEqual(["one"]);
  expect(events).toHaveLength(1);
});

test("an operator's message that may have arrived ends as unknown when the connection does not come back", async () => {
  const { states, account } = await crashAt("outbox.after-provider", {
    clientMessageIds: true,
    request: request(["one", "two"], { kind: "send" }),
    between: (_world, account) => (account.open = false),
  });
  expect(states()).toEqual(["unknown", "failed"]);
  expect(account.sent.map(({ text }) => text)).toEqual(["one"]);
});

test("a refusal of the second attempt does not prove that the first one did not arrive", async () => {
  const { states } = await crashAt("outbox.after-provider", {
    clientMessageIds: true,
    between: (_world, account) => (account.answer = () => ({ state: "failed", reason: "blocked", detail: "blocked" })),
  });
  expect(states()).toEqual(["unknown", "failed"]);
});

test("an answer that was lost is asked for again with the same id", async () => {
  const world = fakeWorld();
  const { outbox, account, insert, states, pass } = outboxBench({
    world,
    account: fakeAccount(world, { clientMessageIds: true }),
  });
  await outbox.start();
  let calls = 0;
  account.answer = () =>
    ++calls < 3
      ? { state: "unknown", reason: "no-answer", detail: "the socket closed", arrived: calls === 1 }
      : { state: "sent", messageId: "" };
  await insert(request("one"));
  await settle();
  expect(states()).toEqual(["queued"]);
  await pass(5_000, 500);
  expect(states()).toEqual(["sent"]);
  expect(calls).toBe(3);
  expect(account.sent).toHaveLength(1);
});

test("the fate of a key is the same before and after a crash", async () => {
  const { outbox } = await crashAt("outbox.after-provider", {
    clientMessageIds: false,
    request: request("one", { key: "k", kind: "send" }),
  });
  const again = () =>
    outbox.submit(request("one", { key: "k", kind: "send" }), {
      signal: new AbortController().signal,
      waitForConnectionMs: 0,
    });
  await expect(again()).rejects.toMatchObject({ details: { code: "OUTCOME_UNKNOWN", reason: "interrupted" } });
  await expect(again()).rejects.toMatchObject({ details: { code: "OUTCOME_UNKNOWN", reason: "interrupted" } });
});

test("a receipt turns unknown into sent, also while the part waits for its next attempt", async () => {
  const world = fakeWorld();
  const account = fakeAccount(world, { clientMessageIds: true });
  const { outbox, insert, states, pass } = outboxBench({ world, account });
  await outbox.start();
  account.answer = () => ({ state: "unknown", reason: "no-answer", detail: "lost", arrived: true });
  await insert(request("one"));
  await settle();
  expect(states()).toEqual(["queued"]);
  outbox.confirmed("fake", "default", "C1", "P1");
  outbox.confirmed("fake", "default", "C9", "P9");
  await settle();
  expect(states()).toEqual(["sent"]);
  expect(outbox.sentPart("fake", "default", "ann", "P1")).toEqual(part("one"));
  await insert(request("two", { kind: "send" }));
  await settle();
  account.open = false;
  outbox.closed("fake", "default");
  await pass(6_000, 1_000);
  expect(states()).toEqual(["sent", "unknown"]);
  outbox.confirmed("fake", "default", "C2", "P2");
  await settle();
  expect(states()).toEqual(["sent", "sent"]);
  expect(outbox.backlog()).toEqual({ queued: 0, unknown: 0 });
  expect(outbox.refused).toBe(0);
});

test("a receipt that is faster than the answer is believed", async () => {
  const world = fakeWorld();
  const account = fakeAccount(world, { clientMessageIds: true });
  const { outbox, insert, states } = outboxBench({ world, account });
  await outbox.start();
  let release = () => {};
  account.answer = () =>
    new Promise((resolve) => (release = () => resolve({ state: "unknown", reason: "no-answer", detail: "lost" })));
  await insert(request(["one", "two"]));
  await settle();
  outbox.confirmed("fake", "default", "C1", "P1");
  await settle();
  expect(states()).toEqual(["sent", "queued"]);
  account.answer = () => ({ state: "sent", messageId: "" });
  release();
  await settle();
  expect(states()).toEqual(["sent", "sent"]);
  expect(outbox.refused).toBe(0);
});

test("rows past their time fail before any sending starts", async () => {
  const bench = outboxBench();
  await bench.insert(request("old", { sessionKey: "s" }));
  bench.world.clock.shiftWall(3_600_000);
  await bench.insert(request("new"));
  await bench.next().start();
  await settle();
  expect(bench.states()).toEqual(["failed", "sent"]);
  expect(bench.account.sent.map(({ text }) => text)).toEqual(["new"]);
  expect(bench.events).toHaveLength(1);
});

test("ten thousand rows that wait are taken over, and the first of each chat leave first", async () => {
  const bench = outboxBench();
  bench.account.budget = { ...bench.account.budget, account: { count: 2_000, perMs: 1 } };
  await bench.store.commit((tx) => {
    for (let n = 0; n < 10_000; n++) bench.outbox.insert(tx, request(`text ${n}`, { chatId: `chat-${n % 500}` }));
  });
  const outbox = bench.next();
  await outbox.start();
  expect(outbox.backlog("fake").queued).toBeGreaterThan(9_000);
  for (let n = 0; n < 3_000 && bench.account.sent.length < 1_500; n++) {
    await settle(4);
    await bench.world.clock.advance(1);
  }
  expect(
    bench.account.sent
      .slice(0, 500)
      .map(({ text }) => text)
      .sort(byNumber),
  ).toEqual(Array.from({ length: 500 }, (_, n) => `text ${n}`));
  const last = new Map<string, number>();
  for (const { chatId, text } of bench.account.sent) {
    const n = Number(text.slice(5));
    expect(n).toBeGreaterThan(last.get(chatId) ?? -1);
    last.set(chatId, n);
  }
});

test("what is inserted while the former rows are read comes after them", async () => {
  const bench = outboxBench();
  await bench.store.commit((tx) => {
    for (let n = 0; n < 600; n++) bench.outbox.insert(tx, request(`old ${n}`));
  });
  await bench.store.commit((tx) => tx.run("UPDATE outbox SET state = 'attempting' WHERE id = 600"));
  const outbox = bench.next();
  const started = outbox.start();
  await bench.insert(request("new"));
  await bench.insert(request("newer", { chatId: "bob" }));
  await started;
  for (let n = 0; n < 3_000 && bench.account.sent.length < 601; n++) await settle(2);
  const texts = bench.account.sent.filter(({ chatId }) => chatId === "ann").map(({ text }) => text);
  expect(texts).toEqual([...Array.from({ length: 599 }, (_, n) => `old ${n}`), "new"]);
  expect(bench.account.sent).toHaveLength(601);
});

test("a store that cannot write at the start is tried again, and nothing is sent before", async () => {
  const bench = outboxBench();
  await bench.insert(request("one"));
  await bench.store.commit((tx) => tx.run("UPDATE outbox SET state = 'attempting'"));
  await bench.insert(request("two"));
  const commit = bench.store.commit.bind(bench.store);
  let broken = true;
  bench.store.commit = (unit) => (broken ? Promise.reject(new Error("disk full")) : commit(unit));
  await bench.next().start();
  await bench.pass(20_000, 1_000);
  expect(bench.account.sent).toEqual([]);
  broken = false;
  await bench.pass(6_000, 1_000);
  expect(bench.states()).toEqual(["unknown", "sent"]);
});

test("rows of an account that is gone from the config end when their time is over", async () => {
  const bench = outboxBench();
  await bench.insert(request("one", { accountId: "gone" }));
  await bench.next().start();
  await bench.pass(3_600_000 + 31_000, 31_000);
  expect(bench.states()).toEqual(["failed"]);
});
