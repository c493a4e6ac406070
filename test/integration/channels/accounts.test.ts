/** Accounts of both channels as operators and clients see them (channels.md §1.2, §1.3, §10). */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type FakeTelegram, startFakeTelegram } from "../../fakes/telegram/index.ts";
import { openGateway } from "../../support/gateway.ts";
import { askedText, type ChatOptions, type ChatWorld, openChatWorld, patchConfig } from "./set-up.ts";
import { ann, openWhatsAppWorld, untilSent, untilState } from "./whatsapp-set-up.ts";

const close: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of close.splice(0).toReversed()) await one();
});

async function setUp(options: ChatOptions = {}, beside?: (fake: FakeTelegram) => Promise<Record<string, unknown>>) {
  const world = await openChatWorld(options, beside);
  close.push(() => world.stop());
  return world;
}

const texts = ({ fake }: ChatWorld) => fake.chats.sent.map(({ text }) => text);

test("the gateway serves while a channel still tries to begin, and the channel follows when it can", async () => {
  const world = await setUp({}, async (fake) => {
    fake.fault("getMe", { kind: "hang" });
    return {};
  });
  const at = performance.now();
  const health = await world.call("health");
  expect(health.payload).toMatchObject({ channels: { telegram: { running: true, connected: false } } });
  expect(performance.now() - at, "the channel takes 65 s to give up").toBeLessThan(10_000);
  await world.fake.until(() => world.fake.calls("getMe").length === 1);
  await world.gateway.world.jump(65_001);
  world.fake.chats.message(world.fake.bot, 42, { text: "at last" });
  await world.fake.until(() => texts(world).length === 1);
});

test("with OPENCLAW_SKIP_CHANNELS=1 nothing is dialed, and the gateway runs", async () => {
  const world = await setUp();
  await world.fake.until(() => world.fake.bot.polling);
  await world.gateway.stop();
  const before = world.fake.requests.length;
  const gateway = await openGateway({ home: world.home, env: { OPENCLAW_SKIP_CHANNELS: "1" } });
  close.push(() => gateway.stop());
  const wire = await gateway.connect();
  expect((await wire.request("health")).ok).toBe(true);
  await wire.close();
  expect(world.fake.requests.length).toBe(before);
});

test("the state of both channels is told in full, without a secret", async () => {
  const telegram = await startFakeTelegram();
  close.push(() => telegram.close());
  const account = { botToken: telegram.bot.token, apiRoot: telegram.url, allowFrom: [42], name: "The bot" };
  const world = await openWhatsAppWorld({ channels: { telegram: account } });
  close.push(() => world.stop());
  await world.link();
  await untilState(world, "open");
  await telegram.until(() => telegram.bot.polling);
  telegram.chats.message(telegram.bot, 42, { text: "hi" });
  await world.fake.phone.sendText(ann, "hi");
  await telegram.until(() => telegram.chats.sent.length === 1);
  await untilSent(world, 1, "the reply");
  await world.fake.faults.cutNetwork(true);
  await untilState(world, "backoff");
  const { payload } = await world.call("channels.status", { probe: true, timeoutMs: 2_000 });
  const number = expect.any(Number);
  expect(payload).toMatchObject({
    ts: number,
    channelOrder: ["whatsapp", "telegram"],
    channelLabels: { whatsapp: "WhatsApp", telegram: "Telegram" },
    channels: { whatsapp: { connected: false }, telegram: { state: "open" } },
    channelDefaultAccountId: { whatsapp: "default", telegram: "default" },
  });
  const accounts = payload?.["channelAccounts"] as Record<string, Record<string, unknown>[]>;
  expect(accounts["telegram"]).toEqual([
    expect.objectContaining({
      accountId: "default",
      name: "The bot",
      enabled: true,
      configured: true,
      linked: true,
      running: true,
      connected: true,
      receiving: true,
      reconnectAttempts: 0,
      lastConnectedAt: number,
      lastMessageAt: number,
      lastEventAt: number,
      lastInboundAt: number,
      lastOutboundAt: number,
      lastError: null,
      lastStartAt: number,
      mode: "polling",
      dmPolicy: "pairing",
      allowFrom: ["42"],
      tokenSource: "config",
      self: expect.objectContaining({ username: telegram.bot.me["username"] }),
      probe: expect.objectContaining({ ok: true, elapsedMs: number }),
      lastProbeAt: number,
      inbound: expect.objectContaining({ received: 1, handled: 1, pending: 0 }),
      outbox: { queued: 0, unknown: 0 },
    }),
  ]);
  expect(accounts["whatsapp"]).toEqual([
    expect.objectContaining({
      linked: true,
      running: true,
      connected: false,
      state: expect.stringMatching(/^(?:backoff|connecting)$/u),
      reconnectAttempts: number,
      lastDisconnect: { at: number, status: number, error: expect.any(String), loggedOut: false },
      lastError: expect.any(String),
      authAgeMs: number,
      self: expect.objectContaining({ e164: "+15550001000", jid: "15550001000@s.whatsapp.net" }),
      probe: expect.objectContaining({ ok: false, error: expect.any(String) }),
    }),
  ]);
  expect(JSON.stringify(payload)).not.toContain(telegram.bot.token);
});

