/** The drills of channels.md §10 for WhatsApp, through the whole gateway and the unmodified library. */
import { afterEach, expect, test } from "vitest";
import { askedText } from "./set-up.ts";
import {
  ann,
  openWhatsAppWorld,
  sent,
  untilSent as texts,
  untilState as state,
  type WhatsAppWorld,
} from "./whatsapp-set-up.ts";

const open: WhatsAppWorld[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

async function setUp(whatsapp: Record<string, unknown> = { allowFrom: [ann] }): Promise<WhatsAppWorld> {
  const world = await openWhatsAppWorld({ whatsapp });
  open.push(world);
  return world;
}

test("a code is scanned, the connection restarts as it should, and messages go both ways", async () => {
  const world = await setUp();
  await state(world, "terminal");
  expect(await world.account()).toMatchObject({ linked: false, connected: false });
  const refused = await world.call("send", { to: ann, message: "hi", channel: "whatsapp", idempotencyKey: "early" });
  expect(refused.error).toMatchObject({
    code: "NOT_LINKED",
    message: expect.stringContaining("openclaw channels login"),
  });
  const health = await world.call("health", { probe: true });
  expect(health.payload).toMatchObject({ linkChannel: { id: "whatsapp", linked: false } });
  await world.link();
  expect(await world.account()).toMatchObject({ state: "open", linked: true, connected: true });
  await world.fake.phone.sendText(ann, "hello");
  await texts(world, 1, "the reply");
  expect((await sent(world))[0]).toMatchObject({ text: "Hello *Ann*", times: 1 });
  expect(askedText(world.provider.requests[0])).toContain("hello");
  expect((await world.call("health", { probe: true })).payload).toMatchObject({
    linkChannel: { id: "whatsapp", label: "WhatsApp", linked: true },
  });
  const { inbound } = await world.fake.ledger();
  expect(inbound.every(({ acknowledged }) => acknowledged)).toBe(true);
});

test("eight characters typed on the phone link as well", async () => {
  const world = await setUp();
  const begun = await world.call("web.login.start", { phone: "+1 555 000 1000" });
  const { code } = begun.payload as { code: string };
  expect(code).toMatch(/^[A-Z0-9]{4}-?[A-Z0-9]{4}$/u);
  await world.fake.phone.enterPairingCode(code.replace("-", ""));
  const linked = await world.call("web.login.wait", { timeoutMs: 15_000 });
  expect(linked.payload).toMatchObject({ connected: true });
  await state(world, "open");
});

test("the link survives a restart, and what came meanwhile is answered once", async () => {
  const world = await setUp();
  await world.link();
  await world.gateway.stop();
  await world.fake.phone.sendText(ann, "are you there?");
  await world.again();
  await state(world, "open");
  await texts(world, 1, "the reply");
  await world.again();
  await state(world, "open");
  await world.fake.phone.sendText(ann, "and now?");
  await texts(world, 2, "the second reply");
  expect(world.provider.requests.length).toBe(2);
});

test("removed on the phone: it stops, says so, and can be linked again", async () => {
  const world = await setUp();
  await world.link();
  await world.fake.phone.removeDevice();
  await state(world, "terminal");
  expect(await world.account()).toMatchObject({ linked: false, lastDisconnect: { status: 401, loggedOut: true } });
  const refused = await world.call("send", { to: ann, message: "hi", channel: "whatsapp", idempotencyKey: "k1" });
  expect(refused.error).toMatchObject({ code: "NOT_LINKED" });
  await world.link();
  await state(world, "open");
});

test("the same link opened elsewhere is not fought over", async () => {
  const world = await setUp();
  await world.link();
  const before = (await world.fake.ledger()).connections.length;
  await world.fake.faults.kickReplaced();
  await state(world, "terminal");
  expect(await world.account()).toMatchObject({ lastDisconnect: { status: 440 }, linked: true });
  expect((await world.fake.ledger()).connections.length).toBe(before);
  const again = await world.call("web.login.start");
  expect(again.payload).toMatchObject({
    message: expect.stringContaining("already linked (+15550001000), and connects"),
  });
  await state(world, "open");
  expect((await world.fake.ledger()).companions.length, "the same link").toBe(1);
});

test("a torn connection comes back by itself", async () => {
  const world = await setUp();
  await world.link();
  await world.fake.faults.dropTcp();
  await state(world, "backoff");
  await world.fake.phone.sendText(ann, "while away");
  await state(world, "open");
  await texts(world, 1, "the reply");
});

test("a contact who writes by LID and by number has one conversation", async () => {
  const world = await setUp({ allowFrom: [ann] });
  await world.link();
  await world.fake.phone.sendText(ann, "by number");
  await texts(world, 1, "the first reply");
  await world.fake.phone.sendText(ann, "by lid", { lidAddressed: true });
  await texts(world, 2, "the second reply");
  const sessions = ((await world.call("sessions.list")).payload as { sessions: { key: string }[] }).sessions;
  expect(sessions.map(({ key }) => key)).toEqual(["agent:main:main"]);
});

test("a stranger gets one code; a repeat gets nothing; after approval the next message is answered", async () => {
  const world = await setUp({ allowFrom: ["+15559999999"] });
  await world.link();
  await world.fake.phone.sendText(ann, "hello?");
  await texts(world, 1, "the pairing text");
  await world.fake.phone.sendText(ann, "hello??");
  const [pairing] = await sent(world);
  const code = /\b([A-Z2-9]{8})\b/u.exec(pairing?.text ?? "")?.[1] ?? "";
  expect((await world.call("pairing.approve", { channel: "whatsapp", code })).payload).toMatchObject({ id: ann });
  await world.fake.phone.sendText(ann, "now?");
  await texts(world, 2, "the reply");
  expect((await sent(world))[1]).toMatchObject({ text: "Hello *Ann*" });
  expect(world.provider.requests.length).toBe(1);
});

test("logout ends the link on both sides", async () => {
  const world = await setUp();
  await world.link();
  const out = await world.call("channels.logout", { channel: "whatsapp" });
  expect(out.payload).toMatchObject({ channel: "whatsapp", cleared: true, loggedOut: true });
  await state(world, "terminal");
  expect(await world.account()).toMatchObject({ linked: false });
});

test("a send with one key arrives once, and answers the same after a restart", async () => {
  const world = await setUp();
  await world.link();
  const params = { to: ann, message: "reminder", channel: "whatsapp", idempotencyKey: "same" };
  const one = await world.call("send", params);
  expect(one.payload).toMatchObject({ channel: "whatsapp", messageId: expect.stringMatching(/^[A-F0-9]{12,}$/u) });
  await world.again();
  expect((await world.call("send", params)).payload).toEqual(one.payload);
  expect((await sent(world)).map(({ text, times }) => [text, times])).toEqual([["reminder", 1]]);
});

test("linked by force on a linked account: the former device is gone from the phone, and there is one new one", async () => {
  const world = await setUp();
  await world.link();
  const again = await world.call("web.login.start");
  expect(again.payload).toMatchObject({ message: expect.stringContaining("already linked") });
  await world.link({ force: true });
  await state(world, "open");
  const { companions } = await world.fake.ledger();
  expect(companions.map(({ removed }) => removed)).toEqual([true, false]);
  await world.fake.phone.sendText(ann, "hello");
  await texts(world, 1, "the reply");
  await world.again();
  await state(world, "open");
});

test("a login by force with a number that is none leaves the link as it is", async () => {
  const world = await setUp();
  await world.link();
  const refused = await world.call("web.login.start", { force: true, phone: "12" });
  expect(refused.error).toMatchObject({ code: "INVALID_REQUEST" });
  expect(await world.account()).toMatchObject({ state: "open", linked: true });
});
