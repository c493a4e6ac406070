/** Single facts of channels.md §6 that need the whole gateway: how a login is offered, and what a private number does not do. */
import { afterEach, expect, test } from "vitest";
import { askedText } from "./set-up.ts";
import { ann, openWhatsAppWorld, sent, untilSent, untilState, type WhatsAppWorld } from "./whatsapp-set-up.ts";

const open: WhatsAppWorld[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

async function setUp(whatsapp: Record<string, unknown>): Promise<WhatsAppWorld> {
  const world = await openWhatsAppWorld({ whatsapp });
  open.push(world);
  return world;
}

test("a login answers with a picture; within three minutes it is joined, afterwards a new one begins", async () => {
  const world = await setUp({ allowFrom: [ann] });
  const begin = async () => (await world.call("web.login.start")).payload as Record<string, string>;
  const first = await begin();
  expect(first["qrDataUrl"]).toMatch(/^data:image\/png;base64,iVBORw0KGgo/u);
  expect(first["message"]).toContain("Scan the code");
  await world.gateway.world.jump(2 * 60_000);
  expect((await begin())["qrText"]).toBe(first["qrText"]);
  expect((await world.fake.ledger()).connections).toHaveLength(1);
  await world.gateway.world.jump(61_000);
  const second = await begin();
  expect(second["qrText"]).not.toBe(first["qrText"]);
  await world.fake.phone.scanQr(second["qrText"] ?? "");
  const linked = await world.call("web.login.wait", { timeoutMs: 15_000 });
  expect(linked.payload).toMatchObject({ connected: true, message: "Linked as +15550001000." });
});

test("a login without a code answers within its time, which is never less than five seconds", async () => {
  const world = await setUp({ allowFrom: [ann] });
  await world.fake.faults.stallHandshake(1);
  const began = world.gateway.world.monotonic();
  let answered = false;
  const start = world.call("web.login.start", { timeoutMs: 1 }).finally(() => (answered = true));
  await world.fake.until(({ connections }) => connections.length > 0, "the connection");
  expect(answered).toBe(false);
  await world.gateway.world.jump(5_000);
  expect((await start).payload).toMatchObject({ message: expect.stringContaining("No code came") });
  expect(world.gateway.world.monotonic() - began).toBeLessThan(30_000);
});

test("a private number answers its owner, by the agent's name, and says nothing to anybody else", async () => {
  const world = await setUp({ allowFrom: ["+15550001000"] });
  await world.link();
  await untilState(world, "open");
  await world.fake.phone.sendText(ann, "hi, it's Ann");
  await world.fake.phone.sendText("me", "note to myself");
  await untilSent(world, 1, "the answer");
  await world.fake.until(({ inbound }) => inbound.every(({ acknowledged }) => acknowledged), "both receipts");
  await expect
    .poll(async () => ((await world.account())["inbound"] as Record<string, number>)["skipped.not-paired"])
    .toBe(1);
  expect((await sent(world)).map(({ chat, text }) => [chat, text])).toEqual([
    ["15550001000@s.whatsapp.net", "[openclaw] Hello *Ann*"],
  ]);
  expect(world.provider.requests.length).toBe(1);
  expect(askedText(world.provider.requests[0])).toContain("note to myself");
  const { inbound, presence } = await world.fake.ledger();
  expect(
    inbound.flatMap(({ receipts }) => receipts.map(({ type }) => type)).filter((type) => type.startsWith("read")),
  ).toEqual([]);
  expect(presence.map(({ type }) => type)).not.toContain("available");
});

test("what was written long before the account came back is not answered; its owner is told once, and what is fresh is answered", async () => {
  const world = await setUp({ allowFrom: [ann] });
  // What is older than the link is history, and told to nobody.
  world.gateway.world.shiftWall(-30 * 60_000);
  await world.link();
  await world.gateway.stop();
  const old = Date.now() - 11 * 60_000;
  for (const text of ["first of long ago", "second of long ago"])
    await world.fake.phone.sendText(ann, text, { at: old });
  await world.fake.phone.sendText(ann, "fresh");
  await world.again();
  await untilState(world, "open");
  await untilSent(world, 1, "the answer");
  expect(world.provider.requests.length).toBe(1);
  expect(askedText(world.provider.requests[0])).toContain("fresh");
  expect((await world.account())["inbound"]).toMatchObject({ received: 3, "skipped.too-old": 2 });
  await world.fake.until(({ inbound }) => inbound.every(({ acknowledged }) => acknowledged), "all receipts");
  await world.gateway.world.jump(5_001);
  await world.fake.phone.sendText(ann, "and now?");
  await untilSent(world, 2, "the second answer");
  expect(JSON.stringify(world.provider.requests.at(-1)?.body)).toMatch(/2 messages that were/u);
});