test("a bot that hears only what is addressed to it, where it is to answer everything, is an issue of the account", async () => {
  const telegram = { groups: { "-100": { requireMention: false } }, groupAllowFrom: ["*"] };
  const world = await setUp({ telegram }, async (fake) => {
    const token = "200:other-token-BBBBBBBBBBBBBBBBBBBB";
    return { botToken: fake.addBot({ token, id: 200, canReadAllGroupMessages: false }).token };
  });
  const issues = async () =>
    ((await world.call("channels.status")).payload as never)["channelAccounts"]["telegram"][0]["issues"];
  await expect.poll(issues).toMatchObject([{ kind: "intent", fix: expect.stringContaining("/setprivacy") }]);
  await patchConfig(world, { channels: { telegram: { groups: { "-100": { requireMention: true } } } } });
  expect(await issues()).toEqual([]);
});

test("an account that goes and comes back is told to clients as it happens, and health says so", async () => {
  const world = await setUp();
  await world.fake.until(() => world.fake.bot.polling);
  const wire = await world.gateway.connect();
  const telegram = (payload: Record<string, unknown> | undefined) =>
    (payload as { channels?: { telegram?: { state?: string } } } | undefined)?.channels?.telegram?.state;
  const from = wire.frames.length;
  world.fake.fault("getUpdates", { kind: "reset", when: "before" });
  world.fake.chats.message(world.fake.bot, 42, { text: "wakes the poll" });
  await wire.event("health", (payload) => telegram(payload) === "backoff", from);
  const later = wire.frames.length;
  await world.gateway.world.jump(5_000);
  await wire.event("health", (payload) => telegram(payload) === "open", later);
  expect(telegram((await wire.request("health")).payload)).toBe("open");
  await wire.close();
});

test("rules, routes and prompts are read with each message: an edit counts for the next one, and nothing starts again", async () => {
  const world = await setUp({ telegram: { groups: { "-100": { requireMention: false } }, groupAllowFrom: ["*"] } });
  const { fake } = world;
  fake.chats.add({ id: -100, title: "Club" });
  await fake.until(() => fake.bot.polling);
  fake.chats.message(fake.bot, -100, { text: "one" });
  await fake.until(() => texts(world).length === 1);
  const keys = async () =>
    ((await world.call("sessions.list")).payload as { sessions: { key: string }[] }).sessions.map(({ key }) => key);
  expect(await keys()).toEqual(["agent:main:telegram:group:-100"]);
  await patchConfig(world, {
    agents: { list: [{ id: "main", default: true }, { id: "work" }] },
    bindings: [{ agentId: "work", match: { channel: "telegram", peer: { kind: "group", id: "-100" } } }],
    channels: { telegram: { groups: { "-100": { systemPrompt: "Speak Latin." } } } },
  });
  fake.chats.message(fake.bot, -100, { text: "two" });
  await fake.until(() => texts(world).length === 2);
  expect(await keys()).toEqual(expect.arrayContaining(["agent:work:telegram:group:-100"]));
  expect(askedText(world.provider.requests.at(-1))).toContain("two");
  expect(world.provider.requests.at(-1)?.raw).toContain("Speak Latin.");
  expect(fake.calls("getMe").length, "the connection stays").toBe(1);
});

