/** What the server remembers: redelivery, retries, media, and every way a connection ends. */
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { downloadMediaMessage, proto } from "baileys";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { FakeWhatsApp } from "./index.ts";
import { start, startChild } from "./index.ts";
import type { MemoryAuth, PlainClient } from "./plain-client.ts";
import { linkedClient, plainClient } from "./plain-client.ts";

let fake: FakeWhatsApp;
let auth: MemoryAuth;
let client: PlainClient;
const clients: PlainClient[] = [];
const keep = (made: PlainClient): PlainClient => {
  clients.push(made);
  return made;
};
const withId = (id: string) => (entry: PlainClient["messages"][number]) => entry.message.key.id === id;
const inbound = async (id: string) => (await fake.ledger()).inbound.find((entry) => entry.id === id);

beforeEach(async () => {
  // libsignal prints sessions.
  for (const method of ["log", "info", "warn", "error"] as const)
    vi.spyOn(console, method).mockImplementation(() => {});
  fake = await start({ preKeys: false });
  ({ auth, client } = await linkedClient(fake, { retryRequestDelayMs: 5 }));
  keep(client);
  await fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
});
afterEach(async () => {
  const { unknown } = await fake.ledger();
  await Promise.all(clients.splice(0).map((made) => made.end()));
  await fake.close();
  vi.restoreAllMocks();
  expect(unknown).toEqual([]);
});

test("a message without a receipt comes again at the next login, same id, as offline", async () => {
  await fake.faults.dropTcp();
  expect(await client.closed).toBe(428);
  const ids = await fake.phone.burst("Ann", 3);
  expect(await inbound(ids[0] ?? "")).toMatchObject({ written: 0, pending: true });
  const next = keep(plainClient(fake, auth));
  const last = await next.message(withId(ids[2] ?? ""));
  expect(last.type).toBe("append");
  expect(next.messages.map(({ message }) => message.key.id).filter((id) => ids.includes(id ?? ""))).toEqual(ids);
  await fake.until((ledger) => ledger.inbound.every((entry) => entry.acknowledged && !entry.pending), "three receipts");
  await next.end();
  const third = keep(plainClient(fake, auth));
  await third.opened;
  expect(await inbound(ids[0] ?? "")).toMatchObject({ written: 1 });
});

test("a message whose receipt was lost comes again as it was: readable with the keys of before, refused with those of after", async () => {
  const before = auth.copy();
  await fake.faults.loseReceipts(2);
  const id = await fake.phone.sendText("Ann", "once");
  await client.message(withId(id));
  await client.end();
  const older = keep(plainClient(fake, before));
  expect((await older.message(withId(id))).message.message?.conversation).toBe("once");
  await older.end();
  expect(await inbound(id)).toMatchObject({ written: 2, acknowledged: false, pending: true });
  keep(plainClient(fake, auth));
  const entry = await fake.until((ledger) => ledger.inbound.find((found) => !found.pending), "the refusal");
  expect(entry).toMatchObject({ written: 3, acknowledged: false, refusals: [{ error: "487" }] });
});

test("what the client cannot decrypt it asks for again and gets, once", async () => {
  const id = await fake.phone.sendText("Ann", "spoilt at first", { undecryptable: true });
  const { message } = await client.message((entry) => withId(id)(entry) && entry.message.message != null);
  expect(message.message?.conversation).toBe("spoilt at first");
  const entry = await fake.until((ledger) => ledger.inbound.find((found) => !found.pending), "the end");
  expect(entry).toMatchObject({ acknowledged: true, written: 2 });
  expect(entry.receipts.map((receipt) => receipt.type)).toContain("retry");
});

test("a group message that cannot be decrypted is asked for again as well", async () => {
  const group = await fake.phone.createGroup({ subject: "Friends", members: ["Ann"] });
  const id = await fake.phone.sendText("Ann", "spoilt for all", { group, undecryptable: true });
  await client.message((entry) => withId(id)(entry) && entry.message.message?.conversation === "spoilt for all");
});

