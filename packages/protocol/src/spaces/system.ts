/** Health, status, presence, heartbeats, logs, update (protocol.md §13.1, §12). */
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
  map,
  model,
  ms,
  nullable,
  num,
  ok,
  open,
  opt,
  sealed,
  str,
  str1,
  strings,
  doc,
} from "../fields.ts";

export const RecentSession = model("RecentSession", { key: str, updatedAt: nullable(ms), age: nullable(int) });

export const SessionsSummary = model("SessionsSummary", { path: str, count, recent: list(RecentSession) });

export const AgentHealth = model("AgentHealth", {
  agentId: str1,
  name: opt(str),
  isDefault: bool,
  heartbeat: open({
    enabled: bool,
    every: str,
    everyMs: nullable(int),
    prompt: str,
    target: str,
    ackMaxChars: int,
    model: opt(str),
  }),
  sessions: SessionsSummary,
});

export const LinkChannel = model("LinkChannel", {
  id: str,
  label: str,
  linked: bool,
  authAgeMs: opt(nullable(num)),
});

export const ModelInUse = model("ModelInUse", { ref: str, configured: bool, auth: str });

/** A part that is not well, and why. */
export const Problem = model("Problem", { part: str, message: str });

/** How promptly the process reacts, over the `intervalMs` before the snapshot. Clients of generation N read every field. */
export const EventLoop = model("EventLoop", {
  degraded: bool,
  degradedSinceMs: nullable(ms),
  reasons: strings,
  intervalMs: num,
  delayP99Ms: num,
  delayMaxMs: num,
  /** Share of the interval in which the loop was busy, 0 to 1. */
  utilization: num,
  /** CPU time of the whole process per wall time; 1 is one core. */
  cpuCoreRatio: num,
});

/** What the process holds of the machine's memory. */
export const ProcessMemory = model("ProcessMemory", { rssBytes: count, heapUsedBytes: count });

/** The config generation that runs, and why the file on disk is not it. */
export const ConfigState = model("ConfigState", {
  generation: count,
  hash: str,
  appliedAt: ms,
  /** Why the last edit was not taken; the running config is untouched. */
  lastReloadError: opt(open({ at: ms, message: str })),
  /** Changed paths that wait for a restart. */
  needsRestart: opt(strings),
  /** Services that kept their old part. */
  failed: opt(list(Problem)),
});

/** Safe mode: channels and automation are held. */
export const SafeState = model("SafeState", { reason: str, since: ms });

/** The cached snapshot behind `health`, hello-ok and the `health` event. */
export const HealthSnapshot = model("HealthSnapshot", {
  ok,
  ts: ms,
  durationMs: num,
  channels: map(anyObject),
  channelOrder: strings,
  channelLabels: map(str),
  heartbeatSeconds: num,
  defaultAgentId: str,
  agents: list(AgentHealth),
  sessions: SessionsSummary,
  linkChannel: opt(LinkChannel),
  /** The model in use; `configured:false` means that offline/echo answers. */
  model: opt(ModelInUse),
  /** What is known to be wrong; empty means that nothing is. */
  problems: opt(list(Problem)),
  config: opt(ConfigState),
  safe: opt(SafeState),
  eventLoop: opt(EventLoop),
  memory: opt(ProcessMemory),
});

export const health = method({
  name: "health",
  scope: "none",
  summary: "The state of the gateway; from a cache younger than 60 s unless `probe` is set.",
  params: open({ probe: opt(json) }),
  result: HealthSnapshot,
  duringStartup: true,
});

export const StatusRow = model("StatusRow", {
  agentId: opt(str),
  key: str,
  kind: str,
  sessionId: opt(str),
  updatedAt: nullable(ms),
  age: nullable(int),
  thinkingLevel: opt(str),
  verboseLevel: opt(str),
  reasoningLevel: opt(str),
  elevatedLevel: opt(str),
  systemSent: opt(bool),
  abortedLastRun: opt(bool),
  inputTokens: opt(int),
  outputTokens: opt(int),
  totalTokens: nullable(int),
  remainingTokens: nullable(int),
  percentUsed: nullable(int),
  model: nullable(str),
  contextTokens: nullable(int),
  flags: strings,
});

export const StatusSummary = model("StatusSummary", {
  linkChannel: opt(LinkChannel),
  heartbeat: open({
    defaultAgentId: str,
    agents: list(open({ agentId: str, enabled: bool, every: str, everyMs: nullable(int) })),
  }),
  channelSummary: strings,
  queuedSystemEvents: strings,
  sessions: open({
    paths: strings,
    count,
    defaults: open({ model: nullable(str), contextTokens: nullable(int) }),
    recent: list(StatusRow),
    byAgent: list(open({ agentId: str, path: str, count, recent: list(StatusRow) })),
  }),
  version: opt(str),
  uptimeMs: opt(int),
  configPath: opt(str),
  model: opt(ModelInUse),
  /** Model servers found on the gateway's machine; never used unasked. */
  localModels: opt(list(open({ name: str, models: strings, command: str }))),
  runs: opt(open({ active: count, waiting: count })),
  connections: opt(count),
  problems: opt(list(Problem)),
  config: opt(ConfigState),
  safe: opt(SafeState),
  store: opt(open({ path: str, commit: opt(open({ p50Ms: num, p99Ms: num, maxMs: num })) })),
});

