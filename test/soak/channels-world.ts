/** What outlives the gateway in the channel soak: both platforms and the model provider, which notes who asked what when; and the
 *  home in which one gateway process after another begins. */
import { startFakeTelegram, type FakeTelegram } from "../fakes/telegram/index.ts";
import { startChild as startFakeWhatsApp, type FakeWhatsApp } from "../fakes/whatsapp/index.ts";
import { type FakeProvider, type FakeRequest, startFakeProvider } from "../support/fake-provider/index.ts";
import { makeHome, token, type Home } from "../support/process.ts";
import { Wire } from "../support/wire.ts";
import { answerOf, numbersOf } from "./channels-crowd.ts";

/** A request for a model: a turn, or a further attempt of one. */
export interface Asked {
  n: number;
  /** Which process asked, counted from 0. */
  life: number;
  /** Messages of people in the transcript that carry the number. */
  times: number;
}

export interface ChannelsWorld {
  telegram: FakeTelegram;
  whatsapp: FakeWhatsApp | undefined;
  provider: FakeProvider;
  home: Home;
  asked: Asked[];
  /** Requests that no single message explains. */
  odd: string[];
  /** The process that runs now, counted from 0. */
  life: number;
  close(): Promise<void>;
}

export async function openWorld(options: {
  random: () => number;
  silent: (n: number) => boolean;
  whatsapp: boolean;
  debug?: boolean;
}): Promise<ChannelsWorld> {
  const telegram = await startFakeTelegram();
  const whatsapp = options.whatsapp ? await startFakeWhatsApp({ preKeys: false }) : undefined;
  const provider = await startFakeProvider({ script: (request) => answer(request) });
  const config = configFor(telegram, provider, whatsapp !== undefined);
  const home = makeHome(
    options.debug ? { ...config, logging: { level: "debug" } } : config,
    whatsapp ? environmentOf(whatsapp) : {},
  );
  const world: ChannelsWorld = {
    telegram,
    whatsapp,
    provider,
    home,
    asked: [],
    odd: [],
    life: 0,
    async close() {
      home.remove();
      await Promise.all([telegram.close(), whatsapp?.close(), provider.close()]);
    },
  };
  async function answer(request: FakeRequest) {
    // Each carries a whole transcript: they are read and forgotten.
    provider.requests.length = 0;
    const texts = textsOfPeople(request);
    const numbers = numbersOf(texts.at(-1) ?? "");
    const [n] = numbers;
    if (n === undefined || numbers.length > 1) {
      world.odd.push(`a request ends with ${numbers.length} messages: ${(texts.at(-1) ?? "").slice(0, 200)}`);
      return ["NO_REPLY"];
    }
    const times = texts.flatMap(numbersOf).filter((other) => other === n).length;
    world.asked.push({ n, life: world.life, times });
    await new Promise((resolve) => setTimeout(resolve, options.random() * 30));
    return options.silent(n) ? ["NO_REPLY"] : ["answer ", answerOf(n).slice("answer ".length)];
  }
  return world;
}

const configFor = (telegram: FakeTelegram, provider: FakeProvider, whatsapp: boolean) => ({
  gateway: { safeMode: { maxUncleanBoots: 1_000_000 } },
  models: {
    providers: {
      mock: {
        baseUrl: provider.baseUrl("openai-completions"),
        apiKey: "mock-key-0123456789",
        api: "openai-completions",
        models: [{ id: "mock-1", name: "Mock", contextWindow: 200_000, maxTokens: 8_000, input: ["text"] }],
      },
    },
  },
  agents: { defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } } },
  session: { dmScope: "per-channel-peer" },
  // Every message is a turn of its own, and none is dropped.
  messages: { queue: { mode: "followup", debounceMs: 0, cap: 10_000 } },
  channels: {
    telegram: { botToken: telegram.bot.token, apiRoot: telegram.url, dmPolicy: "open", allowFrom: ["*"] },
    ...(whatsapp
      ? {
          whatsapp: {
            dmPolicy: "open",
            allowFrom: ["*"],
            groupPolicy: "open",
            groups: { "*": { requireMention: false } },
          },
        }
      : {}),
  },
});

const environmentOf = (whatsapp: FakeWhatsApp): Record<string, string> => ({
  OPENCLAW_TEST: "1",
  OPENCLAW_TEST_WHATSAPP_URL: whatsapp.url,
  NODE_EXTRA_CA_CERTS: whatsapp.caFile,
});

function textsOfPeople(request: FakeRequest): string[] {
  const { messages = [] } = request.body as { messages?: { role: string; content: unknown }[] };
  return messages
    .filter(({ role }) => role === "user")
    .map(({ content }) => (typeof content === "string" ? content : JSON.stringify(content)));
}

/** Links the running gateway's WhatsApp account, as a person with a phone would. */
export async function linkWhatsApp(url: string, fake: FakeWhatsApp): Promise<void> {
  const wire = await Wire.connect(url, { token });
  const { qrText, message } = await wire.call<{ qrText?: string; message: string }>("web.login.start", {});
  if (qrText === undefined) throw new Error(`no code to scan: ${message}`);
  await fake.phone.scanQr(qrText);
  const ended = await wire.call<{ connected: boolean; message: string }>("web.login.wait", { timeoutMs: 20_000 });
  if (!ended.connected) throw new Error(`WhatsApp was not linked: ${ended.message}`);
  await wire.close();
}

/** Waits until nothing is under way: every message has ended, and every send. */
export async function atRest(url: string, world: ChannelsWorld, timeoutMs: number): Promise<void> {
  const wire = await Wire.connect(url, { token });
  const began = performance.now();
  for (;;) {
    const open = await openWork(wire);
    if (open === "" && world.telegram.bot.pending === 0) break;
    if (performance.now() - began > timeoutMs)
      throw new Error(`not at rest after ${timeoutMs} ms: ${open}, ${world.telegram.bot.pending} updates wait`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await wire.close();
}

interface AccountFacts {
  accountId: string;
  connected: boolean;
  lastError?: string | null;
  inbound: { pending: number };
  outbox: { queued: number };
}

async function openWork(wire: Wire): Promise<string> {
  const { runs } = await wire.call<{ runs?: { active: number; waiting: number } }>("status", {});
  const { channelAccounts } = await wire.call<{ channelAccounts: Record<string, AccountFacts[]> }>(
    "channels.status",
    {},
  );
  const busy = (runs?.active ?? 0) + (runs?.waiting ?? 0);
  const facts = Object.entries(channelAccounts).flatMap(([channel, accounts]) =>
    accounts.flatMap(({ connected, inbound, outbox, lastError }) => [
      ...(connected ? [] : [`${channel} is not connected${lastError ? ` (${lastError})` : ""}`]),
      ...(inbound.pending > 0 ? [`${channel}: ${inbound.pending} messages open`] : []),
      ...(outbox.queued > 0 ? [`${channel}: ${outbox.queued} sends open`] : []),
    ]),
  );
  return [...facts, ...(busy > 0 ? [`${busy} runs open`] : [])].join(", ");
}