test("a contact that cannot read asks for a retry, which is no duplicate", async () => {
  await fake.faults.peersCannotRead();
  const ann = await fake.phone.addContact({ pn: "+4915112345678" });
  await client.sock.sendMessage(ann.pn, { text: "please read" });
  const entry = await fake.until((ledger) => ledger.outbound.find((found) => found.readers.length > 0), "the retry");
  expect(entry).toMatchObject({ text: "please read", times: 1, retries: 1, unreadable: [] });
});

test("duplicates, another order and a thousand at once all arrive", async () => {
  await fake.faults.duplicateInbound();
  const twice = await fake.phone.sendText("Ann", "twice");
  await client.message(withId(twice));
  expect(await inbound(twice)).toMatchObject({ written: 2 });
  await fake.faults.reorderInbound(3);
  const turned = await fake.phone.burst("Ann", 3);
  await client.message(withId(turned[0] ?? ""));
  const order = client.messages.map(({ message }) => message.key.id ?? "").filter((id) => turned.includes(id));
  expect(order).toEqual(turned.toReversed());
  const ids = new Set(await fake.phone.burst("Ann", 1000, { text: "flood" }));
  await fake.until(
    (ledger) => ledger.inbound.filter((entry) => ids.has(entry.id) && entry.acknowledged).length === 1000,
    "a thousand receipts",
  );
});

test("media go both ways, encrypted, over https", async () => {
  const trusted = getCACertificates("default");
  setDefaultCACertificates([...trusted, fake.ca]);
  // Certificates of two fakes have one name: one that is left behind would be taken for the other.
  onTestFinished(() => setDefaultCACertificates(trusted));
  const picture = Buffer.from("89504e470d0a1a0a", "hex");
  const media = { kind: "image" as const, data: picture.toString("base64"), caption: "look" };
  const { message } = await client.message(withId(await fake.phone.sendMedia("Ann", media)));
  expect(message.message?.imageMessage).toMatchObject({ caption: "look", mimetype: "image/jpeg" });
  expect(Buffer.from(await downloadMediaMessage(message, "buffer", {}))).toEqual(picture);
  const gone = await client.message(withId(await fake.phone.sendMedia("Ann", { ...media, gone: 410 })));
  await expect(downloadMediaMessage(gone.message, "buffer", {})).rejects.toThrow();
  const before = gone.message.message?.imageMessage?.directPath;
  const renewed = await client.sock.updateMediaMessage(gone.message);
  expect(renewed.message?.imageMessage?.directPath).not.toBe(before);
  // Baileys names the public media host before it has asked for the hosts of this account.
  if (renewed.message?.imageMessage) renewed.message.imageMessage.url = fake.mediaUrl;
  expect(Buffer.from(await downloadMediaMessage(renewed, "buffer", {}))).toEqual(picture);

  const ann = await fake.phone.addContact({ pn: "+4915112345678" });
  const file = Buffer.from("some pages");
  const options = { document: file, mimetype: "application/pdf", fileName: "a.pdf", caption: "read" };
  await client.sock.sendMessage(ann.pn, options);
  const entry = await fake.until((ledger) => ledger.outbound.find((found) => found.media), "the document");
  expect(entry.media).toMatchObject({
    kind: "document",
    mimetype: "application/pdf",
    fileName: "a.pdf",
    caption: "read",
    sizeBytes: file.length,
  });
  expect(Buffer.from(await fake.phone.media(entry.id), "base64")).toEqual(file);
});

