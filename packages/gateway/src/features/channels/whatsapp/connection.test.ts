import { afterEach, expect, test } from "vitest";
import { seededRandom } from "../../../../../../test/support/random.ts";
import type { ConnectionEnd } from "../channel.ts";
import type { InboundBatch } from "../inbound.ts";
import { openMs } from "./connection.ts";
import { connected, heard, played, type Played, turns } from "./library.fixture.ts";
import { silenceMs } from "./pulse.ts";
import type { WAMessage } from "./socket.ts";

const open: Played[] = [];
async function set(options?: Parameters<typeof played>[0]): Promise<Played> {
  const made = await played(options);
  open.push(made);
  return made;
}
afterEach(() => {
  for (const { store } of open.splice(0)) store.close();
});

const text = (id: string, words: string, from = "4915112345678@s.whatsapp.net"): WAMessage =>
  ({
    key: { remoteJid: from, id },
    message: { conversation: words },
    messageTimestamp: 1_770_000_000,
    pushName: "Ann",
  }) as WAMessage;
const batches = (events: { told: [string, unknown][] }) =>
  events.told.flatMap(([name, value]) => (name === "receive" ? [value as InboundBatch] : []));

const reasons: [number, ConnectionEnd["kind"], string | undefined][] = [
  [515, "again", undefined],
  [401, "terminal", "logged-out"],
  [411, "terminal", "logged-out"],
  [403, "terminal", "forbidden"],
  [440, "terminal", "replaced"],
  [405, "retry", undefined],
  [408, "retry", undefined],
  [428, "retry", undefined],
  [499, "retry", undefined],
  [500, "retry", undefined],
  [503, "retry", undefined],
];

test.each(reasons)("close code %i ends as %s", async (status, kind, reason) => {
  const on = await set();
  const { done, socket } = await connected(on);
  socket.events.closed({ status, message: "why" });
  const end = await done;
  expect(end).toMatchObject({ kind, status, ...(reason ? { reason, fix: expect.stringMatching(/\w/u) } : {}) });
  expect(on.library.live).toBe(0);
});

test("a refused version waits five minutes and says what to do", async () => {
  const on = await set();
  const { done, socket } = await connected(on);
  socket.events.closed({ status: 405, message: "" });
  expect(await done).toMatchObject({ afterMs: 300_000, hint: expect.stringContaining("Update") });
});

test("a link the phone ended is set aside; one that was replaced or blocked is still there for the operator", async () => {
  for (const [status, kept] of [
    [401, false],
    [411, false],
    [403, true],
    [440, true],
    [500, true],
  ] as const) {
    const on = await set();
    const { done, socket } = await connected(on);
    socket.events.closed({ status, message: "" });
    await done;
    expect(on.account.linked(), String(status)).toBe(kept);
    const rows = on.store.all("SELECT * FROM whatsapp_auth WHERE kind = 'creds'");
    expect(rows, "nothing is deleted").toHaveLength(1);
  }
});

test("neither open nor a code within a minute ends the attempt as a timeout", async () => {
  const on = await set();
  const events = heard();
  const done = on.account.connect(events, new AbortController().signal);
  await turns();
  await on.world.clock.advance(openMs - 1);
  expect(on.library.live).toBe(1);
  await on.world.clock.advance(1);
  expect(await done).toMatchObject({ kind: "retry", status: 408 });
  expect(on.library.live).toBe(0);
});

test("a code shown to a person stops that clock, and the phone's yes starts it again", async () => {
  const on = await set({ linked: false });
  const events = heard();
  const done = on.account.connect(events, new AbortController().signal, { login: {} });
  await turns();
  on.library.last.events.qr("2@abc");
  await on.world.clock.advance(openMs * 2);
  expect(on.library.live).toBe(1);
  expect(events.told).toContainEqual(["loginCode", { kind: "qr", text: "2@abc", expiresAt: expect.any(Number) }]);
  on.library.last.events.paired();
  await turns();
  await on.world.clock.advance(openMs);
  expect(await done).toMatchObject({ kind: "retry", status: 408 });
});

