/** SQL of the import and the export: table `import_file`, which remembers what was read, and walks over everything. */
import type { Migration, Reader, Tx } from "../../store/index.ts";
import type { SessionEntry } from "./types.ts";

export const importMigration: Migration = {
  id: "sessions-2",
  additive: true,
  sql: `
    -- Files taken from an older installation, by their place in its state directory.
    CREATE TABLE import_file (
      path TEXT NOT NULL,
      hash TEXT NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (path, hash)
    ) STRICT, WITHOUT ROWID;`,
};

export const isImported = (reader: Reader, path: string, hash: string): boolean =>
  reader.get("SELECT 1 FROM import_file WHERE path = ? AND hash = ?", path, hash) !== undefined;

export const markImported = (tx: Tx, path: string, hash: string, at: number): void =>
  void tx.run("INSERT INTO import_file (path, hash, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", path, hash, at);

export interface StoredTranscript {
  sessionId: string;
  key: string;
  startedAt: number;
  endedAt: number | null;
  endReason: string | null;
  firstSeq: number;
}

const chunk = 256;
const transcriptColumns = `session_id AS sessionId, key, started_at AS startedAt, ended_at AS endedAt,
  end_reason AS endReason, first_seq AS firstSeq`;

export const storedTranscript = (reader: Reader, sessionId: string): StoredTranscript | undefined =>
  reader.get<StoredTranscript>(`SELECT ${transcriptColumns} FROM transcript WHERE session_id = ?`, sessionId);

/** Every transcript, by session id. */
export function* allTranscripts(reader: Reader): Generator<StoredTranscript> {
  const sql = `SELECT ${transcriptColumns} FROM transcript WHERE session_id > ? ORDER BY session_id LIMIT ${chunk}`;
  yield* walk(
    (after) => reader.all<StoredTranscript>(sql, after),
    (row) => row.sessionId,
  );
}

/** Every session, listed or not, by key. */
export function* allSessions(reader: Reader): Generator<SessionEntry> {
  const sql = `SELECT key, json FROM session WHERE key > ? ORDER BY key LIMIT ${chunk}`;
  const rows = walk(
    (after) => reader.all<{ key: string; json: string }>(sql, after),
    (row) => row.key,
  );
  for (const { json } of rows) yield JSON.parse(json) as SessionEntry;
}

function* walk<T>(page: (after: string) => T[], keyOf: (row: T) => string): Generator<T> {
  let after = "";
  for (;;) {
    const rows = page(after);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < chunk) return;
    after = keyOf(last);
  }
}

interface EntryJson {
  id: string;
  seq: number;
  parentId: string | null;
  timestamp: number;
  json: string;
}

/** Entries of a transcript from `firstSeq` on, branches that were left included. Few at a time: one may carry images. */
export function* storedEntries(reader: Reader, sessionId: string, firstSeq: number): Generator<EntryJson> {
  const sql = `SELECT id, seq, parent_id AS parentId, ts AS timestamp, json FROM entry
    WHERE session_id = ? AND seq >= ? ORDER BY seq LIMIT 16`;
  for (let next = firstSeq; ;) {
    const rows = reader.all<EntryJson>(sql, sessionId, next);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    next = last.seq + 1;
  }
}

/** Says again which of the first `count` entries are on the path. A page of 256 per call, from `fromSeq`. */
export function setLive(tx: Tx, sessionId: string, live: ReadonlySet<string>, fromSeq: number): void {
  const rows = tx.all<{ seq: number; id: string; live: number }>(
    "SELECT seq, id, live FROM entry WHERE session_id = ? AND seq >= ? AND seq < ?",
    sessionId,
    fromSeq,
    fromSeq + chunk,
  );
  for (const row of rows) {
    const wanted = live.has(row.id) ? 1 : 0;
    if (row.live !== wanted)
      tx.run("UPDATE entry SET live = ? WHERE session_id = ? AND seq = ?", wanted, sessionId, row.seq);
  }
}
export const livePage = chunk;
