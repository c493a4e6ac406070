/** Plain Baileys against the fake: what the library does on the wire, without anything of the product. */
import { proto } from "baileys";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FakeWhatsApp } from "./index.ts";
import { start } from "./index.ts";
import type { PlainClient } from "./plain-client.ts";
import { linkedClient, MemoryAuth, plainClient } from "./plain-client.ts";

let fake: FakeWhatsApp;
const clients: PlainClient[] = [];
const keep = (client: PlainClient): PlainClient => {
  clients.push(client);
  return client;
};
const linked = async (...config: Parameters<typeof linkedClient> extends [unknown, ...infer R] ? R : never) => {
  const made = await linkedClient(fake, ...config);
  keep(made.client);
  return made;
};
const withId = (id: string) => (entry: PlainClient["messages"][number]) => entry.message.key.id === id;
const textOf = ({ message }: PlainClient["messages"][number]) =>
  message.message?.conversation ?? message.message?.extendedTextMessage?.text;

beforeEach(async () => {
  // libsignal prints sessions.
  for (const method of ["log", "info", "warn", "error"] as const)
    vi.spyOn(console, method).mockImplementation(() => {});
  fake = await start();
});
afterEach(async () => {
  const { unknown } = await fake.ledger();
  await Promise.all(clients.splice(0).map((client) => client.end()));
  await fake.close();
  vi.restoreAllMocks();
  expect(unknown).toEqual([]);
});

test("a client that is scanned gets 515, then logs in with its keys and opens", async () => {
  const auth = new MemoryAuth();
  const first = keep(plainClient(fake, auth));
  const { jid } = await fake.phone.scanQr(await first.qr);
  expect(await first.closed).toBe(515);
  expect(auth.state.creds.me?.id).toBe(jid);
  const second = keep(plainClient(fake, auth));
  await second.opened;
  const { companions, unknown, connections } = await fake.ledger();
  expect(companions).toMatchObject([{ jid, removed: false }]);
  expect(companions[0]?.preKeys).toBeGreaterThan(800);
  expect(unknown).toEqual([]);
  expect(connections).toMatchObject([{ state: "registering" }, { state: "active", device: 1, version: "2.3000.1" }]);
});

test("a client that shows a code is linked when the person types it, and not by another code", async () => {
  const auth = new MemoryAuth();
  const first = keep(plainClient(fake, auth));
  await first.qr;
  await first.sock.requestPairingCode("15550001000", "ABCD1234");
  const { jid } = await fake.phone.enterPairingCode("ABCD-1234");
  expect(await first.closed).toBe(515);
  expect(auth.state.creds.me?.id).toBe(jid);
  await keep(plainClient(fake, auth)).opened;

  const other = keep(plainClient(fake, new MemoryAuth()));
  await other.qr;
  await other.sock.requestPairingCode("15550001000", "WXYZ1234");
  await expect(fake.phone.enterPairingCode("ABCD1234")).rejects.toThrow("The code is not the one the client shows.");
});

test("an unknown QR code is refused, and refs run out with 408", async () => {
  const client = keep(plainClient(fake, new MemoryAuth(), { qrTimeout: 5 }));
  const qr = await client.qr;
  await expect(fake.phone.scanQr(qr.replace("2@", "2@x"))).rejects.toThrow("No open connection shows this QR code.");
  expect(await client.closed).toBe(408);
});

test("a text reaches the client, and its receipt the server", async () => {
  const { client } = await linked();
  const ann = await fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
  const id = await fake.phone.sendText(ann.pn, "hello");
  const { type, message } = await client.message(withId(id));
  expect(type).toBe("notify");
  expect(message.message?.conversation).toBe("hello");
  expect(message.key).toMatchObject({ remoteJid: ann.pn, remoteJidAlt: ann.lid, fromMe: false });
  expect(message.pushName).toBe("Ann");
  await fake.until((ledger) => ledger.inbound.find((entry) => entry.acknowledged && !entry.pending), "the receipt");
});