export const status = method({
  name: "status",
  scope: "operator.read",
  summary: "What `openclaw status` shows: heartbeats, channels, recent sessions.",
  params: open({ includeChannelSummary: opt(json) }),
  result: StatusSummary,
});

/** Closed in the schema of every client generation. */
export const PresenceEntry = sealed("PresenceEntry", {
  host: opt(str1),
  ip: opt(str1),
  version: opt(str1),
  platform: opt(str1),
  deviceFamily: opt(str1),
  modelIdentifier: opt(str1),
  mode: opt(str1),
  lastInputSeconds: opt(count),
  reason: opt(str1),
  tags: opt(list(str1)),
  text: opt(str),
  ts: ms,
  deviceId: opt(str1),
  roles: opt(list(str1)),
  scopes: opt(list(str1)),
  instanceId: opt(str1),
});

export const systemPresence = method({
  name: "system-presence",
  scope: "operator.read",
  summary: "Everyone known to be here, newest first.",
  params: open({}),
  result: list(PresenceEntry),
});

export const presence = event({
  name: "presence",
  audience: "reader",
  whenSlow: "drop",
  stateVersion: true,
  summary: "Presence changed. The whole list, and what changed; clients with cap `presence-delta` get the change only.",
  payload: open({
    presence: opt(list(PresenceEntry)),
    delta: opt(open({ upserted: list(PresenceEntry), removed: strings })),
  }),
});

export const systemEvent = method({
  name: "system-event",
  scope: "operator.admin",
  summary: "A beacon of a device, or a note for the main session's next prompt. Fields of a wrong type are ignored.",
  params: open({
    text: opt(json),
    deviceId: opt(json),
    instanceId: opt(json),
    host: opt(json),
    ip: opt(json),
    mode: opt(json),
    version: opt(json),
    platform: opt(json),
    deviceFamily: opt(json),
    modelIdentifier: opt(json),
    reason: opt(json),
    lastInputSeconds: opt(json),
    roles: opt(json),
    scopes: opt(json),
    tags: opt(json),
  }),
  result: open({ ok }),
});

export const HeartbeatRecord = model("HeartbeatRecord", {
  ts: ms,
  status: choice("sent", "ok-empty", "ok-token", "skipped", "failed"),
  to: opt(str),
  preview: opt(str),
  durationMs: opt(num),
  hasMedia: opt(bool),
  reason: opt(str),
  channel: opt(str),
  accountId: opt(str),
  silent: opt(bool),
  indicatorType: opt(choice("alert", "ok", "error")),
});

export const lastHeartbeat = method({
  name: "last-heartbeat",
  scope: "operator.read",
  summary: "The last heartbeat event, or null when there was none since the start.",
  params: open({}),
  result: nullable(HeartbeatRecord),
});

export const setHeartbeats = method({
  name: "set-heartbeats",
  scope: "operator.admin",
  summary: "Switches heartbeats on or off until the next restart.",
  params: open({ enabled: opt(json) }),
  result: open({ ok, enabled: bool }),
});

export const heartbeat = event({
  name: "heartbeat",
  audience: "all",
  whenSlow: "drop",
  summary: "A heartbeat run ended.",
  payload: HeartbeatRecord,
});

export const wake = method({
  name: "wake",
  scope: "operator.write",
  summary: "Queues text for the main session; mode `now` runs a heartbeat at once.",
  params: closed({ mode: choice("now", "next-heartbeat"), text: str1 }),
  result: open({ ok: bool }),
});

export const logsTail = method({
  name: "logs.tail",
  scope: "operator.read",
  summary: "Lines of the gateway's log from a byte offset on; `reset` says that the offset no longer applies.",
  duringStartup: true,
  params: closed({
    cursor: opt(doc("Byte offset: `cursor` of the previous answer.", count)),
    limit: opt(doc("Lines; default 500.", Type.Integer({ minimum: 1, maximum: 5000 }))),
    maxBytes: opt(doc("Default 250000.", Type.Integer({ minimum: 1, maximum: 1_000_000 }))),
  }),
  result: open({ file: str, cursor: count, size: count, lines: strings, truncated: bool, reset: bool }),
});

export const tick = event({
  name: "tick",
  audience: "all",
  whenSlow: "drop",
  summary: "Sign of life, every `policy.tickIntervalMs`.",
  payload: open({ ts: ms }),
});

export const shutdown = event({
  name: "shutdown",
  audience: "all",
  whenSlow: "close",
  summary: "The gateway stops or restarts; every socket closes with 1012 after it.",
  payload: open({ reason: str, restartExpectedMs: opt(ms) }),
});

export const healthEvent = event({
  name: "health",
  audience: "all",
  whenSlow: "close",
  stateVersion: true,
  summary: "A new health snapshot.",
  payload: HealthSnapshot,
});
