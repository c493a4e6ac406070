/** What the config of Telegram does to a running gateway: the menu, the switches, edits while it runs, a group with a new id. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { gate } from "../../support/agent-gateway.ts";
import { askedText, type ChatOptions, type ChatWorld, openChatWorld, patchConfig } from "./set-up.ts";

const open: ChatWorld[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

async function setUp(options: ChatOptions = {}): Promise<ChatWorld> {
  const world = await openChatWorld(options);
  open.push(world);
  return world;
}

const texts = ({ fake }: ChatWorld, chatId: number) =>
  fake.chats.sent.filter((message) => message.chatId === String(chatId)).map(({ text }) => text);
const menu = ({ fake }: ChatWorld) => fake.bot.commands.map(({ command }) => command);

const keysOf = async (world: ChatWorld) =>
  ((await world.call("sessions.list")).payload as { sessions: { key: string }[] }).sessions.map(({ key }) => key);
const configOf = ({ home }: ChatWorld) => JSON.parse(readFileSync(join(home.state, "openclaw.json"), "utf8"));

test("the menu offers what can be typed, the agent's skills and the config's own entries", async () => {
  const world = await setUp({ telegram: { customCommands: [{ command: "deploy", description: "Ship it" }] } });
  await world.fake.until(() => world.fake.bot.commands.length > 0);
  expect(menu(world)).toEqual(expect.arrayContaining(["help", "status", "new", "stop", "model", "deploy"]));
  expect(menu(world), "switched off by default").not.toEqual(expect.arrayContaining(["restart"]));
  expect(world.fake.bot.commands).toContainEqual({ command: "new", description: "Begin a new session." });
  const skill = join(world.home.state, "workspace", "skills", "tide-tables");
  mkdirSync(skill, { recursive: true });
  writeFileSync(
    join(skill, "SKILL.md"),
    "---\nname: tide-tables\ndescription: When the water comes.\n---\nLook it up.\n",
  );
  await world.again();
  await world.fake.until(() => menu(world).includes("tide_tables"));
  world.fake.chats.message(world.fake.bot, 42, { text: "/status" });
  await world.fake.until(() => texts(world, 42).length === 1);
  expect(world.provider.requests.length, "answered without a model").toBe(0);
});

test("a menu that is switched off is cleared", async () => {
  const world = await setUp();
  await world.fake.until(() => world.fake.bot.commands.length > 0);
  await patchConfig(world, { channels: { telegram: { commands: { native: false, nativeSkills: false } } } });
  await world.fake.until(() => world.fake.bot.commands.length === 0);
});

test("a menu that the platform refuses is logged, and the bot works", async () => {
  const world = await setUp();
  await world.fake.until(() => world.fake.bot.commands.length > 0);
  world.fake.fault("setMyCommands", { kind: "error", code: 400, description: "Bad Request" });
  await world.again();
  await expect.poll(() => world.gateway.log.join("\n")).toContain("the command menu was not registered");
  world.fake.chats.message(world.fake.bot, 42, { text: "hi" });
  await world.fake.until(() => texts(world, 42).length === 1);
});

test("switches under actions hold for agents and for calls; an operator's own send is not held to them", async () => {
  const actions = { reactions: false, sendMessage: false, deleteMessage: false, editMessage: false };
  const world = await setUp({ telegram: { actions } });
  await world.fake.until(() => world.fake.bot.polling);
  world.fake.chats.add({ id: 42 });
  const act = (action: string) =>
    world.call("message.action", { channel: "telegram", to: "42", messageId: "1", action, emoji: "👍", message: "x" });
  for (const [action, key] of [
    ["react", "reactions"],
    ["edit", "editMessage"],
    ["delete", "deleteMessage"],
  ] as const)
    expect((await act(action)).error).toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringContaining(`channels.telegram.actions.${key}`),
    });
  world.script = ({ body }) => {
    const { messages } = body as { messages: { role: string }[] };
    return messages.at(-1)?.role === "tool"
      ? ["done"]
      : [{ toolCall: { name: "message", arguments: { action: "send", message: "psst" } } }];
  };
  world.fake.chats.message(world.fake.bot, 42, { text: "write to me" });
  await world.fake.until(() => texts(world, 42).length === 1);
  expect(texts(world, 42), "the answer itself is no action").toEqual(["done"]);
  expect(JSON.stringify(world.provider.requests.at(-1)?.body)).toContain("channels.telegram.actions.sendMessage");
  const own = { to: "42", message: "by hand", channel: "telegram", idempotencyKey: "own" };
  expect((await world.call("send", own)).error).toBeUndefined();
});

test("who may write changes while it runs, and nothing starts again", async () => {
  const world = await setUp();
  const { fake } = world;
  await fake.until(() => fake.bot.polling);
  await patchConfig(world, {
    channels: { telegram: { dmPolicy: "allowlist", allowFrom: [7], actions: { reactions: false } } },
  });
  fake.chats.message(fake.bot, 42, { text: "am I still in?" });
  fake.chats.message(fake.bot, 7, { text: "and I?" });
  await fake.until(() => texts(world, 7).length === 1);
  expect(texts(world, 42)).toEqual([]);
  expect(fake.calls("getMe").length).toBe(1);
});

test("an edit that is not valid changes nothing: the bot answers as before", async () => {
  const world = await setUp();
  const { fake, home } = world;
  await fake.until(() => fake.bot.polling);
  const broken = { ...configOf(world), channels: { telegram: { dmPolicy: "whoever" } } };
  writeFileSync(join(home.state, "openclaw.json"), JSON.stringify(broken));
  await expect.poll(async () => JSON.stringify((await world.call("health")).payload)).toContain("dmPolicy");
  fake.chats.message(fake.bot, 42, { text: "still there?" });
  await fake.until(() => texts(world, 42).length === 1);
  expect(fake.calls("getMe").length).toBe(1);
});

test("a group that becomes a supergroup keeps its settings and its conversation", async () => {
  const groups = { "-100": { requireMention: false, systemPrompt: "Be brief." } };
  const bindings = [{ agentId: "main", match: { channel: "telegram", peer: { kind: "group", id: "-100" } } }];
  const world = await setUp({ telegram: { groups, groupAllowFrom: ["*"] }, config: { bindings } });
  const { fake } = world;
  fake.chats.add({ id: -100, title: "Club" });
  fake.chats.message(fake.bot, -100, { text: "the word is heron" });
  await fake.until(() => texts(world, -100).length === 1);
  fake.chats.message(fake.bot, -100, { migrate_to_chat_id: -100200 });
  await expect.poll(() => Object.keys(configOf(world).channels.telegram.groups)).toEqual(["-100200"]);
  expect(configOf(world)).toMatchObject({
    channels: { telegram: { groups: { "-100200": groups["-100"] } } },
    bindings: [{ match: { peer: { id: "-100200" } } }],
  });
  await expect.poll(() => keysOf(world), { timeout: 5_000 }).toEqual(["agent:main:telegram:group:-100200"]);
  fake.chats.add({ id: -100200, title: "Club" });
  fake.chats.message(fake.bot, -100200, { text: "what was the word?" });
  await fake.until(() => texts(world, -100200).length === 1);
  expect(world.provider.requests.at(-1)?.raw).toContain("the word is heron");
  expect(askedText(world.provider.requests.at(-1))).toContain("what was the word?");
  expect(fake.calls("getMe").length, "the connection stays").toBe(1);
});

test("a group that moves while a turn runs: what is written there meanwhile joins the same conversation", async () => {
  const groups = { "-100": { requireMention: false } };
  const world = await setUp({ telegram: { groups, groupAllowFrom: ["*"] } });
  const { fake } = world;
  const held = gate();
  world.script = async () => {
    await held.opened;
    return ["ok"];
  };
  fake.chats.add({ id: -100, title: "Club" });
  fake.chats.add({ id: -100200, title: "Club" });
  fake.chats.message(fake.bot, -100, { text: "the word is heron" });
  await expect.poll(() => world.provider.requests.length).toBe(1);
  fake.chats.message(fake.bot, -100, { migrate_to_chat_id: -100200 });
  fake.chats.message(fake.bot, -100200, { text: "what was the word?" });
  await fake.until(() => fake.bot.ledger.every(({ confirmed }) => confirmed));
  held.open();
  await fake.until(() => texts(world, -100200).length === 1);
  expect(world.provider.requests.at(-1)?.raw).toContain("the word is heron");
  await expect.poll(() => keysOf(world), { timeout: 5_000 }).toEqual(["agent:main:telegram:group:-100200"]);
});

test("without configWrites a moved group is only named in the log; its conversation moves all the same", async () => {
  const world = await setUp({
    telegram: { configWrites: false, groups: { "-100": { requireMention: false } }, groupAllowFrom: ["*"] },
  });
  const { fake } = world;
  fake.chats.add({ id: -100, title: "Club" });
  fake.chats.message(fake.bot, -100, { text: "hello" });
  await fake.until(() => texts(world, -100).length === 1);
  fake.chats.message(fake.bot, -100, { migrate_to_chat_id: -100200 });
  await expect.poll(() => world.gateway.log.join("\n")).toContain("rename its entry in channels.telegram.groups");
  expect(Object.keys(configOf(world).channels.telegram.groups)).toEqual(["-100"]);
});
