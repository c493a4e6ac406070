/** The adapter with the real library against a server that speaks WhatsApp Web (channels.md §8). */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { seededRandom } from "../../../../../../test/support/random.ts";
import type { ConnectionEnd } from "../channel.ts";
import type { OutboundPart } from "../outbound.ts";
import { link, opened, openWire, until, type Wire, type WireOptions, WireSession } from "./wire.fixture.ts";

const wires: Wire[] = [];
const sessions: WireSession[] = [];

async function wire(options?: WireOptions): Promise<Wire> {
  const made = await openWire(options);
  wires.push(made);
  return made;
}
async function linked(options?: WireOptions): Promise<Wire> {
  const made = await wire(options);
  await link(made);
  return made;
}
async function open(on: Wire, account = on.account): Promise<WireSession> {
  const session = await opened(on, account);
  sessions.push(session);
  return session;
}
const ann = (on: Wire) => on.fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
const texts = (session: WireSession) => session.messages.map((message) => message.text);
const say = (chatId: string, text: string): OutboundPart => ({
  target: { chatId, kind: chatId.endsWith("@g.us") ? "group" : "direct" },
  content: { type: "text", body: { text, plain: text } },
});
const never = new AbortController().signal;

afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
  for (const one of wires.splice(0)) await one.close();
});

test("an account is linked by camera: a code, the phone's yes, a new connection at once", async () => {
  const on = await wire();
  expect(on.account.linked()).toBe(false);
  const login = new WireSession(on.account, {});
  await until("a code", () => login.codes.length > 0);
  const [code] = login.codes;
  expect(code).toMatchObject({ kind: "qr", text: expect.stringContaining(",") });
  expect((code?.expiresAt ?? 0) - Date.now()).toBeGreaterThan(55_000);
  await on.fake.phone.scanQr(code?.kind === "qr" ? code.text : "");
  expect(await login.ended).toMatchObject({ kind: "again", status: 515 });
  expect(login.linked).toBe(true);
  expect(on.account.linked()).toBe(true);
  const session = await open(on);
  expect(session.self).toMatchObject({ id: "+15550001000", e164: "+15550001000" });
});

test("an account is linked by a code that is typed on the phone", async () => {
  const on = await wire();
  const login = new WireSession(on.account, { phone: "+1 555 000 1000" });
  await until("a code", () => login.codes.length > 0 || login.end !== undefined);
  const [code] = login.codes;
  expect(code).toMatchObject({ kind: "code", code: expect.stringMatching(/^[0-9A-Z]{8}$/u) });
  expect(on.account.linked(), "a number alone is no link").toBe(false);
  await on.fake.phone.enterPairingCode(code?.kind === "code" ? code.code : "");
  expect(await login.ended).toMatchObject({ kind: "again", status: 515 });
  await open(on);
});

test("without a link a connection ends at once and names the command that makes one", async () => {
  const on = await wire();
  const session = new WireSession(on.account);
  expect(await session.ended).toMatchObject({
    kind: "terminal",
    reason: "not-linked",
    fix: expect.stringContaining("channels login"),
  });
});

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

test("whenever the process is killed, the keys on disk are the keys the other side knows", async () => {
  const on = await linked();
  const person = await ann(on);
  const group = await on.fake.phone.createGroup({ subject: "Family", members: [person.pn] });
  const random = seededRandom(20_261_121);
  /** Rows a killed process leaves, as the inbox would hold them. */
  const stored = new Set<string>();
  let account = on.account;
  for (let kill = 0; kill < 12; kill++) {
    const session = await open(on, account);
    const rows = new Set<string>();
    session.store = (batch) => {
      for (const message of batch.messages) rows.add(message.platformId);
      return Promise.resolve();
    };
    const target = kill % 2 === 0 ? person.number : group;
    for (const n of [0, 1]) void account.send(say(target, `out ${kill}.${n}`), { signal: never });
    await on.fake.phone.sendText(person.pn, `in ${kill}`, kill % 3 === 0 ? { group } : {});
    for (let turns = Math.floor(random() * 60); turns > 0; turns--) await new Promise((next) => setImmediate(next));
    const after = on.killed();
    for (const row of [...rows, ...session.messages.map((message) => message.platformId)]) stored.add(row);
    await session.close();
    account = after;
  }
  const session = await open(on, account);
  await on.fake.phone.sendText(person.pn, "still readable");
  await until("it", () => texts(session).includes("still readable"));
  expect((await account.send(say(group, "to all"), { signal: never })).state).toBe("sent");
  for (const message of session.messages) stored.add(message.platformId);
  const { outbound, inbound } = await on.fake.ledger();
  expect(outbound.length).toBeGreaterThan(6);
  expect(outbound.filter((message) => message.readers.length === 0)).toEqual([]);
  expect(inbound.filter((message) => message.refusals.length > 0)).toEqual([]);
  const people = inbound.filter((message) => message.from === person.pn);
  expect(people.filter((message) => ![...stored].some((row) => row.endsWith(`:${message.id}`)))).toEqual([]);
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

test.each<[string, (on: Wire) => Promise<void>, Partial<ConnectionEnd>]>([
  ["device removed on the phone", (on) => on.fake.phone.removeDevice(), { kind: "terminal", status: 401 } as never],
  ["replaced elsewhere", (on) => on.fake.faults.kickReplaced(), { kind: "terminal", status: 440 } as never],
  ["blocked", (on) => on.fake.faults.failure(403, { now: true }), { kind: "terminal", status: 403 } as never],
  ["downgraded", (on) => on.fake.faults.downgrade(), { kind: "terminal", status: 411 } as never],
  ["version refused", (on) => on.fake.faults.failure(405, { now: true }), { kind: "retry", afterMs: 300_000 } as never],
  ["restart wished", (on) => on.fake.faults.streamError({ code: 515 }), { kind: "again", status: 515 } as never],
  ["bad session", (on) => on.fake.faults.streamError(), { kind: "retry", status: 500 } as never],
  ["unavailable", (on) => on.fake.faults.streamError({ code: 503 }), { kind: "retry", status: 503 } as never],
  ["stream ended", (on) => on.fake.faults.streamEnd(), { kind: "retry", status: 428 } as never],
  ["connection reset", (on) => on.fake.faults.dropTcp(), { kind: "retry" } as never],
])("%s ends the connection as it should", async (_name, fault, expected) => {
  const on = await linked();
  const session = await open(on);
  await fault(on);
  expect(await session.ended).toMatchObject(expected);
});

test("an upgrade that is answered by a web page ends at once", async () => {
  const on = await linked();
  await on.fake.faults.refuseUpgrade(405);
  const session = new WireSession(on.account);
  expect(await session.ended).toMatchObject({ kind: "retry", status: 408, message: expect.stringContaining("405") });
});

test("logging out tells the phone, and sets the keys aside", async () => {
  const on = await linked();
  const session = await open(on);
  expect(await on.account.logout?.()).toEqual({ cleared: true, loggedOut: true });
  await session.ended;
  await on.fake.until((ledger) => ledger.companions[0]?.removed, "the phone to know");
  expect(on.account.linked()).toBe(false);
});

test("history after linking triggers nothing", async () => {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  await on.fake.phone.sendHistory([{ from: person.pn, text: "long ago" }]);
  await on.fake.phone.sendText(person.pn, "now");
  await until("the new one", () => session.messages.length > 0);
  expect(texts(session)).toEqual(["now"]);
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
  expect(readdirSync(on.mediaDir), "nothing half is left").toEqual([basename(file.path)]);
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
