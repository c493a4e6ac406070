/** Keys, callers and stops (R-OUT-1, R-OUT-3; CRASH C3 to C5 in the small). */
import { expect, test } from "vitest";
import type { SendOutcome } from "../outbound.ts";
import { asSend, fakeAccount, part, refusal, request, running, settle, wait } from "./ledger.fixture.ts";

test("a message that was inserted leaves part by part, in order", async () => {
  const { account, insert, states } = await running();
  await insert(request(["one", "two", "three"]));
  await settle();
  expect(account.sent.map(({ text }) => text)).toEqual(["one", "two", "three"]);
  expect(states()).toEqual(["sent", "sent", "sent"]);
});

test("an attempt is committed before the part leaves, with the client's message id", async () => {
  const account = fakeAccount({ monotonic: () => 0 }, { clientMessageIds: true });
  const { insert, store, world } = await running({ account });
  let seen: unknown;
  account.answer = () => {
    seen = store.get("SELECT state, attempts, client_msg_id AS id FROM outbox");
    return { state: "sent", messageId: "x" };
  };
  await insert(request("hello"));
  await settle();
  expect(seen).toEqual({ state: "attempting", attempts: 1, id: "C1" });
  expect(world.marks.filter((name) => name.startsWith("outbox"))).toEqual([
    "outbox.after-attempting",
    "outbox.after-provider",
  ]);
});

test("a submitted message answers with the ids the platform gave", async () => {
  const { outbox, account } = await running();
  account.answer = () => ({ state: "sent", messageId: "", chatId: "49@s", facts: { toJid: "49@s" } });
  expect(await outbox.submit(asSend("k", ["one", "two"]), wait)).toEqual({
    key: "k",
    channel: "fake",
    accountId: "default",
    messageId: "M2",
    messageIds: ["M1", "M2"],
    chatId: "49@s",
    facts: { toJid: "49@s" },
  });
});

test("the same key gives the same answer without a second send, also after a restart", async () => {
  const bench = await running();
  const first = await bench.outbox.submit(asSend("k"), wait);
  expect(await bench.outbox.submit(asSend("k"), wait)).toEqual(first);
  const next = bench.next();
  await next.start();
  bench.account.open = false;
  bench.world.clock.shiftWall(24 * 3_600_000 - 1_000);
  expect(await next.submit(asSend("k"), wait)).toEqual(first);
  expect(bench.account.sent).toHaveLength(1);
});

test("the same key joins a send in progress", async () => {
  const { outbox, account } = await running();
  let release: (outcome: SendOutcome) => void = () => {};
  account.answer = () => new Promise((resolve) => (release = resolve));
  const answers = [outbox.submit(asSend("k"), wait), outbox.submit(asSend("k"), wait)];
  await settle();
  answers.push(outbox.submit(asSend("k"), wait));
  release({ state: "sent", messageId: "" });
  const [one, two, three] = await Promise.all(answers);
  expect(one).toEqual(two);
  expect(one).toEqual(three);
  expect(account.sent).toHaveLength(1);
});

test("the same key in another family is another message", async () => {
  const { outbox, account } = await running();
  await outbox.submit(asSend("k"), wait);
  await outbox.submit(asSend("k", "hello", { family: "poll" }), wait);
  expect(account.sent).toHaveLength(2);
});

test("the same key with another request is refused, in progress and afterwards", async () => {
  const { outbox, account } = await running();
  const first = outbox.submit(asSend("k"), wait);
  for (const other of [asSend("k", "bye"), asSend("k", "hello", { parts: [part("hello", "bob")] })]) {
    const error = await refusal(outbox.submit(other, wait));
    expect(error).toMatchObject({ kind: "invalid", details: { code: "IDEMPOTENCY_KEY_REUSED", idempotencyKey: "k" } });
  }
  await first;
  expect((await refusal(outbox.submit(asSend("k", "bye"), wait))).kind).toBe("invalid");
  expect(account.sent).toHaveLength(1);
});

test("two requests are the same when what was asked is, even if the parts differ", async () => {
  const { outbox, account } = await running();
  const asked = { url: "https://example.org/cat.png" };
  const first = await outbox.submit(asSend("k", "/media/1.png", { asked }), wait);
  expect(await outbox.submit(asSend("k", "/media/2.png", { asked }), wait)).toEqual(first);
  expect(account.sent).toHaveLength(1);
});

test("a key of another principal is refused by name, and its answer is not shown", async () => {
  const { outbox } = await running();
  const mine = outbox.submit(asSend("k"), wait);
  const inProgress = await refusal(outbox.submit(asSend("k", "hello", { principal: "other" }), wait));
  await mine;
  const afterwards = await refusal(outbox.submit(asSend("k", "hello", { principal: "other" }), wait));
  for (const error of [inProgress, afterwards]) {
    expect(error.message).toContain("'k'");
    expect(error).toMatchObject({ kind: "conflict", details: { code: "IDEMPOTENCY_KEY_IN_USE" } });
  }
});

