/** One line of a JSONL transcript (agent.md §6.5): what it says, or why it cannot be taken. Old files are read generously: what
 *  this program does not use is kept as a custom entry, what a message lacks is filled in. */
import { emptyUsage, type Message, type Usage } from "@openclaw/protocol";
import type { EntryBody } from "./types.ts";

/** First line of a transcript. The last three fields are written by our own export and ignored by other programs. */
export interface TranscriptHeader {
  id: string;
  startedAt: number | undefined;
  sessionKey: string | undefined;
  endedAt: number | undefined;
  endReason: string | undefined;
}

export type Line =
  | { kind: "header"; header: TranscriptHeader }
  | {
      kind: "entry";
      id: string | undefined;
      /** Undefined when the line names none or something that is no id. */
      parentId: string | null | undefined;
      timestamp: number | undefined;
      body: EntryBody;
      /** What of the line was left out. */
      note?: string;
    }
  | { kind: "bad"; reason: string };

/** Version of the header; older ones are read too. */
export const transcriptVersion = 3;
export const maxLineChars = 32 * 1024 * 1024;
const maxIdChars = 128;
/** Year 9999: beyond it a time has no plain ISO form. */
const latestTime = 253_402_300_799_999;

type Fields = Record<string, unknown>;

const bad = (reason: string): Line => ({ kind: "bad", reason });

/** Does not throw. */
export function parseLine(line: string): Line {
  if (line.length > maxLineChars) return bad("longer than 32 MiB");
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The text of a JSON error quotes the line; the number is enough.
    return bad("not JSON");
  }
  if (!isObject(value)) return bad("not an object");
  if (value.type === "session") return headerOf(value);
  if (typeof value.type !== "string") return bad("no type");
  const at = timeOf(value.timestamp);
  const found = bodyOf(value.type, value, at);
  if (typeof found === "string") return bad(found);
  const { body, note } = found;
  return {
    kind: "entry",
    id: idOf(value.id),
    parentId: value.parentId === null ? null : idOf(value.parentId),
    timestamp: at ?? (body.type === "message" ? timeOf(body.message.timestamp) : undefined),
    body,
    ...(note === undefined ? {} : { note }),
  };
}

function headerOf(value: Fields): Line {
  const { id, version, sessionKey, endReason } = value;
  if (typeof id !== "string") return bad("a header without an id");
  if (typeof version === "number" && version > transcriptVersion) return bad(`version ${version} is not known`);
  return {
    kind: "header",
    header: {
      id,
      startedAt: timeOf(value.timestamp),
      sessionKey: typeof sessionKey === "string" ? sessionKey : undefined,
      endedAt: timeOf(value.endedAt),
      endReason: typeof endReason === "string" ? endReason.slice(0, 32) : undefined,
    },
  };
}

interface Body {
  body: EntryBody;
  note?: string;
}

function bodyOf(type: string, value: Fields, at: number | undefined): Body | string {
  const text = (name: string) => (typeof value[name] === "string" ? value[name] : undefined);
  switch (type) {
    case "message":
      return isObject(value.message) ? messageBody(value.message, at) : "not a message";
    case "compaction": {
      const [summary, firstKeptEntryId] = [text("summary"), text("firstKeptEntryId")];
      if (summary === undefined || firstKeptEntryId === undefined) return "a compaction without summary or first entry";
      const tokensBefore = typeof value.tokensBefore === "number" ? value.tokensBefore : 0;
      return { body: { type, summary, firstKeptEntryId, tokensBefore } };
    }
    case "model_change":
      return { body: { type, provider: text("provider") ?? "", modelId: text("modelId") ?? "" } };
    case "thinking_level_change":
      return { body: { type, thinkingLevel: text("thinkingLevel") ?? "off" } };
    case "custom_message": {
      const content = typeof value.content === "string" ? value.content : textOfParts(value.content);
      if (content === undefined) return "a custom message without text";
      return { body: { type, customType: text("customType") ?? "", content, display: value.display !== false } };
    }
    case "custom":
      return { body: { type, customType: text("customType") ?? "", data: value.data ?? null } };
    default:
      // Kinds this program does not use are kept as they are.
      return { body: { type: "custom", customType: type, data: value } };
  }
}

