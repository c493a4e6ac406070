/** What connected channels weigh, and a burst: 500 messages over 100 Telegram chats at once (R-OUT-5 lets 30 answers a second
 *  leave). Both platforms and the model are fakes that speak the real wires. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { startFakeTelegram, type FakeTelegram } from "../fakes/telegram/index.ts";
import { startChild as startFakeWhatsApp } from "../fakes/whatsapp/index.ts";
import { startFakeProvider, type FakeRequest } from "../support/fake-provider/index.ts";
import { median, residentMb, type Row } from "./measure.ts";
import { createHome, startGateway, token, type Home } from "./processes.ts";
import { Wire } from "./wire.ts";

const messages = 500;
const chats = 100;
const answersPerSecond = 30;
const maxDelayP99Ms = 50;
/** What a busy process takes before it collects; the same after many bursts. */
const maxGrowthMb = 160;
const maxBothMb = 85;

export async function channels({ quick }: { quick: boolean }): Promise<Row[]> {
  return [...(await weights(quick ? 1 : 3)), ...(await burst())];
}

/** Resident memory once everything is connected and quiet. */
async function weights(rounds: number): Promise<Row[]> {
  const taken = { none: [] as number[], telegram: [] as number[], both: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const telegram = await startFakeTelegram();
    const whatsapp = await startFakeWhatsApp();
    const home = createHome({ channels: { telegram: telegramConfig(telegram) } });
    const linked = createHome({ channels: { telegram: telegramConfig(telegram), whatsapp: { allowFrom: ["*"] } } });
    const env = {
      OPENCLAW_TEST: "1",
      OPENCLAW_TEST_WHATSAPP_URL: whatsapp.url,
      NODE_EXTRA_CA_CERTS: whatsapp.caFile,
    };
    const bare = createHome();
    try {
      taken.none.push(await quietMb(bare));
      taken.telegram.push(await quietMb(home));
      taken.both.push(
        await quietMb({ ...linked, env: { ...linked.env, ...env } }, async (wire) => {
          const { qrText } = await wire.need("web.login.start", {});
          await whatsapp.phone.scanQr(String(qrText));
          await wire.need("web.login.wait", { timeoutMs: 20_000 });
        }),
      );
    } finally {
      for (const one of [bare, home, linked]) one.remove();
      await Promise.all([telegram.close(), whatsapp.close()]);
    }
  }
  const idle = median(taken.none);
  const both = median(taken.both);
  return [
    { metric: "memory with Telegram connected", gateway: median(taken.telegram), floor: idle, unit: "MB" },
    {
      metric: "memory with Telegram and WhatsApp connected",
      gateway: both,
      floor: idle,
      unit: "MB",
      budget: { text: `≤ without channels + ${maxBothMb} MB`, met: both <= idle + maxBothMb },
    },
  ];
}

async function quietMb(home: Home, prepare?: (wire: Wire) => Promise<void>): Promise<number> {
  const gateway = await startGateway(home);
  try {
    const wire = await Wire.connect(gateway.url, token);
    await prepare?.(wire);
    await connected(wire);
    await sleep(3_000);
    const mb = residentMb(gateway.pid);
    await wire.close();
    return mb;
  } finally {
    await gateway.stop();
  }
}

/** Waits until every configured account is connected. */
async function connected(wire: Wire): Promise<void> {
  for (let look = 0; look < 300; look++) {
    const { channelAccounts = {} } = await wire.need("channels.status", {});
    const accounts = Object.values(channelAccounts as Record<string, { configured: boolean; connected: boolean }[]>);
    if (accounts.flat().every((account) => !account.configured || account.connected)) return;
    await sleep(100);
  }
  throw new Error("a channel did not connect");
}

