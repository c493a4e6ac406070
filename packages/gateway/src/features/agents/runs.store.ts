/** Table `run`: one row per accepted request, the durable half of every run. The id on the wire (`run_id`) is the client's
 *  idempotency key; `id` is the one that is unique over families. Rows are kept 24 h, at most 50,000. */
import type { Migration, Reader, Row, Tx } from "../../store/store.ts";
import type { RunOutcome } from "./outcome.ts";
import type { RunRequest } from "./request.ts";
import type { RunState } from "./run-state.ts";

/** `heartbeat` and `hook`: started by the gateway itself, for automation. */
export type RunFamily = "agent" | "chat" | "channel" | "heartbeat" | "hook";

export interface RunRow {
  id: number;
  runId: string;
  family: RunFamily;
  principal: string;
  /** Empty when no session could be derived from the request. */
  sessionKey: string;
  sessionId: string;
  state: RunState;
  request: RunRequest;
  /** A tool with effects was started: the run is not repeated after a crash (R-RUN-4). */
  effects: boolean;
  attempts: number;
  /** Transcript entry of the user message, once written. */
  userEntryId?: string;
  /** The assistant message whose tools with effects were running, until it is in the transcript. JSON. */
  pending?: string;
  acceptedAt: number;
  startedAt?: number;
  endedAt?: number;
  outcome?: RunOutcome;
}

export const runMigrations: Migration[] = [
  {
    id: "agents-1",
    sql: `CREATE TABLE run (
      id INTEGER PRIMARY KEY,
      run_id TEXT NOT NULL,
      family TEXT NOT NULL,
      principal TEXT NOT NULL,
      session_key TEXT NOT NULL,
      session_id TEXT NOT NULL,
      state TEXT NOT NULL,
      request TEXT NOT NULL,
      effects INTEGER NOT NULL DEFAULT 0,
      attempts INTEGER NOT NULL DEFAULT 0,
      user_entry_id TEXT,
      pending TEXT,
      accepted_at INTEGER NOT NULL,
      started_at INTEGER,
      ended_at INTEGER,
      outcome TEXT
    ) STRICT;
    CREATE UNIQUE INDEX run_key ON run (run_id, family);
    CREATE INDEX run_open ON run (id) WHERE state IN ('accepted', 'running');
    CREATE INDEX run_age ON run (accepted_at) WHERE state NOT IN ('accepted', 'running');`,
  },
];

export const keepRunsMs = 24 * 3_600_000;
export const keepRunRows = 50_000;

const columns =
  "id, run_id, family, principal, session_key, session_id, state, request, effects, attempts, user_entry_id, pending, accepted_at, started_at, ended_at, outcome";

function fromRow(row: Row): RunRow {
  return {
    id: row["id"] as number,
    runId: row["run_id"] as string,
    family: row["family"] as RunFamily,
    principal: row["principal"] as string,
    sessionKey: row["session_key"] as string,
    sessionId: row["session_id"] as string,
    state: row["state"] as RunState,
    request: JSON.parse(row["request"] as string) as RunRequest,
    effects: row["effects"] === 1,
    attempts: row["attempts"] as number,
    acceptedAt: row["accepted_at"] as number,
    ...(row["user_entry_id"] === null ? {} : { userEntryId: row["user_entry_id"] as string }),
    ...(row["pending"] === null ? {} : { pending: row["pending"] as string }),
    ...(row["started_at"] === null ? {} : { startedAt: row["started_at"] as number }),
    ...(row["ended_at"] === null ? {} : { endedAt: row["ended_at"] as number }),
    ...(row["outcome"] === null ? {} : { outcome: JSON.parse(row["outcome"] as string) as RunOutcome }),
  };
}

