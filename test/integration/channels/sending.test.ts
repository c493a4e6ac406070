/** What operators send through channels, and what they hear of it (channels.md §4.1, §4.2; protocol.md §13.2). */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { startFakeTelegram } from "../../fakes/telegram/index.ts";
import { makeHome, runCli, startGateway } from "../../support/process.ts";
import { type ChatOptions, type ChatWorld, openChatWorld, patchConfig } from "./set-up.ts";
import { ann, openWhatsAppWorld, sent, untilSent, untilState, type WhatsAppOptions } from "./whatsapp-set-up.ts";

const close: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const one of close.splice(0).toReversed()) await one();
});

async function setUp(options: ChatOptions = {}): Promise<ChatWorld> {
  const world = await openChatWorld(options);
  close.push(() => world.stop());
  await world.fake.until(() => world.fake.bot.polling);
  world.fake.chats.add({ id: 42 });
  return world;
}

async function linked(options: WhatsAppOptions = {}) {
  const world = await openWhatsAppWorld(options);
  close.push(() => world.stop());
  await world.link();
  await untilState(world, "open");
  return world;
}

const historyOf = async (world: Pick<ChatWorld, "call">, sessionKey: string) =>
  JSON.stringify((await world.call("chat.history", { sessionKey })).payload);

test("files, topic, quoted message and silence reach the platform; the answer names the last message", async () => {
  const world = await setUp();
  const { fake, home } = world;
  fake.chats.add({ id: -200, title: "Forum", is_forum: true, topics: [7] });
  const first = await world.call("send", { to: "-200:7", message: "question", idempotencyKey: "k0" });
  for (const name of ["a.txt", "b.txt"]) writeFileSync(join(home.path, name), name);
  const answer = await world.call("send", {
    to: "-200",
    threadId: "7",
    message: "two files",
    mediaUrl: join(home.path, "a.txt"),
    mediaUrls: [join(home.path, "b.txt")],
    replyTo: first.payload?.["messageId"],
    silent: true,
    idempotencyKey: "k1",
  });
  const [question, one, two] = fake.chats.sent;
  expect(question).toMatchObject({ threadId: 7, text: "question" });
  expect(one).toMatchObject({ method: "sendDocument", threadId: 7, text: "two files", replyTo: question?.messageId });
  expect(one?.params["disable_notification"]).toBeTruthy();
  expect(two).toMatchObject({ method: "sendDocument", threadId: 7, text: "" });
  expect(answer.payload).toMatchObject({
    runId: "k1",
    channel: "telegram",
    chatId: "-200",
    messageId: String(two?.messageId),
  });
});

test("what was sent stands in the session of the chat, or in the one that was named", async () => {
  const world = await setUp({ config: { session: { dmScope: "per-channel-peer" } } });
  await world.call("send", { to: "42", message: "see you at nine", idempotencyKey: "k1" });
  expect(await historyOf(world, "agent:main:telegram:dm:42")).toContain("see you at nine");
  await world.call("send", { to: "42", message: "or at ten", sessionKey: "main", idempotencyKey: "k2" });
  expect(await historyOf(world, "main")).toContain("or at ten");
  expect(await historyOf(world, "agent:main:telegram:dm:42")).not.toContain("or at ten");
});

test("a send without a key, to a channel nobody knows or to no destination is refused, and nothing leaves", async () => {
  const world = await setUp();
  for (const params of [
    { to: "42", message: "hi" },
    { to: "42", message: "hi", channel: "icq", idempotencyKey: "k" },
    { to: "ann", message: "hi", idempotencyKey: "k" },
    { to: "42", message: "  ", idempotencyKey: "k" },
    { to: "42", message: "hi", accountId: "work", idempotencyKey: "k" },
  ])
    expect((await world.call("send", params)).error, JSON.stringify(params)).toMatchObject({ code: "INVALID_REQUEST" });
  expect(world.fake.calls("sendMessage")).toEqual([]);
});

test("while the connection is away a send waits five seconds, then fails and may be tried again", async () => {
  const world = await linked();
  await world.fake.faults.cutNetwork(true);
  await untilState(world, "backoff");
  const params = { to: ann, message: "are you there?", channel: "whatsapp", idempotencyKey: "k" };
  const failing = world.call("send", params);
  const { world: clock } = world.gateway;
  const began = clock.monotonic();
  const ended = failing.then(() => true);
  while (!(await Promise.race([ended, clock.jump(500).then(() => false)])));
  expect((await failing).error).toMatchObject({ code: "UNAVAILABLE", retryable: true });
  expect(clock.monotonic() - began).toBeGreaterThanOrEqual(5_000);
  await world.fake.faults.cutNetwork(false);
  await clock.jump(40_000);
  await untilState(world, "open");
  expect((await world.call("send", params)).payload).toMatchObject({ channel: "whatsapp", runId: "k" });
  await untilSent(world, 1, "the message");
  expect((await sent(world)).map(({ text, times }) => [text, times])).toEqual([["are you there?", 1]]);
});

test("stopped while a send by WhatsApp is on its way: the caller hears of it, the key answers the same, and it arrived once", async () => {
  const world = await linked();
  await world.fake.faults.slowAcks(500);
  const params = { to: ann, message: "on its way", channel: "whatsapp", idempotencyKey: "k" };
  const sending = world.call("send", params);
  await untilSent(world, 1, "the message");
  await world.again();
  const first = await sending;
  await untilState(world, "open");
  const again = await world.call("send", params);
  expect(again.payload).toMatchObject({ channel: "whatsapp", messageId: expect.stringMatching(/^[A-F0-9]{12,}$/u) });
  if (first.ok) expect(again.payload).toEqual(first.payload);
  else expect(first.error).toMatchObject({ code: "UNAVAILABLE" });
  expect((await sent(world)).map(({ text }) => text)).toEqual(["on its way"]);
});