test("an account nobody writes to stays connected for a day", async () => {
  const on = await set();
  const { done, socket } = await connected(on);
  let ended = false;
  void done.then(() => (ended = true));
  // The library asks for a sign of life every 30 s; the answers are all that comes.
  for (let at = 0; at < 24 * 60 * 60_000; at += 30_000) {
    socket.events.frame({ tag: "iq", attrs: { type: "result" } });
    await on.world.clock.advance(30_000);
  }
  expect(ended).toBe(false);
  expect(on.library.sockets).toHaveLength(1);
});

test("a transport that is silent is given up", async () => {
  const on = await set();
  const { done } = await connected(on);
  await on.world.clock.advance(silenceMs + 60_000);
  expect(await done).toMatchObject({ kind: "retry", status: 499 });
});

test("after a sleep the connection is replaced at once", async () => {
  const on = await set();
  const { done } = await connected(on);
  on.account.woke(20_000);
  expect(on.library.live, "a short stall is nothing").toBe(1);
  on.account.woke(40_000);
  expect(await done).toMatchObject({ kind: "again", status: 499 });
});

test("without a link it asks for a login instead of showing a code to nobody", async () => {
  const on = await set({ linked: false });
  expect(on.account.linked()).toBe(false);
  const done = on.account.connect(heard(), new AbortController().signal);
  await turns();
  on.library.last.events.qr("2@abc");
  expect(await done).toMatchObject({ kind: "terminal", reason: "not-linked", fix: expect.stringContaining("login") });
});

test("messages are told with one id for their author, once stored their receipt leaves", async () => {
  const on = await set();
  const { events, socket } = await connected(on);
  socket.deliver(text("A1", "hello"));
  await turns();
  expect(batches(events)).toMatchObject([
    {
      ownId: "+15550001000",
      messages: [
        {
          platformId: "4915112345678@s.whatsapp.net:A1",
          messageId: "A1",
          text: "hello",
          chat: { kind: "direct", id: "+4915112345678", replyId: "4915112345678@s.whatsapp.net" },
          sender: { id: "+4915112345678", e164: "+4915112345678", name: "Ann" },
        },
      ],
    },
  ]);
  expect(socket.written).toContain("receipt A1");
});

test("a local id nobody can resolve is kept as the peer's id", async () => {
  const on = await set();
  const { events, socket } = await connected(on);
  socket.deliver(text("A1", "hello", "123456789@lid"));
  await turns();
  expect(batches(events)[0]?.messages[0]).toMatchObject({
    chat: { id: "123456789@lid" },
    sender: { id: "123456789@lid" },
  });
});

test.each<[string, Partial<WAMessage>, string]>([
  ["a status", { key: { remoteJid: "status@broadcast", id: "1", participant: "1@s.whatsapp.net" } }, "broadcast"],
  ["a newsletter", { key: { remoteJid: "1@newsletter", id: "1" } }, "newsletter"],
  ["a message that could not be decrypted", { message: null }, "undecrypted"],
  ["a protocol message", { message: { protocolMessage: { type: 0 } } }, "protocol"],
  ["a reaction", { message: { reactionMessage: { text: "x" } } }, "reaction"],
  ["keys for a group", { message: { senderKeyDistributionMessage: { groupId: "g" } } }, "empty"],
  ["what the owner writes to others", { key: { remoteJid: "49@s.whatsapp.net", id: "1", fromMe: true } }, "own"],
  ["something without words", { message: { stickerPackMessage: {} } as never }, "unsupported"],
])("%s is passed over and counted", async (_what, part, reason) => {
  const on = await set();
  const { events, socket } = await connected(on);
  socket.deliver({ ...text("A1", "words"), ...part } as WAMessage);
  await turns();
  await on.world.clock.advance(1_000);
  expect(batches(events)).toEqual([{ ownId: "+15550001000", messages: [], skipped: { [reason]: 1 } }]);
  expect(socket.written, "the platform may forget it").toHaveLength(1);
});

test("what came while we were away is marked, and what is older than the link is history", async () => {
  const on = await set();
  const linkedAt = (1_770_000_000 - 60) * 1_000;
  await on.store.commit((tx) =>
    tx.run(
      "INSERT INTO whatsapp_auth VALUES ('default', 'meta', '', ?)",
      Buffer.from(JSON.stringify({ dir: "/nowhere/credentials/whatsapp/default", linkedAt })),
    ),
  );
  const { events, socket } = await connected(on);
  socket.deliver(text("A1", "while you slept"), "append");
  socket.deliver({ ...text("A2", "last year"), messageTimestamp: 1_740_000_000 }, "append");
  await turns();
  await on.world.clock.advance(1_000);
  expect(batches(events)).toMatchObject([
    { messages: [{ text: "while you slept", catchUp: true }] },
    { messages: [], skipped: { history: 1 } },
  ]);
});

