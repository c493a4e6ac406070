/** Sends what the outbox holds: one part per chat at a time, within the budgets, only over an open account. Every attempt is
 *  committed before its first byte leaves and its result before anything else happens in that chat (reliability.md §3.1). */
import type { Logger } from "../../../kernel/log.ts";
import type { Timer, World } from "../../../kernel/world.ts";
import type { Store, Tx } from "../../../store/store.ts";
import type { ChannelAccount, SendBudget } from "../channel.ts";
import type { SendOutcome } from "../outbound.ts";
import { AccountQueue, type Lane, type Waiting } from "./account-queue.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Endings } from "./endings.ts";
import { hasEnded } from "./outbox-state.ts";
import type { OutboxTable, StoredRow } from "./outbox.store.ts";
import { textOf } from "./repeats.ts";
import type { OutboxRequest } from "./request.ts";
import { isUnconfirmed, reasons, verdict } from "./verdict.ts";
import { withoutFile } from "./without-file.ts";

/** What the outbox needs to know of an account. */
export interface OutboxAccount {
  /** Of the account machine (reliability.md §3.6). */
  state: string;
  /** Egress is allowed (A4). */
  open: boolean;
  /** What to answer when it cannot send, with the next step. */
  problem?: string;
  budget: SendBudget;
  clientMessageIds: boolean;
  newMessageId?(): string;
  send: ChannelAccount["send"];
}

export const senderLimits = {
  /** An adapter answers within 60 s; one that does not is not waited for. */
  sendMs: 70_000,
  /** After the store could not write. */
  storeRetryMs: 1_000,
} as const;

export interface SenderDeps {
  store: Store;
  world: World;
  log: Logger;
  table: OutboxTable;
  endings: Endings;
  deadlines: Deadlines;
  account: (channel: string, accountId: string) => OutboxAccount | undefined;
  /** Stores a further message. */
  insert: (tx: Tx, request: OutboxRequest) => void;
}

/** What an attempt left to do: rows that ended, or a pause of this chat. */
interface Attempt {
  ended: number[];
  pauseMs: number;
}

