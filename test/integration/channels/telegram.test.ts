/** The drills of channels.md §10 for Telegram, through the whole gateway. */
import { afterEach, expect, test } from "vitest";
import { askedText, type ChatOptions, type ChatWorld, openChatWorld } from "./set-up.ts";

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

test("a message from a phone becomes a turn, and its answer goes back", async () => {
  const world = await setUp();
  world.script = () => ["Hello ", "**Ann**"];
  world.fake.chats.message(world.fake.bot, 42, { text: "hi" });
  await world.fake.until(() => texts(world, 42).length === 1);
  expect(world.fake.chats.sent[0]).toMatchObject({ chatId: "42", text: "Hello Ann", source: "Hello <b>Ann</b>" });
  expect(askedText(world.provider.requests[0])).toMatch(/^\[Telegram User 42 .*\] hi$/mu);
  expect(world.fake.bot.ledger).toMatchObject([{ delivered: 1 }]);
});

test("a stranger gets one pairing code and nothing else; once approved the next message is answered", async () => {
  const world = await setUp();
  const { fake } = world;
  for (const text of ["hello", "anyone there?", "hello??"]) fake.chats.message(fake.bot, 7, { text });
  await fake.until(() => texts(world, 7).length > 0);
  const status = async () => (await world.call("channels.status")).payload as Record<string, never>;
  const [pairing = ""] = texts(world, 7);
  const code = /\b([A-Z2-9]{8})\b/u.exec(pairing)?.[1] ?? "";
  expect(pairing).toContain("openclaw pairing approve telegram");
  expect(pairing).toContain("7");
  const listed = await world.call("pairing.list", { channel: "telegram" });
  expect(listed.payload).toMatchObject({ requests: [{ channel: "telegram", id: "7", code }] });
  expect((await world.call("pairing.approve", { channel: "telegram", code: "AAAAAAAA" })).ok).toBe(false);
  const approved = await world.call("pairing.approve", { channel: "telegram", code: code.toLowerCase(), notify: true });
  expect(approved.payload).toMatchObject({ id: "7" });
  await fake.until(() => texts(world, 7).length === 2);
  fake.chats.message(fake.bot, 7, { text: "and now?" });
  await fake.until(() => texts(world, 7).length === 3);
  expect(texts(world, 7)[2]).toBe("ok");
  expect(world.provider.requests.length, "the first three reached no model").toBe(1);
  expect(await status()).toMatchObject({ channelAccounts: { telegram: [{ connected: true, receiving: true }] } });
});

test("a group is answered where it is mentioned, and what was said before is context", async () => {
  const world = await setUp({ telegram: { groups: { "-100": {} }, groupAllowFrom: ["1001"] } });
  const { fake } = world;
  fake.chats.add({ id: -100, title: "Club" });
  fake.chats.message(fake.bot, -100, { text: "shall we meet at nine?" });
  fake.chats.message(fake.bot, -100, { text: "or at ten?" });
  const mention = `@${String(fake.bot.me["username"])}`;
  fake.chats.message(fake.bot, -100, {
    text: `${mention} what do you think?`,
    entities: [{ type: "mention", offset: 0, length: mention.length }],
  });
  await fake.until(() => texts(world, -100).length === 1);
  expect(world.provider.requests.length).toBe(1);
  const asked = askedText(world.provider.requests[0]);
  expect(asked).toContain("shall we meet at nine?");
  expect(asked).toContain("what do you think?");
});

test("a long answer with a code fence arrives in order, each part well formed", async () => {
  const world = await setUp();
  const code = Array.from({ length: 400 }, (_, n) => `line ${n} of the program();`).join("\n");
  world.script = () => [`Here it is:\n\n\`\`\`ts\n${code}\n\`\`\`\n\nThat is all.`];
  world.fake.chats.message(world.fake.bot, 42, { text: "the program, please" });
  await world.fake.until(() => texts(world, 42).some((text) => text.includes("That is all.")), 15_000);
  const all = texts(world, 42);
  expect(all.length).toBeGreaterThan(2);
  const lines = [...all.join("\n").matchAll(/line (\d+) of/gu)].map(([, n]) => Number(n));
  expect(lines).toEqual(Array.from({ length: 400 }, (_, n) => n));
});

test("429 on the second part keeps the order, and nothing is sent twice", async () => {
  const world = await setUp();
  const { fake } = world;
  world.script = () => [`${"a".repeat(3_900)}\n\n${"b".repeat(3_900)}\n\n${"c".repeat(100)}`];
  fake.chats.message(fake.bot, 42, { text: "long, please" });
  await fake.until(() => texts(world, 42).length === 1);
  fake.fault("sendMessage", { kind: "error", code: 429, parameters: { retry_after: 1 } });
  await fake.until(() => texts(world, 42).length === 3, 15_000);
  expect(texts(world, 42).map((text) => text[0])).toEqual(["a", "b", "c"]);
});

test("an album of four is one message with four files", async () => {
  const world = await setUp();
  const { fake } = world;
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  );
  for (let n = 1; n <= 4; n++) {
    const file = fake.chats.storeFile(png, `${n}.png`);
    fake.chats.message(fake.bot, 42, {
      photo: [{ ...file, width: 1, height: 1 }],
      media_group_id: "album",
      ...(n === 2 ? { caption: "our holiday" } : {}),
    });
  }
  await fake.until(() => texts(world, 42).length === 1);
  expect(world.provider.requests.length).toBe(1);
  const asked = askedText(world.provider.requests[0]);
  expect(asked).toContain("our holiday");
  expect(asked.match(/media attached/gu)?.length).toBe(4);
});