test("a message that breaks the reader does not stop the next one", async () => {
  const on = await set();
  const { events, socket } = await connected(on);
  const broken = text("A1", "x");
  broken.message = new Proxy({} as NonNullable<WAMessage["message"]>, {
    get() {
      throw new Error("odd");
    },
  });
  socket.deliver(broken);
  socket.deliver(text("A2", "fine"));
  await turns();
  expect(batches(events).flatMap((batch) => batch.messages.map(({ messageId }) => messageId))).toEqual(["A2"]);
  expect(on.lines.some((line) => line.level === "warn")).toBe(true);
});

test("a send without a connection is refused, one with it reports the platform's word", async () => {
  const on = await set();
  const part = {
    target: { chatId: "+49151", kind: "direct" as const },
    content: { type: "text" as const, body: { text: "hi", plain: "hi" } },
  };
  const { signal } = new AbortController();
  expect(await on.account.send(part, { signal })).toMatchObject({ state: "retry", reason: "not-connected" });
  const { socket } = await connected(on);
  const sending = on.account.send(part, { clientMsgId: "M1", signal });
  await turns();
  expect(socket.written).toEqual(["message M1"]);
  socket.events.frame({ tag: "ack", attrs: { class: "message", id: "M1", from: "x" } });
  expect(await sending).toMatchObject({ state: "sent", messageId: "M1", facts: { toJid: "49151@s.whatsapp.net" } });
});

test("a receipt confirms a message, a refusal does not", async () => {
  const on = await set();
  const { events, socket } = await connected(on);
  socket.events.receipts([
    { key: { id: "M1", fromMe: true } },
    { key: { id: "M2", fromMe: true }, failed: "463" },
    { key: { id: "A1", fromMe: false } },
  ]);
  expect(events.told.filter(([name]) => name === "confirmed")).toEqual([["confirmed", "M1"]]);
});

test("a message that was not written before the end was surely not sent", async () => {
  const on = await set();
  const { socket, stop, done } = await connected(on);
  const part = {
    target: { chatId: "+49151", kind: "direct" as const },
    content: { type: "text" as const, body: { text: "hi", plain: "hi" } },
  };
  const sending = on.account.send(part, { clientMsgId: "M1", signal: new AbortController().signal });
  await Promise.resolve();
  stop.abort();
  expect(await sending).toMatchObject({ state: "retry" });
  expect(await done).toEqual({ kind: "aborted" });
  expect(socket.written).toEqual([]);
});

test("ten thousand connections ended in every way and order: never two sockets, nothing from the past is heard", async () => {
  const on = await set();
  const random = seededRandom(20_261_121);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const statuses = [515, 401, 403, 411, 440, 405, 408, 428, 499, 500, 503];
  let late = 0;
  for (let n = 0; n < 10_000; n++) {
    const events = heard();
    const stop = new AbortController();
    const done = on.account.connect(events, stop.signal, { login: {} });
    while (on.library.live === 0) await new Promise((resolve) => setImmediate(resolve));
    const { last: socket } = on.library;
    const steps = [
      () => socket.events.open(),
      () => socket.events.qr("2@x"),
      () => socket.events.frame(undefined),
      () => socket.events.send(Buffer.from("f")),
      () => socket.deliver(text(`m${n}`, "x")),
      () => on.account.woke(40_000),
      () => stop.abort(),
    ];
    for (let step = Math.floor(random() * 5); step > 0; step--) pick(steps)();
    for (let ends = 1 + Math.floor(random() * 2); ends > 0; ends--) {
      socket.events.closed({ status: pick(statuses), message: "" });
    }
    await done;
    const heardBefore = events.told.length;
    for (let step = Math.floor(random() * 4); step > 0; step--) pick(steps)();
    if (events.told.length > heardBefore) late++;
    expect(on.library.live).toBe(0);
  }
  expect(on.library.most).toBe(1);
  expect(late).toBe(0);
  expect(on.world.clock.pending(), "no timer is left").toBe(0);
}, 60_000);
