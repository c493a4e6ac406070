/** Telegram and WhatsApp in one gateway: what happens to one never touches the other. */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type FakeTelegram, startFakeTelegram } from "../../fakes/telegram/index.ts";
import { makeHome, startGateway, token } from "../../support/process.ts";
import { Wire } from "../../support/wire.ts";
import { startFakeProvider } from "../../support/fake-provider/index.ts";
import { startChild } from "../../fakes/whatsapp/index.ts";
import { modelsOf, patchConfig } from "./set-up.ts";
import { ann, openWhatsAppWorld, untilSent, untilState, type WhatsAppWorld } from "./whatsapp-set-up.ts";

const close: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const one of close.splice(0).toReversed()) await one();
});

/** Debian's package libfaketime; its folder is named after the machine. */
const [preload] = globSync("/usr/lib/*/faketime/libfaketime.so.1");

async function both(): Promise<{ world: WhatsAppWorld; telegram: FakeTelegram }> {
  const telegram = await startFakeTelegram();
  close.push(() => telegram.close());
  const account = { botToken: telegram.bot.token, apiRoot: telegram.url, allowFrom: [42] };
  const world = await openWhatsAppWorld({ channels: { telegram: account } });
  close.push(() => world.stop());
  await world.link();
  await untilState(world, "open");
  await telegram.until(() => telegram.bot.polling);
  return { world, telegram };
}

const connections = async ({ fake }: WhatsAppWorld) => (await fake.ledger()).connections.length;
const starts = (telegram: FakeTelegram) => telegram.calls("getMe").length;

async function bothAnswer(world: WhatsAppWorld, telegram: FakeTelegram): Promise<void> {
  const before = { telegram: telegram.chats.sent.length, whatsapp: (await world.fake.ledger()).outbound.length };
  telegram.chats.message(telegram.bot, 42, { text: "there?" });
  await world.fake.phone.sendText(ann, "there?");
  await telegram.until(() => telegram.chats.sent.length === before.telegram + 1, 10_000);
  await untilSent(world, before.whatsapp + 1, "the reply");
}

test("edits of Telegram, down to another token and back, never touch WhatsApp", async () => {
  const { world, telegram } = await both();
  const before = await connections(world);
  const edits: Record<string, unknown>[] = [
    { replyToMode: "all" },
    { customCommands: [{ command: "deploy", description: "Ship it" }] },
    { enabled: false },
    { enabled: true },
    { botToken: "999:wrong" },
    { botToken: telegram.bot.token },
  ];
  for (const edit of edits) {
    // Edits are limited to three a minute.
    await world.gateway.world.jump(20_001);
    await patchConfig(world, { channels: { telegram: edit } });
    expect(await world.account()).toMatchObject({ state: "open" });
  }
  await telegram.until(() => telegram.bot.polling);
  await bothAnswer(world, telegram);
  expect(await connections(world)).toBe(before);
});

test("who may write is taken over where it stands: no connection of either is made anew", async () => {
  const { world, telegram } = await both();
  const before = { whatsapp: await connections(world), telegram: starts(telegram) };
  await patchConfig(world, { channels: { whatsapp: { dmPolicy: "open", allowFrom: ["*"], groups: { "*": {} } } } });
  await patchConfig(world, { channels: { telegram: { dmPolicy: "open", allowFrom: ["*"], groups: { "*": {} } } } });
  await patchConfig(world, { messages: { groupChat: { historyLimit: 5 } } });
  telegram.chats.message(telegram.bot, 7, { text: "a stranger" });
  await telegram.until(() => telegram.chats.sent.some(({ chatId }) => chatId === "7"));
  await bothAnswer(world, telegram);
  expect({ whatsapp: await connections(world), telegram: starts(telegram) }).toEqual(before);
});

test("an edit that is not valid leaves both as they are, and says so", async () => {
  const { world, telegram } = await both();
  const before = { whatsapp: await connections(world), telegram: starts(telegram) };
  const path = join(world.home.state, "openclaw.json");
  const good = readFileSync(path, "utf8");
  writeFileSync(path, good.replace('"whatsapp":{', '"whatsapp":{"dmPolicy":"whoever",'));
  await expect.poll(async () => JSON.stringify((await world.call("health")).payload)).toContain("dmPolicy");
  await bothAnswer(world, telegram);
  expect({ whatsapp: await connections(world), telegram: starts(telegram) }).toEqual(before);
});

test("while WhatsApp is cut off, Telegram answers as if nothing were", async () => {
  const { world, telegram } = await both();
  await world.fake.faults.cutNetwork(true);
  await untilState(world, "backoff");
  for (let n = 1; n <= 3; n++) {
    telegram.chats.message(telegram.bot, 42, { text: `still there? ${n}` });
    await telegram.until(() => telegram.chats.sent.length === n, 10_000);
  }
  expect((await world.account())["state"]).not.toBe("open");
});

