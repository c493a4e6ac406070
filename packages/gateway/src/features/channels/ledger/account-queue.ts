/** What waits for one account, in memory: ids of rows by chat, in order. A view of the open rows of the store; it decides whose
 *  turn is next. Chats take turns; within a chat rows leave one after the other in order of their ids, so that the parts of
 *  two messages never mix (R-OUT-6). */
import type { Timer, World } from "../../../kernel/world.ts";
import type { SendBudget } from "../channel.ts";
import { Budget } from "./budget.ts";
import { Repeats } from "./repeats.ts";

/** A row that waits. */
export interface Waiting {
  readonly id: number;
  /** Id of the message's first part. */
  readonly message: number;
  readonly chatId: string;
  readonly isGroup: boolean;
  readonly operator: boolean;
  readonly createdAt: number;
  /** By the wall clock, for a clock that was set or a computer that slept. */
  readonly expiresAt: number;
  /** The same by the monotonic clock; whichever comes first counts. */
  readonly expiresMono: number;
  readonly addedMono: number;
  /** Not to be tried before. */
  dueMono: number;
  /** Is being given up: must not be sent any more. */
  ending: boolean;
  /** It was reported that it repeats what was said before. */
  held: boolean;
}

export class Lane {
  readonly chatId: string;
  rows: Waiting[] = [];
  /** A row of this chat is on its way. */
  busy = false;
  timer: Timer | undefined;

  constructor(chatId: string) {
    this.chatId = chatId;
  }
}

/** Sends on their way at once. */
export const maxInFlight = 16;

export class AccountQueue {
  readonly channel: string;
  readonly accountId: string;
  readonly budget = new Budget();
  readonly repeats = new Repeats();
  /** Ids up to this one were taken in. */
  lastId = 0;
  /** Called when a row may have become ready. */
  readonly wake: () => void;
  /** When the account was last open; undefined while it is. */
  closedMono: number | undefined;
  readonly #world: Pick<World, "monotonic" | "after">;
  readonly #lanes = new Map<string, Lane>();
  readonly #ready = new Set<Lane>();
  #timer: Timer | undefined;
  #size = 0;
  #inFlight = 0;

  constructor(options: {
    channel: string;
    accountId: string;
    world: Pick<World, "monotonic" | "after">;
    wake: () => void;
  }) {
    this.channel = options.channel;
    this.accountId = options.accountId;
    this.#world = options.world;
    this.wake = options.wake;
    this.closedMono = options.world.monotonic();
  }

  get size(): number {
    return this.#size;
  }

  /** Rows that are not on their way, in order of their ids within each chat. */
  *idle(): Iterable<Waiting> {
    for (const { rows, busy } of this.#lanes.values()) {
      for (let at = busy ? 1 : 0; at < rows.length; at++) {
        const row = rows[at];
        if (row && !row.ending) yield row;
      }
    }
  }

  /** When the row that waits longest was stored. */
  oldestAt(): number | undefined {
    let oldest: number | undefined;
    for (const { rows } of this.#lanes.values()) {
      const first = rows[0]?.createdAt;
      if (first !== undefined && (oldest === undefined || first < oldest)) oldest = first;
    }
    return oldest;
  }

  /** Takes a row in, behind the others of its chat. Rows come in order of their ids; one that is known is ignored. */
  add(row: Waiting): void {
    if (row.id <= this.lastId) return;
    this.lastId = row.id;
    let lane = this.#lanes.get(row.chatId);
    if (!lane) {
      lane = new Lane(row.chatId);
      this.#lanes.set(row.chatId, lane);
    }
    lane.rows.push(row);
    this.#size++;
    this.#makeReady(lane);
  }

  /** The next lane whose first row may leave now; it is busy from here until `done`. Lanes that must wait get a timer. */
  next(budget: SendBudget): { lane: Lane; row: Waiting } | undefined {
    const now = this.#world.monotonic();
    for (const lane of this.#ready) {
      if (this.#inFlight >= maxInFlight) return undefined;
      const accountWaitMs = this.budget.accountWaitMs(budget, now);
      if (accountWaitMs > 0) return this.#waitAll(accountWaitMs);
      this.#ready.delete(lane);
      const row = lane.rows[0];
      if (!row || row.ending) continue;
      const waitMs = Math.max(row.dueMono - now, this.budget.chatWaitMs(budget, lane.chatId, row.isGroup, now));
      if (waitMs > 0) {
        this.#wait(lane, waitMs);
        continue;
      }
      lane.busy = true;
      this.#inFlight++;
      this.budget.reserve();
      return { lane, row };
    }
    return undefined;
  }

  /** The attempt is over; its row, if it ended, was removed. */
  done(lane: Lane): void {
    lane.busy = false;
    this.#inFlight--;
    this.#makeReady(lane);
  }

  /** Rows that ended leave their chats. */
  remove(ids: ReadonlySet<number>, chatIds: Iterable<string>): void {
    for (const chatId of chatIds) {
      const lane = this.#lanes.get(chatId);
      if (!lane) continue;
      const left = lane.rows.filter((row) => !ids.has(row.id));
      this.#size -= lane.rows.length - left.length;
      lane.rows = left;
      this.#makeReady(lane);
    }
  }

  /** The same for one row, unless it is on its way. */
  removeIdle(id: number, chatId: string): void {
    const lane = this.#lanes.get(chatId);
    if (lane && !(lane.busy && lane.rows[0]?.id === id)) this.remove(new Set([id]), [chatId]);
  }

  /** Lanes that wait for their budget are looked at again: the account has opened, or a row was given up. */
  recheck(): void {
    for (const lane of this.#lanes.values()) this.#makeReady(lane);
  }

  stop(): void {
    this.#timer?.cancel();
    for (const lane of this.#lanes.values()) lane.timer?.cancel();
  }

  #makeReady(lane: Lane): void {
    lane.timer?.cancel();
    lane.timer = undefined;
    if (lane.busy) return;
    if (lane.rows.length > 0) return void this.#ready.add(lane);
    this.#ready.delete(lane);
    this.#lanes.delete(lane.chatId);
  }

  #wait(lane: Lane, waitMs: number): void {
    lane.timer?.cancel();
    lane.timer = this.#world.after(waitMs, () => {
      lane.timer = undefined;
      this.#makeReady(lane);
      this.wake();
    });
  }

  #waitAll(waitMs: number): undefined {
    this.#timer?.cancel();
    this.#timer = undefined;
    // Otherwise the end of a send wakes the queue.
    if (waitMs === Infinity) return;
    this.#timer = this.#world.after(waitMs, () => {
      this.#timer = undefined;
      this.wake();
    });
  }
}