export class Sender {
  readonly #deps: SenderDeps;
  readonly #queues = new Map<string, AccountQueue>();
  /** Sends on their way, with the watch over the adapter's silence. */
  readonly #sending = new Map<AbortController, Timer>();
  readonly #attempts = new Set<Promise<void>>();
  #running = false;
  #closed = false;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  /** One per account that ever had a row: as many as the config has accounts. */
  queueOf(channel: string, accountId: string): AccountQueue {
    const name = `${channel}\0${accountId}`;
    let queue = this.#queues.get(name);
    if (!queue) {
      const made = new AccountQueue({
        channel,
        accountId,
        world: this.#deps.world,
        wake: () => this.#pump(made),
      });
      if (this.#deps.account(channel, accountId)?.open) made.closedMono = undefined;
      queue = made;
      this.#queues.set(name, made);
    }
    return queue;
  }

  get queues(): Iterable<AccountQueue> {
    return this.#queues.values();
  }

  start(): void {
    this.#running = true;
    for (const queue of this.#queues.values()) this.#pump(queue);
  }

  add(channel: string, accountId: string, rows: readonly Waiting[]): void {
    const queue = this.queueOf(channel, accountId);
    for (const row of rows) {
      queue.add(row);
      this.#deps.deadlines.add(queue, row);
    }
    this.#pump(queue);
  }

  /** A row that waited has ended otherwise. One on its way is seen to when its answer comes. */
  settled(row: StoredRow): void {
    const queue = this.queueOf(row.channel, row.accountId);
    queue.removeIdle(row.id, row.chatId);
    this.#pump(queue);
  }

  opened(channel: string, accountId: string): void {
    const queue = this.queueOf(channel, accountId);
    queue.closedMono = undefined;
    queue.recheck();
    this.#pump(queue);
  }

  closed(channel: string, accountId: string): void {
    const queue = this.queueOf(channel, accountId);
    queue.closedMono ??= this.#deps.world.monotonic();
    this.#deps.deadlines.closed();
  }

  /** Starts no attempt any more, waits for those on their way, then tells them to end. What is still `attempting` is settled by
   *  the next process. */
  async stop(deadlineMs: number): Promise<void> {
    this.#running = false;
    for (const queue of this.#queues.values()) queue.stop();
    const abortMs = Math.min(200, deadlineMs / 4);
    if (!(await this.#idle(deadlineMs - abortMs))) {
      for (const controller of this.#sending.keys()) controller.abort();
      await this.#idle(abortMs);
      for (const watch of this.#sending.values()) watch.cancel();
    }
    this.#closed = true;
  }

  async #idle(waitMs: number): Promise<boolean> {
    if (this.#attempts.size === 0) return true;
    let timer: Timer | undefined;
    const late = new Promise<false>((resolve) => {
      timer = this.#deps.world.after(waitMs, () => resolve(false));
    });
    const done = await Promise.race([Promise.all(this.#attempts).then(() => true), late]);
    timer?.cancel();
    return done;
  }

  #pump(queue: AccountQueue): void {
    if (!this.#running) return;
    const account = this.#deps.account(queue.channel, queue.accountId);
    if (!account?.open) return;
    for (let turn = queue.next(account.budget); turn; turn = queue.next(account.budget)) {
      const attempt = this.#attempt(queue, turn.lane, turn.row, account);
      this.#attempts.add(attempt);
      void attempt.then(() => this.#attempts.delete(attempt));
    }
  }

  /** Never rejects. */
  async #attempt(queue: AccountQueue, lane: Lane, row: Waiting, account: OutboxAccount): Promise<void> {
    const { world, log } = this.#deps;
    const budget = { reserved: true };
    let attempt: Attempt = { ended: [], pauseMs: senderLimits.storeRetryMs };
    try {
      attempt = await this.#try(queue, row, account, budget);
    } catch (error) {
      log.warn("an attempt to send could not be made; it is made again", { error });
    }
    if (budget.reserved) queue.budget.keptBack();
    row.dueMono = world.monotonic() + attempt.pauseMs;
    queue.done(lane);
    if (attempt.ended.length > 0) queue.remove(new Set(attempt.ended), [lane.chatId]);
    else this.#deps.deadlines.add(queue, row);
    this.#pump(queue);
  }

  /** One attempt, from the decision to the result. Rejects when the store cannot write before anything left. */
  async #try(
    queue: AccountQueue,
    waiting: Waiting,
    account: OutboxAccount,
    budget: { reserved: boolean },
  ): Promise<Attempt> {
    const { store, world, table, endings, deadlines } = this.#deps;
    const { id, chatId } = waiting;
    const row = table.byId(id);
    if (row?.state !== "queued") return { ended: [id], pauseMs: 0 };
    if (deadlines.isOver(waiting)) {
      await store.commit((tx) => endings.giveUp(tx, id, reasons.expired, deadlines.tooLate));
      return { ended: [id], pauseMs: 0 };
    }
    // A second attempt of a message that may have arrived is the same message.
    const text = row.part === 0 && !isUnconfirmed(row) ? textOf(row.payload.content) : undefined;
    const heldMs = text === undefined ? 0 : queue.repeats.waitMs(chatId, text, world.monotonic());
    if (heldMs > 0) {
      this.#reportHeld(waiting, row, heldMs);
      return { ended: [], pauseMs: heldMs };
    }
    const clientMsgId = row.clientMsgId ?? (account.clientMessageIds ? account.newMessageId?.() : undefined);
    const begun = await store.commit((tx) =>
      endings.move(tx, id, "attempting", {
        attempts: row.attempts + 1,
        ...(clientMsgId === undefined ? {} : { clientMsgId }),
      }),
    );
    // A receipt of an earlier attempt may have come in the same commit.
    if (!begun || table.stateOf(id) !== "attempting") return { ended: [id], pauseMs: 0 };
    world.mark("outbox.after-attempting");
    const outcome = await this.#send(begun, () => {
      budget.reserved = false;
      queue.budget.hasLeft(chatId, world.monotonic());
    });
    world.mark("outbox.after-provider");
    const mayHaveArrived = outcome.state === "sent" || outcome.state === "unknown";
    if (text !== undefined && mayHaveArrived) queue.repeats.said(chatId, text, world.monotonic());
    return this.#settle(queue, begun, outcome);
  }

  /** Hands the part to the account, if it is still open. `leaving` is called just before. Never rejects. */
  async #send(row: StoredRow, leaving: () => void): Promise<SendOutcome> {
    const { world, account } = this.#deps;
    // It may have been closed or replaced while the attempt was committed.
    const present = account(row.channel, row.accountId);
    if (!this.#running || !present?.open)
      return { state: "retry", reason: reasons.notConnected, detail: "the channel is not connected", afterMs: 0 };
    leaving();
    const controller = new AbortController();
    const silence = new Promise<SendOutcome>((resolve) => {
      const watch = world.after(senderLimits.sendMs, () => {
        controller.abort();
        resolve({ state: "unknown", reason: "no-answer", detail: "the platform did not answer" });
      });
      this.#sending.set(controller, watch);
    });
    try {
      const { clientMsgId } = row;
      const attempt = { signal: controller.signal, ...(clientMsgId === undefined ? {} : { clientMsgId }) };
      return await Promise.race([present.send(row.payload, attempt), silence]);
    } catch (error) {
      this.#deps.log.error("an adapter threw while sending", { error, channel: row.channel });
      return { state: "unknown", reason: "adapter-error", detail: "the channel failed while sending" };
    } finally {
      this.#sending.get(controller)?.cancel();
      this.#sending.delete(controller);
    }
  }

  /** Stores the result. It is known only here, so it is tried until the store takes it or the process ends. */
  async #settle(queue: AccountQueue, row: StoredRow, outcome: SendOutcome): Promise<Attempt> {
    const { store, world, log } = this.#deps;
    for (;;) {
      try {
        const attempt = await store.commit((tx) => this.#write(tx, row, outcome));
        if (outcome.state === "retry" && outcome.afterMs !== undefined)
          queue.budget.hold(world.monotonic() + outcome.afterMs, outcome.account ? undefined : row.chatId);
        return attempt;
      } catch (error) {
        log.error("the result of a send could not be stored; it is tried again", { error, id: row.id });
        if (this.#closed) return { ended: [row.id], pauseMs: 0 };
        await new Promise<void>((resolve) => world.after(senderLimits.storeRetryMs, resolve));
      }
    }
  }

  #write(tx: Tx, row: StoredRow, outcome: SendOutcome): Attempt {
    const { world, table, endings } = this.#deps;
    const now = world.now();
    const present = table.byId(row.id, tx);
    // A receipt was faster than the answer.
    if (!present || hasEnded(present.state)) return { ended: [row.id], pauseMs: 0 };
    const { to, change } = verdict(present, outcome, now, (world.randomBytes(1)[0] ?? 0) / 256);
    const moved = endings.move(tx, row.id, to, change);
    if (to === "queued") return { ended: [], pauseMs: Math.max(0, (change.nextAt ?? now) - now) };
    if (!moved || to !== "failed") return { ended: [row.id], pauseMs: 0 };
    const rest = endings.failRest(tx, moved);
    const words = outcome.state === "failed" ? this.#wordsLeft(tx, moved, rest, now, outcome) : undefined;
    if (words) this.#deps.insert(tx, words);
    return { ended: [row.id, ...rest], pauseMs: 0 };
  }

  /** The platform refused a file of a reply; the person is to hear the words. */
  #wordsLeft(
    tx: Tx,
    failed: StoredRow,
    rest: readonly number[],
    now: number,
    { captionSent = false }: { captionSent?: boolean },
  ): OutboxRequest | undefined {
    const parts = rest.flatMap((id) => this.#deps.table.byId(id, tx)?.payload ?? []);
    return withoutFile(failed, parts, now, captionSent);
  }

  #reportHeld(waiting: Waiting, row: StoredRow, heldMs: number): void {
    if (waiting.held) return;
    waiting.held = true;
    this.#deps.log.warn("the same text was sent to one chat three times in a minute; it is held", {
      channel: row.channel,
      accountId: row.accountId,
      chatId: row.chatId,
      heldMs: Math.round(heldMs),
    });
    this.#deps.endings.report(
      row,
      `was said three times within a minute and is held for ${Math.ceil(heldMs / 1_000)} s`,
    );
  }
}
