/** Handlers of health, status, usage, logs and the honest minimum of parts that come later (protocol.md §13.1, §13.13). */
import { GatewayError, type MethodParams, type MethodResult } from "@openclaw/protocol";
import type { Handles } from "../../kernel/call.ts";
import type { SessionEntry } from "../sessions/index.ts";
import { heartbeatOf, stateOf, type Health } from "./health.ts";
import type { LogTail } from "./logs.ts";
import type { StatusSources, UsageDay } from "./sources.ts";

type StatusRow = MethodResult<"status">["sessions"]["recent"][number];

export function statusMethods(sources: StatusSources, health: Health, logs: LogTail) {
  return {
    health: (params) => health.read(params.probe === true),
    status: () => status(sources),
    "logs.tail": (params) => logs.read(params),
    "usage.status": () => ({ updatedAt: sources.world.now(), providers: [] }),
    "usage.cost": (params) => usageCost(sources, params),
    "cron.status": () => ({ enabled: false, storePath: sources.storePath, jobs: 0, nextWakeAtMs: null }),
    "cron.list": () => ({ jobs: [] }),
  } satisfies Handles<"health" | "status" | "logs.tail" | "usage.status" | "usage.cost" | "cron.status" | "cron.list">;
}

function status(s: StatusSources): MethodResult<"status"> {
  const now = s.world.now();
  const model = s.model();
  const rows = (agentId?: string) =>
    s.recentSessions(10, agentId).map((entry) => statusRow(entry, now, model.contextTokens));
  return {
    heartbeat: {
      defaultAgentId: s.defaultAgentId(),
      agents: s.agents().map(({ id }) => {
        const { enabled, every, everyMs } = heartbeatOf(s, id);
        return { agentId: id, enabled, every, everyMs };
      }),
    },
    channelSummary: s.channelSummary?.() ?? [],
    ...linkOf(s),
    queuedSystemEvents: s.queuedSystemEvents(),
    sessions: {
      paths: [s.storePath],
      count: s.sessionCount(),
      defaults: { model: model.model, contextTokens: model.contextTokens },
      recent: rows(),
      byAgent: s
        .agents()
        .map(({ id }) => ({ agentId: id, path: s.storePath, count: s.sessionCount(id), recent: rows(id) })),
    },
    version: s.version,
    uptimeMs: Math.max(0, now - s.startedAt),
    configPath: s.configPath,
    model: { ref: model.ref, configured: model.configured, auth: model.auth },
    localModels: s.localModels(),
    runs: s.runs(),
    connections: s.connections(),
    problems: s.problems(),
    ...stateOf(s),
    store: { path: s.storePath, ...(s.commitStats() ? { commit: s.commitStats() } : {}) },
  };
}

function linkOf(s: StatusSources): Pick<MethodResult<"status">, "linkChannel"> {
  const link = s.channels?.().linkChannel;
  return link ? { linkChannel: link } : {};
}

function statusRow(entry: SessionEntry, now: number, defaultContext: number): StatusRow {
  const contextTokens = entry.contextTokens ?? defaultContext;
  const total = entry.totalTokens ?? null;
  const flags = [
    entry.thinkingLevel && `think:${entry.thinkingLevel}`,
    entry.verboseLevel && `verbose:${entry.verboseLevel}`,
    entry.abortedLastRun && "aborted",
  ].filter((flag): flag is string => typeof flag === "string");
  return {
    agentId: entry.agentId,
    key: entry.key,
    kind: entry.chatType === "group" ? "group" : entry.key === "global" ? "global" : "direct",
    sessionId: entry.sessionId,
    updatedAt: entry.updatedAt,
    age: Math.max(0, now - entry.updatedAt),
    ...(entry.thinkingLevel ? { thinkingLevel: entry.thinkingLevel } : {}),
    ...(entry.verboseLevel ? { verboseLevel: entry.verboseLevel } : {}),
    ...(entry.reasoningLevel ? { reasoningLevel: entry.reasoningLevel } : {}),
    ...(entry.elevatedLevel ? { elevatedLevel: entry.elevatedLevel } : {}),
    ...(entry.systemSent === undefined ? {} : { systemSent: entry.systemSent }),
    ...(entry.abortedLastRun === undefined ? {} : { abortedLastRun: entry.abortedLastRun }),
    ...(entry.inputTokens === undefined ? {} : { inputTokens: entry.inputTokens }),
    ...(entry.outputTokens === undefined ? {} : { outputTokens: entry.outputTokens }),
    totalTokens: total,
    remainingTokens: total === null ? null : Math.max(0, contextTokens - total),
    percentUsed:
      total === null || contextTokens === 0 ? null : Math.min(100, Math.round((total / contextTokens) * 100)),
    model: entry.model ?? null,
    contextTokens,
    flags,
  };
}

const dayMs = 86_400_000;

function usageCost(s: StatusSources, params: MethodParams<"usage.cost">): MethodResult<"usage.cost"> {
  const now = s.world.now();
  const days = typeof params.days === "number" && Number.isFinite(params.days) ? Math.floor(params.days) : 30;
  const end = params.endDate === undefined ? now + 1 : dayStart(params.endDate, "endDate") + dayMs;
  const start =
    params.startDate === undefined
      ? end - Math.min(366, Math.max(1, days)) * dayMs
      : dayStart(params.startDate, "startDate");
  const daily = s.usageDays(start, end);
  return { updatedAt: now, days: Math.max(1, Math.round((end - start) / dayMs)), daily, totals: sum(daily) };
}

function dayStart(date: unknown, name: string): number {
  const at =
    typeof date === "string" && /^\d{4}-\d{2}-\d{2}$/u.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at)) throw new GatewayError("invalid", `invalid usage.cost params: ${name} must be YYYY-MM-DD`);
  return at;
}

function sum(days: readonly UsageDay[]): Omit<UsageDay, "date"> {
  const total = {
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
  };
  for (const day of days) for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += day[key];
  return total;
}
