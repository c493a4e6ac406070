/** Jobs on a schedule (protocol.md §13.12). Add and patch normalise before they judge, so their params stay open. */
import { Type } from "typebox";
import { event, method } from "../define.ts";
import {
  anyObject,
  bool,
  choice,
  closed,
  count,
  int,
  json,
  list,
  model,
  ms,
  nullable,
  num,
  ok,
  open,
  opt,
  str,
  str1,
} from "../fields.ts";

export const CronSchedule = Type.Union(
  [
    model("CronAt", { kind: Type.Literal("at"), at: str1 }),
    model("CronEvery", { kind: Type.Literal("every"), everyMs: Type.Integer({ minimum: 1 }), anchorMs: opt(count) }),
    model("CronExpression", { kind: Type.Literal("cron"), expr: str1, tz: opt(str), staggerMs: opt(count) }),
  ],
  { $id: "CronSchedule" },
);

export const CronPayload = Type.Union(
  [
    model("CronSystemEvent", { kind: Type.Literal("systemEvent"), text: str }),
    model("CronAgentTurn", {
      kind: Type.Literal("agentTurn"),
      message: str,
      model: opt(str),
      thinking: opt(str),
      timeoutSeconds: opt(num),
      allowUnsafeExternalContent: opt(bool),
      deliver: opt(bool),
      channel: opt(str),
      to: opt(str),
      bestEffortDeliver: opt(bool),
    }),
  ],
  { $id: "CronPayload" },
);

export const CronJob = model("CronJob", {
  id: str1,
  agentId: opt(str),
  name: str1,
  description: opt(str),
  enabled: bool,
  deleteAfterRun: opt(bool),
  createdAtMs: ms,
  updatedAtMs: ms,
  schedule: CronSchedule,
  sessionTarget: choice("main", "isolated"),
  sessionKey: opt(str),
  wakeMode: choice("next-heartbeat", "now"),
  payload: CronPayload,
  delivery: opt(
    open({ mode: choice("none", "announce", "webhook"), channel: opt(str), to: opt(str), bestEffort: opt(bool) }),
  ),
  state: open({
    nextRunAtMs: opt(ms),
    runningAtMs: opt(ms),
    lastRunAtMs: opt(ms),
    lastStatus: opt(choice("ok", "error", "skipped")),
    lastError: opt(str),
    lastDurationMs: opt(num),
    consecutiveErrors: opt(int),
  }),
});

export const cronStatus = method({
  name: "cron.status",
  scope: "operator.read",
  summary: "Whether jobs run, how many there are and when the next is due.",
  params: closed({}),
  result: open({ enabled: bool, storePath: str, jobs: count, nextWakeAtMs: nullable(ms) }),
});

export const cronList = method({
  name: "cron.list",
  scope: "operator.read",
  summary: "Jobs by next run.",
  params: closed({
    includeDisabled: opt(bool),
    limit: opt(Type.Integer({ minimum: 1 })),
    offset: opt(count),
    query: opt(str),
    enabled: opt(json),
    sortBy: opt(str),
    sortDir: opt(str),
  }),
  result: open({
    jobs: list(CronJob),
    total: opt(count),
    offset: opt(count),
    limit: opt(count),
    hasMore: opt(bool),
    nextOffset: opt(nullable(count)),
  }),
});

export const cronGet = method({
  name: "cron.get",
  scope: "operator.read",
  summary: "One job.",
  since: 4,
  planned: true,
  params: closed({ id: opt(str1), jobId: opt(str1) }),
  result: CronJob,
});

export const cronAdd = method({
  name: "cron.add",
  scope: "operator.admin",
  summary: "Adds a job.",
  planned: true,
  params: open({}),
  result: CronJob,
});

export const cronUpdate = method({
  name: "cron.update",
  scope: "operator.admin",
  summary: "Changes a job.",
  planned: true,
  params: closed({ id: opt(str1), jobId: opt(str1), patch: anyObject }),
  result: CronJob,
});

export const cronRemove = method({
  name: "cron.remove",
  scope: "operator.admin",
  summary: "Removes a job.",
  planned: true,
  params: closed({ id: opt(str1), jobId: opt(str1) }),
  result: open({ ok, removed: bool }),
});

export const cronRun = method({
  name: "cron.run",
  scope: "operator.admin",
  summary: "Runs a job now, or only if it is due; answers when it ended.",
  planned: true,
  params: closed({ id: opt(str1), jobId: opt(str1), mode: opt(choice("due", "force")) }),
  result: open({ ok, ran: bool, reason: opt(choice("already-running", "not-due")) }),
});

export const cronRuns = method({
  name: "cron.runs",
  scope: "operator.read",
  summary: "Past runs of a job, oldest first.",
  planned: true,
  params: closed({
    id: opt(str1),
    jobId: opt(str1),
    limit: opt(Type.Integer({ minimum: 1, maximum: 5000 })),
  }),
  result: open({
    entries: list(
      model("CronRunEntry", {
        ts: ms,
        jobId: str1,
        action: Type.Literal("finished"),
        status: opt(choice("ok", "error", "skipped")),
        error: opt(str),
        summary: opt(str),
        sessionId: opt(str),
        sessionKey: opt(str),
        runAtMs: opt(ms),
        durationMs: opt(num),
        nextRunAtMs: opt(ms),
      }),
    ),
  }),
});

export const cron = event({
  name: "cron",
  audience: "reader",
  whenSlow: "drop",
  summary: "A job was added, changed, removed, started or finished.",
  payload: open({
    jobId: str1,
    action: choice("added", "updated", "removed", "started", "finished"),
    runAtMs: opt(ms),
    durationMs: opt(num),
    status: opt(choice("ok", "error", "skipped")),
    error: opt(str),
    summary: opt(str),
    sessionId: opt(str),
    sessionKey: opt(str),
    nextRunAtMs: opt(ms),
  }),
});
