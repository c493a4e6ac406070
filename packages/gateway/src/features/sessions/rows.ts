/** Sessions as `sessions.list` shows them (protocol.md §13.6). */
import type { MethodResult } from "@openclaw/protocol";
import { kindOf } from "./keys.ts";
import type { SessionEntry } from "./types.ts";

export type SessionRow = MethodResult<"sessions.list">["sessions"][number];

export interface Defaults {
  modelProvider: string;
  model: string;
  contextTokens: number;
}

export interface RowOptions {
  includeDerivedTitles?: boolean | undefined;
  includeLastMessage?: boolean | undefined;
}

/** The chosen model, else the one that answered last, else the default. */
export function modelOf(entry: SessionEntry | undefined, defaults: Defaults): { modelProvider: string; model: string } {
  if (entry?.modelOverride !== undefined) {
    return { modelProvider: entry.providerOverride ?? defaults.modelProvider, model: entry.modelOverride };
  }
  if (entry?.model !== undefined)
    return { modelProvider: entry.modelProvider ?? defaults.modelProvider, model: entry.model };
  return { modelProvider: defaults.modelProvider, model: defaults.model };
}

const copied = [
  "label",
  "displayName",
  "channel",
  "subject",
  "chatType",
  "systemSent",
  "abortedLastRun",
  "thinkingLevel",
  "verboseLevel",
  "reasoningLevel",
  "elevatedLevel",
  "sendPolicy",
  "inputTokens",
  "outputTokens",
  "responseUsage",
  "lastChannel",
  "lastTo",
  "lastAccountId",
  "spawnedBy",
] as const satisfies readonly (keyof SessionEntry & keyof SessionRow)[];

export function rowOf(entry: SessionEntry, defaults: Defaults, options: RowOptions = {}): SessionRow {
  const row: Record<string, unknown> = { key: entry.key, kind: kindOf(entry.key, entry.chatType) };
  for (const name of copied) if (entry[name] !== undefined) row[name] = entry[name];
  const route = { channel: entry.lastChannel, to: entry.lastTo, accountId: entry.lastAccountId };
  const delivery = Object.fromEntries(Object.entries(route).filter(([, value]) => value !== undefined));
  if (Object.keys(delivery).length > 0) row.deliveryContext = delivery;
  if (options.includeDerivedTitles && entry.derivedTitle !== undefined) row.derivedTitle = entry.derivedTitle;
  if (options.includeLastMessage && entry.lastMessagePreview !== undefined)
    row.lastMessagePreview = entry.lastMessagePreview;
  return {
    ...row,
    updatedAt: entry.updatedAt,
    sessionId: entry.sessionId,
    totalTokens: entry.totalTokens ?? 0,
    contextTokens: entry.contextTokens ?? defaults.contextTokens,
    ...modelOf(entry, defaults),
  } as SessionRow;
}
