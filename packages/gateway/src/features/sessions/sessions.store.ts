/** Tables of the room, and the SQL of table `session`: one row per key, its whole entry as JSON beside the columns that lists
 *  filter and sort by. Every statement uses an index (asserted in sessions.store.test.ts). */
import type { Migration, Reader, Tx } from "../../store/index.ts";
import { importMigration } from "./import.store.ts";
import { isCronRunKey } from "./keys.ts";
import type { SessionEntry } from "./types.ts";

export const sessionMigrations: Migration[] = [
  {
    id: "sessions-1",
    sql: `
      CREATE TABLE session (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        session_id TEXT NOT NULL UNIQUE,
        agent_id TEXT NOT NULL,
        updated_at INTEGER NOT NULL,
        hidden INTEGER NOT NULL,
        -- 0: never in a list, 1: in lists, 2: only when asked for (global, unknown)
        listed INTEGER NOT NULL,
        label TEXT UNIQUE,
        spawned_by TEXT,
        search TEXT NOT NULL,
        json TEXT NOT NULL
      ) STRICT;
      CREATE INDEX session_recent ON session (listed, updated_at, agent_id, search);
      CREATE INDEX session_agent ON session (agent_id, listed, updated_at);
      CREATE INDEX session_spawned ON session (spawned_by, listed, updated_at) WHERE spawned_by IS NOT NULL;
      CREATE INDEX session_hidden ON session (updated_at) WHERE hidden = 1;

      -- One row per session id ever used; entries before first_seq were cut off by sessions.compact.
      CREATE TABLE transcript (
        session_id TEXT PRIMARY KEY,
        key TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        ended_at INTEGER,
        end_reason TEXT,
        first_seq INTEGER NOT NULL DEFAULT 1
      ) STRICT, WITHOUT ROWID;

      -- live = 0: an imported entry that is not on the path from the last entry to the first.
      CREATE TABLE entry (
        session_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        id TEXT NOT NULL,
        parent_id TEXT,
        ts INTEGER NOT NULL,
        type TEXT NOT NULL,
        role TEXT,
        live INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        json TEXT NOT NULL,
        UNIQUE (session_id, seq),
        UNIQUE (session_id, id)
      ) STRICT;
      CREATE INDEX entry_message ON entry (session_id, seq, bytes) WHERE role IS NOT NULL AND live = 1;
      CREATE INDEX entry_assistant ON entry (session_id, seq) WHERE role = 'assistant' AND live = 1;
      CREATE INDEX entry_compaction ON entry (session_id, seq) WHERE type = 'compaction' AND live = 1;

      -- Sums per UTC day, kept when the session goes. provider and model are empty for what no model said.
      CREATE TABLE usage_day (
        day TEXT NOT NULL,
        session_id TEXT NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        key TEXT NOT NULL,
        agent_id TEXT NOT NULL,
        channel TEXT NOT NULL,
        last_at INTEGER NOT NULL,
        user_messages INTEGER NOT NULL,
        assistant_messages INTEGER NOT NULL,
        tool_calls INTEGER NOT NULL,
        tool_results INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        input REAL NOT NULL,
        output REAL NOT NULL,
        cache_read REAL NOT NULL,
        cache_write REAL NOT NULL,
        total_tokens REAL NOT NULL,
        input_cost REAL NOT NULL,
        output_cost REAL NOT NULL,
        cache_read_cost REAL NOT NULL,
        cache_write_cost REAL NOT NULL,
        total_cost REAL NOT NULL,
        missing_cost_entries INTEGER NOT NULL,
        PRIMARY KEY (day, session_id, provider, model)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX usage_day_session ON usage_day (session_id, day);
      CREATE TABLE tool_day (
        day TEXT NOT NULL,
        tool TEXT NOT NULL,
        calls INTEGER NOT NULL,
        PRIMARY KEY (day, tool)
      ) STRICT, WITHOUT ROWID;`,
  },
  importMigration,
  {
    // The report of a prompt is three quarters of an entry and is read for one session at a time: lists do without it.
    id: "sessions-3",
    sql: `
      ALTER TABLE session ADD COLUMN report TEXT;
      UPDATE session SET report = json_extract(json, '$.systemPromptReport'), json = json_remove(json, '$.systemPromptReport')
        WHERE json_extract(json, '$.systemPromptReport') IS NOT NULL;`,
    additive: true,
  },
  {
    // Notes that were acknowledged and are in no transcript yet (system-events.ts).
    id: "sessions-4",
    sql: `
      CREATE TABLE system_note (
        id INTEGER PRIMARY KEY,
        session_key TEXT NOT NULL,
        ts INTEGER NOT NULL,
        text TEXT NOT NULL,
        wake INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX system_note_key ON system_note (session_key, id);`,
    additive: true,
  },
];

