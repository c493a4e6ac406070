/** Messages both ways with the real library against a server that speaks WhatsApp Web (channels.md §6.6–6.8, §8). */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { OutboundPart } from "../outbound.ts";
import { ann, never, say, texts, until, wireBox } from "./wire.fixture.ts";

const { close, linked, open } = wireBox();
afterEach(close);

/** A contact who has been answered. From then on their messages carry no keys for a session, and by these alone the library tells a
 *  key that is used up from none. */
async function greeted() {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  await on.fake.phone.sendText(person.pn, "hello");
  await until("the greeting", () => session.messages.length === 1);
  await on.account.send(say(person.number, "hi"), { signal: never });
  return { on, person, session };
}

test("a contact has one id, however the platform addresses them", async () => {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  await on.fake.phone.sendText(person.pn, "by number");
  await on.fake.phone.sendText(person.pn, "by local id", { lidAddressed: true });
  await on.fake.phone.sendText(person.pn, "by local id alone", { lidAddressed: true, hideNumber: true });
  await until("three messages", () => session.messages.length === 3);
  expect(new Set(session.messages.map((message) => message.chat.id))).toEqual(new Set([person.number]));
  expect(new Set(session.messages.map((message) => message.sender.id))).toEqual(new Set([person.number]));
  expect(texts(session)).toEqual(["by number", "by local id", "by local id alone"]);
  expect(session.messages[2]?.chat.replyId, "answers go where the message came from").toBe(person.lid);
});

test("the receipt of a message leaves when it is stored, and not before", async () => {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  const stored = Promise.withResolvers<void>();
  session.store = () => stored.promise;
  const before = Date.now();
  const id = await on.fake.phone.sendText(person.pn, "hold it");
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { inbound } = await on.fake.ledger();
  expect(inbound.find((message) => message.id === id)).toMatchObject({ acknowledged: false, receipts: [] });
  stored.resolve();
  const message = await on.fake.until(
    (ledger) => ledger.inbound.find((one) => one.id === id && one.acknowledged),
    "the receipt",
  );
  expect((message.receipts[0]?.at ?? 0) - before).toBeGreaterThanOrEqual(290);
});

test("a message whose connection ends before it is stored comes again, readable, with the same id", async () => {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  session.store = () => Promise.reject(new Error("disk full"));
  const id = await on.fake.phone.sendText(person.pn, "not lost");
  expect(await session.ended).toMatchObject({ kind: "retry", message: expect.stringContaining("disk full") });
  const again = await open(on, on.restarted());
  await until("the message", () => again.messages.length > 0);
  expect(again.messages).toMatchObject([{ text: "not lost", messageId: id, catchUp: true }]);
  await on.fake.until((ledger) => ledger.inbound.find((one) => one.id === id)?.acknowledged, "its receipt");
});

test("a stored message whose receipt was lost is received again, and nobody is asked for it", async () => {
  const { on, person, session } = await greeted();
  await on.fake.faults.loseReceipts(1);
  const id = await on.fake.phone.sendText(person.pn, "once");
  await until("the second", () => session.messages.length === 2);
  await on.fake.phone.sendText(person.pn, "and on");
  await until("the third", () => session.messages.length === 3);
  await session.close();
  const again = await open(on, on.restarted());
  const message = await on.fake.until(
    ({ inbound }) => inbound.find((one) => one.id === id && one.acknowledged),
    "its receipt",
  );
  expect(message).toMatchObject({
    written: 2,
    refusals: [],
    receipts: [{ type: expect.stringMatching(/^(?:delivery|inactive)$/u) }],
  });
  await on.fake.phone.sendText(person.pn, "still readable");
  await until("the next", () => again.messages.length === 1);
  expect(texts(again)).toEqual(["still readable"]);
});

test("a message that comes twice is stored once, and its copy is received as well", async () => {
  const { on, person, session } = await greeted();
  const stored = Promise.withResolvers<void>();
  session.store = () => stored.promise;
  const id = await on.fake.phone.sendText(person.pn, "twice", { copies: 2 });
  await on.fake.phone.sendText(person.pn, "after it");
  stored.resolve();
  await until("all", () => session.messages.length === 3);
  const message = await on.fake.until(
    ({ inbound }) => inbound.find((one) => one.id === id && one.receipts.length === 2),
    "both receipts",
  );
  expect(message.receipts.map(({ type }) => type)).toEqual(["delivery", "delivery"]);
  expect(texts(session)).toEqual(["hello", "twice", "after it"]);
});

