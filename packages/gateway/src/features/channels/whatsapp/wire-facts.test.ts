/** Single facts of channels.md §6 with the real library against a server that speaks WhatsApp Web: what it is told at the login, what
 *  history leaves behind, what reads and files look like on the wire. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { OutboundContent } from "../outbound.ts";
import { ann, link, never, say, texts, until, type Wire, wireBox, WireSession } from "./wire.fixture.ts";

const { close, linked, open, wire } = wireBox();
afterEach(close);

function send(on: Wire, chatId: string, content: OutboundContent, clientMsgId: string) {
  return on.account.send({ target: { chatId, kind: "direct" }, content }, { clientMsgId, signal: never });
}

test("the server is told the version this release was made with, and nobody is asked for a newer one", async () => {
  const real = globalThis.fetch;
  const asked: unknown[] = [];
  globalThis.fetch = (input, init) => (asked.push(input), real(input, init));
  try {
    const on = await linked();
    await open(on);
    const { connections } = await on.fake.ledger();
    expect(connections.length).toBeGreaterThan(1);
    expect(new Set(connections.map(({ version }) => version))).toEqual(new Set(["2.3000.1043857760"]));
    expect(asked).toEqual([]);
  } finally {
    globalThis.fetch = real;
  }
});

test("the account is shown as present once it is open, as typing before a text, and its receipts count as delivered", async () => {
  const on = await linked();
  const person = await ann(on);
  await open(on);
  await on.fake.until(({ presence }) => presence.some(({ type }) => type === "available"), "the presence");
  await on.account.send(say(person.number, "hi"), { signal: never });
  const { presence } = await on.fake.ledger();
  expect(presence.map(({ type }) => type).filter((type) => type !== "name")).toEqual(["available", "composing"]);
  const id = await on.fake.phone.sendText(person.pn, "hello");
  const message = await on.fake.until(
    (ledger) => ledger.inbound.find((one) => one.id === id && one.acknowledged),
    "the receipt",
  );
  expect(message.receipts.map(({ type }) => type)).toEqual(["delivery"]);
});

test("history names the numbers behind local ids: who writes by local id alone is known by number from then on", async () => {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  await on.fake.phone.sendHistory([{ from: person.pn, text: "long ago" }]);
  await until("the pair", () =>
    on.store
      .all("SELECT id FROM whatsapp_auth WHERE kind = 'lid-mapping'")
      .some((row) => JSON.stringify(row).includes(person.lid.replace("@lid", ""))),
  );
  await on.fake.phone.sendText(person.pn, "now", { lidAddressed: true, hideNumber: true });
  await until("the new one", () => session.messages.length > 0);
  expect(session.messages).toMatchObject([{ text: "now", chat: { id: person.number }, sender: { id: person.number } }]);
});

test("what a contact writes in the instant the account opens comes after all that was kept back, in order", async () => {
  const on = await linked();
  const person = await ann(on);
  await (await open(on)).close();
  await on.fake.phone.burst(person.pn, 60, { text: "away", offline: true });
  const before = (await on.fake.ledger()).connections.length;
  const session = new WireSession(on.account);
  await on.fake.until(
    ({ connections }) => connections.slice(before).some(({ state }) => state === "active"),
    "the login",
  );
  for (const text of ["now 1", "now 2", "now 3"]) await on.fake.phone.sendText(person.pn, text);
  await until("all of them", () => session.messages.length >= 63);
  expect(texts(session)).toEqual([...Array.from({ length: 60 }, (_, n) => `away ${n + 1}`), "now 1", "now 2", "now 3"]);
  expect(session.messages.filter(({ catchUp }) => catchUp)).toHaveLength(60);
  await session.close();
});

test("a message in a group is marked as read, and its author sees it", async () => {
  const on = await linked();
  const person = await ann(on);
  const group = await on.fake.phone.createGroup({ subject: "Family", members: [person.pn], addressing: "pn" });
  const session = await open(on);
  const id = await on.fake.phone.sendText(person.pn, "there?", { group });
  await until("the message", () => session.messages.length > 0);
  const receipt = session.messages[0]?.receipt;
  expect(receipt).toMatchObject({ remoteJid: group, id, participant: person.pn });
  await on.account.markRead?.([receipt]);
  await on.fake.until(
    ({ inbound }) => inbound.find((one) => one.id === id)?.receipts.some(({ type }) => type.startsWith("read")),
    "the read receipt",
  );
});

test("a file that is gone from the server is uploaded again by the phone, and fetched", async () => {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  const { fetch } = on.world;
  on.world.fetch = (input, init) => fetch(input.toString().replace("https://mmg.whatsapp.net", on.fake.mediaUrl), init);
  const bytes = Buffer.from("a picture of last year");
  await on.fake.phone.sendMedia(person.pn, { kind: "image", data: bytes.toString("base64"), gone: 410 });
  await until("the message", () => session.messages.length > 0);
  const [picture] = session.messages[0]?.media ?? [];
  if (!picture) throw new Error("no picture");
  const { path } = await on.account.download(picture, { maxBytes: 1_000_000, signal: never });
  expect(readFileSync(path).equals(bytes)).toBe(true);
  const { inbound } = await on.fake.ledger();
  expect(inbound[0]?.receipts.map(({ type }) => type)).toContain("server-error");
});

test("the words beside a voice note go before it, once, also when both are sent again or could not be read", async () => {
  const on = await linked();
  const person = await ann(on);
  await open(on);
  const path = join(on.mediaDir, "v.ogg");
  writeFileSync(path, "OggS");
  const caption = { text: "*listen*", plain: "listen" };
  const id = on.account.newMessageId?.() ?? "";
  const voice = { type: "media" as const, path, mimeType: "audio/ogg", caption };
  await on.fake.faults.peersCannotRead(1);
  for (let n = 0; n < 2; n++)
    expect(await send(on, person.number, voice, id)).toMatchObject({ state: "sent", messageId: id });
  const shown = await on.fake.until(
    ({ outbound }) => outbound.length === 2 && outbound.every(({ readers }) => readers.length > 0) && outbound,
    "both",
  );
  expect(shown.map(({ text, media, times }) => [text ?? media?.kind, times])).toEqual([
    ["*listen*", 2],
    ["audio", 2],
  ]);
  expect(shown[0]?.retries).toBe(1);
  expect(shown[1]).toMatchObject({ id, media: { ptt: true, mimetype: "audio/ogg; codecs=opus" } });
});

test("a file that the server does not take is given up at the third try, so that it holds up nobody for long", async () => {
  const on = await linked();
  const person = await ann(on);
  await open(on);
  const path = join(on.mediaDir, "plan.pdf");
  writeFileSync(path, "%PDF");
  await on.fake.faults.mediaStatus(500);
  const id = on.account.newMessageId?.() ?? "";
  const paper = { type: "media" as const, path, mimeType: "application/pdf" };
  const outcomes = [];
  for (let n = 0; n < 3; n++) outcomes.push(await send(on, person.number, paper, id));
  expect(outcomes).toMatchObject([
    { state: "retry" },
    { state: "retry" },
    { state: "failed", reason: "upload", detail: expect.stringContaining("does not take the file") },
  ]);
  expect((await on.fake.ledger()).outbound).toEqual([]);
});

test("a voice note that is given up says that its words are there already", async () => {
  const on = await linked();
  const person = await ann(on);
  await open(on);
  const path = join(on.mediaDir, "v.ogg");
  writeFileSync(path, "OggS");
  await on.fake.faults.mediaStatus(500);
  const id = on.account.newMessageId?.() ?? "";
  const voice = { type: "media" as const, path, mimeType: "audio/ogg", caption: { text: "listen", plain: "listen" } };
  const outcomes = [];
  for (let n = 0; n < 3; n++) outcomes.push(await send(on, person.number, voice, id));
  expect(outcomes.at(-1)).toMatchObject({ state: "failed", reason: "upload", captionSent: true });
  expect((await on.fake.ledger()).outbound.map(({ text }) => text)).toEqual(["listen"]);
});

test("a video that is meant to loop is said to", async () => {
  const on = await linked();
  const person = await ann(on);
  await open(on);
  const path = join(on.mediaDir, "loop.mp4");
  writeFileSync(path, "not really a film");
  const loop = { type: "media" as const, path, mimeType: "video/mp4", gifPlayback: true };
  await send(on, person.number, loop, on.account.newMessageId?.() ?? "");
  const { outbound } = await on.fake.ledger();
  expect(outbound).toMatchObject([{ media: { kind: "video", gifPlayback: true } }]);
});

test("a login that the server refuses leaves nothing behind, and the next one begins anew", async () => {
  const on = await wire();
  const first = new WireSession(on.account, {});
  await until("a code", () => first.codes.length > 0);
  const [code] = first.codes;
  await on.fake.faults.failure(401);
  await on.fake.phone.scanQr(code?.kind === "qr" ? code.text : "");
  expect(await first.ended).toMatchObject({ kind: "again", status: 515 });
  const second = new WireSession(on.account, {});
  expect(await second.ended).toMatchObject({ kind: "terminal", status: 401, fix: expect.stringContaining("login") });
  expect(on.account.linked()).toBe(false);
  await link(on);
  await open(on);
});
