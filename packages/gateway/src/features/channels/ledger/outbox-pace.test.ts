/** Order, budgets and retries (R-OUT-5, R-OUT-6). */
import { expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { createLogger, type Line } from "../../../kernel/log.ts";
import type { SendBudget } from "../channel.ts";
import type { SendOutcome } from "../outbound.ts";
import { maxInFlight } from "./account-queue.ts";
import { Budget } from "./budget.ts";
import { type FakeAccount, fakeAccount, freeBudget, outboxBench, request, settle } from "./ledger.fixture.ts";

const telegram: SendBudget = {
  directEveryMs: 1_000,
  group: { count: 20, perMs: 60_000, everyMs: 1_000 },
  account: { count: 30, perMs: 1_000 },
};

async function running(options: { budget?: SendBudget; clientMessageIds?: boolean } = {}) {
  const world = fakeWorld();
  const lines: Line[] = [];
  const log = createLogger({ subsystem: "t", sinks: [(line) => void lines.push(line)], now: () => 0 });
  const account = fakeAccount(world, options);
  const bench = outboxBench({ world, account, log });
  await bench.outbox.start();
  bench.outbox.opened("fake", "default");
  return { ...bench, lines };
}

const times = (account: FakeAccount, chatId?: string) => {
  const first = account.sent[0]?.at ?? 0;
  return account.sent.filter((sent) => (chatId ?? sent.chatId) === sent.chatId).map(({ at }) => at - first);
};

test("two messages to one chat never mix, whatever other chats do", async () => {
  const { account, insert } = await running();
  const waiting: (() => void)[] = [];
  account.answer = () => new Promise((resolve) => waiting.push(() => resolve({ state: "sent", messageId: "" })));
  for (const text of ["a", "b", "c"])
    for (const chatId of ["ann", "bob"]) await insert(request([`${text}1`, `${text}2`, `${text}3`], { chatId }));
  for (let turn = 0; turn < 40; turn++) {
    await settle(3);
    // The newest first: the other chat overtakes, the same chat cannot.
    waiting.pop()?.();
  }
  for (const chatId of ["ann", "bob"]) {
    const texts = account.sent.filter((sent) => sent.chatId === chatId).map(({ text }) => text);
    expect(texts).toEqual(["a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3"]);
  }
});

test("chats are served side by side, up to sixteen", async () => {
  const { account, insert } = await running();
  const waiting: (() => void)[] = [];
  account.answer = () => new Promise((resolve) => waiting.push(() => resolve({ state: "sent", messageId: "" })));
  for (let n = 0; n < 40; n++) await insert(request(`text ${n}`, { chatId: `chat-${n}` }));
  await settle();
  expect(account.inFlight).toBe(maxInFlight);
  while (waiting.length > 0) {
    for (const resolve of waiting.splice(0)) resolve();
    await settle();
  }
  expect(account.sent).toHaveLength(40);
  expect(account.maxInFlight).toBe(maxInFlight);
});

test("a chat that does not answer holds up nobody else", async () => {
  const { account, insert } = await running();
  account.answer = ({ target }) =>
    target.chatId === "slow" ? new Promise(() => {}) : { state: "sent", messageId: "" };
  await insert(request(["one", "two"], { chatId: "slow" }));
  for (let n = 0; n < 30; n++) await insert(request(`text ${n}`, { chatId: "ann" }));
  await settle(200);
  expect(account.sent).toHaveLength(30);
});

test("a direct chat gets one part per second", async () => {
  const { account, insert, pass } = await running({ budget: telegram });
  await insert(request(["one", "two", "three"]));
  await pass(5_000, 50);
  const [first = 0, second = 0, third = 0] = times(account);
  expect(second - first).toBeGreaterThanOrEqual(1_000);
  expect(third - second).toBeGreaterThanOrEqual(1_000);
  expect(third).toBeLessThan(2_300);
});

test("a group gets no more than its share of a minute", async () => {
  const { account, insert, pass } = await running({ budget: telegram });
  for (let n = 0; n < 50; n++) await insert(request(`text ${n}`, { chatId: "group", chatKind: "group" }));
  await pass(180_000, 500);
  expect(account.sent).toHaveLength(50);
  const at = times(account);
  for (const start of at)
    expect(at.filter((time) => time >= start && time < start + 60_000).length).toBeLessThanOrEqual(20);
});

test("an account gets no more than its share of a second over all chats", async () => {
  const { account, insert, pass } = await running({ budget: telegram });
  for (let n = 0; n < 100; n++) void insert(request(`text ${n}`, { chatId: `chat-${n}` }));
  await pass(5_000, 20);
  const at = times(account);
  expect(at).toHaveLength(100);
  for (const start of at)
    expect(at.filter((time) => time >= start && time < start + 1_000).length).toBeLessThanOrEqual(30);
  expect(at.at(-1)).toBeLessThan(3_500);
});

test("a restart is no way around a budget", async () => {
  const bench = await running({ budget: telegram });
  for (let n = 0; n < 20; n++) await bench.insert(request(`text ${n}`, { chatId: "group", chatKind: "group" }));
  await bench.pass(25_000, 500);
  expect(bench.account.sent).toHaveLength(20);
  await bench.insert(request("one more", { chatId: "group", chatKind: "group" }));
  const next = bench.next();
  await next.start();
  next.opened("fake", "default");
  await bench.pass(30_000, 1_000);
  expect(bench.account.sent).toHaveLength(20);
  await bench.pass(10_000, 1_000);
  expect(bench.account.sent).toHaveLength(21);
});

test("a pause the platform asked for blocks that chat and no other", async () => {
  const { account, insert, pass, states } = await running();
  let refused = 0;
  account.answer = ({ target }) =>
    target.chatId === "ann" && refused++ === 0
      ? { state: "retry", reason: "rate-limited", detail: "too many requests", afterMs: 7_000 }
      : { state: "sent", messageId: "" };
  await insert(request(["a1", "a2"]));
  await insert(request("b1", { chatId: "bob" }));
  await settle();
  expect(account.sent.map(({ text }) => text)).toEqual(["b1"]);
  expect(states()).toEqual(["queued", "queued", "sent"]);
  await pass(6_900);
  expect(account.sent).toHaveLength(1);
  await pass(200);
  expect(account.sent.map(({ text }) => text)).toEqual(["b1", "a1", "a2"]);
});

test("a pause that outlasts the message fails it, and still holds the chat", async () => {
  const { account, insert, pass, states } = await running();
  account.answer = () => ({ state: "retry", reason: "rate-limited", detail: "too many requests", afterMs: 90_000 });
  await insert(request("one", { kind: "send" }));
  await settle();
  expect(states()).toEqual(["failed"]);
  account.answer = () => ({ state: "sent", messageId: "" });
  await insert(request("two"));
  await pass(89_000, 1_000);
  expect(account.sent).toEqual([]);
  await pass(2_000);
  expect(account.sent.map(({ text }) => text)).toEqual(["two"]);
});

test("a pause for the account blocks every chat", async () => {
  const { account, insert, pass } = await running();
  account.answer = () => ({ state: "retry", reason: "rate-limited", detail: "flood", afterMs: 7_000, account: true });
  await insert(request("one"));
  await settle();
  account.answer = () => ({ state: "sent", messageId: "" });
  await insert(request("two", { chatId: "bob" }));
  await pass(6_900);
  expect(account.sent).toEqual([]);
  await pass(200);
  expect(account.sent).toHaveLength(2);
});

test("what surely did not arrive is tried again, slower and slower, until its time is over", async () => {
  const { account, insert, pass, states, world } = await running();
  const tries: number[] = [];
  account.answer = () => {
    tries.push(world.monotonic());
    return { state: "retry", reason: "network", detail: "connection refused" };
  };
  await insert(request("one", { kind: "heartbeat" }));
  await pass(11 * 60_000, 500);
  expect(states()).toEqual(["failed"]);
  const gaps = tries.slice(1).map((at, n) => at - (tries[n] ?? 0));
  expect(gaps[0]).toBeGreaterThanOrEqual(1_000);
  expect(gaps[1]).toBeGreaterThanOrEqual(2_000);
  expect(Math.max(...gaps)).toBeLessThan(34_000);
  expect(tries.length).toBeGreaterThan(15);
  expect(account.sent).toEqual([]);
});

test("the same text four times in a minute is held, and reported once", async () => {
  const { account, insert, pass, lines, events } = await running();
  for (let n = 0; n < 4; n++) await insert(request("hello", { sessionKey: "s" }));
  await insert(request("something else", { chatId: "bob" }));
  await pass(58_000, 1_000);
  expect(account.sent.filter(({ chatId }) => chatId === "ann")).toHaveLength(3);
  expect(account.sent.filter(({ chatId }) => chatId === "bob")).toHaveLength(1);
  expect(lines.filter(({ message }) => message.includes("held"))).toHaveLength(1);
  expect(events).toEqual([{ sessionKey: "s", text: expect.stringContaining("held") as string }]);
  await pass(3_000, 1_000);
  expect(account.sent).toHaveLength(5);
});

test("equal parts of one message, and equal texts to other chats, are no repetition", async () => {
  const { account, insert } = await running();
  await insert(request(["same", "same", "same", "same", "same"]));
  for (let n = 0; n < 6; n++) await insert(request("hello", { chatId: `chat-${n}` }));
  await settle(40);
  expect(account.sent).toHaveLength(11);
});

test("nothing leaves while the account is closed, and what waits goes on when it opens", async () => {
  const { account, insert, pass, outbox } = await running();
  account.open = false;
  outbox.closed("fake", "default");
  await insert(request("one"));
  await pass(60_000, 10_000);
  expect(account.sent).toEqual([]);
  account.open = true;
  outbox.opened("fake", "default");
  await settle();
  expect(account.sent).toHaveLength(1);
});

test("an account that closes between the commit and the send keeps the row queued", async () => {
  const { account, insert, outbox, states, store } = await running();
  const commit = store.commit.bind(store);
  store.commit = (unit) => {
    const done = commit(unit);
    void done.then(() => (account.open = false));
    return done;
  };
  await insert(request("one"));
  account.open = true;
  outbox.opened("fake", "default");
  await settle();
  expect(account.sent).toEqual([]);
  expect(states()).toEqual(["queued"]);
});

test("an attempt on its way when the connection goes is waited for, and not made again when its wait is over", async () => {
  const { account, insert, outbox, states, pass } = await running();
  let release: (outcome: SendOutcome) => void = () => {};
  account.answer = () => new Promise((resolve) => (release = resolve));
  await insert(request(["one", "two"], { kind: "send" }));
  await settle();
  account.open = false;
  outbox.closed("fake", "default");
  await pass(8_000, 1_000);
  expect(states()).toEqual(["attempting", "failed"]);
  release({ state: "retry", reason: "network", detail: "the connection was refused" });
  await settle();
  await pass(1_000, 100);
  expect(states()).toEqual(["failed", "failed"]);
  account.open = true;
  outbox.opened("fake", "default");
  await pass(60_000, 10_000);
  expect(account.sent).toEqual([]);
  expect(outbox.backlog().queued).toBe(0);
});

test("a result the store could not take is stored later, and nothing is sent twice", async () => {
  const { account, insert, store, states, pass } = await running();
  const commit = store.commit.bind(store);
  let broken = 0;
  account.answer = () => {
    broken = 2;
    return { state: "sent", messageId: "" };
  };
  store.commit = (unit) => (broken-- > 0 ? Promise.reject(new Error("disk full")) : commit(unit));
  await insert(request("one"));
  await settle();
  expect(states()).toEqual(["attempting"]);
  await pass(3_000, 500);
  expect(states()).toEqual(["sent"]);
  expect(account.sent).toHaveLength(1);
});

test("an attempt the store could not note down is not made", async () => {
  const { account, insert, store, pass } = await running();
  const commit = store.commit.bind(store);
  let calls = 0;
  // The first call is the insert itself.
  store.commit = (unit) => (++calls > 1 && calls < 5 ? Promise.reject(new Error("disk full")) : commit(unit));
  await insert(request("one"));
  await pass(1_500, 500);
  expect(account.sent).toEqual([]);
  await pass(3_000, 500);
  expect(account.sent).toHaveLength(1);
  expect(calls).toBe(6);
});

test("too much that waits is refused, and what the gateway itself says fails and is reported", async () => {
  const { account, insert, outbox, events, store } = await running();
  account.open = false;
  outbox.closed("fake", "default");
  for (let n = 0; n < 100; n++) {
    const chatId = `chat-${n}`;
    void insert(
      request(
        Array.from({ length: 200 }, (_, at) => `text ${at}`),
        { chatId },
      ),
    );
  }
  await settle(60);
  expect(outbox.backlog().queued).toBe(20_000);
  account.open = true;
  await expect(
    outbox.submit(request("x", { kind: "send" }), { signal: new AbortController().signal, waitForConnectionMs: 0 }),
  ).rejects.toMatchObject({ details: { code: "OUTBOX_FULL" } });
  const [id = 0] = await insert(request("one too many", { sessionKey: "s" }));
  expect(store.get("SELECT state, reason FROM outbox WHERE id = ?", id)).toEqual({
    state: "failed",
    reason: "outbox-full",
  });
  expect(events).toHaveLength(1);
});

test("a budget counts what was let through and has not left yet", () => {
  const budget = new Budget();
  for (let n = 0; n < 30; n++) budget.reserve();
  expect(budget.accountWaitMs(telegram, 0)).toBe(Infinity);
  budget.hasLeft("a", 500);
  expect(budget.accountWaitMs(telegram, 500)).toBe(1_000);
  budget.keptBack();
  expect(budget.accountWaitMs(telegram, 500)).toBe(0);
  for (let n = 0; n < 28; n++) budget.hasLeft(`b${n}`, 600);
  budget.reserve();
  expect(budget.accountWaitMs(telegram, 600)).toBe(900);
  expect(budget.accountWaitMs(telegram, 1_500)).toBe(0);
  expect(budget.chatWaitMs(telegram, "a", false, 600)).toBe(900);
  expect(budget.chatWaitMs(telegram, "new", false, 600)).toBe(0);
});

test("a budget remembers a bounded number of chats", () => {
  const budget = new Budget();
  for (let n = 0; n < 20_000; n++) budget.record(`chat-${n}`, n);
  expect(budget.chats).toBe(10_000);
});

test("a burst of 1,000 messages over 100 chats leaves the loop free", async () => {
  const { account, insert } = await running({ budget: freeBudget });
  const outcome: SendOutcome = { state: "sent", messageId: "" };
  account.answer = () => new Promise((resolve) => setImmediate(() => resolve(outcome)));
  account.budget = { ...freeBudget, account: { count: 2_000, perMs: 1_000 } };
  // CPU time of this thread, whatever else the machine does meanwhile.
  const cpuMs = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  let longest = 0;
  let last = cpuMs();
  for (let n = 0; n < 1_000; n++) void insert(request(`text ${n}`, { chatId: `chat-${n % 100}` }));
  for (let turn = 0; turn < 5_000 && account.sent.length < 1_000; turn++) {
    await settle(1);
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
  }
  expect(account.sent).toHaveLength(1_000);
  for (let n = 0; n < 100; n++) {
    const texts = account.sent.filter(({ chatId }) => chatId === `chat-${n}`).map(({ text }) => text);
    expect(texts).toEqual(Array.from({ length: 10 }, (_, at) => `text ${at * 100 + n}`));
  }
  // K-loop: 100 ms at most, in one piece.
  expect(longest).toBeLessThan(100);
});
