/** Single facts of channels.md §7 that need the whole gateway: a start without an answer, who an unnamed administrator is, files beyond
 *  the platform's limit, commands that overtake. */
import { afterEach, expect, test } from "vitest";
import { gate } from "../../support/agent-gateway.ts";
import { askedText, type ChatOptions, type ChatWorld, openChatWorld, patchConfig } from "./set-up.ts";

const open: ChatWorld[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

async function setUp(
  options: ChatOptions = {},
  beside?: (fake: ChatWorld["fake"]) => Promise<Record<string, unknown>>,
): Promise<ChatWorld> {
  const world = await openChatWorld(options, beside);
  open.push(world);
  return world;
}

const texts = ({ fake }: ChatWorld, chatId: number) =>
  fake.chats.sent.filter((message) => message.chatId === String(chatId)).map(({ text }) => text);
const account = async (world: ChatWorld) =>
  ((await world.call("channels.status")).payload as never)["channelAccounts"]["telegram"][0] as Record<string, unknown>;

test("a platform that does not answer at the start delays nothing but itself, and is asked again", async () => {
  const world = await setUp({}, async (fake) => {
    fake.fault("getMe", { kind: "hang" });
    return {};
  });
  await world.fake.until(() => world.fake.calls("getMe").length === 1);
  expect((await world.call("health")).ok).toBe(true);
  expect(await account(world)).toMatchObject({ connected: false });
  await world.gateway.world.jump(10_001);
  await expect.poll(async () => (await account(world))["state"]).toBe("backoff");
  expect(await account(world)).toMatchObject({ lastError: expect.stringContaining("did not answer getMe in time") });
  await world.gateway.world.jump(2_501);
  world.fake.chats.message(world.fake.bot, 42, { text: "there?" });
  await world.fake.until(() => texts(world, 42).length === 1);
});

test("an unnamed administrator is let in only where the group itself is listed as a sender", async () => {
  const world = await setUp({ telegram: { groups: { "-100": { requireMention: false } }, groupAllowFrom: ["1001"] } });
  const { fake } = world;
  fake.chats.add({ id: -100, title: "Club" });
  const unnamed = {
    from: { id: 1_087_968_824, is_bot: true, first_name: "Group", username: "GroupAnonymousBot" },
    sender_chat: { id: -100, type: "supergroup", title: "Club" },
  };
  fake.chats.message(fake.bot, -100, { text: "as the group", ...unnamed });
  fake.chats.message(fake.bot, -100, { text: "as myself" });
  await fake.until(() => texts(world, -100).length === 1);
  expect(world.provider.requests.length).toBe(1);
  expect(askedText(world.provider.requests[0])).toContain("as myself");
  await patchConfig(world, { channels: { telegram: { groupAllowFrom: ["1001", "-100"] } } });
  fake.chats.message(fake.bot, -100, { text: "as the group again", ...unnamed });
  await fake.until(() => texts(world, -100).length === 2);
  expect(askedText(world.provider.requests.at(-1))).toContain("as the group again");
});

test("a file beyond the platform's 20 MB is named as that, and what was written beside it is answered", async () => {
  const world = await setUp({ telegram: { mediaMaxMb: 100 } });
  const { fake } = world;
  const file = fake.chats.storeFile(Buffer.alloc(21 * 1024 * 1024), "film.mp4");
  const { file_size: _untold, ...document } = file;
  fake.chats.message(fake.bot, 42, { document: { ...document, mime_type: "video/mp4" }, caption: "have you seen it?" });
  await fake.until(() => texts(world, 42).length === 1);
  const asked = askedText(world.provider.requests[0]);
  expect(asked).toContain("have you seen it?");
  expect(asked).toMatch(/media unavailable: .*at most 20 MB/u);
});

test("a turn that takes its time holds up no poll: /stop gets through, and ends its own conversation only", async () => {
  const world = await setUp({ telegram: { groups: { "-200": { requireMention: false } }, groupAllowFrom: ["*"] } });
  const { fake } = world;
  const held = gate();
  world.script = async () => {
    await held.opened;
    return ["too late"];
  };
  fake.chats.add({ id: -200, title: "Forum", is_forum: true, topics: [7] });
  const topic = { message_thread_id: 7, is_topic_message: true };
  fake.chats.message(fake.bot, 42, { text: "think long" });
  fake.chats.message(fake.bot, -200, { text: "think long", ...topic });
  await expect.poll(() => world.provider.requests.length).toBe(2);
  fake.chats.message(fake.bot, 42, { text: "/stop" });
  await fake.until(() => texts(world, 42).length === 1);
  expect(texts(world, 42)[0]).toMatch(/aborted/iu);
  expect(texts(world, -200)).toEqual([]);
  held.open();
  await fake.until(() => texts(world, -200).length === 1);
  expect(texts(world, -200)).toEqual(["too late"]);
  expect(texts(world, 42)).toHaveLength(1);
  expect(fake.bot.ledger.every(({ delivered }) => delivered === 1)).toBe(true);
});
