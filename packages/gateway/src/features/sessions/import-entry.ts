/** Entries of `sessions.json` (agent.md §6.4) and what becomes of their fields. */
import { isObject } from "./import-line.ts";
import type { SessionEntry } from "./types.ts";

type Fields = Record<string, unknown>;

/** Texts taken as they are, with the longest that is sensible. */
const texts = {
  displayName: 256,
  channel: 64,
  subject: 256,
  spawnedBy: 512,
  thinkingLevel: 32,
  verboseLevel: 32,
  reasoningLevel: 32,
  elevatedLevel: 32,
  responseUsage: 32,
  execHost: 64,
  execSecurity: 32,
  execAsk: 32,
  execNode: 128,
  sendPolicy: 32,
  groupActivation: 32,
  providerOverride: 128,
  modelOverride: 256,
  modelProvider: 128,
  model: 256,
  lastChannel: 64,
  lastTo: 512,
  lastAccountId: 128,
  lastThreadId: 128,
  derivedTitle: 256,
  lastMessagePreview: 512,
} as const;
const counts = [
  "spawnDepth",
  "inputTokens",
  "outputTokens",
  "totalTokens",
  "contextTokens",
  "compactionCount",
] as const;
const switches = ["systemSent", "abortedLastRun"] as const;
const maxLabelChars = 64;
const maxReportChars = 256 * 1024;

/** Choices of a person this program has no place for; what is derived or a cache is left out in silence. */
const missed = [
  "authProfileOverride",
  "queueMode",
  "queueDebounceMs",
  "queueCap",
  "queueDrop",
  "groupActivationNeedsSystemIntro",
] as const;

export interface ReadSession {
  entry: SessionEntry;
  /** Basename of the transcript the entry names. */
  file: string | undefined;
  /** Settings that were not taken. */
  left: string[];
}

/** Ids that may become names of transcripts. */
export const isSessionId = (id: unknown): id is string =>
  typeof id === "string" && /^[A-Za-z0-9][A-Za-z0-9:_.-]{0,127}$/u.test(id);

/** Why the entry cannot be taken, or what it says. `now` stands in for an entry without any time. */
export function readEntry(value: unknown, key: string, agentId: string, now: number): ReadSession | string {
  if (!isObject(value)) return "not an object";
  const { sessionId } = value;
  if (!isSessionId(sessionId)) return "no usable sessionId";
  const updatedAt = time(value.updatedAt) ?? now;
  const sessionStartedAt = time(value.sessionStartedAt) ?? updatedAt;
  const entry: SessionEntry = {
    key,
    agentId,
    sessionId,
    createdAt: time(value.createdAt) ?? sessionStartedAt,
    updatedAt,
    sessionStartedAt,
    lastInteractionAt: time(value.lastInteractionAt) ?? updatedAt,
    hidden: value.hidden === true,
  };
  const fields: Fields = {};
  for (const [name, max] of Object.entries(texts)) {
    const text = textOf(value[name], max);
    if (text !== undefined) fields[name] = text;
  }
  for (const name of counts) {
    const count = value[name];
    if (typeof count === "number" && Number.isFinite(count) && count >= 0) fields[name] = count;
  }
  for (const name of switches) if (typeof value[name] === "boolean") fields[name] = value[name];
  const chatType = value.chatType;
  if (chatType === "direct" || chatType === "group" || chatType === "channel") fields.chatType = chatType;
  const label = textOf(value.label, maxLabelChars);
  if (label !== undefined) fields.label = label.trim();
  if (isObject(value.systemPromptReport) && JSON.stringify(value.systemPromptReport).length <= maxReportChars)
    fields.systemPromptReport = value.systemPromptReport;
  const left = missed.filter((name) => value[name] !== undefined && value[name] !== null) as string[];
  if (value.label !== undefined && label === undefined) left.push("label");
  return { entry: { ...lastRoute(value), ...fields, ...entry }, file: fileOf(value.sessionFile), left };
}

/** What an export writes for a session: our fields, and the route once more in the words of 2026.2. */
export function writtenEntry({ key: _key, agentId: _agentId, ...fields }: SessionEntry): Fields {
  const { lastChannel: channel, lastTo: to, lastAccountId: accountId, lastThreadId: threadId } = fields;
  const deliveryContext = Object.fromEntries(
    Object.entries({ channel, to, accountId, threadId }).filter(([, value]) => value !== undefined),
  );
  return { ...fields, ...(channel === undefined ? {} : { deliveryContext }) };
}

/** Where replies go: `deliveryContext` for what the entry's own fields do not say. */
function lastRoute(value: Fields): Partial<SessionEntry> {
  const context = isObject(value.deliveryContext) ? value.deliveryContext : {};
  const channel = textOf(context.channel, texts.lastChannel);
  const to = textOf(context.to, texts.lastTo);
  const accountId = textOf(context.accountId, texts.lastAccountId);
  const threadId = textOf(context.threadId, texts.lastThreadId);
  return {
    ...(channel === undefined ? {} : { lastChannel: channel }),
    ...(to === undefined ? {} : { lastTo: to }),
    ...(accountId === undefined ? {} : { lastAccountId: accountId }),
    ...(threadId === undefined ? {} : { lastThreadId: threadId }),
  };
}

/** A text of sensible length; thread ids were numbers once. */
function textOf(value: unknown, max: number): string | undefined {
  const text = typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value;
  return typeof text === "string" && text.trim() !== "" && text.length <= max && text.isWellFormed() ? text : undefined;
}

function time(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 && value < 253_402_300_800_000
    ? value
    : undefined;
}

const fileOf = (value: unknown): string | undefined =>
  typeof value === "string" ? value.slice(Math.max(value.lastIndexOf("/"), value.lastIndexOf("\\")) + 1) : undefined;