/** Both channels in a process of their own, linked and connected. */
async function bothProcess(env: Record<string, string> = {}) {
  const telegram = await startFakeTelegram();
  close.push(() => telegram.close());
  const whatsapp = await startChild({ preKeys: false });
  close.push(() => whatsapp.close());
  await whatsapp.phone.addContact({ pn: ann, name: "Ann" });
  const provider = await startFakeProvider({ script: () => ["ok"] });
  close.push(() => provider.close());
  const home = makeHome(
    {
      models: modelsOf(provider),
      agents: { defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } } },
      channels: {
        whatsapp: { allowFrom: [ann] },
        telegram: { botToken: telegram.bot.token, apiRoot: telegram.url, allowFrom: [42] },
      },
    },
    { OPENCLAW_TEST: "1", OPENCLAW_TEST_WHATSAPP_URL: whatsapp.url, ...env },
  );
  close.push(() => home.remove());
  const gateway = await startGateway(home);
  close.push(() => gateway.stop());
  const wire = await Wire.connect(gateway.url, { token });
  close.push(() => wire.close());
  const begun = await wire.request("web.login.start", {});
  await whatsapp.phone.scanQr((begun.payload as { qrText: string }).qrText);
  expect((await wire.request("web.login.wait", { timeoutMs: 15_000 })).payload).toMatchObject({ connected: true });
  await telegram.until(() => telegram.bot.polling);
  return { telegram, whatsapp, provider, home, gateway, wire };
}

const replies = ({ outbound }: Awaited<ReturnType<Awaited<ReturnType<typeof startChild>>["ledger"]>>) =>
  outbound.filter(({ text }) => text !== undefined);

test("a process that is stopped, while both connections break, goes on where it was: each message once, nothing else started", async () => {
  const { telegram, whatsapp, provider, gateway, wire } = await bothProcess();
  gateway.kill("SIGSTOP");
  telegram.chats.message(telegram.bot, 42, { text: "while it stood still" });
  await whatsapp.phone.sendText(ann, "while it stood still");
  await whatsapp.faults.dropTcp();
  // Longer than what the gateway takes for an ordinary pause.
  await new Promise((resolve) => setTimeout(resolve, 6_500));
  gateway.kill("SIGCONT");
  const at = performance.now();
  expect((await wire.request("health", {})).ok).toBe(true);
  expect(performance.now() - at).toBeLessThan(2_000);

  await telegram.until(() => telegram.chats.sent.length === 1, 10_000);
  await whatsapp.until((ledger) => replies(ledger).length >= 1, "the reply", 15_000);
  telegram.chats.message(telegram.bot, 42, { text: "and now?" });
  await whatsapp.phone.sendText(ann, "and now?");
  await telegram.until(() => telegram.chats.sent.length === 2, 10_000);
  await whatsapp.until((ledger) => replies(ledger).length >= 2, "the second reply", 15_000);
  const took: number[] = [];
  for (let n = 0; n < 9; n++) {
    const from = performance.now();
    await wire.request("health", {});
    took.push(performance.now() - from);
  }
  expect(took.sort((a, b) => a - b)[4]).toBeLessThanOrEqual(100);
  expect(telegram.chats.sent.length).toBe(2);
  expect(replies(await whatsapp.ledger()).map(({ times }) => times)).toEqual([1, 1]);
  expect(provider.requests.length).toBe(4);
}, 60_000);

test.skipIf(preload === undefined)(
  "a clock that is set eight hours on, and back, breaks nothing: both stay or come back, each message is answered once",
  async () => {
    const clock = join(mkdtempSync(join(tmpdir(), "openclaw-clock-")), "offset");
    close.push(() => rmSync(dirname(clock), { recursive: true }));
    const set = (offset: string) => writeFileSync(clock, offset);
    set("+0");
    const { telegram, whatsapp, gateway, wire } = await bothProcess({
      LD_PRELOAD: preload ?? "",
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: "1",
      // A clock that is set moves the time of day; what measures durations does not move with it.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    });
    let answered = 0;
    const bothReply = async (text: string) => {
      answered++;
      telegram.chats.message(telegram.bot, 42, { text });
      await whatsapp.phone.sendText(ann, text);
      await telegram.until(() => telegram.chats.sent.length === answered, 15_000);
      await whatsapp.until((ledger) => replies(ledger).length >= answered, text, 20_000);
    };
    await bothReply("before");
    for (const offset of ["+8h", "+0"]) {
      const seen = gateway.output().split("clock was set").length;
      set(offset);
      await expect
        .poll(() => gateway.output().split("clock was set").length, { timeout: 15_000 })
        .toBeGreaterThan(seen);
      expect((await wire.request("health", {})).ok).toBe(true);
      await bothReply(`at ${offset}`);
    }
    expect(telegram.chats.sent.length).toBe(3);
    expect(replies(await whatsapp.ledger()).map(({ times }) => times)).toEqual([1, 1, 1]);
  },
  90_000,
);