function messageBody(value: Fields, at: number | undefined): Body | string {
  const { role } = value;
  if (role !== "user" && role !== "assistant" && role !== "toolResult") {
    // Shell commands a person typed and whatever an extension added: state, not part of the conversation.
    return typeof role === "string"
      ? { body: { type: "custom", customType: `message:${role.slice(0, 64)}`, data: value } }
      : "not a message";
  }
  const parts = partsOf(value.content);
  if (parts === undefined) return "not a message";
  const timestamp = timeOf(value.timestamp) ?? at;
  if (timestamp === undefined) return "a message without a time";
  const known = parts.filter((part) => isPart(part, role));
  const lost = parts.length - known.length;
  const note = lost > 0 ? { note: `${lost} part${lost > 1 ? "s" : ""} of the message left out: unknown kind` } : {};
  // A text that is no list stays as it was written.
  const content = role === "user" && typeof value.content === "string" ? value.content : known;
  const message: Fields = { ...value, content, timestamp };
  if (role === "toolResult") {
    if (typeof value.toolCallId !== "string" || typeof value.toolName !== "string")
      return "a tool result without call or tool";
    message.isError = value.isError === true;
  }
  if (role === "assistant") {
    for (const name of ["api", "provider", "model"]) if (typeof value[name] !== "string") message[name] = "unknown";
    if (typeof value.stopReason !== "string" || !stopReasons.has(value.stopReason)) message.stopReason = "stop";
    message.usage = usageOf(value.usage);
  }
  return { body: { type: "message", message: message as unknown as Message }, ...note };
}

const stopReasons = new Set(["stop", "length", "toolUse", "aborted", "error"]);

function partsOf(content: unknown): Fields[] | undefined {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return Array.isArray(content) ? content.map((part: unknown) => (isObject(part) ? part : {})) : undefined;
}

function textOfParts(content: unknown): string | undefined {
  if (!Array.isArray(content)) return undefined;
  const texts = content.flatMap((part: unknown) =>
    isObject(part) && part.type === "text" && typeof part.text === "string" ? [part.text] : [],
  );
  return texts.join("\n");
}

function isPart(part: Fields, role: string): boolean {
  switch (part.type) {
    case "text":
      return typeof part.text === "string";
    case "image":
      return role !== "assistant" && typeof part.data === "string" && typeof part.mimeType === "string";
    case "thinking":
      return role === "assistant" && typeof part.thinking === "string";
    case "toolCall":
      return (
        role === "assistant" && typeof part.id === "string" && typeof part.name === "string" && isObject(part.arguments)
      );
    default:
      return false;
  }
}

function usageOf(value: unknown): Usage {
  const usage = emptyUsage();
  if (!isObject(value)) return usage;
  fill(usage, value);
  if (isObject(value.cost)) fill(usage.cost, value.cost);
  // Old entries carry more, such as a source: kept.
  return { ...value, ...usage };
}

function fill<T extends object>(target: T, from: Fields): void {
  for (const name of Object.keys(target)) {
    const number = from[name];
    if (typeof number === "number" && Number.isFinite(number)) Object.assign(target, { [name]: number });
  }
}

const idOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" && value.length <= maxIdChars && value.isWellFormed() ? value : undefined;

/** ms since the epoch from ISO text or a number; undefined for what is no time. */
function timeOf(value: unknown): number | undefined {
  const at = typeof value === "string" ? Date.parse(value) : typeof value === "number" ? Math.trunc(value) : Number.NaN;
  return Number.isSafeInteger(at) && at >= 0 && at <= latestTime ? at : undefined;
}

export const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
