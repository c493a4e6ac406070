/** Contract of the store room; the implementation stands beside it. See `index.ts` for what the room owns. */
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";

export type Row = Record<string, SQLOutputValue>;

/** Reads: synchronous, bounded (≤ 256 rows, an index for every statement). */
export interface Reader {
  get<T = Row>(sql: string, ...params: SQLInputValue[]): T | undefined;
  all<T = Row>(sql: string, ...params: SQLInputValue[]): T[];
}

/** Writes inside one unit. Valid only during the call of the unit. */
export interface Tx extends Reader {
  run(sql: string, ...params: SQLInputValue[]): { changes: number; lastInsertRowid: number };
  /** Runs after the transaction is durable and before `commit` resolves, in order. Must not throw. */
  afterCommit(run: () => void): void;
}

export interface Migration {
  /** `<room>-<number>`, applied once, in array order. */
  id: string;
  sql: string;
  /** Programs that do not know this migration may still open the store: it only adds what they never look at. */
  additive?: boolean;
}

export interface Store extends Reader {
  readonly path: string;
  /** Runs `unit` in a transaction that is durable (`synchronous=FULL`) when the promise resolves. Units queued in the same
   *  turn share one transaction (group commit), each behind its own savepoint: a unit that throws rolls back alone and
   *  rejects with its error. Units run in the order of the calls. A unit must be synchronous.
   *  Throws GatewayError("unavailable", details.code DISK_FULL) when the disk is full. */
  commit<T>(unit: (tx: Tx) => T): Promise<T>;
  /** `integrity_check`; for doctor and tests. */
  check(): string;
  close(): void;
}