/** Rows a list without `limit` returns at most. */
export const maxListed = 1_000;
/** Rows a search looks at, latest first. */
const maxSearched = 10_000;
const maxSearchChars = 600;

export interface ListFilter {
  limit: number;
  /** Only sessions updated at or after this time. */
  since: number;
  agentId?: string | undefined;
  label?: string | undefined;
  spawnedBy?: string | undefined;
  search?: string | undefined;
}

interface JsonRow {
  json: string;
}
interface WholeRow extends JsonRow {
  report: string | null;
}

function entryOf(row: WholeRow | undefined): SessionEntry | undefined {
  if (!row) return undefined;
  const entry = JSON.parse(row.json) as SessionEntry;
  if (row.report !== null) entry.systemPromptReport = JSON.parse(row.report);
  return entry;
}

export const readSession = (reader: Reader, key: string): SessionEntry | undefined =>
  entryOf(reader.get<WholeRow>("SELECT json, report FROM session WHERE key = ?", key));

export const readSessionById = (reader: Reader, sessionId: string): SessionEntry | undefined =>
  entryOf(reader.get<WholeRow>("SELECT json, report FROM session WHERE session_id = ?", sessionId));

export const readSessionByLabel = (reader: Reader, label: string): SessionEntry | undefined =>
  entryOf(reader.get<WholeRow>("SELECT json, report FROM session WHERE label = ?", label));

/** What `search` is matched against, lower-case. */
export function searchText(entry: SessionEntry): string {
  const parts = [entry.displayName, entry.label, entry.subject, entry.sessionId, entry.key];
  return parts
    .filter((part) => part !== undefined)
    .join("\n")
    .toLowerCase()
    .slice(0, maxSearchChars);
}

function listedAs(entry: SessionEntry): number {
  if (entry.hidden || isCronRunKey(entry.key)) return 0;
  return entry.key === "global" || entry.key === "unknown" ? 2 : 1;
}

/** Writes the whole row. The label must be free. */
export function writeSession(tx: Tx, entry: SessionEntry): void {
  const { systemPromptReport: report, ...rest } = entry;
  tx.run(
    `INSERT INTO session (key, session_id, agent_id, updated_at, hidden, listed, label, spawned_by, search, json, report)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET session_id = excluded.session_id, updated_at = excluded.updated_at, hidden = excluded.hidden,
       listed = excluded.listed, label = excluded.label, spawned_by = excluded.spawned_by, search = excluded.search, json = excluded.json,
       report = excluded.report`,
    entry.key,
    entry.sessionId,
    entry.agentId,
    entry.updatedAt,
    entry.hidden ? 1 : 0,
    listedAs(entry),
    entry.label ?? null,
    entry.spawnedBy ?? null,
    searchText(entry),
    JSON.stringify(rest),
    report === undefined ? null : JSON.stringify(report),
  );
}

export const removeSession = (tx: Tx, key: string): boolean =>
  tx.run("DELETE FROM session WHERE key = ?", key).changes > 0;