export class RunTable {
  readonly #reader: Reader;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  byKey(family: RunFamily, runId: string, reader: Reader = this.#reader): RunRow | undefined {
    const row = reader.get<Row>(`SELECT ${columns} FROM run WHERE run_id = ? AND family = ?`, runId, family);
    return row && fromRow(row);
  }

  /** The newest run with this id on the wire, whichever family it belongs to. */
  byRunId(runId: string): RunRow | undefined {
    const row = this.#reader.get<Row>(`SELECT ${columns} FROM run WHERE run_id = ? ORDER BY id DESC LIMIT 1`, runId);
    return row && fromRow(row);
  }

  byId(id: number, reader: Reader = this.#reader): RunRow | undefined {
    const row = reader.get<Row>(`SELECT ${columns} FROM run WHERE id = ?`, id);
    return row && fromRow(row);
  }

  /** Runs that are not terminal, in order of acceptance, after the given id. */
  open(afterId: number, limit = 128): RunRow[] {
    const sql = `SELECT ${columns} FROM run WHERE state IN ('accepted', 'running') AND id > ? ORDER BY id LIMIT ?`;
    return this.#reader.all<Row>(sql, afterId, limit).map(fromRow);
  }

  insert(tx: Tx, row: Omit<RunRow, "id" | "effects" | "attempts" | "state">): number {
    const { lastInsertRowid } = tx.run(
      `INSERT INTO run (run_id, family, principal, session_key, session_id, state, request, accepted_at)
       VALUES (?, ?, ?, ?, ?, 'accepted', ?, ?)`,
      row.runId,
      row.family,
      row.principal,
      row.sessionKey,
      row.sessionId,
      JSON.stringify(row.request),
      row.acceptedAt,
    );
    return Number(lastInsertRowid);
  }

  /** An attempt begins. The message stands in the transcript from here on, so it leaves the row. */
  begin(
    tx: Tx,
    id: number,
    run: { sessionId: string; startedAt: number; userEntryId: string | undefined; request: RunRequest },
  ): void {
    tx.run(
      `UPDATE run SET state = 'running', attempts = attempts + 1, started_at = ?, session_id = ?, user_entry_id = ?, request = ? WHERE id = ?`,
      run.startedAt,
      run.sessionId,
      run.userEntryId ?? null,
      JSON.stringify(run.request),
      id,
    );
  }

  /** Written before the first tool with effects of a batch starts (R-RUN-4). */
  markEffects(tx: Tx, id: number, pending: string): void {
    tx.run("UPDATE run SET effects = 1, pending = ? WHERE id = ?", pending, id);
  }

  /** A part of its answer has left: the run is not repeated after a crash. */
  markSpoken(tx: Tx, id: number): void {
    tx.run("UPDATE run SET effects = 1 WHERE id = ?", id);
  }

  clearPending(tx: Tx, id: number): void {
    tx.run("UPDATE run SET pending = NULL WHERE id = ?", id);
  }

  requeue(tx: Tx, id: number): void {
    tx.run("UPDATE run SET state = 'accepted' WHERE id = ?", id);
  }

  end(
    tx: Tx,
    id: number,
    end: { state: RunState; endedAt: number; outcome: RunOutcome; userEntryId: string | undefined },
  ): void {
    tx.run(
      `UPDATE run SET state = ?, ended_at = ?, outcome = ?, user_entry_id = ?, pending = NULL, request = '{}' WHERE id = ?`,
      end.state,
      end.endedAt,
      JSON.stringify(end.outcome),
      end.userEntryId ?? null,
      id,
    );
  }

  /** Deletes at most `limit` ended rows that are too old or too many. Returns how many went. */
  sweep(tx: Tx, now: number, limit = 200): number {
    const old = tx.run(
      `DELETE FROM run WHERE id IN (SELECT id FROM run WHERE state NOT IN ('accepted', 'running') AND accepted_at < ? ORDER BY accepted_at LIMIT ?)`,
      now - keepRunsMs,
      limit,
    ).changes;
    if (old >= limit) return old;
    // Ids grow without gaps but for deletions at the old end, so the newest id tells how many rows there can be.
    const newest = tx.get<{ id: number | null }>("SELECT max(id) AS id FROM run")?.id ?? 0;
    const many = tx.run(
      `DELETE FROM run WHERE id IN (SELECT id FROM run WHERE id <= ? AND state NOT IN ('accepted', 'running') ORDER BY id LIMIT ?)`,
      newest - keepRunRows,
      limit - old,
    ).changes;
    return old + many;
  }
}
