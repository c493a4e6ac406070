/** How the two ledgers forget: what ended long ago, and never the newest row. */
import type { Tx } from "../../../store/store.ts";

export interface SweepOptions {
  /** ms since the epoch: what ended earlier goes. */
  before: number;
  keepRows: number;
  limit: number;
}

/** Deletes at most `limit` rows that ended before `before`, or so long ago that more than `keepRows` came since. `open` is the
 *  condition of rows that have not ended. The newest row stays: SQLite would give its id again, and whoever remembers "handled up
 *  to here" would pass over what is new. Returns how many went. */
export function sweepEnded(
  tx: Tx,
  table: "inbound" | "outbox",
  open: string,
  { before, keepRows, limit }: SweepOptions,
): number {
  const newest = tx.get<{ id: number | null }>(`SELECT max(id) AS id FROM ${table}`)?.id ?? 0;
  const old = tx.run(
    `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE ended_at IS NOT NULL AND ended_at < ? AND id < ? ORDER BY ended_at LIMIT ?)`,
    before,
    newest,
    limit,
  ).changes;
  if (old >= limit) return old;
  const many = tx.run(
    `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE id <= ? AND NOT (${open}) ORDER BY id LIMIT ?)`,
    newest - keepRows,
    limit - old,
  ).changes;
  return old + many;
}
