/** Tokens and cost (protocol.md §13.6, §13.13). */
import { Type } from "typebox";
import { method } from "../define.ts";
import {
  anyObject,
  bool,
  closed,
  day,
  int,
  json,
  list,
  model,
  ms,
  nullable,
  num,
  open,
  opt,
  str,
  str1,
  doc,
} from "../fields.ts";

const totals = {
  input: num,
  output: num,
  cacheRead: num,
  cacheWrite: num,
  totalTokens: num,
  totalCost: num,
  inputCost: num,
  outputCost: num,
  cacheReadCost: num,
  cacheWriteCost: num,
  missingCostEntries: num,
};

export const UsageTotals = model("UsageTotals", totals);
export const UsageDay = model("UsageDay", { date: str, ...totals });

export const sessionsUsage = method({
  name: "sessions.usage",
  scope: "operator.read",
  summary: "Usage of sessions between two days (UTC), the last 30 days by default.",
  params: closed({
    key: opt(str1),
    startDate: opt(day),
    endDate: opt(day),
    limit: opt(doc("Sessions; default 50.", Type.Integer({ minimum: 1 }))),
    includeContextWeight: opt(bool),
    mode: opt(str),
    utcOffset: opt(str),
  }),
  result: open({
    updatedAt: ms,
    startDate: str,
    endDate: str,
    sessions: list(anyObject),
    totals: UsageTotals,
    aggregates: open({
      messages: anyObject,
      tools: anyObject,
      byModel: list(anyObject),
      byProvider: list(anyObject),
      byAgent: list(anyObject),
      byChannel: list(anyObject),
      latency: opt(anyObject),
      dailyLatency: list(anyObject),
      modelDaily: list(anyObject),
      daily: list(anyObject),
    }),
  }),
});

export const sessionsUsageTimeseries = method({
  name: "sessions.usage.timeseries",
  scope: "operator.read",
  summary: "Usage of one session over time, at most 200 points.",
  params: open({ key: opt(json) }),
  result: open({
    sessionId: str,
    points: list(
      model("UsagePoint", {
        timestamp: ms,
        input: num,
        output: num,
        cacheRead: num,
        cacheWrite: num,
        totalTokens: num,
        cost: num,
        cumulativeTokens: num,
        cumulativeCost: num,
      }),
    ),
  }),
});

export const sessionsUsageLogs = method({
  name: "sessions.usage.logs",
  scope: "operator.read",
  summary: "Messages of one session with their tokens and cost.",
  params: open({ key: opt(json), limit: opt(json) }),
  result: open({
    logs: list(model("UsageLogEntry", { timestamp: ms, role: str, content: str, tokens: opt(num), cost: opt(num) })),
  }),
});

export const usageStatus = method({
  name: "usage.status",
  scope: "operator.read",
  summary: "What the providers say about quotas.",
  params: open({}),
  result: open({
    updatedAt: ms,
    providers: list(
      model("ProviderUsage", {
        provider: str,
        displayName: str,
        windows: list(open({ label: str, usedPercent: num, resetAt: opt(nullable(ms)) })),
        plan: opt(str),
        error: opt(str),
      }),
    ),
  }),
});

export const usageCost = method({
  name: "usage.cost",
  scope: "operator.read",
  summary: "Tokens and cost per day, the last 30 days by default.",
  params: open({ days: opt(json), startDate: opt(json), endDate: opt(json) }),
  result: open({ updatedAt: ms, days: int, daily: list(UsageDay), totals: UsageTotals }),
});
