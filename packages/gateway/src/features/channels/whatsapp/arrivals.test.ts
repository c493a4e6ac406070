import { expect, test } from "vitest";
import { type ArrivalContext, readArrival } from "./arrivals.ts";
import type { WAMessage } from "./socket.ts";

const own = { pn: "15550001000@s.whatsapp.net", lid: "100@lid", e164: "+15550001000" };

async function read(part: Record<string, unknown>, context: Partial<ArrivalContext> = {}, catchUp = false) {
  const raw = {
    key: { remoteJid: "4915112345678@s.whatsapp.net", id: "ABC" },
    message: { conversation: "hi" },
    messageTimestamp: 1_770_000_000,
    ...part,
  };
  const arrival = await readArrival(raw as unknown as WAMessage, catchUp, {
    own,
    pnOfLid: () => Promise.resolve(undefined),
    unresolved: () => {},
    groups: { get: () => Promise.resolve(undefined), pnOf: () => undefined } as never,
    sent: { has: () => false, takeEcho: () => false } as never,
    selfChatMode: false,
    messagePrefix: undefined,
    linkedAt: 0,
    now: () => 1_770_000_000_000,
    ...context,
  });
  if (!("message" in arrival)) throw new Error(`passed over: ${arrival.skipped}`);
  return arrival.message;
}

test("a message redelivered after its sender's number became known is the same message", async () => {
  const key = { remoteJid: "77@lid", id: "ABC" };
  const first = await read({ key });
  const again = await read({ key }, { pnOfLid: () => Promise.resolve("4915112345678@s.whatsapp.net") });
  expect(again.platformId).toBe(first.platformId);
});

test("a number behind a local id is taken from the message, else from what is stored, else from the group", async () => {
  const pn = (digits: string) => `${digits}@s.whatsapp.net`;
  const stored: Partial<ArrivalContext> = { pnOfLid: () => Promise.resolve(pn("4922222")) };
  const direct = { remoteJid: "77@lid", id: "A" };
  expect((await read({ key: { ...direct, remoteJidAlt: pn("4911111") } }, stored)).sender.id).toBe("+4911111");
  expect((await read({ key: direct }, stored)).sender.id).toBe("+4922222");
  const inGroup = { remoteJid: "120363@g.us", id: "A", participant: "77:4@lid" };
  const groups = { get: () => Promise.resolve(undefined), pnOf: () => pn("4933333") } as never;
  expect((await read({ key: { ...inGroup, participantAlt: pn("4911111") } }, { ...stored, groups })).sender.id).toBe(
    "+4911111",
  );
  expect((await read({ key: inGroup }, { ...stored, groups })).sender.id).toBe("+4922222");
  expect((await read({ key: inGroup }, { groups })).sender.id).toBe("+4933333");
});

test("a local id without a number stays one, in groups and in direct chats, and that is told", async () => {
  const told: string[] = [];
  const unresolved = (lid: string) => void told.push(lid);
  const direct = await read({ key: { remoteJid: "77:2@lid", id: "A" } }, { unresolved });
  expect(direct).toMatchObject({ chat: { id: "77@lid" }, sender: { id: "77@lid" } });
  expect(direct.sender.e164).toBeUndefined();
  const key = { remoteJid: "120363@g.us", id: "B", participant: "88@lid" };
  expect((await read({ key }, { unresolved })).sender.id).toBe("88@lid");
  expect(told).toEqual(["77@lid", "88@lid"]);
});

test("what was kept back for us says how old it was when it came, by the platform's clock", async () => {
  const now = () => 1_770_000_090_000;
  expect(await read({}, { now }, true)).toMatchObject({ catchUp: true, ageMs: 90_000 });
  expect(await read({}, { now })).not.toHaveProperty("ageMs");
});

test("a quoted message brings its id, its words and who wrote them", async () => {
  const quoting = (participant: string) => ({
    message: {
      extendedTextMessage: {
        text: "yes",
        contextInfo: { stanzaId: "Q1", participant, quotedMessage: { conversation: "tea?" } },
      },
    },
  });
  expect((await read(quoting("4922222@s.whatsapp.net"))).replyTo).toEqual({
    id: "Q1",
    body: "tea?",
    sender: "+4922222",
    toSelf: false,
  });
  expect((await read(quoting("100:3@lid"))).replyTo).toMatchObject({ sender: own.e164, toSelf: true });
});

test("in self-chat mode a mention of the number is not meant for the agent, and strangers are not asked to pair", async () => {
  const key = { remoteJid: "120363@g.us", id: "A", participant: "4922222@s.whatsapp.net" };
  const message = { extendedTextMessage: { text: "@me", contextInfo: { mentionedJid: [own.pn] } } };
  expect((await read({ key, message })).mentions).toEqual({ self: true, others: false });
  expect((await read({ key, message }, { selfChatMode: true })).mentions).toEqual({ self: false, others: false });
  expect((await read({}, { selfChatMode: true })).unasked).toBe(true);
  expect((await read({ key }, { selfChatMode: true })).unasked).toBeUndefined();
  expect((await read({})).unasked).toBeUndefined();
});

test("the configured words stand before what was written, but never before a command or a stop word", async () => {
  const text = async (conversation: string) =>
    (await read({ message: { conversation } }, { messagePrefix: "[claw]" })).text;
  expect(await text("hello")).toBe("[claw] hello");
  expect(await text("/status")).toBe("/status");
  expect(await text("stop")).toBe("stop");
});
