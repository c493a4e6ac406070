/** SQL of the outbox. Every statement touches at most a page of rows and uses an index. */
import type { Logger } from "../../../kernel/log.ts";
import type { Reader, Tx } from "../../../store/store.ts";
import type { OutboundPart, OutboxKind, OutboxRow, OutboxState } from "../outbound.ts";
import { hasEnded, mayMoveOutbox } from "./outbox-state.ts";
import { sweepEnded, type SweepOptions } from "./sweep.ts";

type Row = Record<string, string | number | null>;

export interface StoredRow extends OutboxRow {
  chatId: string;
  requestHash: string;
  /** What the platform said about the message that was sent; `chatId` among them where it named one. */
  facts?: Readonly<Record<string, string>>;
  endedAt?: number;
  /** Somebody has heard of its bad end. */
  told: boolean;
}

/** A row that waits, without what it says. */
export interface OpenRow {
  id: number;
  chatId: string;
  chatKind: string;
  part: number;
  kind: OutboxKind;
  state: OutboxState;
  clientMsgId: string | null;
  createdAt: number;
  nextAt: number;
  expiresAt: number;
}

export interface RecentRow {
  id: number;
  channel: string;
  accountId: string;
  chatId: string;
  part: number;
  endedAt: number;
  /** JSON of the part. */
  payload: string;
}

export type NewRow = Omit<StoredRow, "id" | "state" | "attempts" | "told">;

export interface OutboxChange {
  attempts?: number;
  clientMsgId?: string;
  providerMsgId?: string;
  facts?: Readonly<Record<string, string>>;
  nextAt?: number;
  reason?: string;
  detail?: string;
}

const columns = `id, key, family, principal, channel, account_id, chat_id, part, parts, kind, payload, request_hash, state, attempts,
  client_msg_id, provider_msg_id, facts, created_at, next_at, expires_at, ended_at, run_row_id, session_key, reason, detail, told`;
/** As the partial index says it. */
const open = "state IN ('queued', 'attempting')";
export const pageRows = 256;

function fromRow(row: Row): StoredRow {
  const optional = <K extends string, V>(name: K, value: string | number | null | undefined, read: (v: never) => V) =>
    value === null || value === undefined ? {} : ({ [name]: read(value as never) } as Record<K, V>);
  const text = (value: string) => value;
  const number = (value: number) => value;
  return {
    id: row["id"] as number,
    key: row["key"] as string,
    family: row["family"] as string,
    principal: row["principal"] as string,
    channel: row["channel"] as string,
    accountId: row["account_id"] as string,
    chatId: row["chat_id"] as string,
    part: row["part"] as number,
    parts: row["parts"] as number,
    kind: row["kind"] as OutboxKind,
    payload: JSON.parse(row["payload"] as string) as OutboundPart,
    requestHash: row["request_hash"] as string,
    state: row["state"] as OutboxState,
    attempts: row["attempts"] as number,
    createdAt: row["created_at"] as number,
    nextAt: row["next_at"] as number,
    expiresAt: row["expires_at"] as number,
    told: row["told"] === 1,
    ...optional("clientMsgId", row["client_msg_id"], text),
    ...optional("providerMsgId", row["provider_msg_id"], text),
    ...optional("facts", row["facts"], (json: string) => JSON.parse(json) as Record<string, string>),
    ...optional("endedAt", row["ended_at"], number),
    ...optional("runRowId", row["run_row_id"], number),
    ...optional("sessionKey", row["session_key"], text),
    ...optional("reason", row["reason"], text),
    ...optional("detail", row["detail"], text),
  };
}

export class OutboxTable {
  /** Moves that were refused: each is a bug. */
  refused = 0;
  readonly #reader: Reader;
  readonly #log: Logger;

  constructor(reader: Reader, log: Logger) {
    this.#reader = reader;
    this.#log = log;
  }

  byId(id: number, reader: Reader = this.#reader): StoredRow | undefined {
    const row = reader.get<Row>(`SELECT ${columns} FROM outbox WHERE id = ?`, id);
    return row && fromRow(row);
  }

  stateOf(id: number): OutboxState | undefined {
    return this.#reader.get<{ state: OutboxState }>("SELECT state FROM outbox WHERE id = ?", id)?.state;
  }

  /** The parts that were sent under a key, whoever used it, in order. */
  byKey(family: string, key: string, reader: Reader = this.#reader): StoredRow[] {
    const sql = `SELECT ${columns} FROM outbox WHERE family = ? AND key = ? ORDER BY principal, part LIMIT ${pageRows}`;
    return reader.all<Row>(sql, family, key).map(fromRow);
  }

  byClientMsgId(channel: string, accountId: string, clientMsgId: string, reader: Reader): StoredRow | undefined {
    const sql = `SELECT ${columns} FROM outbox WHERE channel = ? AND account_id = ? AND client_msg_id = ? ORDER BY id DESC LIMIT 1`;
    const row = reader.get<Row>(sql, channel, accountId, clientMsgId);
    return row && fromRow(row);
  }