test("an insert that is rolled back sends nothing", async () => {
  const { outbox, store, account, states } = await running();
  const failing = store.commit((tx) => {
    outbox.insert(tx, request("hello"));
    throw new Error("the run could not be ended");
  });
  await expect(failing).rejects.toThrow("ended");
  await settle();
  expect(account.sent).toEqual([]);
  expect(states()).toEqual([]);
  expect(outbox.backlog()).toEqual({ queued: 0, unknown: 0 });
});

test("inserting a key twice gives the rows that exist, or an error", async () => {
  const { insert, account, outbox, store } = await running();
  const reply = request("hello", { key: "reply:1" });
  expect(await insert(reply)).toEqual(await insert(reply));
  await settle();
  expect(account.sent).toHaveLength(1);
  await expect(store.commit((tx) => outbox.insert(tx, { ...reply, parts: [part("bye")] }))).rejects.toThrow(
    "different",
  );
});

test("a caller that leaves changes nothing, and the key asks again", async () => {
  const { outbox, account, states } = await running();
  let release: (outcome: SendOutcome) => void = () => {};
  account.answer = () => new Promise((resolve) => (release = resolve));
  const leaving = new AbortController();
  const gone = outbox.submit(asSend("k", ["one", "two"]), { ...wait, signal: leaving.signal });
  await settle();
  leaving.abort();
  expect(await refusal(gone)).toMatchObject({ kind: "unavailable", details: { code: "OUTCOME_UNKNOWN" } });
  account.answer = () => ({ state: "sent", messageId: "" });
  release({ state: "sent", messageId: "" });
  await settle();
  expect(states()).toEqual(["sent", "sent"]);
  expect((await outbox.submit(asSend("k", ["one", "two"]), wait)).messageIds).toEqual(["M1", "M2"]);
});

test("a caller that leaves before the connection came still gets its message sent", async () => {
  const { outbox, account } = await running({ account: fakeAccount({ monotonic: () => 0 }, { open: false }) });
  const leaving = new AbortController();
  const gone = outbox.submit(asSend("k"), { ...wait, signal: leaving.signal });
  leaving.abort();
  await refusal(gone);
  account.open = true;
  outbox.opened("fake", "default");
  await settle();
  expect(account.sent).toHaveLength(1);
});

test("a caller that has left already gets nothing done", async () => {
  const { outbox, states } = await running();
  await refusal(outbox.submit(asSend("k"), { ...wait, signal: AbortSignal.abort() }));
  expect(states()).toEqual([]);
});

test("a request without parts, with too many, or to two chats is refused", async () => {
  const { outbox, states } = await running();
  for (const parts of [[], Array.from({ length: 201 }, () => part("x")), [part("a", "ann"), part("b", "bob")]])
    expect((await refusal(outbox.submit(asSend("k", "x", { parts }), wait))).kind).toBe("invalid");
  expect(states()).toEqual([]);
});

test("what was sent is kept for a platform that asks for it again, for this chat and 24 hours", async () => {
  const { outbox, account, insert, world } = await running();
  account.answer = () => ({ state: "sent", messageId: "", chatId: "lid-7" });
  await insert(request("hello"));
  await settle();
  expect(outbox.sentPart("fake", "default", "ann", "M1")).toEqual(part("hello"));
  expect(outbox.sentPart("fake", "default", "lid-7", "M1")).toEqual(part("hello"));
  expect(outbox.sentPart("fake", "default", "bob", "M1")).toBeUndefined();
  expect(outbox.sentPart("fake", "default", "ann", "M2")).toBeUndefined();
  world.clock.shiftWall(24 * 3_600_000 + 1);
  expect(outbox.sentPart("fake", "default", "ann", "M1")).toBeUndefined();
});

test("rows are deleted a day after their end, and not before; the newest stays, so that its id is not given again", async () => {
  const { insert, store, pass, states } = await running();
  for (let n = 0; n < 450; n++) void insert(request(`text ${n}`, { chatId: `chat-${n}` }));
  await settle(80);
  expect(new Set(states())).toEqual(new Set(["sent"]));
  await pass(24 * 3_600_000 - 60_000, 3_600_000);
  expect(states()).toHaveLength(450);
  await pass(3_700_000, 1_850_000);
  expect(store.get<{ n: number }>("SELECT count(*) AS n FROM outbox")?.n).toBe(1);
});