test("a message that could not be read in whole is asked for again, and not taken for a copy of what was read of it", async () => {
  const on = await linked();
  const person = await ann(on);
  const group = await on.fake.phone.createGroup({ subject: "Family", members: [person.pn] });
  const session = await open(on);
  // Its keys for the group come in a part of their own, which is readable.
  const id = await on.fake.phone.sendText(person.pn, "in the end", { group, undecryptable: true });
  await until("the message", () => session.messages.length === 1);
  expect(texts(session)).toEqual(["in the end"]);
  const { inbound } = await on.fake.ledger();
  expect(inbound.find((one) => one.id === id)?.receipts.map(({ type }) => type)).toContain("retry");
});

test("what was on its way in an old session is read beside a new one, and neither is lost", async () => {
  const { on, person, session: first } = await greeted();
  await first.close();
  const account = on.restarted();
  const session = await open(on, account);
  // Written in the old session and kept back, while our next answer, after a fresh look at the person's devices, begins a new one.
  for (const n of [1, 2, 3]) await on.fake.phone.sendText(person.pn, `late ${n}`, { offline: true });
  await account.send(say(person.number, "in a new session"), { signal: never });
  await on.fake.until(({ outbound }) => outbound.length === 2 && outbound[1]?.readers.length === 1, "the answer");
  await on.fake.phone.sendText(person.pn, "in the new one", { offline: true });
  await on.fake.faults.dropTcp();
  await session.ended;
  const last = await open(on, account);
  await until("what was kept back", () => last.messages.length === 4);
  await account.send(say(person.number, "still readable"), { signal: never });
  await on.fake.phone.sendText(person.pn, "and back");
  await until("the last", () => last.messages.length === 5);
  expect(texts(last)).toEqual(["late 1", "late 2", "late 3", "in the new one", "and back"]);
  const { inbound, outbound } = await on.fake.ledger();
  expect(inbound.flatMap(({ receipts }) => receipts.map(({ type }) => type))).not.toContain("retry");
  expect(outbound.map(({ unreadable, retries }) => [unreadable, retries])).toEqual([
    [[], 0],
    [[], 0],
    [[], 0],
  ]);
});

test("what was kept back while we were away comes before what is written now, in order, and is told apart", async () => {
  const on = await linked();
  const person = await ann(on);
  const first = Array.from({ length: 12 }, (_, n) => `away ${n}`);
  const second = Array.from({ length: 12 }, (_, n) => `now ${n}`);
  for (const text of first) await on.fake.phone.sendText(person.pn, text, { offline: true });
  const session = await open(on);
  for (const text of second) await on.fake.phone.sendText(person.pn, text);
  await until("all messages", () => session.messages.length === 24);
  expect(texts(session)).toEqual([...first, ...second]);
  expect(session.messages.map((message) => message.catchUp === true)).toEqual(
    [...first, ...second].map((text) => text.startsWith("away")),
  );
});

test("groups have a title and members, and a mention of the account is seen", async () => {
  const on = await linked();
  const person = await ann(on);
  const group = await on.fake.phone.createGroup({ subject: "Family", members: [person.pn] });
  const session = await open(on);
  const me = await on.fake.phone.me();
  await on.fake.phone.sendText(person.pn, "hello @you", { group, mentions: [me.pn] });
  await on.fake.phone.sendText(person.pn, "by local id", { group, mentions: [me.lid] });
  await on.fake.phone.sendText(person.pn, "nobody", { group });
  await until("three messages", () => session.messages.length === 3);
  expect(session.messages[0]).toMatchObject({
    chat: { kind: "group", id: group, title: "Family", members: expect.arrayContaining([person.number]) },
    sender: { id: person.number, name: "Ann" },
    mentions: { self: true, others: false },
  });
  expect(session.messages.map((message) => message.mentions.self)).toEqual([true, true, false]);
});

