/** Waits for the connection, lifetimes, and what a caller hears of each outcome (R-OUT-1, R-OUT-7). */
import { expect, test } from "vitest";
import type { SendOutcome } from "../outbound.ts";
import { asSend, fakeAccount, refusal, request, running, settle, wait } from "./ledger.fixture.ts";

test("an operator's send waits five seconds for the connection, then fails and stores nothing", async () => {
  const { outbox, account, states, pass } = await running({
    account: fakeAccount({ monotonic: () => 0 }, { open: false }),
  });
  const answer = refusal(outbox.submit(asSend("k"), wait));
  let done = false;
  void answer.then(() => (done = true));
  await pass(4_900);
  expect(done).toBe(false);
  await pass(200);
  expect(await answer).toMatchObject({ kind: "unavailable", details: { code: "NOT_CONNECTED" } });
  expect(states()).toEqual([]);
  account.open = true;
  outbox.opened("fake", "default");
  await settle();
  expect(account.sent).toEqual([]);
  // Nothing was stored, so the same key may try again.
  expect((await outbox.submit(asSend("k"), wait)).messageId).toBe("M1");
});

test("a send goes through when the connection comes in time", async () => {
  const { outbox, account, pass } = await running({ account: fakeAccount({ monotonic: () => 0 }, { open: false }) });
  const answer = outbox.submit(asSend("k"), wait);
  await pass(3_000);
  account.open = true;
  outbox.opened("fake", "default");
  expect((await answer).messageId).toBe("M1");
});

test.each([
  ["terminal", "not-linked", "NOT_LINKED"],
  ["linking", "not-linked", "NOT_LINKED"],
  ["held", "unavailable", "NOT_CONNECTED"],
  ["disabled", "unavailable", "NOT_CONNECTED"],
])("an account that is %s refuses at once", async (state, kind, code) => {
  const account = fakeAccount({ monotonic: () => 0 }, { open: false });
  account.state = state;
  account.problem = "Log in first.";
  const { outbox, states } = await running({ account });
  const error = await refusal(outbox.submit(asSend("k"), wait));
  expect(error).toMatchObject({ kind, details: { code } });
  expect(error.message).toBe("Log in first. Nothing was sent.");
  expect(states()).toEqual([]);
});

test("an account nobody knows refuses at once", async () => {
  const { outbox } = await running();
  expect((await refusal(outbox.submit(asSend("k", "hello", { accountId: "nope" }), wait))).kind).toBe("unavailable");
});

test("an operator's message that waits when the connection goes fails five seconds later, for good", async () => {
  const { outbox, account, states, pass } = await running();
  account.budget = { ...account.budget, directEveryMs: 2_000 };
  await outbox.submit(asSend("a", "first"), wait);
  const answer = refusal(outbox.submit(asSend("b", ["second", "third"]), wait));
  await settle();
  account.open = false;
  outbox.closed("fake", "default");
  await pass(4_900, 100);
  expect(states()).toEqual(["sent", "queued", "queued"]);
  await pass(200, 100);
  expect(states()).toEqual(["sent", "failed", "failed"]);
  expect(await answer).toMatchObject({ kind: "unavailable", retryable: true, details: { reason: "not-connected" } });
  account.open = true;
  outbox.opened("fake", "default");
  await pass(60_000, 1_000);
  expect(account.sent).toHaveLength(1);
  // The failure is the key's answer from now on.
  expect((await refusal(outbox.submit(asSend("b", ["second", "third"]), wait))).details?.reason).toBe("not-connected");
});

test("a reply waits an hour for its channel, a heartbeat ten minutes", async () => {
  const account = fakeAccount({ monotonic: () => 0 }, { open: false });
  const { insert, states, pass, events } = await running({ account });
  await insert(request("reply", { sessionKey: "s" }));
  await insert(request("beat", { kind: "heartbeat" }));
  await pass(10 * 60_000 - 1_000, 30_000);
  expect(states()).toEqual(["queued", "queued"]);
  await pass(2_000);
  expect(states()).toEqual(["queued", "failed"]);
  await pass(50 * 60_000, 60_000);
  expect(states()).toEqual(["failed", "failed"]);
  expect(events).toEqual([{ sessionKey: "s", text: expect.stringContaining("was not sent") as string }]);
});

test("a clock that was set forward, as after a night's sleep, ends what is too old before it is sent", async () => {
  const account = fakeAccount({ monotonic: () => 0 }, { open: false });
  const { insert, states, world, outbox } = await running({ account });
  await insert(request("reply"));
  world.clock.shiftWall(8 * 3_600_000);
  account.open = true;
  outbox.opened("fake", "default");
  await settle();
  expect(account.sent).toEqual([]);
  expect(states()).toEqual(["failed"]);
});

