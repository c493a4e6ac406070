/** Rows whose time is over are given up, also when their account never opens (O6), and sends of an operator soon after it
 *  closed (R-OUT-7). One timer for all of them. */
import type { Logger } from "../../../kernel/log.ts";
import type { Timer, World } from "../../../kernel/world.ts";
import type { Store } from "../../../store/store.ts";
import type { AccountQueue, Waiting } from "./account-queue.ts";
import type { Endings } from "./endings.ts";
import { pageRows } from "./outbox.store.ts";
import { reasons } from "./verdict.ts";

export const deadlineLimits = {
  /** Wait of an operator's send for a channel that is away. */
  operatorMs: 5_000,
  /** A wall clock that was set, or a computer that slept, is noticed within this time. */
  lookMs: 30_000,
  /** Two looks are at least this far apart. */
  restMs: 100,
} as const;

export class Deadlines {
  readonly tooLate = "the time in which it could be sent was over";
  readonly #store: Store;
  readonly #world: World;
  readonly #log: Logger;
  readonly #endings: Endings;
  readonly #queues: () => Iterable<AccountQueue>;
  #timer: Timer | undefined;
  #dueMono = Infinity;
  #stopped = false;

  constructor(options: {
    store: Store;
    world: World;
    log: Logger;
    endings: Endings;
    queues: () => Iterable<AccountQueue>;
  }) {
    this.#store = options.store;
    this.#world = options.world;
    this.#log = options.log;
    this.#endings = options.endings;
    this.#queues = options.queues;
  }

  /** By either clock. */
  isOver(row: Waiting): boolean {
    return this.#world.now() >= row.expiresAt || this.#world.monotonic() >= row.expiresMono;
  }

  add(queue: AccountQueue, row: Waiting): void {
    this.#arm(dueMono(queue, row));
  }

  closed(): void {
    this.#arm(this.#world.monotonic() + deadlineLimits.operatorMs);
  }

  /** Looks at every row now, and again when the next one is due. */
  look(): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueMono = Infinity;
    const now = this.#world.monotonic();
    let next = Infinity;
    for (const queue of this.#queues()) {
      const over: { row: Waiting; reason: string; detail: string }[] = [];
      for (const row of queue.idle()) {
        if (this.isOver(row)) over.push({ row, reason: reasons.expired, detail: this.tooLate });
        else if (now >= dueMono(queue, row))
          over.push({ row, reason: reasons.notConnected, detail: "the channel was not connected" });
        else next = Math.min(next, dueMono(queue, row));
      }
      for (let at = 0; at < over.length; at += pageRows) void this.#giveUp(queue, over.slice(at, at + pageRows));
    }
    if (next < Infinity) this.#arm(Math.max(next, now + deadlineLimits.restMs));
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Never rejects. */
  async #giveUp(queue: AccountQueue, over: { row: Waiting; reason: string; detail: string }[]): Promise<void> {
    for (const { row } of over) row.ending = true;
    try {
      await this.#store.commit((tx) => {
        for (const { row, reason, detail } of over) this.#endings.giveUp(tx, row.id, reason, detail);
      });
      queue.remove(new Set(over.map(({ row }) => row.id)), new Set(over.map(({ row }) => row.chatId)));
    } catch (error) {
      this.#log.warn("rows of the outbox could not be given up; it is tried again", { error });
      for (const { row } of over) row.ending = false;
      queue.recheck();
      this.#arm(this.#world.monotonic() + 1_000);
    }
    queue.wake();
  }

  #arm(dueAt: number): void {
    if (this.#stopped) return;
    const now = this.#world.monotonic();
    const at = Math.min(dueAt, now + deadlineLimits.lookMs);
    if (at >= this.#dueMono) return;
    this.#timer?.cancel();
    this.#dueMono = at;
    this.#timer = this.#world.after(Math.max(0, at - now), () => this.look());
  }
}

/** When the row is given up, if nothing changes. */
function dueMono(queue: AccountQueue, row: Waiting): number {
  if (!row.operator || queue.closedMono === undefined) return row.expiresMono;
  return Math.min(row.expiresMono, Math.max(queue.closedMono, row.addedMono) + deadlineLimits.operatorMs);
}