test("a text is sent, taken once, and confirmed by the receipt of the contact", async () => {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  const clientMsgId = on.account.newMessageId?.() ?? "";
  expect(await on.account.send(say(person.number, "good morning"), { clientMsgId, signal: never })).toMatchObject({
    state: "sent",
    messageId: clientMsgId,
  });
  const message = await on.fake.until((ledger) => ledger.outbound.find((one) => one.id === clientMsgId), "the text");
  expect(message).toMatchObject({ text: "good morning", readers: [person.pn], times: 1 });
  await until("the receipt", () => session.confirmed.includes(clientMsgId));
});

test("a contact who cannot read a message is served again from what the outbox holds", async () => {
  const on = await linked();
  const person = await ann(on);
  await open(on);
  const clientMsgId = on.account.newMessageId?.() ?? "";
  const part = say(person.number, "read me");
  on.parts.set(clientMsgId, part);
  await on.fake.faults.peersCannotRead(1);
  await on.account.send(part, { clientMsgId, signal: never });
  const message = await on.fake.until(
    (ledger) => ledger.outbound.find((one) => one.id === clientMsgId && one.readers.length > 0),
    "the second copy",
  );
  expect(message).toMatchObject({ text: "read me", retries: 1 });
});

test("polls, voice notes, pictures and documents arrive as what they are", async () => {
  const on = await linked();
  const person = await ann(on);
  await open(on);
  const file = (name: string, content: string) => {
    const path = join(on.mediaDir, name);
    writeFileSync(path, content);
    return path;
  };
  const send = async (content: OutboundPart["content"]) => {
    const clientMsgId = on.account.newMessageId?.() ?? "";
    const target = { chatId: person.number, kind: "direct" as const };
    const outcome = await on.account.send({ target, content }, { clientMsgId, signal: never });
    expect(outcome).toMatchObject({ state: "sent" });
    return on.fake.until((ledger) => ledger.outbound.find((one) => one.id === clientMsgId), "it");
  };
  const poll = await send({ type: "poll", question: "Tea?", options: ["yes", "no"], maxSelections: 1 });
  expect(poll.poll).toEqual({ name: "Tea?", options: ["yes", "no"], selectableCount: 1 });
  const caption = { text: "a *plan*", plain: "a plan" };
  const paper = file("plan.pdf", "%PDF");
  expect(
    (await send({ type: "media", path: paper, mimeType: "application/pdf", fileName: "plan.pdf", caption })).media,
  ).toMatchObject({ kind: "document", fileName: "plan.pdf", mimetype: "application/pdf", sizeBytes: 4 });
  const voice = await send({ type: "media", path: file("v.ogg", "OggS"), mimeType: "audio/ogg", asVoice: true });
  expect(voice.media).toMatchObject({ kind: "audio", ptt: true, mimetype: "audio/ogg; codecs=opus" });
});

test("a file outside the media store is never sent", async () => {
  const on = await linked();
  const person = await ann(on);
  await open(on);
  const path = join(on.dir, "openclaw.db");
  const target = { chatId: person.number, kind: "direct" as const };
  for (const wrong of [path, join(on.mediaDir, "..", "openclaw.db"), join(on.mediaDir, "gone.png")]) {
    const content = { type: "media" as const, path: wrong, mimeType: "image/png" };
    expect(await on.account.send({ target, content }, { signal: never })).toMatchObject({ state: "failed" });
  }
});

test("a message the platform refuses is reported as refused", async () => {
  const on = await linked();
  const person = await ann(on);
  await open(on);
  await on.fake.faults.refuseMessage(463);
  expect(await on.account.send(say(person.number, "hi"), { signal: never })).toMatchObject({
    state: "failed",
    reason: "forbidden",
  });
});

test("a poll that a contact could not read is served again as it was sent, also by the next process", async () => {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  const clientMsgId = on.account.newMessageId?.() ?? "";
  const target = { chatId: person.number, kind: "direct" as const };
  const content = { type: "poll" as const, question: "Tea?", options: ["yes", "no"], maxSelections: 1 };
  await on.fake.faults.peersCannotRead(1);
  await on.fake.faults.dropOnMessage("after");
  await on.account.send({ target, content }, { clientMsgId, signal: never });
  await session.ended;
  await open(on, on.restarted());
  const message = await on.fake.until(
    (ledger) => ledger.outbound.find(({ id, readers }) => id === clientMsgId && readers.length > 0),
    "the second copy",
  );
  expect(message).toMatchObject({ retries: 1, poll: { name: "Tea?", options: ["yes", "no"] } });
});

