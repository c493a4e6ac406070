/** Transcripts as JSONL (agent.md §6.5): how they leave the store and come back. A bad line costs only itself (R-SES-3). */
import { GatewayError } from "@openclaw/protocol";
import type { Ledger } from "./ledger.ts";
import { readSession } from "./sessions.store.ts";
import { previewOf, titleOf } from "./text.ts";
import { insertEntry, openTranscript, readPage, readTranscript } from "./transcripts.store.ts";
import type { EntryBody, SessionEntry, TranscriptEntry } from "./types.ts";
import { recordUsage } from "./usage.store.ts";

export interface ImportReport {
  sessionKey: string;
  sessionId: string;
  imported: number;
  /** Lines that were left out, counted from 1. */
  bad: { line: number; reason: string }[];
  /** Bad lines beyond the first thousand. */
  moreBad: number;
}

const version = 3;
/** Small, because an entry may carry images of some megabytes. */
const pageSize = 32;
const maxBadReported = 1_000;
const maxLineChars = 32 * 1024 * 1024;

/** The lines of a transcript, header first, without line ends. Reads page by page. Throws GatewayError("not-found"). */
export function* exportTranscript(ledger: Ledger, sessionId: string, options: { cwd: string }): Generator<string> {
  const info = readTranscript(ledger.store, sessionId);
  if (!info) throw new GatewayError("not-found", `No transcript found for session: ${sessionId}`);
  yield JSON.stringify({ type: "session", version, id: sessionId, timestamp: iso(info.startedAt), cwd: options.cwd });
  let firstSeq = info.firstSeq;
  let parentId: string | null = null;
  for (;;) {
    const page = readPage(ledger.store, sessionId, { limit: pageSize, firstSeq, beforeSeq: firstSeq + pageSize });
    const last = page.at(-1);
    if (!last) {
      const later = readPage(ledger.store, sessionId, { limit: 1, firstSeq });
      if (later.length === 0) return;
    }
    for (const { id, timestamp, body } of page) {
      const { type, ...rest } = body;
      yield JSON.stringify({ type, id, parentId, timestamp: iso(timestamp), ...rest });
      parentId = id;
    }
    firstSeq += pageSize;
  }
}

/** Reads a transcript into the session of `key`, under its own session id when that is free. The session must have no
 *  transcript yet. Entries off the path from the last line to the first are stored but not shown. */
export async function importTranscript(
  ledger: Ledger,
  options: { key: string; lines: Iterable<string>; seed?: Partial<SessionEntry> },
): Promise<ImportReport> {
  const key = ledger.canonicalKey(options.key);
  const { header, entries, bad, moreBad } = parseLines(options.lines, ledger);
  const live = pathToLast(entries);
  const sessionId = await ledger.store.commit((tx) => {
    const session = ledger.ensure(tx, key, { ...options.seed, ...(header ? { sessionId: header } : {}) });
    if (readPage(tx, session.sessionId, { limit: 1, firstSeq: 1 }).length > 0) {
      throw new GatewayError("conflict", `Session ${key} has a transcript already; reset or delete it first.`);
    }
    openTranscript(tx, { sessionId: session.sessionId, key, startedAt: entries[0]?.timestamp ?? session.createdAt });
    return session.sessionId;
  });
  for (let start = 0; start < entries.length; start += pageSize) {
    await ledger.store.commit((tx) => {
      const session = readSession(tx, key);
      if (session?.sessionId !== sessionId)
        throw new GatewayError("conflict", `Session ${key} was changed during the import.`);
      for (const [offset, entry] of entries.slice(start, start + pageSize).entries()) {
        const stored = { ...entry, sessionId, seq: start + offset + 1 };
        insertEntry(tx, stored, live.has(entry.id));
        if (stored.body.type === "message") recordUsage(tx, session, stored.body.message, stored.timestamp);
      }
    });
  }
  await ledger.store.commit((tx) => ledger.update(tx, key, summaryOf(entries, live), { touch: false }));
  return { sessionKey: key, sessionId, imported: entries.length, bad, moreBad };
}

function summaryOf(entries: readonly TranscriptEntry[], live: ReadonlySet<string>): Partial<SessionEntry> {
  const messages = entries.flatMap((entry) =>
    live.has(entry.id) && entry.body.type === "message" ? [entry.body.message] : [],
  );
  const titled = messages.find((message) => titleOf(message) !== undefined);
  const shown = messages.findLast((message) => previewOf(message) !== undefined);
  const last = entries.at(-1)?.timestamp;
  const title = titled && titleOf(titled);
  const preview = shown && previewOf(shown);
  return {
    ...(title === undefined ? {} : { derivedTitle: title }),
    ...(preview === undefined ? {} : { lastMessagePreview: preview }),
    ...(last === undefined ? {} : { updatedAt: last, lastInteractionAt: last }),
  };
}

interface Parsed {
  header: string | undefined;
  entries: TranscriptEntry[];
  bad: { line: number; reason: string }[];
  moreBad: number;
}