async function burst(): Promise<Row[]> {
  const telegram = await startFakeTelegram();
  const asked: string[] = [];
  const provider = await startFakeProvider({
    script: (request) => {
      const words = wordsOf(request);
      asked.push(words);
      provider.requests.length = 0;
      return [`answer to ${words}`];
    },
  });
  const models = {
    providers: {
      bench: {
        baseUrl: provider.baseUrl("openai-completions"),
        apiKey: "none",
        api: "openai-completions",
        models: [{ id: "fake" }],
      },
    },
  };
  const home = createHome({
    models,
    agents: { defaults: { model: { primary: "bench/fake" }, skipBootstrap: true } },
    session: { dmScope: "per-channel-peer" },
    messages: { queue: { mode: "followup", debounceMs: 0 } },
    channels: { telegram: telegramConfig(telegram) },
  });
  const gateway = await startGateway(home);
  try {
    const wire = await Wire.connect(gateway.url, token);
    await connected(wire);
    // The wire dialect is loaded and compiled by the first turns.
    await round(telegram, asked, 5, 5, "warm");
    await sleep(2_000);
    const beforeMb = residentMb(gateway.pid);
    await wire.need("health", { probe: true });
    const began = performance.now();
    const times = await round(telegram, asked, messages, chats, "burst");
    const { eventLoop } = (await wire.need("health", { probe: true })) as { eventLoop?: Delay };
    if (!eventLoop || eventLoop.intervalMs < 0.9 * (performance.now() - began))
      throw new Error("somebody else read the event loop's delay during the burst");
    const grownMb = peakMb(gateway.pid) - beforeMb;
    await wire.close();
    const floorMs = (count: number) => Math.max(0, (count / answersPerSecond - 1) * 1_000);
    return [
      { metric: "burst of 500 messages in 100 chats, all turns", gateway: times.askedMs, unit: "ms" },
      { metric: "burst, every chat has its first answer", gateway: times.firstMs, floor: floorMs(chats), unit: "ms" },
      { metric: "burst, last answer", gateway: times.lastMs, floor: floorMs(messages), unit: "ms" },
      {
        metric: "burst, delay of the event loop (p99)",
        gateway: eventLoop.delayP99Ms,
        unit: "ms",
        budget: { text: `≤ ${maxDelayP99Ms} ms`, met: eventLoop.delayP99Ms <= maxDelayP99Ms },
      },
      {
        metric: "burst, memory above idle at the peak",
        gateway: grownMb,
        unit: "MB",
        budget: { text: `≤ ${maxGrowthMb} MB`, met: grownMb <= maxGrowthMb },
      },
    ];
  } finally {
    await gateway.stop();
    await Promise.all([telegram.close(), provider.close()]);
    home.remove();
  }
}

interface Delay {
  delayP99Ms: number;
  intervalMs: number;
}

/** Sends `count` messages at once, waits for every answer, and looks at their order. Throws when one is missing or out of it. */
async function round(fake: FakeTelegram, asked: readonly string[], count: number, people: number, name: string) {
  const began = performance.now();
  const sentBefore = fake.chats.sent.length;
  const askedBefore = asked.length;
  for (let n = 0; n < count; n++) fake.chats.message(fake.bot, 1_000 + (n % people), { text: `${name} ${n}` });
  const since = async (done: () => boolean) => {
    await fake.until(done, 120_000);
    return performance.now() - began;
  };
  const seen = () => fake.chats.sent.slice(sentBefore);
  const [askedMs, firstMs, lastMs] = await Promise.all([
    since(() => asked.length - askedBefore >= count),
    since(() => new Set(seen().map(({ chatId }) => chatId)).size >= people),
    since(() => seen().length >= count),
  ]);
  for (const [chat, answers] of Map.groupBy(seen(), ({ chatId }) => chatId)) {
    const order = answers.map(({ text }) => Number(/(\d+)$/u.exec(text)?.[1]));
    const expected = Array.from({ length: count }, (_, n) => n).filter((n) => String(1_000 + (n % people)) === chat);
    if (order.join() !== expected.join())
      throw new Error(`chat ${chat} was answered in the order ${order.join()} instead of ${expected.join()}`);
  }
  return { askedMs, firstMs, lastMs };
}

/** The message itself, without its envelope. */
function wordsOf(request: FakeRequest): string {
  const { messages: all = [] } = request.body as { messages?: { role: string; content: unknown }[] };
  const content = all.findLast(({ role }) => role === "user")?.content;
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return /\b(?:warm|burst) \d+/u.exec(text)?.[0] ?? "nothing";
}

const telegramConfig = (fake: FakeTelegram) => ({
  botToken: fake.bot.token,
  apiRoot: fake.url,
  dmPolicy: "open",
  allowFrom: ["*"],
});

/** Most memory the process ever held; what it holds now where the kernel does not tell. */
function peakMb(pid: number): number {
  try {
    const kb = /VmHWM:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    if (kb !== undefined) return Number(kb) / 1_024;
  } catch {
    // Not Linux.
  }
  return residentMb(pid);
}