test("fifty messages that came while the account was away are delivered once each, in order", async () => {
  const on = await linked();
  const person = await ann(on);
  await (await open(on)).close();
  await on.fake.phone.burst(person.pn, 50, { text: "n" });
  const session = await open(on);
  await until("all of them", () => session.messages.length >= 50);
  expect(texts(session)).toEqual(Array.from({ length: 50 }, (_, n) => `n ${n + 1}`));
  expect(session.messages.every((message) => message.catchUp)).toBe(true);
  await on.fake.until((ledger) => ledger.inbound.every((one) => one.acknowledged), "all receipts");
});

test("files are fetched, decrypted and checked", async () => {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  const bytes = Buffer.from("a picture, so to speak ".repeat(2_000));
  await on.fake.phone.sendMedia(person.pn, { kind: "image", data: bytes.toString("base64"), caption: "look" });
  await until("the message", () => session.messages.length > 0);
  const [message] = session.messages;
  expect(message).toMatchObject({ text: "look", media: [{ kind: "image", sizeBytes: bytes.length }] });
  const [picture] = message?.media ?? [];
  if (!picture) throw new Error("no picture");
  const file = await on.account.download(picture, { maxBytes: 1_000_000, signal: never });
  expect(readFileSync(file.path).equals(bytes)).toBe(true);
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
  await expect(on.account.download(picture, { maxBytes: 1_000, signal: never })).rejects.toThrow(/larger than/u);
  const { sizeBytes: _size, ...unsized } = picture;
  await expect(on.account.download(unsized, { maxBytes: 1_000, signal: never })).rejects.toThrow(/larger than/u);
  const forged = { ...picture, ref: { ...(picture.ref as object), sha256: Buffer.alloc(32).toString("base64") } };
  await expect(on.account.download(forged, { maxBytes: 1_000_000, signal: never })).rejects.toThrow(/damaged/u);
  expect(readdirSync(join(on.mediaDir, "inbound")), "nothing half is left").toEqual([basename(file.path)]);
});

test("typing is shown and ended; reading is told", async () => {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  const id = await on.fake.phone.sendText(person.pn, "are you there?");
  await until("the message", () => session.messages.length > 0);
  const [message] = session.messages;
  await on.account.markRead?.([message?.receipt]);
  await on.account.typing({ chatId: person.number, kind: "direct" }, true);
  await on.account.typing({ chatId: person.number, kind: "direct" }, false);
  const ledger = await on.fake.until((now) => now.presence.some(({ type }) => type === "paused") && now, "the end");
  expect(ledger.presence.map(({ type }) => type)).toEqual(expect.arrayContaining(["composing", "paused"]));
  const read = ledger.inbound.find((one) => one.id === id)?.receipts.some(({ type }) => type.startsWith("read"));
  expect(read).toBe(true);
});

test("reactions reach the message they are for", async () => {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  const id = await on.fake.phone.sendText(person.pn, "nice?");
  await until("the message", () => session.messages.length > 0);
  const receipt = session.messages[0]?.receipt;
  await on.account.react?.({ chatId: person.number, kind: "direct" }, id, "👀", { receipt });
  const message = await on.fake.until((ledger) => ledger.outbound.find((one) => one.reaction), "the reaction");
  expect(message.reaction).toEqual({ emoji: "👀", id });
});

test("in self-chat the owner is heard, and the account does not hear itself", async () => {
  const on = await linked({ channel: { allowFrom: ["+15550001000"] } });
  const session = await open(on);
  await on.fake.phone.sendText("me", "note to myself");
  await until("the note", () => session.messages.length > 0);
  expect(session.messages[0]).toMatchObject({
    chat: { kind: "direct", id: "+15550001000" },
    sender: { id: "+15550001000", isSelf: true },
  });
  await on.account.send(say("+15550001000", "an answer"), { signal: never });
  const person = await ann(on);
  await on.fake.phone.sendText("me", "to somebody else", { to: person.pn });
  await on.fake.phone.sendText("me", "second note");
  await until("the second note", () => session.messages.length > 1);
  expect(texts(session)).toEqual(["note to myself", "second note"]);
});