function parseLines(lines: Iterable<string>, ledger: Ledger): Parsed {
  const parsed: Parsed = { header: undefined, entries: [], bad: [], moreBad: 0 };
  const seen = new Set<string>();
  let number = 0;
  for (const line of lines) {
    number++;
    if (line.trim() === "") continue;
    const result = parseLine(line, number, ledger);
    if (typeof result === "string") {
      if (parsed.bad.length < maxBadReported) parsed.bad.push({ line: number, reason: result });
      else parsed.moreBad++;
    } else if ("header" in result) {
      parsed.header ??= result.header;
    } else {
      // A parent that is unknown was on a bad line: the entry before takes its place, so that the path is not cut.
      const known = result.parentId === null || seen.has(result.parentId);
      const parentId = known ? result.parentId : (parsed.entries.at(-1)?.id ?? null);
      const id = seen.has(result.id) ? ledger.world.uuid() : result.id;
      seen.add(id);
      parsed.entries.push({ ...result, id, parentId });
    }
  }
  return parsed;
}

/** The entry of a line, or the id of a header, or why the line is bad. Does not throw. */
function parseLine(line: string, number: number, ledger: Ledger): TranscriptEntry | { header: string } | string {
  if (line.length > maxLineChars) return "longer than 32 MiB";
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The text of a JSON error quotes the line; the number is enough.
    return "not JSON";
  }
  if (!isObject(value)) return "not an object";
  const { type, id, parentId, timestamp } = value;
  if (type === "session") {
    if (typeof id !== "string") return "a header without an id";
    return typeof value.version === "number" && value.version > version
      ? `version ${value.version} is not known`
      : { header: id };
  }
  if (typeof type !== "string") return "no type";
  const body = bodyOf(type, value);
  if (typeof body === "string") return body;
  const at = typeof timestamp === "string" ? Date.parse(timestamp) : Number(timestamp);
  return {
    id: typeof id === "string" && id !== "" && id.length <= 128 ? id : ledger.world.uuid(),
    sessionId: "",
    seq: number,
    parentId: typeof parentId === "string" || parentId === null ? parentId : "",
    timestamp: Number.isSafeInteger(at) && at >= 0 ? at : ledger.world.now(),
    body,
  };
}

function bodyOf(type: string, value: Record<string, unknown>): EntryBody | string {
  const text = (name: string) => (typeof value[name] === "string" ? value[name] : undefined);
  switch (type) {
    case "message":
      return isMessage(value.message) ? { type, message: value.message } : "not a message";
    case "compaction": {
      const [summary, firstKeptEntryId] = [text("summary"), text("firstKeptEntryId")];
      if (summary === undefined || firstKeptEntryId === undefined) return "a compaction without summary or first entry";
      return {
        type,
        summary,
        firstKeptEntryId,
        tokensBefore: typeof value.tokensBefore === "number" ? value.tokensBefore : 0,
      };
    }
    case "model_change":
      return { type, provider: text("provider") ?? "", modelId: text("modelId") ?? "" };
    case "thinking_level_change":
      return { type, thinkingLevel: text("thinkingLevel") ?? "off" };
    case "custom_message": {
      const content = text("content");
      if (content === undefined) return "a custom message without text";
      return { type, customType: text("customType") ?? "", content, display: value.display !== false };
    }
    case "custom":
      return { type, customType: text("customType") ?? "", data: value.data ?? null };
    default:
      // Kinds this program does not use are kept as they are.
      return { type: "custom", customType: type, data: value };
  }
}

function isMessage(value: unknown): value is Extract<EntryBody, { type: "message" }>["message"] {
  if (!isObject(value) || typeof value.timestamp !== "number") return false;
  const parts = Array.isArray(value.content) && value.content.every((part) => isObject(part) && isPart(part));
  if (value.role === "user") return parts || typeof value.content === "string";
  if (value.role === "toolResult")
    return parts && typeof value.toolCallId === "string" && typeof value.toolName === "string";
  return (
    value.role === "assistant" &&
    parts &&
    isUsage(value.usage) &&
    typeof value.provider === "string" &&
    typeof value.model === "string"
  );
}

function isPart(part: Record<string, unknown>): boolean {
  switch (part.type) {
    case "text":
      return typeof part.text === "string";
    case "image":
      return typeof part.data === "string" && typeof part.mimeType === "string";
    case "thinking":
      return typeof part.thinking === "string";
    case "toolCall":
      return typeof part.id === "string" && typeof part.name === "string" && isObject(part.arguments);
    default:
      return false;
  }
}

function isUsage(value: unknown): boolean {
  const numbers = (object: Record<string, unknown>, names: string[]) =>
    names.every((name) => Number.isFinite(object[name]));
  if (!isObject(value) || !isObject(value.cost)) return false;
  const tokens = ["input", "output", "cacheRead", "cacheWrite"];
  return numbers(value, [...tokens, "totalTokens"]) && numbers(value.cost, [...tokens, "total"]);
}

/** Ids on the way from the last entry to the first. */
function pathToLast(entries: readonly TranscriptEntry[]): Set<string> {
  const path = new Set<string>();
  let wanted: string | null | undefined = entries.at(-1)?.id;
  for (const entry of entries.toReversed()) {
    if (entry.id !== wanted) continue;
    path.add(entry.id);
    wanted = entry.parentId;
  }
  return path;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const iso = (ms: number): string => new Date(ms).toISOString();