test("a stop cancels what a waiting caller asked for, and waits for what is on its way", async () => {
  const { outbox, account, states } = await running();
  let release: (outcome: SendOutcome) => void = () => {};
  account.answer = () => new Promise((resolve) => (release = resolve));
  const one = outbox.submit(asSend("a", "first"), wait);
  const two = refusal(outbox.submit(asSend("b", "second"), wait));
  await settle();
  const stopped = outbox.stop(2_000);
  expect((await two).details?.reason).toBe("cancelled");
  release({ state: "sent", messageId: "" });
  expect((await one).messageId).toBe("M1");
  await stopped;
  expect(states()).toEqual(["sent", "failed"]);
});

test("a stop does not wait for an adapter that does not answer, and its caller hears that the outcome is unknown", async () => {
  const { outbox, account, states, world, pass } = await running();
  let aborted = false;
  account.send = (_part, { signal }) => {
    signal.addEventListener("abort", () => (aborted = true));
    return new Promise(() => {});
  };
  const answer = refusal(outbox.submit(asSend("a"), wait));
  await settle();
  const stopped = outbox.stop(1_000);
  await pass(1_000);
  await stopped;
  expect(aborted).toBe(true);
  expect((await answer).details?.code).toBe("OUTCOME_UNKNOWN");
  expect(states()).toEqual(["attempting"]);
  expect(world.clock.pending()).toBe(0);
});

test("a stop fails what an adapter gave back unsent, so that the caller knows", async () => {
  const { outbox, account, states, pass } = await running();
  account.answer = (_part, { signal }) =>
    new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve({ state: "retry", reason: "aborted", detail: "given up" })),
    );
  const answer = refusal(outbox.submit(asSend("a"), wait));
  await settle();
  const stopped = outbox.stop(1_000);
  await pass(1_000, 250);
  await stopped;
  expect((await answer).details).toMatchObject({ code: "SEND_FAILED", reason: "cancelled" });
  expect(states()).toEqual(["failed"]);
});

test("nothing is taken after a stop", async () => {
  const { outbox, states, world } = await running();
  await outbox.stop(1_000);
  await outbox.stop(1_000);
  expect((await refusal(outbox.submit(asSend("k"), wait))).kind).toBe("unavailable");
  expect(states()).toEqual([]);
  expect(world.clock.pending()).toBe(0);
});

const picture = (fileName: string, caption?: string) => ({
  ...part(""),
  content: {
    type: "media" as const,
    path: "/m/1",
    mimeType: "image/png",
    fileName,
    ...(caption === undefined ? {} : { caption: { text: `<b>${caption}</b>`, plain: caption } }),
  },
});

test("a reply whose file the platform refuses is sent as words with a warning, and its session is told", async () => {
  const { account, insert, states, events } = await running();
  account.answer = (one) =>
    one.content.type === "media"
      ? { state: "failed", reason: "too-big", detail: "x" }
      : { state: "sent", messageId: "" };
  const parts = [{ ...picture("chart.png", "see here"), replyToId: "m1" }, picture("b.png"), part("and more")];
  await insert({ ...request("x"), kind: "reply", parts, sessionKey: "agent:main:main" });
  await settle();
  expect(account.sent.map(({ text }) => text)).toEqual([
    "⚠️ 2 files could not be sent.\n\n<b>see here</b>",
    "and more",
  ]);
  expect(states()).toEqual(["failed", "failed", "failed", "sent", "sent"]);
  expect(events).toHaveLength(1);
});

test.each([
  ["chart.png", "⚠️ chart.png could not be sent."],
  ["<b>.png", "⚠️ A file could not be sent."],
])("a refused file without words is named, if its name is harmless: %s", async (fileName, expected) => {
  const { account, insert } = await running();
  account.answer = (one) =>
    one.content.type === "media" ? { state: "failed", reason: "gone", detail: "x" } : { state: "sent", messageId: "" };
  await insert({ ...request("x"), kind: "reply", parts: [picture(fileName)] });
  await settle();
  expect(account.sent.map(({ text }) => text)).toEqual([expected]);
});

test("words that left before a refused file are not said again beside the warning", async () => {
  const { account, insert } = await running();
  account.answer = (one) =>
    one.content.type === "media"
      ? { state: "failed", reason: "upload", detail: "x", captionSent: true }
      : { state: "sent", messageId: "" };
  await insert({ ...request("x"), kind: "reply", parts: [picture("talk.ogg", "listen")] });
  await settle();
  expect(account.sent.map(({ text }) => text)).toEqual(["⚠️ talk.ogg could not be sent."]);
});

test("somebody's own send of a file fails as a whole: whoever sent it is told", async () => {
  const { account, outbox, states } = await running();
  account.answer = () => ({ state: "failed", reason: "too-big", detail: "x" });
  const asked = { ...asSend("k"), parts: [picture("a.png", "see"), part("more")] };
  await expect(outbox.submit(asked, wait)).rejects.toThrow();
  expect(states()).toEqual(["failed", "failed"]);
});
