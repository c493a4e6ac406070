/** The outbox: everything that leaves through a channel, with a known fate (reliability.md §3.1). */
import { GatewayError } from "@openclaw/protocol";
import type { Service } from "../../../kernel/lifecycle.ts";
import type { Logger } from "../../../kernel/log.ts";
import type { Timer, World } from "../../../kernel/world.ts";
import type { Store, Tx } from "../../../store/store.ts";
import type { OutboundPart, OutboxRow } from "../outbound.ts";
import { answerOf, haveEnded, type SendAnswer } from "./answer.ts";
import { Callers } from "./callers.ts";
import { Deadlines } from "./deadlines.ts";
import { Endings, messageOf } from "./endings.ts";
import { load, waitingOf } from "./load.ts";
import { OutboxTable, type StoredRow } from "./outbox.store.ts";
import { chatOf, hashOf, left, mustMatch, type OutboxRequest, stopping, unlessAborted } from "./request.ts";
import { type OutboxAccount, Sender } from "./sender.ts";
import { isUnconfirmed, lifetimeMs, reasons } from "./verdict.ts";

export const outboxLimits = {
  /** Rows that wait for one account: new calls are refused beyond it, texts of the gateway itself fail at twice as many. */
  queuedRows: 10_000,
  /** Memory of keys, ids and sent parts (R-OUT-3, R-WA-5). */
  keepMs: 24 * 3_600_000,
  keepRows: 50_000,
  sweepEveryMs: 3_600_000,
  loadRetryMs: 5_000,
} as const;

const sweepRows = 200;

export class Outbox implements Service {
  readonly name = "outbox";
  readonly #store: Store;
  readonly #world: World;
  readonly #log: Logger;
  readonly #account: (channel: string, accountId: string) => OutboxAccount | undefined;
  readonly #table: OutboxTable;
  readonly #callers: Callers;
  readonly #endings: Endings;
  readonly #sender: Sender;
  readonly #deadlines: Deadlines;
  #phase: "new" | "loading" | "running" | "stopped" = "new";
  /** Inserted while the rows of the former process are loaded; they come after those. */
  #early: StoredRow[] = [];
  #timers: Timer[] = [];

  constructor(options: {
    store: Store;
    world: World;
    log: Logger;
    account: (channel: string, accountId: string) => OutboxAccount | undefined;
    /** Queues a note for the next prompt of a session. Must not throw. */
    systemEvent: (sessionKey: string, text: string) => void;
  }) {
    const { store, world, log, account, systemEvent } = options;
    this.#store = store;
    this.#world = world;
    this.#log = log;
    this.#account = account;
    this.#table = new OutboxTable(store, log);
    this.#callers = new Callers(world);
    const table = this.#table;
    this.#endings = new Endings({ world, log, table, callers: this.#callers, systemEvent });
    const endings = this.#endings;
    this.#deadlines = new Deadlines({ store, world, log, endings, queues: () => this.#sender.queues });
    const insert = (tx: Tx, request: OutboxRequest) => void this.insert(tx, request);
    this.#sender = new Sender({ store, world, log, table, endings, deadlines: this.#deadlines, account, insert });
  }

  /** Moves that were refused: each is a bug. */
  get refused(): number {
    return this.#table.refused;
  }

