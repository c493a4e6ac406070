/** SQL of tables `transcript` and `entry`: append-only transcripts, read by range from the newest end (R-LOOP-3). */
import type { Message } from "@openclaw/protocol";
import type { Reader, Tx } from "../../store/index.ts";
import type { EntryBody, TranscriptEntry } from "./types.ts";

interface EntryRow {
  id: string;
  session_id: string;
  seq: number;
  parent_id: string | null;
  ts: number;
  json: string;
}

export interface PageOptions {
  limit: number;
  /** Only entries with a smaller seq. */
  beforeSeq?: number | undefined;
  /** Stop before the page would grow beyond this; the newest entry is always part of it. */
  maxBytes?: number | undefined;
  /** Entries of type message only. */
  messagesOnly?: boolean | undefined;
}

/** Rows one statement reads (R-DB-5). */
const chunk = 256;
const columns = "id, session_id, seq, parent_id, ts, json";

const entryOf = (row: EntryRow): TranscriptEntry => ({
  id: row.id,
  sessionId: row.session_id,
  seq: row.seq,
  parentId: row.parent_id,
  timestamp: row.ts,
  body: JSON.parse(row.json) as EntryBody,
});

export function openTranscript(tx: Tx, transcript: { sessionId: string; key: string; startedAt: number }): void {
  tx.run(
    "INSERT INTO transcript (session_id, key, started_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    transcript.sessionId,
    transcript.key,
    transcript.startedAt,
  );
}

export const renameTranscripts = (tx: Tx, from: string, to: string): void =>
  void tx.run("UPDATE transcript SET key = ? WHERE key = ?", to, from);

/** The transcript stays readable by its session id. */
export function endTranscript(tx: Tx, sessionId: string, at: number, reason: string): void {
  tx.run("UPDATE transcript SET ended_at = ?, end_reason = ? WHERE session_id = ?", at, reason, sessionId);
}

export interface TranscriptInfo {
  key: string;
  startedAt: number;
  firstSeq: number;
}

export const readTranscript = (reader: Reader, sessionId: string): TranscriptInfo | undefined =>
  reader.get<TranscriptInfo & Record<string, never>>(
    "SELECT key, started_at AS startedAt, first_seq AS firstSeq FROM transcript WHERE session_id = ?",
    sessionId,
  );

export const lastEntry = (reader: Reader, sessionId: string): { seq: number; id: string } | undefined =>
  reader.get<{ seq: number; id: string }>(
    "SELECT seq, id FROM entry WHERE session_id = ? ORDER BY seq DESC LIMIT 1",
    sessionId,
  );

export const seqOf = (reader: Reader, sessionId: string, entryId: string): number | undefined =>
  reader.get<{ seq: number }>("SELECT seq FROM entry WHERE session_id = ? AND id = ?", sessionId, entryId)?.seq;

export function insertEntry(tx: Tx, entry: TranscriptEntry, live = true): void {
  const json = JSON.stringify(entry.body);
  tx.run(
    "INSERT INTO entry (session_id, seq, id, parent_id, ts, type, role, live, bytes, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    entry.sessionId,
    entry.seq,
    entry.id,
    entry.parentId,
    entry.timestamp,
    entry.body.type,
    entry.body.type === "message" ? entry.body.message.role : null,
    live ? 1 : 0,
    Buffer.byteLength(json),
    json,
  );
}

export const pageStatements = {
  sizes: {
    all: "SELECT seq, bytes FROM entry WHERE session_id = ? AND seq >= ? AND seq < ? AND live = 1 ORDER BY seq DESC LIMIT ?",
    messages:
      "SELECT seq, bytes FROM entry INDEXED BY entry_message WHERE session_id = ? AND seq >= ? AND seq < ? AND role IS NOT NULL AND live = 1 ORDER BY seq DESC LIMIT ?",
  },
  rows: {
    all: `SELECT ${columns} FROM entry WHERE session_id = ? AND seq BETWEEN ? AND ? AND live = 1 ORDER BY seq`,
    messages: `SELECT ${columns} FROM entry INDEXED BY entry_message WHERE session_id = ? AND seq BETWEEN ? AND ? AND role IS NOT NULL AND live = 1 ORDER BY seq`,
  },
} as const;

/** The newest entries of a transcript, oldest first. Sizes are read before texts, so a page costs what it returns. */
export function readPage(
  reader: Reader,
  sessionId: string,
  options: PageOptions & { firstSeq: number },
): TranscriptEntry[] {
  const which = options.messagesOnly ? "messages" : "all";
  const pages: TranscriptEntry[][] = [];
  let upper = options.beforeSeq ?? Number.MAX_SAFE_INTEGER;
  let left = options.limit;
  let bytes = 0;
  let full = false;
  while (left > 0 && !full) {
    const wanted = Math.min(left, chunk);
    const sizes = reader.all<{ seq: number; bytes: number }>(
      pageStatements.sizes[which],
      sessionId,
      options.firstSeq,
      upper,
      wanted,
    );
    const newest = sizes[0];
    if (!newest) break;
    let lowest: number | undefined;
    for (const size of sizes) {
      bytes += size.bytes;
      if (bytes > (options.maxBytes ?? Number.POSITIVE_INFINITY) && (lowest !== undefined || pages.length > 0)) {
        full = true;
        break;
      }
      lowest = size.seq;
    }
    if (lowest === undefined) break;
    pages.push(
      reader
        .all<EntryRow & Record<string, never>>(pageStatements.rows[which], sessionId, lowest, newest.seq)
        .map(entryOf),
    );
    left -= sizes.length;
    upper = lowest;
    if (sizes.length < wanted) break;
  }
  return pages.toReversed().flat();
}

/** Newest assistant messages, oldest first. */
export const assistantEntries = (reader: Reader, sessionId: string, limit: number): TranscriptEntry[] =>
  reader
    .all<EntryRow & Record<string, never>>(
      `SELECT ${columns} FROM entry INDEXED BY entry_assistant WHERE session_id = ? AND role = 'assistant' AND live = 1 ORDER BY seq DESC LIMIT ?`,
      sessionId,
      Math.min(limit, chunk),
    )
    .map(entryOf)
    .toReversed();

export function lastCompaction(reader: Reader, sessionId: string): TranscriptEntry | undefined {
  const row = reader.get<EntryRow & Record<string, never>>(
    `SELECT ${columns} FROM entry INDEXED BY entry_compaction WHERE session_id = ? AND type = 'compaction' AND live = 1 ORDER BY seq DESC LIMIT 1`,
    sessionId,
  );
  return row && entryOf(row);
}

/** Entries before `firstSeq` are no longer shown; they stay in the store. */
export function cutTranscript(tx: Tx, sessionId: string, firstSeq: number): void {
  tx.run("UPDATE transcript SET first_seq = ? WHERE session_id = ?", firstSeq, sessionId);
}

/** Removes up to 256 entries for good, and the transcript with the last of them. True when nothing is left. */
export function eraseSome(tx: Tx, sessionId: string): boolean {
  const { changes } = tx.run(
    "DELETE FROM entry WHERE rowid IN (SELECT rowid FROM entry WHERE session_id = ? ORDER BY seq LIMIT ?)",
    sessionId,
    chunk,
  );
  if (changes === chunk) return false;
  tx.run("DELETE FROM transcript WHERE session_id = ?", sessionId);
  return true;
}

export const messageOf = (entry: TranscriptEntry): Message | undefined =>
  entry.body.type === "message" ? entry.body.message : undefined;