test("a text that names its sender by LID carries the number beside it", async () => {
  const { client } = await linked();
  const ann = await fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
  const told = await client.message(withId(await fake.phone.sendText(ann.pn, "one", { lidAddressed: true })));
  expect(told.message.key).toMatchObject({ remoteJid: ann.lid, remoteJidAlt: ann.pn, addressingMode: "lid" });
  const options = { lidAddressed: true, hideNumber: true };
  const hidden = await client.message(withId(await fake.phone.sendText(ann.pn, "two", options)));
  expect(hidden.message.key.remoteJidAlt).toBeUndefined();
  await client.sock.sendMessage(ann.lid, { text: "back" });
  const entry = await fake.until((ledger) => ledger.outbound.find((found) => found.readers.length > 0), "the answer");
  expect(entry).toMatchObject({ to: ann.lid, chat: ann.pn, text: "back" });
});

test("quotes, mentions and the own phone's messages arrive as WhatsApp writes them", async () => {
  const { client } = await linked();
  const ann = await fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
  const me = await fake.phone.me();
  const options = { quoted: { id: "Q1", text: "before", participant: me.pn }, mentions: [me.lid] };
  const { message } = await client.message(withId(await fake.phone.sendText("Ann", "see", options)));
  expect(message.message?.extendedTextMessage?.contextInfo).toMatchObject({
    stanzaId: "Q1",
    participant: me.pn,
    mentionedJid: [me.lid],
    quotedMessage: { conversation: "before" },
  });
  const note = await client.message(withId(await fake.phone.sendText("me", "to myself")));
  expect(note.message.key).toMatchObject({ fromMe: true, remoteJid: me.pn });
  const typed = await client.message(withId(await fake.phone.sendText("me", "typed by hand", { to: ann.pn })));
  expect(typed.message.key).toMatchObject({ fromMe: true, remoteJid: ann.pn });
  expect(textOf(typed)).toBe("typed by hand");
});

test("wrapped content, status updates and other kinds of message come as they are", async () => {
  const { client } = await linked();
  await fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
  const wrapped = await client.message(withId(await fake.phone.sendText("Ann", "soon gone", { wrap: "ephemeral" })));
  expect(wrapped.message.message?.ephemeralMessage?.message?.conversation).toBe("soon gone");
  const status = await client.message(withId(await fake.phone.sendText("Ann", "for all", { status: true })));
  expect(status.message.key.remoteJid).toBe("status@broadcast");
  const place = { locationMessage: { degreesLatitude: 1.5, degreesLongitude: 2.5, name: "Here" } };
  const { message } = await client.message(withId(await fake.phone.sendMessage("Ann", place)));
  expect(message.message?.locationMessage).toMatchObject(place.locationMessage);
});

test("whether a number has WhatsApp can be asked", async () => {
  const { client } = await linked();
  const ann = await fake.phone.addContact({ pn: "+4915112345678" });
  expect(await client.sock.onWhatsApp(ann.pn, "4900000000")).toEqual([{ jid: ann.pn, exists: true }]);
});

test("a text of the client is read by its recipient, acknowledged and receipted", async () => {
  const { client } = await linked();
  await fake.phone.receipts({ delivery: true, read: true });
  const ann = await fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
  const sent = await client.sock.sendMessage(ann.pn, { text: "hi Ann" });
  const entry = await fake.until((ledger) => ledger.outbound.find((found) => found.readers.length > 0), "the message");
  expect(entry).toMatchObject({ id: sent?.key.id, chat: ann.pn, text: "hi Ann", times: 1, readers: [ann.pn] });
  const read = await client.update(({ update }) => update.status === proto.WebMessageInfo.Status.READ);
  expect(read.key).toMatchObject({ id: sent?.key.id, remoteJid: ann.pn, fromMe: true });
});

test("the same message id again is counted, not shown twice", async () => {
  const { client } = await linked();
  const ann = await fake.phone.addContact({ pn: "+4915112345678" });
  for (const text of ["first", "second"]) await client.sock.sendMessage(ann.pn, { text }, { messageId: "SAME" });
  const entry = await fake.until((ledger) => ledger.outbound.find((found) => found.times === 2), "the second copy");
  expect(entry).toMatchObject({ id: "SAME", text: "first", retries: 0 });
});