test("a group has the skills its settings name, and no others", async () => {
  const world = await setUp({
    telegram: { groups: { "-100": { requireMention: false, skills: ["tides"] } }, groupAllowFrom: ["*"] },
  });
  const { fake, home } = world;
  for (const name of ["tides", "trains"]) {
    const folder = join(home.state, "workspace", "skills", name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, "SKILL.md"),
      `---\nname: ${name}\ndescription: When the ${name} come.\n---\nLook it up.\n`,
    );
  }
  await world.again();
  fake.chats.add({ id: -100, title: "Club" });
  await fake.until(() => fake.bot.polling);
  fake.chats.message(fake.bot, -100, { text: "when?" });
  await fake.until(() => texts(world).length === 1);
  const asked = world.provider.requests.at(-1)?.raw;
  expect(asked).toContain("When the tides come.");
  expect(asked).not.toContain("When the trains come.");
});

test("an error that escapes from WhatsApp's library makes its connection anew, once a minute at most, and touches nobody else", async () => {
  const telegram = await startFakeTelegram();
  close.push(() => telegram.close());
  const account = { botToken: telegram.bot.token, apiRoot: telegram.url, allowFrom: [42] };
  const world = await openWhatsAppWorld({ channels: { telegram: account } });
  close.push(() => world.stop());
  await world.link();
  await untilState(world, "open");
  await telegram.until(() => telegram.bot.polling);
  const { host } = world.gateway;
  const connections = async () => (await world.fake.ledger()).connections.length;
  const before = await connections();
  for (let n = 0; n < 3; n++) expect(host.escaped(new Error("Bad MAC"))).toBe(true);
  await world.fake.until(({ connections: all }) => all.length === before + 1, "a new connection");
  await untilState(world, "open");
  await world.fake.phone.sendText(ann, "hello");
  await untilSent(world, 1, "the reply");
  expect(await connections()).toBe(before + 1);
  expect(telegram.calls("getMe").length).toBe(1);
  expect(host.escaped(new TypeError("a bug"))).toBe(false);
});

test("whoever guesses pairing codes over RPC is slowed down", async () => {
  const world = await setUp();
  const { fake } = world;
  fake.chats.message(fake.bot, 7, { text: "hello" });
  await fake.until(() => texts(world).length === 1);
  const code = /\b([A-Z2-9]{8})\b/u.exec(texts(world)[0] ?? "")?.[1] ?? "";
  const wire = await world.gateway.connect();
  const guess = async (given: string) =>
    (await wire.request("pairing.approve", { channel: "telegram", code: given })).error;
  for (let n = 0; n < 10; n++) expect(await guess("AAAAAAAA")).toMatchObject({ code: "INVALID_REQUEST" });
  expect(await guess(code), "also the right one").toMatchObject({
    code: "UNAVAILABLE",
    retryAfterMs: expect.any(Number),
  });
  await world.gateway.world.jump(60_001);
  expect(await guess(code)).toBeUndefined();
  await wire.close();
});

test("a stop is announced first: clients hear of it before the answer of a send that is on its way", async () => {
  const world = await setUp();
  const { fake, gateway } = world;
  fake.chats.add({ id: 42 });
  await fake.until(() => fake.bot.polling);
  fake.fault("sendMessage", { kind: "slow", ms: 300 });
  const wire = await gateway.connect();
  void wire
    .request("send", { to: "42", message: "on its way", channel: "telegram", idempotencyKey: "k" })
    .catch(() => undefined);
  await fake.until(() => fake.calls("sendMessage").length === 1);
  const before = wire.frames.length;
  await gateway.stop();
  await wire.closed;
  const after = wire.frames.slice(before);
  const shutdown = after.findIndex(({ event }) => event === "shutdown");
  const answer = after.findIndex(({ type }) => type === "res");
  expect(shutdown).toBe(0);
  expect(answer).toBeGreaterThan(shutdown);
  expect(after[answer]).toMatchObject({ ok: true, payload: { messageId: String(fake.chats.sent[0]?.messageId) } });
});
