/** An account of the fake Bot API, with its supervisor played by the test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakeTelegram, startFakeTelegram } from "../../../../../../test/fakes/telegram/index.ts";
import { createLogger, type Line } from "../../../kernel/log.ts";
import { systemWorld, type World } from "../../../kernel/world.ts";
import type { Store } from "../../../store/store.ts";
import type { ChannelAccount, ConnectionEnd, ConnectionEvents } from "../channel.ts";
import type { InboundBatch, InboundMessage } from "../inbound.ts";
import type { OutboundPart } from "../outbound.ts";
import { createTelegramAccount } from "./account.ts";
import { telegramLimits, type TelegramLimits } from "./limits.ts";
import { telegramAccounts } from "./settings.ts";

export interface Rig {
  fake: FakeTelegram;
  account: ChannelAccount;
  batches: InboundBatch[];
  messages: InboundMessage[];
  notes: Record<string, unknown>;
  opened: number;
  lines: Line[];
  cursor: { value: string; storedAt: number } | undefined;
  /** What `receive` waits for, or throws. */
  onReceive: (batch: InboundBatch) => Promise<void>;
  room: () => Promise<void>;
  owned: Set<string>;
  world: World;
  config: Record<string, unknown>;
  mediaDir: string;
  /** Takes back the limits of this test: from here on nothing should hang. */
  patient(): void;
  /** Starts one attempt; the last one, when it is over. */
  connect(): { end: Promise<ConnectionEnd>; stop: AbortController };
  /** Resolves when a poll waits at the fake. */
  polling(): Promise<void>;
  /** Everything that was logged, noted or thrown, as one text. */
  said(): string;
  close(): Promise<void>;
}

export interface RigOptions {
  config?: Record<string, unknown>;
  limits?: Partial<TelegramLimits>;
  world?: Partial<World>;
  fake?: Parameters<typeof startFakeTelegram>[0];
}

/** Short enough for tests, long enough for a machine that is busy. */
const shortLimits: TelegramLimits = {
  ...telegramLimits,
  pollWaitMs: 2_000,
  pollMarginMs: 3_000,
  repollMs: 20,
  startMs: 3_000,
};

export async function withAccount(run: (rig: Rig) => Promise<void>, options: RigOptions = {}): Promise<void> {
  const rig = await openAccount(options);
  try {
    await run(rig);
  } finally {
    await rig.close();
  }
}

export async function openAccount(options: RigOptions = {}): Promise<Rig> {
  const fake = await startFakeTelegram(options.fake);
  const world: World = { ...systemWorld({}), ...options.world };
  const stops: AbortController[] = [];
  const ends: Promise<ConnectionEnd>[] = [];
  const owned = new Set<string>();
  const limits = { ...shortLimits, ...options.limits };
  const lines: Line[] = [];
  const config = { botToken: fake.bot.token, apiRoot: fake.url, mediaMaxMb: 5, ...options.config };
  const mediaDir = await mkdtemp(join(tmpdir(), "telegram-media-"));
  const account = createTelegramAccount(
    {
      accountId: "default",
      account: () => {
        const [first] = telegramAccounts({ channels: { telegram: rig.config } }, {});
        if (!first) throw new Error("no account");
        return first;
      },
      world,
      log: createLogger({ subsystem: "telegram", sinks: [(line) => lines.push(line)], now: () => 0 }),
      store: undefined as unknown as Store,
      mediaDir,
      sentPart: (chatId, messageId) => (owned.has(`${chatId}:${messageId}`) ? emptyPart : undefined),
      redact: () => {},
    },
    limits,
  );
  const events: ConnectionEvents = {
    receive: async (batch) => {
      await rig.onReceive(batch);
      rig.batches.push(batch);
      rig.messages.push(...batch.messages);
      if (batch.cursor !== undefined) rig.cursor = { value: batch.cursor, storedAt: world.now() };
    },
    room: () => rig.room(),
    cursor: () => rig.cursor,
    stored: () => false,
    opened: () => void rig.opened++,
    activity: () => {},
    note: (facts) => void Object.assign(rig.notes, facts),
    confirmed: () => {},
  };
  const rig: Rig = {
    fake,
    account,
    batches: [],
    messages: [],
    notes: {},
    opened: 0,
    lines,
    cursor: undefined,
    onReceive: async () => {},
    room: async () => {},
    owned,
    world,
    config,
    mediaDir,
    patient: () => void Object.assign(limits, shortLimits),
    connect() {
      const stop = new AbortController();
      const end = account.connect(events, stop.signal);
      stops.push(stop);
      ends.push(end);
      return { end, stop };
    },
    polling: async () => void (await fake.until(() => fake.bot.polling)),
    async close() {
      for (const stop of stops) stop.abort();
      await Promise.all(ends);
      await fake.close();
      await rm(mediaDir, { recursive: true });
    },
    said: () =>
      JSON.stringify([lines, rig.notes], (_key, value: unknown) => (value instanceof Error ? value.stack : value)),
  };
  return rig;
}

const emptyPart: OutboundPart = {
  target: { chatId: "1", kind: "direct" },
  content: { type: "text", body: { text: "", plain: "" } },
};

export const textPart = (chatId: string, text: string, more: Partial<OutboundPart> = {}): OutboundPart => ({
  target: { chatId, kind: chatId.startsWith("-") ? "group" : "direct" },
  content: { type: "text", body: { text, plain: text } },
  ...more,
});
