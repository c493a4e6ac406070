/** `sessions.usage*` (protocol.md §13.6): reports over the sums of usage.store.ts. */
import { GatewayError, messageText, type MethodParams, type MethodResult } from "@openclaw/protocol";
import type { Ledger } from "./ledger.ts";
import { cut, withoutEnvelope } from "./text.ts";
import { assistantEntries } from "./transcripts.store.ts";
import type { SessionEntry } from "./types.ts";
import {
  readGroups,
  readTools,
  utcDay,
  type GroupColumn,
  type MessageCounts,
  type Totals,
  type UsageGroup,
  type UsageRange,
} from "./usage.store.ts";

const dayMs = 86_400_000;
const defaultDays = 30;
/** Rows of day, model, agent and channel in one report. */
const maxGroups = 20_000;
const maxDays = 400;
const maxSessions = 200;
const maxPoints = 200;
const maxLogs = 1_000;
const maxLogChars = 2_000;
const maxLogBytes = 4 * 1024 * 1024;

type Usage = MethodResult<"sessions.usage">;

export function usageReport(ledger: Ledger, params: MethodParams<"sessions.usage">): Usage {
  const now = ledger.world.now();
  const endDate = params.endDate ?? utcDay(now);
  const startDate = params.startDate ?? utcDay(dayStart(endDate) - (defaultDays - 1) * dayMs);
  if (dayStart(startDate) > dayStart(endDate)) throw new GatewayError("invalid", "startDate is after endDate");
  const one = params.key === undefined ? undefined : sessionOf(ledger, params.key);
  const range: UsageRange = {
    startDate,
    endDate,
    sessionId: params.key === undefined ? undefined : (one?.sessionId ?? ""),
  };
  const limit = Math.min(params.limit ?? 50, maxSessions);
  const sessions = readGroups(ledger.store, ["session_id", "key", "agent_id", "channel"], range, limit);
  // One pass over the days; what follows adds up its few rows.
  const groups = readGroups(ledger.store, ["day", "provider", "model", "agent_id", "channel"], range, maxGroups);
  const spoken = groups.filter((group) => group.names.provider !== "");
  const all = addUp(groups, []).at(0);
  const tools = range.sessionId === undefined ? readTools(ledger.store, range) : [];
  const summed = (sums: UsageGroup[], names: Partial<Record<GroupColumn, string>>) =>
    sums.map((group) => ({ ...renamed(group, names), count: group.messages.assistant, totals: group.totals }));
  return {
    updatedAt: now,
    startDate,
    endDate,
    sessions: sessions.map((group) => sessionUsage(ledger, group)),
    totals: all?.totals ?? noTotals(),
    aggregates: {
      messages: all?.messages ?? noMessages(),
      tools: { totalCalls: all?.messages.toolCalls ?? 0, uniqueTools: tools.length, tools },
      byModel: summed(addUp(spoken, ["provider", "model"]), { provider: "provider", model: "model" }),
      byProvider: summed(addUp(spoken, ["provider"]), { provider: "provider" }),
      byAgent: summed(addUp(groups, ["agent_id"]), { agent_id: "agentId" }),
      byChannel: summed(addUp(groups, ["channel"]), { channel: "channel" }),
      dailyLatency: [],
      modelDaily: byDay(addUp(spoken, ["day", "provider", "model"])).map((group) => ({
        ...renamed(group, { day: "date", provider: "provider", model: "model" }),
        tokens: group.totals.totalTokens,
        cost: group.totals.totalCost,
        count: group.messages.assistant,
      })),
      daily: byDay(addUp(groups, ["day"])).map((group) => ({
        ...renamed(group, { day: "date" }),
        tokens: group.totals.totalTokens,
        cost: group.totals.totalCost,
        messages: group.messages.total,
        toolCalls: group.messages.toolCalls,
        errors: group.messages.errors,
      })),
    },
  };
}

/** Coarser groups, dearest first. */
function addUp(groups: readonly UsageGroup[], by: readonly GroupColumn[]): UsageGroup[] {
  const sums = new Map<string, UsageGroup>();
  for (const group of groups) {
    const names = Object.fromEntries(by.map((name) => [name, group.names[name] ?? ""]));
    const id = JSON.stringify(Object.values(names));
    const sum = sums.get(id) ?? { names, totals: noTotals(), messages: noMessages(), lastAt: 0 };
    sums.set(id, sum);
    sum.lastAt = Math.max(sum.lastAt, group.lastAt);
    for (const name of Object.keys(sum.totals) as (keyof Totals)[]) sum.totals[name] += group.totals[name];
    for (const name of Object.keys(sum.messages) as (keyof MessageCounts)[]) sum.messages[name] += group.messages[name];
  }
  return [...sums.values()].sort(
    (a, b) => b.totals.totalCost - a.totals.totalCost || b.totals.totalTokens - a.totals.totalTokens,
  );
}

const byDay = (groups: UsageGroup[]): UsageGroup[] =>
  groups.sort((a, b) => ((a.names.day ?? "") < (b.names.day ?? "") ? -1 : 1));