test.each(["lid", "pn"] as const)("groups by %s work both ways with sender keys", async (addressing) => {
  const { client } = await linked();
  const ann = await fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
  const bob = await fake.phone.addContact({ pn: "+4915187654321", name: "Bob" });
  const group = await fake.phone.createGroup({ subject: "Friends", members: [ann.pn, bob.pn], addressing });
  for (const text of ["one", "two"]) {
    const { message } = await client.message(withId(await fake.phone.sendText("Ann", text, { group })));
    expect(message.key).toMatchObject(
      addressing === "lid"
        ? { remoteJid: group, participant: ann.lid, participantAlt: ann.pn }
        : { remoteJid: group, participant: ann.pn, participantAlt: ann.lid },
    );
    expect(message.message?.conversation).toBe(text);
  }
  expect((await client.sock.groupMetadata(group)).participants).toHaveLength(3);
  for (const text of ["hello all", "again"]) {
    await client.sock.sendMessage(group, { text });
    const entry = await fake.until(
      ({ outbound }) => outbound.find((found) => found.text === text && found.readers.length === 2),
      `"${text}" at both`,
    );
    expect(entry).toMatchObject({ chat: group, unreadable: [] });
  }
});

test("reactions, polls, edits and deletions are told apart", async () => {
  const { client } = await linked();
  const ann = await fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
  const id = await fake.phone.sendText("Ann", "hello");
  const { message } = await client.message(withId(id));
  await client.sock.sendMessage(ann.pn, { react: { text: "👀", key: message.key } });
  await client.sock.sendMessage(ann.pn, { poll: { name: "When?", values: ["now", "later"], selectableCount: 1 } });
  const sent = await client.sock.sendMessage(ann.pn, { text: "typo" }, { quoted: message });
  // A copy each time: Baileys writes into a key that it deletes by.
  const key = { ...sent?.key };
  await client.sock.sendMessage(ann.pn, { text: "fixed", edit: { ...key } });
  await client.sock.sendMessage(ann.pn, { delete: { ...key } });
  const { outbound } = await fake.until((ledger) => ledger.outbound.length === 5 && ledger, "five messages");
  expect(outbound).toMatchObject([
    { reaction: { emoji: "👀", id } },
    { poll: { name: "When?", options: ["now", "later"], selectableCount: 1 } },
    { text: "typo", quotes: id },
    { text: "fixed", edits: key.id },
    { deletes: key.id },
  ]);
  const reacted = await fake.phone.react("Ann", { id: String(key.id), fromMe: true }, "👍");
  const back = await client.message(withId(reacted));
  expect(back.message.message?.reactionMessage).toMatchObject({ text: "👍", key: { id: key.id } });
});

test("typing and presence of the client are on record", async () => {
  const { client } = await linked();
  const ann = await fake.phone.addContact({ pn: "+4915112345678" });
  await client.sock.sendPresenceUpdate("composing", ann.pn);
  await client.sock.sendPresenceUpdate("paused", ann.pn);
  const chats = await fake.until(({ presence }) => {
    const found = presence.filter((entry) => entry.to !== undefined);
    return found.length === 2 && found;
  }, "both");
  expect(chats).toMatchObject([
    { type: "composing", to: ann.pn },
    { type: "paused", to: ann.pn },
  ]);
});

test("history after linking is no message", async () => {
  const { client } = await linked();
  await fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
  const history = new Promise<number>((resolve) =>
    client.sock.ev.on("messaging-history.set", ({ messages }) => {
      if (messages.length > 0) resolve(messages.length);
    }),
  );
  await fake.phone.sendHistory([{ from: "Ann", text: "last year", at: Date.now() - 1e10 }]);
  expect(await history).toBe(1);
  expect(client.messages.map(textOf).filter(Boolean)).toEqual([]);
});