/** Listed sessions, latest first, without `global` and `unknown`. Their entries carry no `systemPromptReport`. */
export function listSessions(reader: Reader, filter: ListFilter): SessionEntry[] {
  if (filter.label !== undefined) {
    const entry = readSessionByLabel(reader, filter.label);
    return entry && listedAs(entry) === 1 && matches(entry, filter) ? [entry] : [];
  }
  const { sql, params } = listStatement(filter);
  return reader.all<JsonRow>(sql, ...params).map((row) => JSON.parse(row.json) as SessionEntry);
}

/** The statement behind a list; exported for the tests that read its plan. */
export function listStatement(filter: ListFilter): { sql: string; params: (string | number)[] } {
  const search = filter.search?.trim().toLowerCase();
  if (search) {
    const agent = filter.agentId === undefined ? "" : "AND agent_id = ?";
    const spawned = filter.spawnedBy !== undefined;
    const where = `listed = 1 AND updated_at >= ? ${agent} ${spawned ? "AND spawned_by = ?" : ""}`;
    const params = [filter.since, ...given(filter.agentId), ...given(filter.spawnedBy), search, filter.limit];
    const found = `SELECT id, updated_at FROM (
        SELECT id, updated_at, search FROM session INDEXED BY ${spawned ? "session_spawned" : "session_recent"}
        WHERE ${where} ORDER BY updated_at DESC LIMIT ${maxSearched}
      ) WHERE instr(search, ?) > 0 LIMIT ?`;
    return {
      sql: `WITH found AS MATERIALIZED (${found})
        SELECT session.json FROM found JOIN session ON session.id = found.id ORDER BY found.updated_at DESC`,
      params,
    };
  }
  if (filter.spawnedBy !== undefined) {
    const agent = filter.agentId === undefined ? "" : "AND agent_id = ?";
    return {
      sql: `SELECT json FROM session INDEXED BY session_spawned
        WHERE spawned_by = ? AND listed = 1 AND updated_at >= ? ${agent} ORDER BY updated_at DESC LIMIT ?`,
      params: [filter.spawnedBy, filter.since, ...given(filter.agentId), filter.limit],
    };
  }
  if (filter.agentId !== undefined) {
    return {
      sql: `SELECT json FROM session INDEXED BY session_agent
        WHERE agent_id = ? AND listed = 1 AND updated_at >= ? ORDER BY updated_at DESC LIMIT ?`,
      params: [filter.agentId, filter.since, filter.limit],
    };
  }
  return {
    sql: "SELECT json FROM session INDEXED BY session_recent WHERE listed = 1 AND updated_at >= ? ORDER BY updated_at DESC LIMIT ?",
    params: [filter.since, filter.limit],
  };
}

const given = (value: string | undefined): string[] => (value === undefined ? [] : [value]);

/** The filters in words, for rows that were not found through their index. */
export function matches(entry: SessionEntry, filter: ListFilter): boolean {
  const search = filter.search?.trim().toLowerCase();
  return (
    entry.updatedAt >= filter.since &&
    (filter.agentId === undefined || entry.agentId === filter.agentId) &&
    (filter.label === undefined || entry.label === filter.label) &&
    (filter.spawnedBy === undefined || entry.spawnedBy === filter.spawnedBy) &&
    (!search || searchText(entry).includes(search))
  );
}

/** Hidden sessions untouched since `before`, oldest first. */
export const hiddenSessions = (reader: Reader, before: number, limit: number): SessionEntry[] =>
  reader
    .all<JsonRow>(
      "SELECT json FROM session INDEXED BY session_hidden WHERE hidden = 1 AND updated_at < ? ORDER BY updated_at LIMIT ?",
      before,
      limit,
    )
    .map((row) => JSON.parse(row.json) as SessionEntry);

/** Number of sessions in lists. Reads an index only; for `status`. */
export function countSessions(reader: Reader, agentId?: string): number {
  const row =
    agentId === undefined
      ? reader.get<{ n: number }>("SELECT count(*) AS n FROM session INDEXED BY session_recent WHERE listed = 1")
      : reader.get<{ n: number }>(
          "SELECT count(*) AS n FROM session INDEXED BY session_agent WHERE agent_id = ? AND listed = 1",
          agentId,
        );
  return row?.n ?? 0;
}
