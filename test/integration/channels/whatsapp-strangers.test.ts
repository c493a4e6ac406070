/** A linked account meets the owner's own chats and old messages of theirs: neither gets a pairing reply (channels.md §2.2). */
import { afterEach, expect, test } from "vitest";
import { ann, openWhatsAppWorld, sent, untilSent, untilState, type WhatsAppWorld } from "./whatsapp-set-up.ts";

let world: WhatsAppWorld | undefined;
afterEach(async () => {
  await world?.stop();
  world = undefined;
});

const bob = "+15550003000";

test("no pairing reply for what the owner wrote, nor for what is older than the connection by half a minute", async () => {
  world = await openWhatsAppWorld({ whatsapp: { allowFrom: ["+15559999999"] } });
  const { phone } = world.fake;
  await phone.addContact({ pn: bob, name: "Bob" });
  await world.link();
  await untilState(world, "open");
  await phone.sendText("me", "hi Bob, it is me", { to: bob });
  await phone.sendText(ann, "from yesterday", { at: world.gateway.world.now() - 24 * 3_600_000 });
  await phone.sendText(ann, "a minute ago", { at: world.gateway.world.now() - 60_000 });
  await world.fake.until(({ inbound }) => inbound.every(({ acknowledged }) => acknowledged), "the receipts");
  await expect
    .poll(async () => (await world?.account())?.["inbound"])
    .toMatchObject({ pending: 0, "skipped.not-paired": 2 });
  expect(await sent(world)).toEqual([]);
  expect((await world.call("pairing.list")).payload).toEqual({ requests: [] });
  await phone.sendText(bob, "hello?");
  await untilSent(world, 1, "the pairing text");
  expect((await sent(world))[0]?.text).toContain("pairing approve whatsapp");
  expect((await world.call("pairing.list")).payload).toMatchObject({ requests: [{ id: bob }] });
  expect(world.provider.requests).toEqual([]);
});