  byProviderMsgId(channel: string, accountId: string, providerMsgId: string): StoredRow[] {
    const sql = `SELECT ${columns} FROM outbox WHERE channel = ? AND account_id = ? AND provider_msg_id = ? ORDER BY id DESC LIMIT 16`;
    return this.#reader.all<Row>(sql, channel, accountId, providerMsgId).map(fromRow);
  }

  /** Accounts with open rows, after the given one. */
  nextAccount(channel: string, accountId: string): { channel: string; accountId: string } | undefined {
    return this.#reader.get<{ channel: string; accountId: string }>(
      `SELECT channel, account_id AS accountId FROM outbox WHERE ${open} AND (channel, account_id) > (?, ?)
       ORDER BY channel, account_id LIMIT 1`,
      channel,
      accountId,
    );
  }

  open(channel: string, accountId: string, afterId: number): OpenRow[] {
    return this.#reader.all<OpenRow & Row>(
      `SELECT id, chat_id AS chatId, json_extract(payload, '$.target.kind') AS chatKind, part, kind, state,
         client_msg_id AS clientMsgId, created_at AS createdAt, next_at AS nextAt, expires_at AS expiresAt
       FROM outbox WHERE channel = ? AND account_id = ? AND ${open} AND id > ? ORDER BY id LIMIT ${pageRows}`,
      channel,
      accountId,
      afterId,
    );
  }

  /** Rows that ended since, in order of their end. */
  recent(since: number, afterId: number): RecentRow[] {
    return this.#reader.all<RecentRow & Row>(
      `SELECT id, channel, account_id AS accountId, chat_id AS chatId, part, ended_at AS endedAt, payload FROM outbox
       WHERE ended_at IS NOT NULL AND (ended_at, id) > (?, ?) AND state IN ('sent', 'unknown') ORDER BY ended_at, id LIMIT ${pageRows}`,
      since,
      afterId,
    );
  }

  /** How many sends have an unknown end; counts to 10,000. */
  unknown(channel?: string, accountId?: string): number {
    const where = [
      "state = 'unknown'",
      ...(channel === undefined ? [] : ["channel = ?"]),
      ...(accountId === undefined ? [] : ["account_id = ?"]),
    ].join(" AND ");
    const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM outbox WHERE ${where} LIMIT 10000)`;
    const params = [channel, accountId].filter((value) => value !== undefined);
    return this.#reader.get<{ n: number }>(sql, ...params)?.n ?? 0;
  }

  insert(tx: Tx, row: NewRow): StoredRow {
    const { lastInsertRowid } = tx.run(
      `INSERT INTO outbox (key, family, principal, channel, account_id, chat_id, part, parts, kind, payload, request_hash, state,
         created_at, next_at, expires_at, run_row_id, session_key)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?)`,
      row.key,
      row.family,
      row.principal,
      row.channel,
      row.accountId,
      row.chatId,
      row.part,
      row.parts,
      row.kind,
      JSON.stringify(row.payload),
      row.requestHash,
      row.createdAt,
      row.nextAt,
      row.expiresAt,
      row.runRowId ?? null,
      row.sessionKey ?? null,
    );
    return { ...row, id: lastInsertRowid, state: "queued", attempts: 0, told: false };
  }

  /** Moves a row as reliability §3.1 lists. A pair that is not listed is a bug: logged and counted, the row stays as it was, and
   *  the answer is undefined. */
  move(tx: Tx, id: number, to: OutboxState, now: number, change: OutboxChange = {}): StoredRow | undefined {
    const row = this.byId(id, tx);
    if (!row || !mayMoveOutbox(row.state, to)) {
      this.refused++;
      this.#log.error(`refused: an outbox row cannot go from ${row?.state ?? "nothing"} to ${to}`, { id });
      return undefined;
    }
    const { reason: _reason, detail: _detail, ...kept } = row;
    // What went wrong before is of no interest once it was sent.
    const next: StoredRow = {
      ...(to === "sent" ? kept : row),
      ...change,
      state: to,
      ...(hasEnded(to) ? { endedAt: now } : {}),
    };
    tx.run(
      `UPDATE outbox SET state = ?, attempts = ?, client_msg_id = ?, provider_msg_id = ?, facts = ?, next_at = ?, ended_at = ?,
         reason = ?, detail = ? WHERE id = ?`,
      to,
      next.attempts,
      next.clientMsgId ?? null,
      next.providerMsgId ?? null,
      next.facts === undefined ? null : JSON.stringify(next.facts),
      next.nextAt,
      next.endedAt ?? null,
      next.reason ?? null,
      next.detail ?? null,
      id,
    );
    return next;
  }

  markTold(tx: Tx, ids: readonly number[]): void {
    for (const id of ids) tx.run("UPDATE outbox SET told = 1 WHERE id = ?", id);
  }

  /** See `sweepEnded`. */
  sweep(tx: Tx, options: SweepOptions): number {
    return sweepEnded(tx, "outbox", open, options);
  }
}
