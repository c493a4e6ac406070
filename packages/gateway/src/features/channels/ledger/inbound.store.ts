/** SQL of the inbound ledger: rows, cursors, counters. */
import type { Reader, Tx } from "../../../store/store.ts";
import type { InboundMessage, InboundRow, InboundState } from "../inbound.ts";
import { sweepEnded, type SweepOptions } from "./sweep.ts";

type Row = Record<string, string | number | null>;

const columns =
  "id, channel, account_id, own_id, message, received_at, state, attempts, session_key, run_row_id, reason, bytes";
/** As the partial indexes say it. */
const open = "state IN ('stored', 'command', 'waiting')";

export interface StoredInbound extends InboundRow {
  bytes: number;
}

function fromRow(row: Row): StoredInbound {
  return {
    id: row["id"] as number,
    channel: row["channel"] as string,
    accountId: row["account_id"] as string,
    ownId: row["own_id"] as string,
    message: JSON.parse(row["message"] as string) as InboundMessage,
    receivedAt: row["received_at"] as number,
    state: row["state"] as InboundState,
    attempts: row["attempts"] as number,
    bytes: row["bytes"] as number,
    ...(row["session_key"] === null ? {} : { sessionKey: row["session_key"] as string }),
    ...(row["run_row_id"] === null ? {} : { runRowId: row["run_row_id"] as number }),
    ...(row["reason"] === null ? {} : { reason: row["reason"] as string }),
  };
}

export class InboundTable {
  readonly #reader: Reader;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  byId(id: number, reader: Reader = this.#reader): StoredInbound | undefined {
    const row = reader.get<Row>(`SELECT ${columns} FROM inbound WHERE id = ?`, id);
    return row && fromRow(row);
  }

  open(afterId: number, limit: number): StoredInbound[] {
    const sql = `SELECT ${columns} FROM inbound WHERE ${open} AND id > ? ORDER BY id LIMIT ?`;
    return this.#reader.all<Row>(sql, afterId, limit).map(fromRow);
  }

  byRun(runRowId: number, afterId: number, limit: number, reader: Reader = this.#reader): StoredInbound[] {
    const sql = `SELECT ${columns} FROM inbound WHERE run_row_id = ? AND id > ? ORDER BY id LIMIT ?`;
    return reader.all<Row>(sql, runRowId, afterId, limit).map(fromRow);
  }

  /** Undefined when this id was seen before: nothing has changed then. */
  insert(
    tx: Tx,
    row: { channel: string; accountId: string; ownId: string; message: InboundMessage; receivedAt: number },
  ): StoredInbound | undefined {
    const { channel, accountId, ownId, message, receivedAt } = row;
    const text = JSON.stringify(message);
    const bytes = Buffer.byteLength(text);
    const { changes, lastInsertRowid } = tx.run(
      `INSERT INTO inbound (channel, account_id, own_id, platform_id, message, bytes, received_at, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, 'stored') ON CONFLICT DO NOTHING`,
      channel,
      accountId,
      ownId,
      message.platformId,
      text,
      bytes,
      receivedAt,
    );
    if (changes === 0) return undefined;
    return { id: lastInsertRowid, channel, accountId, ownId, message, receivedAt, state: "stored", attempts: 0, bytes };
  }

  has(channel: string, accountId: string, ownId: string, platformId: string): boolean {
    const sql = "SELECT 1 FROM inbound WHERE channel = ? AND account_id = ? AND own_id = ? AND platform_id = ?";
    return this.#reader.get(sql, channel, accountId, ownId, platformId) !== undefined;
  }

  update(tx: Tx, row: InboundRow, endedAt: number | undefined): void {
    tx.run(
      `UPDATE inbound SET state = ?, attempts = ?, session_key = ?, run_row_id = ?, reason = ?, ended_at = ? WHERE id = ?`,
      row.state,
      row.attempts,
      row.sessionKey ?? null,
      row.runRowId ?? null,
      row.reason ?? null,
      endedAt ?? null,
      row.id,
    );
  }

  /** Reads the covering index once over all open rows: for the first look at an account. */
  backlog(channel: string, accountId: string): { rows: number; bytes: number } {
    const row = this.#reader.get<{ n: number; bytes: number | null }>(
      `SELECT count(*) AS n, sum(bytes) AS bytes FROM inbound WHERE channel = ? AND account_id = ? AND ${open}`,
      channel,
      accountId,
    );
    return { rows: row?.n ?? 0, bytes: row?.bytes ?? 0 };
  }

  /** See `sweepEnded`. */
  sweep(tx: Tx, options: SweepOptions): number {
    return sweepEnded(tx, "inbound", open, options);
  }

  cursor(channel: string, accountId: string, ownId: string): { value: string; storedAt: number } | undefined {
    return this.#reader.get<{ value: string; storedAt: number }>(
      `SELECT value, stored_at AS storedAt FROM channel_cursor WHERE channel = ? AND account_id = ? AND own_id = ?`,
      channel,
      accountId,
      ownId,
    );
  }

  hasCursorOfAnother(channel: string, accountId: string, ownId: string): boolean {
    const sql = `SELECT 1 FROM channel_cursor WHERE channel = ? AND account_id = ? AND own_id <> ? LIMIT 1`;
    return this.#reader.get(sql, channel, accountId, ownId) !== undefined;
  }

  putCursor(tx: Tx, at: { channel: string; accountId: string; ownId: string }, value: string, storedAt: number): void {
    tx.run(
      `INSERT INTO channel_cursor (channel, account_id, own_id, value, stored_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value, stored_at = excluded.stored_at`,
      at.channel,
      at.accountId,
      at.ownId,
      value,
      storedAt,
    );
  }

  /** Cursors of other own ids that are too old to be used. */
  dropCursors(tx: Tx, at: { channel: string; accountId: string; ownId: string }, before: number): void {
    tx.run(
      "DELETE FROM channel_cursor WHERE channel = ? AND account_id = ? AND own_id <> ? AND stored_at < ?",
      at.channel,
      at.accountId,
      at.ownId,
      before,
    );
  }

  count(tx: Tx, channel: string, accountId: string, reason: string, n: number): void {
    if (n === 0) return;
    tx.run(
      `INSERT INTO channel_count (channel, account_id, reason, n) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET n = n + excluded.n`,
      channel,
      accountId,
      reason,
      n,
    );
  }

  counts(channel: string, accountId: string, reader: Reader = this.#reader): Record<string, number> {
    const rows = reader.all<{ reason: string; n: number }>(
      "SELECT reason, n FROM channel_count WHERE channel = ? AND account_id = ? LIMIT 256",
      channel,
      accountId,
    );
    return Object.fromEntries(rows.map(({ reason, n }) => [reason, n]));
  }
}