test("every way the server ends a connection has its status", async () => {
  const ways: [number, () => Promise<void>][] = [
    [503, () => fake.faults.failure(503, { now: true })],
    [403, () => fake.faults.failure(403, { now: true })],
    [515, () => fake.faults.streamError({ code: 515 })],
    [503, () => fake.faults.streamError({ code: 503 })],
    [500, () => fake.faults.streamError()],
    [440, () => fake.faults.kickReplaced()],
    [428, () => fake.faults.streamEnd()],
    [411, () => fake.faults.downgrade()],
    [428, () => fake.faults.dropTcp()],
    [428, () => fake.faults.closeSocket()],
    [428, () => fake.faults.cutNetwork()],
    [401, () => fake.phone.removeDevice()],
  ];
  let open = client;
  for (const [status, end] of ways) {
    await end();
    expect(await open.closed).toBe(status);
    await fake.faults.clear();
    open = keep(plainClient(fake, auth));
    if (status !== 401) await open.opened;
  }
  // Removed for good.
  expect(await open.closed).toBe(401);
});

test("while the network is cut a connection fails with 408", async () => {
  await fake.faults.cutNetwork();
  expect(await client.closed).toBe(428);
  expect(await keep(plainClient(fake, auth)).closed).toBe(408);
  await fake.faults.cutNetwork(false);
  await keep(plainClient(fake, auth)).opened;
});

test("faults of the login: 405, no hello, a refused upgrade, no success", async () => {
  await client.end();
  await fake.faults.failure(405);
  expect(await keep(plainClient(fake, auth)).closed).toBe(405);
  await fake.faults.stallHandshake();
  expect(await keep(plainClient(fake, auth, { connectTimeoutMs: 100 })).closed).toBe(408);
  // On a busy machine even the upgrade may take longer than that: then the fault was not used up.
  await fake.faults.clear();
  await fake.faults.refuseUpgrade(405);
  await fake.faults.noSuccess();
  // Neither of the two ends or opens anything by itself: the third, with nothing armed any more, opens.
  const refused = keep(plainClient(fake, auth));
  await new Promise((resolve) => refused.sock.ws.once("unexpected-response", resolve));
  keep(plainClient(fake, auth));
  await fake.until((ledger) => ledger.connections.at(-1)?.state === "logged-in", "a login without success");
  await keep(plainClient(fake, auth)).opened;
});

test("a second client with the same keys ends the first with 440", async () => {
  const second = keep(plainClient(fake, auth));
  await second.opened;
  expect(await client.closed).toBe(440);
});

test("logged out by the client: its keys are refused with 401 from then on", async () => {
  await client.sock.logout();
  expect(await client.closed).toBe(401);
  await fake.until((ledger) => ledger.companions[0]?.removed, "the removal");
  expect(await keep(plainClient(fake, auth)).closed).toBe(401);
});

test("silence is noticed by keep-alive alone", async () => {
  await client.end();
  const next = keep(plainClient(fake, auth, { keepAliveIntervalMs: 20 }));
  await next.opened;
  await fake.faults.silentPings();
  vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
  expect(await next.closed).toBe(408);
});

test("the connection breaks before or after a message is taken; the same id again is counted", async () => {
  const ann = await fake.phone.addContact({ pn: "+4915112345678" });
  await fake.faults.dropOnMessage("before");
  await client.sock.sendMessage(ann.pn, { text: "lost" }, { messageId: "A1" });
  expect(await client.closed).toBe(428);
  expect((await fake.ledger()).outbound).toEqual([]);
  const second = keep(plainClient(fake, auth));
  await second.opened;
  await fake.faults.dropOnMessage("after");
  await second.sock.sendMessage(ann.pn, { text: "kept" }, { messageId: "A2" });
  expect(await second.closed).toBe(428);
  const third = keep(plainClient(fake, auth));
  await third.opened;
  await third.sock.sendMessage(ann.pn, { text: "kept" }, { messageId: "A2" });
  const entry = await fake.until((ledger) => ledger.outbound.find((found) => found.times === 2), "the second copy");
  expect(entry).toMatchObject({ id: "A2", text: "kept", unreadable: [] });
});

