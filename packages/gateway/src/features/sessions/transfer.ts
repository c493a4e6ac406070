/** Transcripts as JSONL (agent.md §6.5): how they leave the store, and how a single one comes back. A bad line costs only
 *  itself (R-SES-3). */
import { GatewayError } from "@openclaw/protocol";
import type { Reader, Tx } from "../../store/index.ts";
import { isSessionId } from "./import-entry.ts";
import { transcriptVersion } from "./import-line.ts";
import { scanLines, type LineProblem, type Scan } from "./import-scan.ts";
import type { ImportParts } from "./import-sessions.ts";
import { Batch, takeConversation, type Place } from "./import-transcript.ts";
import { allSessions, allTranscripts, storedEntries, storedTranscript, type StoredTranscript } from "./import.store.ts";
import { canonicalKey, splitKey } from "./keys.ts";
import { readSession, readSessionById, writeSession } from "./sessions.store.ts";
import { lastEntry } from "./transcripts.store.ts";
import type { EntryBody, SessionEntry } from "./types.ts";

export { writtenEntry } from "./import-entry.ts";

export interface TranscriptReport {
  sessionKey: string;
  sessionId: string;
  imported: number;
  bad: LineProblem[];
  /** Bad lines beyond the first thousand. */
  moreBad: number;
}

/** The lines of a transcript, header first, without line ends. Branches that were left are part of it; what `sessions.compact`
 *  cut off is not. Reads page by page. Throws GatewayError("not-found"). */
export function* exportTranscript(reader: Reader, sessionId: string, options: { cwd: string }): Generator<string> {
  const info = storedTranscript(reader, sessionId);
  if (!info) throw new GatewayError("not-found", `No transcript found for session: ${sessionId}`);
  yield JSON.stringify({
    type: "session",
    version: transcriptVersion,
    id: sessionId,
    timestamp: iso(info.startedAt),
    cwd: options.cwd,
    sessionKey: info.key,
    ...(info.endedAt === null ? {} : { endedAt: iso(info.endedAt) }),
    ...(info.endReason === null ? {} : { endReason: info.endReason }),
  });
  const written = new Set<string>();
  let before: string | null = null;
  for (const { id, parentId, timestamp, json } of storedEntries(reader, sessionId, info.firstSeq)) {
    const { type, ...rest } = JSON.parse(json) as EntryBody;
    // The parent of the first entry may have been cut off.
    const parent: string | null = parentId === null || written.has(parentId) ? parentId : before;
    yield JSON.stringify({ type, id, parentId: parent, timestamp: iso(timestamp), ...rest });
    written.add(id);
    before = id;
  }
}

/** Sessions with their transcripts, then conversations that ended; each with its session id. */
export interface Exportable {
  agentId: string;
  sessionId: string;
  key: string;
  /** Absent for a conversation that ended. */
  entry: SessionEntry | undefined;
}

/** Everything, or the sessions of the given keys (a session id will do). Throws GatewayError("not-found") for one that is
 *  unknown. */
export function* exportables(reader: Reader, keys: readonly string[] | "all", rules: KeyHome): Generator<Exportable> {
  if (keys !== "all") {
    for (const key of keys) yield oneOf(reader, key, rules);
    return;
  }
  for (const entry of allSessions(reader)) yield present(entry);
  for (const transcript of allTranscripts(reader)) {
    if (readSessionById(reader, transcript.sessionId) || !hasEntries(reader, transcript)) continue;
    yield ended(transcript, rules);
  }
}

/** Whose keys are meant when a key names no agent. */
export type KeyHome = Pick<ImportParts, "scope"> & { defaultAgent: string };

const present = (entry: SessionEntry): Exportable => ({
  agentId: entry.agentId,
  sessionId: entry.sessionId,
  key: entry.key,
  entry,
});

const ended = ({ sessionId, key }: StoredTranscript, rules: KeyHome): Exportable => ({
  agentId: splitKey(key)?.agentId ?? rules.defaultAgent,
  sessionId,
  key,
  entry: undefined,
});

const hasEntries = (reader: Reader, { sessionId, firstSeq }: StoredTranscript): boolean =>
  (lastEntry(reader, sessionId)?.seq ?? 0) >= firstSeq;

function oneOf(reader: Reader, given: string, rules: KeyHome): Exportable {
  const byId = readSessionById(reader, given);
  const entry = byId ?? readSession(reader, canonicalKey(given, { ...rules, exists: () => true }));
  if (entry) return present(entry);
  const transcript = storedTranscript(reader, given);
  if (transcript) return ended(transcript, rules);
  throw new GatewayError("not-found", `No session found: ${given}`, { details: { code: "UNKNOWN_SESSION" } });
}

/** Reads one transcript into a session of its own: under `key`, else under the key its header names, else under its session
 *  id. Throws GatewayError("conflict") when that session has a transcript already, "invalid" when there is nothing to read. */
export async function importTranscript(
  parts: ImportParts,
  given: { key?: string | undefined; defaultAgent: string; lines: () => Iterable<string>; name?: string },
): Promise<TranscriptReport> {
  const { header } = scanLines(given.lines, "");
  const named = header?.id ?? given.name;
  const sessionId = isSessionId(named) ? named : undefined;
  const wanted = given.key ?? header?.sessionKey ?? sessionId;
  if (sessionId === undefined || wanted === undefined) {
    throw new GatewayError("invalid", "The file is no transcript: its first line names no session.");
  }
  const key = canonicalKey(wanted, { defaultAgent: given.defaultAgent, scope: parts.scope, exists: () => true });
  const agentId = splitKey(key)?.agentId ?? given.defaultAgent;
  const batch = new Batch(parts.store);
  const conversation = {
    sessionId,
    lines: given.lines,
    place: (tx: Tx, scan: Scan) => placeAlone(tx, { key, agentId, sessionId }, scan, parts.world.now()),
  };
  const { scan, result } = await takeConversation(batch, conversation, parts.keep);
  await batch.flush();
  const place = result();
  if ("leave" in place) throw new GatewayError("conflict", `Session ${key}: ${place.leave}.`);
  return { sessionKey: key, sessionId, imported: scan.count, bad: scan.bad, moreBad: scan.moreBad };
}

function placeAlone(
  tx: Tx,
  names: Pick<SessionEntry, "key" | "agentId" | "sessionId">,
  scan: Scan,
  now: number,
): Place {
  if (scan.count === 0) return { leave: "the file has no entries" };
  const present = readSession(tx, names.key);
  const owner = readSessionById(tx, names.sessionId);
  if (owner && owner.key !== names.key) return { leave: `the transcript is that of ${owner.key}` };
  if (present?.sessionId === names.sessionId) return { session: present, current: true };
  if (present && lastEntry(tx, present.sessionId))
    return { leave: "it has a transcript already; reset or delete it first" };
  const updatedAt = scan.lastAt ?? now;
  const startedAt = scan.header?.startedAt ?? scan.firstAt ?? updatedAt;
  const session: SessionEntry = {
    ...present,
    ...names,
    createdAt: present?.createdAt ?? startedAt,
    updatedAt,
    sessionStartedAt: startedAt,
    lastInteractionAt: updatedAt,
    hidden: false,
  };
  writeSession(tx, session);
  return { session, current: true };
}

const iso = (ms: number): string => new Date(ms).toISOString();