test("an outcome nobody knows is told to the caller, as the outcome unknown, and not tried again", async () => {
  const { outbox, account, states, events, pass } = await running();
  account.answer = () => ({ state: "unknown", reason: "no-answer", detail: "the connection broke", arrived: true });
  const error = await refusal(outbox.submit(asSend("k", "hello", { sessionKey: "s" }), wait));
  expect(error).toMatchObject({ kind: "unavailable", retryable: false, details: { code: "OUTCOME_UNKNOWN" } });
  await pass(60_000);
  expect(account.sent).toHaveLength(1);
  expect(states()).toEqual(["unknown"]);
  expect(events).toEqual([]);
  expect(outbox.backlog("fake", "default")).toEqual({ queued: 0, unknown: 1 });
  expect((await refusal(outbox.submit(asSend("k", "hello", { sessionKey: "s" }), wait))).message).toBe(error.message);
});

test("an unknown outcome nobody waits for is told to the session once", async () => {
  const bench = await running();
  bench.account.answer = () => ({ state: "unknown", reason: "no-answer", detail: "the connection broke" });
  await bench.insert(request("hello", { sessionKey: "s" }));
  await settle();
  expect(bench.events).toEqual([
    { sessionKey: "s", text: expect.stringContaining("may or may not have arrived") as string },
  ]);
  await bench.next().start();
  await settle();
  expect(bench.events).toHaveLength(1);
});

test("an unknown outcome whose caller left is told to the session", async () => {
  const { outbox, account, events } = await running();
  let release: (outcome: SendOutcome) => void = () => {};
  account.answer = () => new Promise((resolve) => (release = resolve));
  const leaving = new AbortController();
  const gone = refusal(outbox.submit(asSend("k", "hello", { sessionKey: "s" }), { ...wait, signal: leaving.signal }));
  await settle();
  leaving.abort();
  await gone;
  release({ state: "unknown", reason: "no-answer", detail: "the connection broke" });
  await settle();
  expect(events).toHaveLength(1);
});

test.each([
  ["chat-not-found", "invalid", undefined],
  ["rate-limited", "unavailable", true],
  ["platform", "unavailable", true],
  ["bad-token", "unavailable", false],
])("a message refused as %s is answered as %s", async (reason, kind, retryable) => {
  const { outbox, account } = await running();
  account.answer = () => ({ state: "failed", reason, detail: "the platform said no" });
  const error = await refusal(outbox.submit(asSend("k"), wait));
  expect(error).toMatchObject({ kind, details: { code: "SEND_FAILED", reason } });
  expect(error.retryable).toBe(retryable);
  expect(error.message).toContain("the platform said no");
});

test("a failed part fails the rest, and the answer says what was sent", async () => {
  const { outbox, account, states } = await running();
  account.answer = ({ content }) =>
    content.type === "text" && content.body.text === "two"
      ? { state: "failed", reason: "too-long", detail: "too long" }
      : { state: "sent", messageId: "" };
  const next = outbox.submit(asSend("n", "next"), wait);
  const error = await refusal(outbox.submit(asSend("k", ["one", "two", "three"]), wait));
  expect(states()).toEqual(["sent", "sent", "failed", "failed"]);
  expect(error).toMatchObject({
    retryable: false,
    details: { code: "OUTCOME_UNKNOWN", partly: true, messageIds: ["M2"], reason: "too-long" },
  });
  expect(error.message).toContain("1 of 3");
  await next;
});

test("a platform that gave no id has not confirmed anything", async () => {
  const account = fakeAccount({ monotonic: () => 0 });
  account.send = () => Promise.resolve({ state: "sent", messageId: "" });
  const { insert, states } = await running({ account });
  await insert(request("hello"));
  await settle();
  expect(states()).toEqual(["unknown"]);
});

test("an adapter that throws, and one that never answers, leave an unknown outcome and the chat goes on", async () => {
  const account = fakeAccount({ monotonic: () => 0 });
  let calls = 0;
  let aborted = false;
  account.send = (_part, { signal }) => {
    if (++calls === 1) return Promise.reject(new Error("broken"));
    if (calls > 2) return Promise.resolve({ state: "sent", messageId: "M" });
    signal.addEventListener("abort", () => (aborted = true));
    return new Promise(() => {});
  };
  const { insert, states, pass } = await running({ account });
  for (const text of ["one", "two", "three"]) await insert(request(text));
  await settle();
  expect(states()).toEqual(["unknown", "attempting", "queued"]);
  await pass(70_000);
  expect(states()).toEqual(["unknown", "unknown", "sent"]);
  expect(aborted).toBe(true);
});