test("topics of a forum are conversations of their own; the general one is sent to without a thread", async () => {
  const world = await setUp({ telegram: { groups: { "-200": { requireMention: false } }, groupAllowFrom: ["*"] } });
  const { fake } = world;
  fake.chats.add({ id: -200, title: "Forum", is_forum: true, topics: [7] });
  fake.chats.message(fake.bot, -200, { text: "in general" });
  fake.chats.message(fake.bot, -200, { text: "in seven", message_thread_id: 7, is_topic_message: true });
  await fake.until(() => texts(world, -200).length === 2, 10_000);
  const threads = fake.chats.sent.map(({ threadId }) => threadId);
  expect(threads).toHaveLength(2);
  expect(threads).toEqual(expect.arrayContaining([7, undefined]));
  const keys = ((await world.call("sessions.list")).payload as { sessions: { key: string }[] }).sessions.map(
    ({ key }) => key,
  );
  expect(keys).toEqual(
    expect.arrayContaining(["agent:main:telegram:group:-200:topic:7", "agent:main:telegram:group:-200:topic:1"]),
  );
});

test("a token that is revoked while running ends in a clear terminal state", async () => {
  const world = await setUp();
  await world.fake.until(() => world.fake.bot.polling);
  world.fake.fault("getUpdates", { kind: "error", code: 401, description: "Unauthorized" });
  world.fake.fault("getMe", { kind: "error", code: 401, description: "Unauthorized" });
  world.fake.chats.message(world.fake.bot, 42, { text: "wake the poll" });
  await expect
    .poll(async () => ((await world.call("channels.status")).payload as never)["channelAccounts"]["telegram"][0])
    .toMatchObject({ state: "terminal", connected: false });
  const health = (await world.call("health", { probe: true })).payload as {
    problems: { part: string; message: string }[];
  };
  expect(health.problems).toContainEqual({ part: "telegram", message: expect.stringMatching(/token/iu) });
  const refused = await world.call("send", { to: "42", message: "hi", channel: "telegram", idempotencyKey: "k" });
  expect(refused.error).toMatchObject({ code: "UNAVAILABLE", message: expect.stringMatching(/token/iu) });
});

test("a webhook left over from earlier does not keep the bot from polling", async () => {
  const world = await setUp();
  await world.fake.until(() => world.fake.bot.polling);
  expect(world.fake.calls("deleteWebhook")[0]?.params).toMatchObject({ drop_pending_updates: false });
});

test("two sends with one key deliver once and answer the same, also after a restart", async () => {
  const world = await setUp();
  await world.fake.until(() => world.fake.bot.polling);
  world.fake.chats.add({ id: 42 });
  const params = { to: "telegram:42", message: "reminder", channel: "telegram", idempotencyKey: "same" };
  const [one, two] = await Promise.all([world.call("send", params), world.call("send", params)]);
  expect(one.payload).toMatchObject({ channel: "telegram", chatId: "42", messageId: expect.stringMatching(/^\d+$/u) });
  expect(two.payload).toEqual(one.payload);
  await world.again();
  expect((await world.call("send", params)).payload).toEqual(one.payload);
  expect(texts(world, 42)).toEqual(["reminder"]);
  const other = await world.call("send", { ...params, message: "another" });
  expect(other.error).toMatchObject({ code: "INVALID_REQUEST", message: expect.stringContaining("idempotencyKey") });
});

test("messages that wait on the platform while the gateway is away are answered once when it is back", async () => {
  const world = await setUp();
  const { fake } = world;
  fake.chats.message(fake.bot, 42, { text: "one" });
  await fake.until(() => texts(world, 42).length === 1);
  await world.gateway.stop();
  fake.chats.message(fake.bot, 42, { text: "two" });
  await world.again();
  await fake.until(() => texts(world, 42).length === 2);
  expect(world.provider.requests.length).toBe(2);
  expect(fake.bot.ledger.every(({ confirmed }) => confirmed)).toBe(true);
});

test("deliver sends the answer of an operator's turn to the chat", async () => {
  const world = await setUp();
  await world.fake.until(() => world.fake.bot.polling);
  world.fake.chats.add({ id: 42 });
  world.script = () => ["the daily report"];
  const wire = await world.gateway.connect();
  const params = {
    message: "report!",
    channel: "telegram",
    replyTo: "42",
    deliver: true,
    idempotencyKey: "d1",
    sessionKey: "main",
  };
  await wire.request("agent", params);
  await world.fake.until(() => texts(world, 42).length === 1);
  expect(texts(world, 42)).toEqual(["the daily report"]);
  await wire.close();
});

test("an edit of the telegram section restarts the bot and nothing else", async () => {
  const world = await setUp();
  await world.fake.until(() => world.fake.bot.polling);
  const before = world.gateway.log.filter((line) => line.includes("telegram") && line.includes("connected")).length;
  const got = (await world.call("config.get")).payload as { hash: string };
  const patched = await world.call("config.patch", {
    raw: JSON.stringify({ channels: { telegram: { replyToMode: "all" } } }),
    baseHash: got.hash,
  });
  expect(patched.ok).toBe(true);
  await expect
    .poll(() => world.gateway.log.filter((line) => line.includes("telegram") && line.includes("connected")).length)
    .toBeGreaterThanOrEqual(before);
  world.fake.chats.message(world.fake.bot, 42, { text: "still there?" });
  await world.fake.until(() => texts(world, 42).length === 1);
});