test("a destination an operator names is trusted, whoever may write", async () => {
  const world = await linked();
  const bob = await world.fake.phone.addContact({ pn: "+15550003000", name: "Bob" });
  const answer = await world.call("send", { to: bob.number, message: "hi Bob", idempotencyKey: "k" });
  expect(answer.error).toBeUndefined();
  await untilSent(world, 1, "the message");
  expect(await sent(world)).toMatchObject([{ text: "hi Bob", times: 1 }]);
  await world.fake.phone.sendText("Bob", "hi yourself");
  await untilSent(world, 2, "the pairing text");
  expect((await sent(world))[1]?.text, "to write is another matter").toContain("pairing approve");
});

test("a message that was taken gets its reaction and its answer", async () => {
  const world = await linked({ whatsapp: { allowFrom: [ann], ackReaction: { emoji: "👀" } } });
  const id = await world.fake.phone.sendText(ann, "hello");
  await world.fake.until(({ outbound }) => outbound.length === 2, "both");
  const { outbound } = await world.fake.ledger();
  expect(outbound.find(({ reaction }) => reaction)).toMatchObject({ reaction: { emoji: "👀", id } });
  expect(outbound.find(({ text }) => text !== undefined)).toMatchObject({ text: "Hello *Ann*" });
});

test("what nobody named goes to somebody who is let in: a beat for a person who is not any more reaches the first who is", async () => {
  const world = await setUp({ config: { agents: { list: [{ id: "main", heartbeat: { every: "2m" } }] } } });
  const { fake } = world;
  fake.chats.add({ id: 7 });
  fake.chats.message(fake.bot, 42, { text: "hi" });
  await fake.until(() => fake.chats.sent.length === 1);
  world.script = () => ["The oven is still on."];
  await patchConfig(world, { channels: { telegram: { allowFrom: [7] } } });
  await world.gateway.world.jump(125_000);
  await fake.until(() => fake.chats.sent.length === 2);
  expect(fake.chats.sent[1]).toMatchObject({ chatId: "7", text: "The oven is still on." });
  const report = { message: "report!", sessionKey: "main", deliver: true, idempotencyKey: "d" };
  expect((await world.call("agent", report)).ok).toBe(true);
  await fake.until(() => fake.chats.sent.length === 3);
  expect(fake.chats.sent[2]?.chatId).toBe("7");
});

test("a beat for a channel that cannot send is left out and says why", async () => {
  const heartbeat = { every: "2m", target: "whatsapp", to: ann };
  const world = await openWhatsAppWorld({
    config: {
      agents: {
        defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } },
        list: [{ id: "main", heartbeat }],
      },
    },
  });
  close.push(() => world.stop());
  await untilState(world, "terminal");
  await world.gateway.world.jump(125_000);
  await expect
    .poll(async () => (await world.call("last-heartbeat")).payload)
    .toMatchObject({ status: "skipped", reason: "not-linked" });
  expect(world.provider.requests, "no model was asked for nobody").toEqual([]);
});

test("the command line passes account, topic and quoted message on, and lists pairing requests as JSON", async () => {
  const fake = await startFakeTelegram();
  close.push(() => fake.close());
  const other = fake.addBot({ token: "200:other-token-BBBBBBBBBBBBBBBBBBBB", id: 200, username: "other_bot" });
  const accounts = { default: { botToken: fake.bot.token }, work: { botToken: other.token } };
  const home = makeHome({ channels: { telegram: { apiRoot: fake.url, allowFrom: [42], accounts } } });
  close.push(() => home.remove());
  const gateway = await startGateway(home);
  close.push(() => gateway.stop());
  home.env["OPENCLAW_GATEWAY_PORT"] = String(gateway.port);
  await fake.until(() => fake.bot.polling && other.polling);
  fake.chats.add({ id: -200, title: "Forum", is_forum: true, topics: [7] });
  const { messageId } = fake.chats.message(other, -200, { text: "?", message_thread_id: 7, is_topic_message: true });
  const send = ["message", "send", "--channel", "telegram", "--account", "work", "--target", "-200", "--message", "hi"];
  const ran = await runCli(home, [...send, "--thread-id", "7", "--reply-to", String(messageId), "--json"]);
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(fake.chats.sent).toMatchObject([{ text: "hi", threadId: 7, replyTo: messageId }]);
  expect(fake.calls("sendMessage").map(({ token }) => token)).toEqual([other.token]);

  fake.chats.message(other, 7, { text: "hello" });
  await fake.until(() => fake.chats.sent.length === 2);
  const listed = await runCli(home, ["pairing", "list", "telegram", "--json"]);
  const { requests } = JSON.parse(listed.stdout) as { requests: { code: string }[] };
  expect(requests).toMatchObject([{ channel: "telegram", accountId: "work", id: "7" }]);
  const code = requests[0]?.code ?? "";
  const elsewhere = await runCli(home, ["pairing", "approve", "telegram", code, "--account", "default"]);
  expect(elsewhere.code).toBe(1);
  const approved = await runCli(home, ["pairing", "approve", "telegram", code, "--account", "work", "--notify"]);
  expect(approved, approved.stderr).toMatchObject({ code: 0 });
  await fake.until(() => fake.chats.sent.length === 3);
  expect(fake.chats.sent[2]).toMatchObject({ chatId: "7", text: expect.stringContaining("approved") });
});