const renamed = (group: UsageGroup, names: Partial<Record<GroupColumn, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(names).map(([column, name]) => [name, group.names[column] ?? ""]));

function sessionUsage(ledger: Ledger, group: UsageGroup): object {
  const key = group.names.key ?? "";
  const entry = ledger.get(key);
  const now = entry?.sessionId === group.names.session_id ? entry : undefined;
  return {
    key,
    sessionId: group.names.session_id,
    agentId: group.names.agent_id,
    channel: group.names.channel,
    updatedAt: now?.updatedAt ?? group.lastAt,
    ...(now?.label === undefined ? {} : { label: now.label }),
    ...(now?.chatType === undefined ? {} : { chatType: now.chatType }),
    ...(now?.modelProvider === undefined ? {} : { modelProvider: now.modelProvider }),
    ...(now?.model === undefined ? {} : { model: now.model }),
    usage: { ...group.totals, lastActivity: group.lastAt, messageCounts: group.messages },
  };
}

/** Totals per UTC day between two times, days without usage left out, oldest first. At most 400 days. */
export function usageDays(ledger: Ledger, fromMs: number, toMs: number): (Totals & { date: string })[] {
  const range = { startDate: utcDay(fromMs), endDate: utcDay(toMs) };
  return readGroups(ledger.store, ["day"], range, maxDays).map((group) => ({
    date: group.names.day ?? "",
    ...group.totals,
  }));
}

export function usageTimeseries(
  ledger: Ledger,
  params: MethodParams<"sessions.usage.timeseries">,
): MethodResult<"sessions.usage.timeseries"> {
  const key = textParam(params.key, "key is required for timeseries");
  const session = sessionOf(ledger, key);
  if (!session) throw new GatewayError("not-found", `No transcript found for session: ${key}`);
  const entries = assistantEntries(ledger.store, session.sessionId, maxPoints);
  const points = entries.flatMap(({ timestamp, body }) => {
    if (body.type !== "message" || body.message.role !== "assistant") return [];
    const { input, output, cacheRead, cacheWrite, totalTokens, cost } = body.message.usage;
    return [{ timestamp, input, output, cacheRead, cacheWrite, totalTokens, cost: cost.total }];
  });
  const range = { startDate: "0000-00-00", endDate: "9999-99-99", sessionId: session.sessionId };
  const sums = readGroups(ledger.store, [], range, 1).at(0)?.totals ?? noTotals();
  // What older messages used, so that the first point shown continues their sum.
  let cumulativeTokens = Math.max(0, sums.totalTokens - points.reduce((sum, point) => sum + point.totalTokens, 0));
  let cumulativeCost = Math.max(0, sums.totalCost - points.reduce((sum, point) => sum + point.cost, 0));
  return {
    sessionId: session.sessionId,
    points: points.map((point) => {
      cumulativeTokens += point.totalTokens;
      cumulativeCost += point.cost;
      return { ...point, cumulativeTokens, cumulativeCost };
    }),
  };
}

export function usageLogs(
  ledger: Ledger,
  params: MethodParams<"sessions.usage.logs">,
): MethodResult<"sessions.usage.logs"> {
  const key = textParam(params.key, "key is required for logs");
  const session = sessionOf(ledger, key);
  if (!session) return { logs: [] };
  const wanted = typeof params.limit === "number" && Number.isFinite(params.limit) ? Math.trunc(params.limit) : 200;
  const limit = Math.min(Math.max(1, wanted), maxLogs);
  const page = ledger.entries(session.sessionId, { limit, messagesOnly: true, maxBytes: maxLogBytes });
  return {
    logs: page.flatMap(({ timestamp, body }) => {
      if (body.type !== "message") return [];
      const { message } = body;
      const text = messageText(message);
      const content = cut(message.role === "user" ? withoutEnvelope(text) : text, maxLogChars);
      const used =
        message.role === "assistant" ? { tokens: message.usage.totalTokens, cost: message.usage.cost.total } : {};
      return [{ timestamp, role: message.role, content, ...used }];
    }),
  };
}

function sessionOf(ledger: Ledger, key: string): SessionEntry | undefined {
  return ledger.get(ledger.knownKey(key)) ?? ledger.bySessionId(key);
}

function textParam(value: unknown, message: string): string {
  if (typeof value !== "string" || value.trim() === "") throw new GatewayError("invalid", message);
  return value.trim();
}

function dayStart(day: string): number {
  const at = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(at)) throw new GatewayError("invalid", `"${day}" is not a day; use YYYY-MM-DD`);
  return at;
}

const noTotals = (): Totals => ({
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite: 0,
  totalTokens: 0,
  totalCost: 0,
  inputCost: 0,
  outputCost: 0,
  cacheReadCost: 0,
  cacheWriteCost: 0,
  missingCostEntries: 0,
});

const noMessages = (): MessageCounts => ({ total: 0, user: 0, assistant: 0, toolCalls: 0, toolResults: 0, errors: 0 });
