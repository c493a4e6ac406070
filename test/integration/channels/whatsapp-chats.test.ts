/** Groups and files on WhatsApp, through the whole gateway. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { askedText, patchConfig } from "./set-up.ts";
import {
  ann,
  openWhatsAppWorld,
  sent,
  untilSent,
  type WhatsAppOptions,
  type WhatsAppWorld,
} from "./whatsapp-set-up.ts";

const close: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const one of close.splice(0).toReversed()) await one();
});

const bob = "+15550003000";
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

async function linked(options: WhatsAppOptions): Promise<WhatsAppWorld> {
  const world = await openWhatsAppWorld(options);
  close.push(() => world.stop());
  // Files travel by HTTPS, also to and from the fake.
  const before = getCACertificates();
  setDefaultCACertificates([...before, world.fake.ca]);
  close.push(() => setDefaultCACertificates(before));
  await world.link();
  return world;
}

const jidOf = async ({ fake }: WhatsAppWorld) => (await fake.phone.me()).pn;
const inboundOf = async (world: WhatsAppWorld) => (await world.account())["inbound"] as Record<string, number>;

test("a group answers where it is mentioned, with what was said before as context, and the linked name is not needed", async () => {
  const world = await linked({ whatsapp: { allowFrom: [ann], groups: { "*": {} }, groupAllowFrom: ["*"] } });
  const { fake } = world;
  const bobs = await fake.phone.addContact({ pn: bob, lid: "888000@lid", name: "Bob" });
  const group = await fake.phone.createGroup({ subject: "Club", members: [ann, bob] });
  await fake.phone.sendText(bob, "shall we meet at nine?", { group });
  await fake.phone.sendText(ann, "or at ten?", { group });
  await fake.until(({ inbound }) => inbound.filter(({ acknowledged }) => acknowledged).length === 2, "both receipts");
  expect(world.provider.requests.length, "nobody was asked").toBe(0);
  await fake.phone.sendText(ann, "@bot what do you think?", { group, mentions: [await jidOf(world)] });
  await untilSent(world, 1, "the reply");
  const [reply] = await sent(world);
  expect(reply).toMatchObject({ to: group, text: "Hello *Ann*", unreadable: [] });
  expect(reply?.readers).toEqual(expect.arrayContaining([bobs.pn]));
  const asked = askedText(world.provider.requests[0]);
  for (const text of ["shall we meet at nine?", "or at ten?", "what do you think?", "Club"])
    expect(asked).toContain(text);
  await fake.phone.sendText(bob, "I agree", {
    group,
    quoted: { id: reply?.id ?? "", text: "Hello", participant: await jidOf(world) },
  });
  await untilSent(world, 2, "the reply to a reply");
  const sessions = ((await world.call("sessions.list")).payload as { sessions: { key: string }[] }).sessions;
  expect(sessions.map(({ key }) => key)).toEqual([`agent:main:whatsapp:group:${group}`]);
});

test("a group that is not named stays closed until it is, and then everything in it is answered; the connection stays", async () => {
  const world = await linked({ whatsapp: { allowFrom: [ann], groups: { "1@g.us": {} } } });
  const { fake } = world;
  const group = await fake.phone.createGroup({ subject: "Open", members: [ann] });
  const other = await fake.phone.createGroup({ subject: "Other", members: [ann] });
  const mentions = [await jidOf(world)];
  const passedOver = async () => (await inboundOf(world))["skipped.group-not-listed"] ?? 0;
  await fake.phone.sendText(ann, "anyone?", { group, mentions });
  await expect.poll(passedOver).toBe(1);
  const before = (await fake.ledger()).connections.length;
  await patchConfig(world, { channels: { whatsapp: { groups: { [group]: { requireMention: false } } } } });
  await fake.phone.sendText(ann, "not here", { group: other, mentions });
  await fake.phone.sendText(ann, "nobody mentioned", { group });
  await untilSent(world, 1, "the reply");
  await expect.poll(passedOver).toBe(2);
  expect((await sent(world)).map(({ to }) => to)).toEqual([group]);
  expect((await fake.ledger()).connections.length).toBe(before);
});

test("a picture reaches the model, and a file of the workspace goes back with its words", async () => {
  const world = await linked({ whatsapp: { allowFrom: [ann] } });
  const { fake } = world;
  const workspace = join(world.home.state, "workspace");
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(workspace, "chart.png"), png);
  world.script = () => ["Here is the chart.\nMEDIA:./chart.png"];
  await fake.phone.sendMedia(ann, {
    kind: "image",
    data: png.toString("base64"),
    mimetype: "image/png",
    caption: "what is this?",
  });
  await fake.until(({ outbound }) => outbound.some(({ media }) => media !== undefined), "the chart");
  const [request] = world.provider.requests;
  expect(askedText(request)).toContain("what is this?");
  expect(request?.raw, "the picture itself").toContain(png.toString("base64"));
  const [out] = (await fake.ledger()).outbound.filter(({ media }) => media);
  expect(out).toMatchObject({
    unreadable: [],
    media: { kind: "image", mimetype: "image/png", caption: "Here is the chart.", sizeBytes: png.length },
  });
  const digest = createHash("sha256").update(png).digest();
  expect([digest.toString("hex"), digest.toString("base64")]).toContain(out?.media?.sha256);
});

test("a file that is gone from the platform does not keep its words from being answered", async () => {
  const world = await linked({ whatsapp: { allowFrom: [ann] } });
  await world.fake.faults.mediaStatus(500);
  const data = png.toString("base64");
  await world.fake.phone.sendMedia(ann, { kind: "image", data, mimetype: "image/png", caption: "can you see it?" });
  await untilSent(world, 1, "the reply");
  expect(askedText(world.provider.requests[0])).toContain("can you see it?");
});

test("polls and reactions that are switched off are refused by name, and nothing leaves", async () => {
  const world = await linked({ whatsapp: { allowFrom: [ann], actions: { polls: false, reactions: false } } });
  const poll = { to: ann, question: "When?", options: ["8", "9"], channel: "whatsapp", idempotencyKey: "p" };
  const react = { to: ann, messageId: "ABC", action: "react", emoji: "👍", channel: "whatsapp" };
  for (const [method, params, key] of [
    ["poll", poll, "polls"],
    ["message.action", react, "reactions"],
  ] as const)
    expect((await world.call(method, params)).error).toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringContaining(`channels.whatsapp.actions.${key}`),
    });
  expect((await world.fake.ledger()).outbound).toEqual([]);
});
