/** The commits that change an outbox row, and who hears of a bad end: the caller that waits, else the session the message
 *  belongs to, else the log. Once per failed message, once per unknown part. */
import type { Logger } from "../../../kernel/log.ts";
import type { World } from "../../../kernel/world.ts";
import type { Tx } from "../../../store/store.ts";
import type { OutboxState } from "../outbound.ts";
import { tellText } from "./answer.ts";
import type { Callers } from "./callers.ts";
import { hasEnded } from "./outbox-state.ts";
import { type OutboxChange, type OutboxTable, pageRows, type StoredRow } from "./outbox.store.ts";
import { isUnconfirmed, reasons } from "./verdict.ts";

export const messageOf = (row: { id: number; part: number }): number => row.id - row.part;

export class Endings {
  readonly #world: Pick<World, "now">;
  readonly #log: Logger;
  readonly #table: OutboxTable;
  readonly #callers: Callers;
  readonly #systemEvent: (sessionKey: string, text: string) => void;

  constructor(options: {
    world: Pick<World, "now">;
    log: Logger;
    table: OutboxTable;
    callers: Callers;
    systemEvent: (sessionKey: string, text: string) => void;
  }) {
    this.#world = options.world;
    this.#log = options.log;
    this.#table = options.table;
    this.#callers = options.callers;
    this.#systemEvent = options.systemEvent;
  }

  /** Moves one row. When it ends, whoever waits is woken after the commit. */
  move(tx: Tx, id: number, to: OutboxState, change: OutboxChange = {}): StoredRow | undefined {
    const row = this.#table.move(tx, id, to, this.#world.now(), change);
    if (!row || !hasEnded(to)) return row;
    if (to === "unknown" || (to === "failed" && row.reason !== reasons.earlierPart)) this.#tell(tx, row);
    tx.afterCommit(() => this.#callers.wake(messageOf(row)));
    return row;
  }

  /** A queued row is not tried any more. What may have arrived in an earlier attempt ends as unknown, by way of `attempting`:
   *  `failed` would promise that it did not. Rows that are past saving are left as they are. */
  giveUp(tx: Tx, id: number, reason: string, detail: string): void {
    const row = this.#table.byId(id, tx);
    if (row?.state !== "queued") return;
    if (!isUnconfirmed(row)) return void this.move(tx, id, "failed", { reason, detail });
    this.move(tx, id, "attempting");
    this.move(tx, id, "unknown", { reason, detail });
  }

  /** The parts after a failed one fail with it (R-OUT-6). Returns the ids. */
  failRest(tx: Tx, failed: StoredRow): number[] {
    const ids: number[] = [];
    const first = messageOf(failed);
    for (let id = failed.id + 1; id < first + Math.min(failed.parts, pageRows); id++) {
      if (this.#table.byId(id, tx)?.state !== "queued") continue;
      this.move(tx, id, "failed", {
        reason: reasons.earlierPart,
        detail: `part ${failed.part + 1} of the message was not sent`,
      });
      ids.push(id);
    }
    return ids;
  }

  /** Tells the session of a message something about it that is no end. */
  report(row: StoredRow, text: string): void {
    if (row.sessionKey !== undefined)
      this.#systemEvent(row.sessionKey, `A message to ${row.channel} chat ${row.chatId} ${text}.`);
  }

  #tell(tx: Tx, row: StoredRow): void {
    const first = messageOf(row);
    // Of failed parts only the first is worth a word; of every unknown one somebody should look into the chat.
    const others = "SELECT 1 FROM outbox WHERE id >= ? AND id < ? AND told = 1";
    const told = row.state === "failed" && tx.get(others, first, first + row.parts) !== undefined;
    const awaited = this.#callers.isAwaited(first);
    const { sessionKey, channel, accountId, chatId, kind, state, reason } = row;
    if (told || awaited || sessionKey !== undefined) this.#table.markTold(tx, [row.id]);
    if (told) return;
    tx.afterCommit(() => {
      this.#log.warn(`a message ended as ${state}`, { channel, accountId, chatId, kind, reason, id: row.id });
      if (!awaited && sessionKey !== undefined) this.#systemEvent(sessionKey, tellText(row));
    });
  }
}
