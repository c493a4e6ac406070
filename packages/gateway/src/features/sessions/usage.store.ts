/** SQL of the usage sums: one row per UTC day, session and model, kept up to date by every append. A report over a month
 *  reads sums, never transcripts. */
import type { Message } from "@openclaw/protocol";
import type { Reader, Tx } from "../../store/index.ts";
import type { SessionEntry } from "./types.ts";

export interface Totals {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  totalTokens: number;
  totalCost: number;
  inputCost: number;
  outputCost: number;
  cacheReadCost: number;
  cacheWriteCost: number;
  missingCostEntries: number;
}

export interface MessageCounts {
  total: number;
  user: number;
  assistant: number;
  toolCalls: number;
  toolResults: number;
  errors: number;
}

/** Sums of one group; `names` are the columns it was grouped by. */
export interface UsageGroup {
  names: Record<string, string>;
  totals: Totals;
  messages: MessageCounts;
  lastAt: number;
}

export interface UsageRange {
  /** YYYY-MM-DD, UTC, both inclusive. */
  startDate: string;
  endDate: string;
  sessionId?: string | undefined;
}

export const utcDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const tokenColumns = ["input", "output", "cache_read", "cache_write", "total_tokens"] as const;
const costColumns = ["input_cost", "output_cost", "cache_read_cost", "cache_write_cost", "total_cost"] as const;
const countColumns = ["user_messages", "assistant_messages", "tool_calls", "tool_results", "errors"] as const;
const sumColumns = [...countColumns, ...tokenColumns, ...costColumns, "missing_cost_entries"] as const;
const added = sumColumns.map((name) => `${name} = ${name} + excluded.${name}`).join(", ");
const upsert = `INSERT INTO usage_day (day, session_id, provider, model, key, agent_id, channel, last_at, ${sumColumns.join(", ")})
  VALUES (${Array.from({ length: 8 + sumColumns.length }, () => "?").join(", ")})
  ON CONFLICT DO UPDATE SET last_at = excluded.last_at, ${added}`;

/** Adds one stored message to the sums of its day. */
export function recordUsage(tx: Tx, entry: SessionEntry, message: Message, at: number): void {
  const day = utcDay(at);
  const calls = message.role === "assistant" ? message.content.filter((part) => part.type === "toolCall") : [];
  const usage = message.role === "assistant" ? message.usage : undefined;
  const cost = usage?.cost;
  const failed =
    message.role === "toolResult" ? message.isError : message.role === "assistant" && message.stopReason === "error";
  tx.run(
    upsert,
    day,
    entry.sessionId,
    message.role === "assistant" ? message.provider : "",
    message.role === "assistant" ? message.model : "",
    entry.key,
    entry.agentId,
    entry.channel ?? entry.lastChannel ?? "webchat",
    at,
    message.role === "user" ? 1 : 0,
    message.role === "assistant" ? 1 : 0,
    calls.length,
    message.role === "toolResult" ? 1 : 0,
    failed ? 1 : 0,
    usage?.input ?? 0,
    usage?.output ?? 0,
    usage?.cacheRead ?? 0,
    usage?.cacheWrite ?? 0,
    usage?.totalTokens ?? 0,
    cost?.input ?? 0,
    cost?.output ?? 0,
    cost?.cacheRead ?? 0,
    cost?.cacheWrite ?? 0,
    cost?.total ?? 0,
    usage && usage.totalTokens > 0 && !cost?.total ? 1 : 0,
  );
  for (const call of calls) {
    tx.run("INSERT INTO tool_day VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET calls = calls + 1", day, call.name);
  }
}

const joined = ["last_at", ...sumColumns].join(", ");
const fold = `INSERT INTO usage_day (day, session_id, provider, model, key, agent_id, channel, ${joined})
  SELECT day, 'swept:' || agent_id || ':' || channel, provider, model, 'agent:' || agent_id || ':swept', agent_id, channel, ${joined}
  FROM usage_day WHERE session_id = ?
  ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at), ${added}`;

/** The sums of a session that goes by itself join those of all such sessions of its agent and channel: totals stay as they are,
 *  and a day costs a few rows however many requests there were. */
export function foldUsage(tx: Tx, sessionId: string): void {
  tx.run(fold, sessionId);
  tx.run("DELETE FROM usage_day WHERE session_id = ?", sessionId);
}

export type GroupColumn = "day" | "session_id" | "provider" | "model" | "key" | "agent_id" | "channel";

/** The statement behind a report; exported for the tests that read its plan. */
export function groupStatement(
  by: readonly GroupColumn[],
  range: UsageRange,
  limit: number,
): { sql: string; params: (string | number)[] } {
  const sums = sumColumns.map((name) => `sum(${name}) AS ${name}`).join(", ");
  const session = range.sessionId === undefined ? "" : "session_id = ? AND";
  const names = by.length === 0 ? "" : `${by.join(", ")},`;
  const order = by[0] === "day" ? "day" : "total_cost DESC, total_tokens DESC, last_at DESC";
  return {
    sql: `SELECT ${names} max(last_at) AS last_at, ${sums} FROM usage_day WHERE ${session} day BETWEEN ? AND ?
      ${by.length === 0 ? "" : `GROUP BY ${by.join(", ")}`} ORDER BY ${order} LIMIT ?`,
    params: [...(range.sessionId === undefined ? [] : [range.sessionId]), range.startDate, range.endDate, limit],
  };
}

/** Sums per group, dearest first; by day, oldest first. One group without names when `by` is empty. */
export function readGroups(reader: Reader, by: readonly GroupColumn[], range: UsageRange, limit: number): UsageGroup[] {
  const { sql, params } = groupStatement(by, range, limit);
  return reader.all(sql, ...params).map((row) => {
    const n = (name: (typeof sumColumns)[number] | "last_at") => Number(row[name] ?? 0);
    return {
      names: Object.fromEntries(by.map((name) => [name, String(row[name])])),
      lastAt: n("last_at"),
      totals: {
        input: n("input"),
        output: n("output"),
        cacheRead: n("cache_read"),
        cacheWrite: n("cache_write"),
        totalTokens: n("total_tokens"),
        totalCost: n("total_cost"),
        inputCost: n("input_cost"),
        outputCost: n("output_cost"),
        cacheReadCost: n("cache_read_cost"),
        cacheWriteCost: n("cache_write_cost"),
        missingCostEntries: n("missing_cost_entries"),
      },
      messages: {
        total: n("user_messages") + n("assistant_messages"),
        user: n("user_messages"),
        assistant: n("assistant_messages"),
        toolCalls: n("tool_calls"),
        toolResults: n("tool_results"),
        errors: n("errors"),
      },
    };
  });
}

/** Calls per tool, most used first. */
export const readTools = (reader: Reader, range: UsageRange): { name: string; count: number }[] =>
  reader.all<{ name: string; count: number }>(
    "SELECT tool AS name, sum(calls) AS count FROM tool_day WHERE day BETWEEN ? AND ? GROUP BY tool ORDER BY count DESC LIMIT 100",
    range.startDate,
    range.endDate,
  );
