/** For tests of the ledger and of rooms above it: a real store in memory, a fake World, and accounts that do as they are told. */
import { GatewayError } from "@openclaw/protocol";
import { fakeWorld, type FakeWorld } from "../../../kernel/fake-world.ts";
import { silentLogger, type Logger } from "../../../kernel/log.ts";
import type { World } from "../../../kernel/world.ts";
import { openStore, type Store } from "../../../store/index.ts";
import type { SendBudget } from "../channel.ts";
import { channelMigrations } from "../channels.store.ts";
import type { InboundMessage } from "../inbound.ts";
import type { OutboundPart, SendOutcome } from "../outbound.ts";
import type { OutboxAccount, OutboxRequest } from "./index.ts";
import { Outbox } from "./index.ts";

export const memoryStore = (world: World, log: Logger = silentLogger) =>
  openStore({ path: ":memory:", migrations: channelMigrations, world, log });

/** A store of a process that can be killed: from then on nothing of it is written or answered, while the disk stays. */
export function mortal(store: Store): { store: Store; kill(): void; readonly dead: boolean } {
  let dead = false;
  const never = new Promise<never>(() => {});
  return {
    kill: () => void (dead = true),
    get dead() {
      return dead;
    },
    store: {
      path: store.path,
      get: (sql, ...params) => store.get(sql, ...params),
      all: (sql, ...params) => store.all(sql, ...params),
      check: () => store.check(),
      close: () => {},
      commit(unit) {
        if (dead) return never;
        const done = store.commit((tx) => {
          if (dead) throw new Error("killed");
          // What was to happen after the commit is lost too when the process died in between.
          return unit({
            get: (sql, ...params) => tx.get(sql, ...params),
            all: (sql, ...params) => tx.all(sql, ...params),
            run: (sql, ...params) => tx.run(sql, ...params),
            afterCommit: (run) => tx.afterCommit(() => void (dead || run())),
          });
        });
        return done.then(
          (value) => (dead ? never : value),
          (error: unknown) => {
            if (dead) return never;
            throw error;
          },
        );
      },
    },
  };
}

/** No pacing to speak of. */
export const freeBudget: SendBudget = {
  directEveryMs: 0,
  group: { count: 100, perMs: 1_000, everyMs: 0 },
  account: { count: 1_000, perMs: 1_000 },
};

export interface Sent {
  chatId: string;
  text: string;
  clientMsgId?: string;
  replyToId?: string;
  /** Of the monotonic clock. */
  at: number;
}

export interface FakeAccount extends OutboxAccount {
  open: boolean;
  /** What reached the platform, in order; an attempt with a client message id that is known is not listed again. */
  readonly sent: Sent[];
  /** Sends on their way now, and the most there ever were. */
  inFlight: number;
  maxInFlight: number;
  /** Decides about each attempt; sends when absent. A promise keeps it on its way. */
  answer: (part: OutboundPart, attempt: { clientMsgId?: string; signal: AbortSignal }) => Answer | Promise<Answer>;
}

/** An outcome, and whether the message reached the platform whatever the outcome says. */
export type Answer = SendOutcome & { arrived?: boolean };

export const textOfPart = ({ content }: OutboundPart): string =>
  content.type === "text" ? content.body.text : content.type === "poll" ? content.question : content.path;

export function fakeAccount(
  world: Pick<World, "monotonic">,
  options: { clientMessageIds?: boolean; budget?: SendBudget; open?: boolean } = {},
): FakeAccount {
  const { clientMessageIds = false, budget = freeBudget, open = true } = options;
  const sent: Sent[] = [];
  const ids = new Map<string, string>();
  let clientIds = 0;
  const account: FakeAccount = {
    state: open ? "open" : "connecting",
    open,
    budget,
    clientMessageIds,
    newMessageId: () => `C${++clientIds}`,
    sent,
    inFlight: 0,
    maxInFlight: 0,
    answer: () => ({ state: "sent", messageId: "" }),
    async send(part, attempt) {
      account.inFlight++;
      account.maxInFlight = Math.max(account.maxInFlight, account.inFlight);
      const at = world.monotonic();
      const answer = await account.answer(part, attempt);
      account.inFlight--;
      const { arrived = answer.state === "sent", ...outcome } = answer;
      if (!arrived) return outcome;
      const { clientMsgId } = attempt;
      let id = clientMsgId === undefined ? undefined : ids.get(clientMsgId);
      if (id === undefined) {
        id = clientMsgId ?? `M${sent.length + 1}`;
        if (clientMsgId !== undefined) ids.set(clientMsgId, id);
        sent.push({
          chatId: part.target.chatId,
          text: textOfPart(part),
          at,
          ...(clientMsgId === undefined ? {} : { clientMsgId }),
          ...(part.replyToId === undefined ? {} : { replyToId: part.replyToId }),
        });
      }
      return outcome.state === "sent" ? { ...outcome, messageId: id } : outcome;
    },
  };
  return account;
}