  /** Stores a message; the only door to a send (R-OUT-4). It leaves when its turn comes, after the commit. The same key with the
   *  same request returns the rows that exist. Throws GatewayError("invalid" or "conflict") when the key stands for something
   *  else. When far too much waits already, the rows are stored as failed, which is reported. */
  insert(tx: Tx, request: OutboxRequest): OutboxRow[] {
    const chatId = chatOf(request);
    const requestHash = hashOf(request);
    const known = this.#table.byKey(request.family, request.key, tx);
    if (known.length > 0) {
      mustMatch(known[0], request, requestHash);
      return known;
    }
    const { key, family, principal, channel, accountId, kind, parts, runRowId, sessionKey } = request;
    const createdAt = this.#world.now();
    const expiresAt = createdAt + Math.round(request.lifetimeMs ?? lifetimeMs(kind, parts.length));
    const rows = parts.map((payload, part) =>
      this.#table.insert(tx, {
        key,
        family,
        principal,
        channel,
        accountId,
        chatId,
        part,
        parts: parts.length,
        kind,
        payload,
        requestHash,
        createdAt,
        nextAt: createdAt,
        expiresAt,
        ...(runRowId === undefined ? {} : { runRowId }),
        ...(sessionKey === undefined ? {} : { sessionKey }),
      }),
    );
    if (this.#sender.queueOf(channel, accountId).size + rows.length > 2 * outboxLimits.queuedRows) {
      for (const { id } of rows)
        this.#endings.giveUp(tx, id, reasons.rejected, "too many messages wait for this channel");
    } else tx.afterCommit(() => this.#take(rows));
    return rows;
  }

  /** Sends a message for somebody who waits, and answers when all its parts have ended. The same key with the same request gives
   *  the same answer, also after a restart, or joins the call in progress. A caller that leaves changes nothing. While the
   *  account is not connected it waits up to `waitForConnectionMs`, then fails with nothing stored.
   *  Throws GatewayError as reliability §3.1 says: without `details.code: "OUTCOME_UNKNOWN"` nothing was sent and nothing will
   *  be. */
  async submit(
    request: OutboxRequest,
    options: { signal: AbortSignal; waitForConnectionMs: number },
  ): Promise<SendAnswer> {
    const { signal } = options;
    if (request.parts.length === 0)
      throw new GatewayError("invalid", "There is nothing to send: give a text or a file.");
    chatOf(request);
    const requestHash = hashOf(request);
    const name = JSON.stringify([request.family, request.key]);
    let call = this.#callers.call(name);
    if (call) mustMatch(call, request, requestHash);
    else if (signal.aborted) throw left();
    else {
      const ask = (isHeard: () => boolean) => this.#ask(request, requestHash, options.waitForConnectionMs, isHeard);
      call = this.#callers.begin(name, { principal: request.principal, requestHash }, ask);
    }
    call.listening++;
    try {
      return (await unlessAborted(call.answer, signal)) as SendAnswer;
    } finally {
      call.listening--;
    }
  }

  /** Whether this key stands for something already: what it needs was gathered then, and is not gathered again. */
  knows(family: string, key: string): boolean {
    return this.#callers.call(JSON.stringify([family, key])) !== undefined || this.#table.byKey(family, key).length > 0;
  }

  /** The account may send from now on. */
  opened(channel: string, accountId: string): void {
    this.#sender.opened(channel, accountId);
    this.#callers.connected(`${channel}\0${accountId}`);
  }

  /** It may not; what waits goes on waiting, an operator's sends only for a moment. */
  closed(channel: string, accountId: string): void {
    this.#sender.closed(channel, accountId);
  }

  /** A receipt or an echo proves that a part reached the platform. */
  confirmed(channel: string, accountId: string, clientMsgId: string, messageId: string): void {
    if (messageId === "") return;
    const confirm = (tx: Tx): StoredRow | undefined => {
      const row = this.#table.byClientMsgId(channel, accountId, clientMsgId, tx);
      if (!row) return undefined;
      if (row.state === "queued" && isUnconfirmed(row)) this.#endings.move(tx, row.id, "attempting");
      else if (row.state !== "unknown" && row.state !== "attempting") return undefined;
      return this.#endings.move(tx, row.id, "sent", { providerMsgId: messageId });
    };
    this.#store.commit(confirm).then(
      (row) => row && this.#sender.settled(row),
      (error: unknown) => this.#log.warn("a receipt could not be stored", { error, channel, accountId }),
    );
  }

  /** A part that was sent in the last 24 h, for a platform that asks for it again (R-WA-5). */
  sentPart(channel: string, accountId: string, chatId: string, messageId: string): OutboundPart | undefined {
    const since = this.#world.now() - outboxLimits.keepMs;
    return this.#table
      .byProviderMsgId(channel, accountId, messageId)
      .find((row) => (row.endedAt ?? 0) >= since && (row.chatId === chatId || row.facts?.["chatId"] === chatId))
      ?.payload;
  }

  /** What waits, and how many sends have an unknown end, for `channels.status` and `health`. */
  backlog(channel?: string, accountId?: string): { queued: number; unknown: number; oldestAt?: number } {
    let queued = 0;
    let oldestAt: number | undefined;
    for (const queue of this.#sender.queues) {
      if ((channel ?? queue.channel) !== queue.channel || (accountId ?? queue.accountId) !== queue.accountId) continue;
      queued += queue.size;
      const oldest = queue.oldestAt();
      if (oldest !== undefined) oldestAt = Math.min(oldest, oldestAt ?? oldest);
    }
    const unknown = this.#table.unknown(channel, accountId);
    return { queued, unknown, ...(oldestAt === undefined ? {} : { oldestAt }) };
  }

  /** Settles and takes over what a former process left behind, before anything is sent. When the store cannot write it goes on
   *  trying; nothing is sent until then. */
  async start(): Promise<void> {
    if (this.#phase !== "new") return;
    this.#phase = "loading";
    await this.#load();
  }

  /** Sends of waiting callers that have not begun are cancelled, those on their way get until the deadline. The rest waits for
   *  the next process. Idempotent. */
  async stop(deadlineMs: number): Promise<void> {
    if (this.#phase === "stopped") return;
    this.#phase = "stopped";
    for (const timer of this.#timers) timer.cancel();
    this.#deadlines.stop();
    this.#callers.giveUpConnections();
    await Promise.all([this.#cancel(this.#callers.awaited()), this.#sender.stop(deadlineMs)]);
    // An attempt that surely did not arrive left its row queued.
    await this.#cancel(this.#callers.awaited());
    this.#callers.failAll(() => stopping(true));
  }

  async #load(): Promise<void> {
    const queueOf = this.#sender.queueOf.bind(this.#sender);
    try {
      await load({ store: this.#store, world: this.#world, table: this.#table, endings: this.#endings, queueOf });
    } catch (error) {
      if (this.#phase !== "loading") return;
      this.#log.error("the outbox could not be read; it is tried again", { error });
      this.#timers = [this.#world.after(outboxLimits.loadRetryMs, () => void this.#load())];
      return;
    }
    if (this.#phase !== "loading") return;
    this.#phase = "running";
    this.#timers = [this.#world.every(outboxLimits.sweepEveryMs, () => void this.#sweep())];
    const early = this.#early;
    this.#early = [];
    this.#sender.start();
    for (const row of early) this.#take([row]);
    this.#deadlines.look();
    void this.#sweep();
  }

  /** Committed rows join what waits. Before `start` they are only in the store, where it finds them. */
  #take(rows: readonly StoredRow[]): void {
    if (this.#phase === "loading") this.#early.push(...rows);
    const [first] = rows;
    if (this.#phase !== "running" || !first) return;
    const waiting = rows.map((row) => waitingOf({ ...row, chatKind: row.payload.target.kind }, this.#world));
    this.#sender.add(first.channel, first.accountId, waiting);
  }

  async #ask(
    request: OutboxRequest,
    requestHash: string,
    waitForConnectionMs: number,
    isHeard: () => boolean,
  ): Promise<SendAnswer> {
    let rows = this.#table.byKey(request.family, request.key);
    if (rows.length > 0) mustMatch(rows[0], request, requestHash);
    else {
      await this.#connection(request, waitForConnectionMs);
      rows = (await this.#store.commit((tx) => this.insert(tx, request))) as StoredRow[];
    }
    const [first] = rows;
    if (!first) throw new Error("a message has at least one part");
    if (this.#phase === "stopped") {
      await this.#cancel([messageOf(first)]);
      if (!haveEnded(this.#table.byKey(first.family, first.key))) throw stopping(true);
    }
    const ended = await this.#callers.ended(messageOf(first), isHeard, () => {
      const present = this.#table.byKey(first.family, first.key);
      return haveEnded(present) ? present : undefined;
    });
    if (isHeard()) this.#markTold(ended);
    return answerOf(ended);
  }

  /** The caller hears of its unknown parts with this answer. */
  #markTold(ended: readonly StoredRow[]): void {
    const untold = ended.filter((row) => row.state === "unknown" && !row.told).map(({ id }) => id);
    if (untold.length === 0) return;
    this.#store
      .commit((tx) => this.#table.markTold(tx, untold))
      .catch((error: unknown) => this.#log.warn("it could not be noted that a caller was told", { error }));
  }

  /** Resolves when the account may send. Throws before anything is stored otherwise. */
  async #connection(request: OutboxRequest, waitMs: number): Promise<void> {
    const { channel, accountId } = request;
    if (this.#phase === "stopped") throw stopping(false);
    const account = this.#account(channel, accountId);
    const waits = account !== undefined && mayOpenSoon.has(account.state) && waitMs > 0;
    const isOpen = account?.open || (waits && (await this.#callers.opened(`${channel}\0${accountId}`, waitMs)));
    if (!isOpen) throw notConnected(request, this.#account(channel, accountId));
    if (this.#sender.queueOf(channel, accountId).size >= outboxLimits.queuedRows) {
      throw new GatewayError(
        "unavailable",
        "Too many messages wait for this channel; nothing was sent. Try again later.",
        {
          details: { code: "OUTBOX_FULL", channel, accountId },
          retryAfterMs: 5_000,
        },
      );
    }
  }

  /** Parts that have not begun are not sent any more. Never rejects: what cannot be cancelled goes on after the restart. */
  async #cancel(messages: readonly number[]): Promise<void> {
    if (messages.length === 0) return;
    const detail = "the gateway stopped before it was sent";
    try {
      await this.#store.commit((tx) => {
        for (const message of messages) {
          const parts = this.#table.byId(message, tx)?.parts ?? 0;
          for (let part = 0; part < parts; part++) this.#endings.giveUp(tx, message + part, reasons.cancelled, detail);
        }
      });
    } catch (error) {
      this.#log.warn("waiting sends could not be cancelled", { error });
    }
  }

  /** Never rejects. */
  async #sweep(): Promise<void> {
    const { keepMs, keepRows } = outboxLimits;
    try {
      for (let gone: number = sweepRows; gone >= sweepRows && this.#phase === "running";) {
        const before = this.#world.now() - keepMs;
        gone = await this.#store.commit((tx) => this.#table.sweep(tx, { before, keepRows, limit: sweepRows }));
      }
    } catch (error) {
      this.#log.warn("old rows of the outbox could not be deleted", { error });
    }
  }
}

/** States in which waiting a moment may help (reliability.md §3.6). */
const mayOpenSoon: ReadonlySet<string> = new Set(["starting", "connecting", "backoff", "stopping"]);

function notConnected(request: OutboxRequest, account: OutboxAccount | undefined): GatewayError {
  const { channel, accountId } = request;
  const isLinked = account?.state !== "terminal" && account?.state !== "linking";
  const problem = account?.problem ?? `The ${channel} account "${accountId}" is not connected`;
  return new GatewayError(isLinked ? "unavailable" : "not-linked", `${problem.replace(/\.$/, "")}. Nothing was sent.`, {
    details: { code: isLinked ? "NOT_CONNECTED" : "NOT_LINKED", channel, accountId },
  });
}