test("a client that forgot used keys is found out, one that kept them is not", async () => {
  const ann = await fake.phone.addContact({ pn: "+4915112345678" });
  const group = await fake.phone.createGroup({ subject: "Friends", members: ["Ann"] });
  const say = async (one: PlainClient, text: string) => {
    for (const to of [ann.pn, group]) await one.sock.sendMessage(to, { text });
    await fake.until((ledger) => ledger.outbound.filter((entry) => entry.text === text).length === 2, text);
  };
  await say(client, "first");
  const before = auth.copy();
  await say(client, "second");
  expect((await fake.ledger()).keysReused).toEqual([]);
  await client.end();
  const forgetful = keep(plainClient(fake, before));
  await forgetful.opened;
  await forgetful.sock.sendMessage(group, { text: "third" });
  const [reused] = await fake.until((ledger) => ledger.keysReused.length > 0 && ledger.keysReused, "the reuse");
  expect(reused).toMatchObject({ contact: ann.pn });
});

test("acks may be late or missing: the client has sent it either way", async () => {
  const ann = await fake.phone.addContact({ pn: "+4915112345678" });
  const acks: string[] = [];
  client.sock.ws.on("CB:ack,class:message", (node: { attrs: { id: string } }) => acks.push(node.attrs.id));
  const acked = () => new Promise((resolve) => client.sock.ws.once("CB:ack,class:message", resolve));
  await fake.faults.dropAcks();
  await fake.faults.slowAcks(20);
  for (const messageId of ["A1", "A2"]) {
    const ack = messageId === "A2" && acked();
    await client.sock.sendMessage(ann.pn, { text: messageId }, { messageId });
    await ack;
  }
  expect(acks).toEqual(["A2"]);
  expect((await fake.ledger()).outbound.map((entry) => [entry.id, entry.times])).toEqual([
    ["A1", 1],
    ["A2", 1],
  ]);
});

test("a receipt for a client that is away comes at its next login", async () => {
  const ann = await fake.phone.addContact({ pn: "+4915112345678" });
  await fake.phone.receipts({ delivery: false });
  const sent = await client.sock.sendMessage(ann.pn, { text: "seen?" });
  await fake.until((ledger) => ledger.outbound.length === 1, "the message");
  await client.end();
  await fake.phone.receipt("Ann", [sent?.key.id ?? ""], "read");
  const next = keep(plainClient(fake, auth));
  const update = await next.update(({ key }) => key.id === sent?.key.id);
  expect(update.update.status).toBe(proto.WebMessageInfo.Status.READ);
});

test("a query that is muted is not answered, others are", async () => {
  const settled = vi.fn();
  await fake.faults.muteQuery("blocklist");
  client.sock.fetchBlocklist().then(settled, settled);
  const group = await fake.phone.createGroup({ subject: "Friends", members: ["Ann"] });
  expect(await client.sock.groupMetadata(group)).toMatchObject({ subject: "Friends" });
  expect(settled).not.toHaveBeenCalled();
});

test("a message refused by the server is told to the client", async () => {
  const ann = await fake.phone.addContact({ pn: "+4915112345678" });
  await fake.faults.refuseMessage(479);
  await client.sock.sendMessage(ann.pn, { text: "no" });
  await client.update(({ update }) => update.messageStubParameters?.[0] === "479");
  expect((await fake.ledger()).outbound).toEqual([]);
});

test("as a process of its own it does the same, over its control address", async () => {
  const child = await startChild({ number: "+15550002000" });
  try {
    const made = await linkedClient(child);
    keep(made.client);
    const ann = await child.phone.addContact({ pn: "+4915112345678", name: "Ann" });
    const id = await child.phone.sendText("Ann", "from afar");
    expect((await made.client.message(withId(id))).message.message?.conversation).toBe("from afar");
    await made.client.sock.sendMessage(ann.pn, { text: "got it" });
    const entry = await child.until((ledger) => ledger.outbound.find((found) => found.text), "the answer");
    expect(entry.text).toBe("got it");
    await expect(child.phone.sendText("Nobody", "x")).rejects.toThrow('There is no contact "Nobody".');
  } finally {
    await child.close();
  }
});