export const part = (text: string, chatId = "ann", kind: "direct" | "group" = "direct"): OutboundPart => ({
  target: { chatId, kind },
  content: { type: "text", body: { text, plain: text } },
});

let keys = 0;
export const request = (
  texts: string | readonly string[],
  options: Partial<OutboxRequest> & { chatId?: string; chatKind?: "direct" | "group" } = {},
): OutboxRequest => {
  const { chatId, chatKind, ...rest } = options;
  return {
    key: `key-${++keys}`,
    family: "send",
    principal: "shared",
    channel: "fake",
    accountId: "default",
    kind: "reply",
    parts: [texts].flat().map((text) => part(text, chatId, chatKind)),
    ...rest,
  };
};

export const inboundMessage = (id: string, text = `text of ${id}`): InboundMessage => ({
  platformId: id,
  messageId: id,
  at: 1_770_000_000_000,
  chat: { kind: "direct", id: "ann" },
  sender: { id: "ann" },
  text,
  media: [],
  mentions: { self: false, others: false },
});

/** Lets promises and commits go on until nothing moves. Commits happen in turns of the event loop. */
export async function settle(turns = 12): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export interface OutboxBench {
  world: FakeWorld;
  store: Store;
  account: FakeAccount;
  outbox: Outbox;
  events: { sessionKey: string; text: string }[];
  /** A new outbox on the same store; the former one is forgotten as a crash would. */
  next(): Outbox;
  insert(request: OutboxRequest): Promise<number[]>;
  states(): string[];
  /** Lets virtual time pass in steps, with turns of the event loop between them. */
  pass(ms: number, stepMs?: number): Promise<void>;
}

export function outboxBench(
  options: { world?: FakeWorld; store?: Store; account?: FakeAccount; log?: Logger } = {},
): OutboxBench {
  const world = options.world ?? fakeWorld();
  const store = options.store ?? memoryStore(world);
  const account = options.account ?? fakeAccount(world);
  const events: { sessionKey: string; text: string }[] = [];
  const make = () =>
    new Outbox({
      store,
      world,
      log: options.log ?? silentLogger,
      account: (channel, accountId) => (channel === "fake" && accountId === "default" ? account : undefined),
      systemEvent: (sessionKey, text) => void events.push({ sessionKey, text }),
    });
  const bench: OutboxBench = {
    world,
    store,
    account,
    outbox: make(),
    events,
    next: () => (bench.outbox = make()),
    insert: (wanted) => store.commit((tx) => bench.outbox.insert(tx, wanted).map(({ id }) => id)),
    states: () => store.all<{ state: string }>("SELECT state FROM outbox ORDER BY id").map(({ state }) => state),
    async pass(ms, stepMs = ms) {
      for (let done = 0; done < ms; done += stepMs) {
        await world.clock.advance(Math.min(stepMs, ms - done));
        await settle();
      }
    },
  };
  return bench;
}

const never = new AbortController().signal;
export const wait = { signal: never, waitForConnectionMs: 5_000 };
export const asSend = (key: string, texts: string | string[] = "hello", more: Partial<OutboxRequest> = {}) =>
  request(texts, { kind: "send", key, ...more });

export async function refusal(answer: Promise<unknown>): Promise<GatewayError> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

/** A bench whose outbox runs and whose account was announced as open. */
export async function running(options: Parameters<typeof outboxBench>[0] = {}) {
  const bench = outboxBench(options);
  await bench.outbox.start();
  bench.outbox.opened("fake", "default");
  return bench;
}
