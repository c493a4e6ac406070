/** `status`: the state of things on one page. Exit 0 also when the gateway is down; local facts are shown then
 *  (lifecycle.md §14.3, R-CLI-3, R-CLI-4). */
import type { Install } from "../assembly/install.ts";
import type { LocatedConfig } from "../config/locate.ts";
import { VERSION } from "../kernel/version.ts";
import { authSource } from "./auth-source.ts";
import type { AuthSource } from "./auth-source.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { readLastKnown } from "./last-known.ts";
import type { LastKnown } from "./last-known.ts";
import { waitingOldState } from "./old-state.ts";
import { probe, selfOf } from "./probe.ts";
import type { Probe } from "./probe.ts";
import { suggest } from "./profile.ts";
import { rooms } from "./rooms.ts";
import { list, numberOf, record, textOf } from "./rpc.ts";
import { serviceSummary } from "./service-summary.ts";
import type { ServiceSummary } from "./service-summary.ts";
import { differences } from "./status-differences.ts";
import type { Difference } from "./status-differences.ts";
import { describeStatus, osOf } from "./status-text.ts";
import { localTarget, resolveTarget, shownAddress } from "./target.ts";
import type { Target } from "./target.ts";

/** Everything both outputs are made of. */
export interface Seen {
  target: Target;
  result: Probe;
  misconfigured: string | undefined;
  /** Answer of the `status` method; empty when it did not answer. */
  status: Readonly<Record<string, unknown>>;
  agents: Agents;
  auth: AuthSource;
  differences: Difference[];
  known: LastKnown | undefined;
  service: ServiceSummary;
  install: Install;
  updates: UpdateChannel;
}

interface UpdateChannel {
  updateChannel: string;
  updateChannelSource: "config" | "default";
}

interface Agents {
  defaultId: string;
  agents: { id: string; name?: unknown; sessionsPath: string; sessionsCount: number; lastUpdatedAt: number | null }[];
  totalSessions: number;
}

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  const timeoutMs = options.integer("timeout", 10_000);
  const { target, misconfigured } = await where(context);
  const deep = options.has("deep") || options.has("all");
  const asked = probe(target, io, timeoutMs, {
    status: {},
    "system-presence": {},
    "agents.list": {},
    ...(deep ? { health: { probe: true }, "last-heartbeat": {} } : {}),
    ...(options.has("usage") ? { "usage.status": {}, "usage.cost": {} } : {}),
  });
  const [result, service] = await Promise.all([asked, serviceSummary(io)]);
  const known = result.ok ? undefined : readLastKnown(target.config.stateDir, io.now());
  const { findInstall } = await rooms.install.load();
  const install = findInstall(import.meta.dirname, await io.world());
  const seen: Seen = {
    service,
    target,
    result,
    misconfigured,
    status: record(result.answers.status),
    agents: agentsOf(result, target.config),
    auth: authSource(options, target, io),
    differences: differences(target, result, known),
    known,
    install,
    updates: channelOf(target.config, install),
  };
  if (context.json) context.printJson(asJson(context, seen));
  else context.print(...describeStatus(context, seen));
  return 0;
}

/** In a remote mode without address the local gateway is looked at, and the fault is told. */
async function where(context: Context): Promise<{ target: Target; misconfigured: string | undefined }> {
  try {
    return { target: await resolveTarget(context.options, context.io), misconfigured: undefined };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const { locateConfig } = await import("../config/locate.ts");
    const target = localTarget(await locateConfig(context.io), context.io);
    return {
      target: { ...target, source: "missing gateway.remote.url (fallback local)" },
      misconfigured: error.message,
    };
  }
}

function agentsOf(result: Probe, config: LocatedConfig): Agents {
  const answer = record(result.answers["agents.list"]);
  const byAgent = list(record(record(result.answers.status).sessions).byAgent).map(record);
  const agents = list(answer.agents).map((item) => {
    const agent = record(item);
    const id = textOf(agent.id);
    const sessions = record(byAgent.find((entry) => entry.agentId === id));
    const updated = list(sessions.recent).flatMap((row) => numberOf(record(row).updatedAt) ?? []);
    return {
      id,
      ...(agent.name === undefined ? {} : { name: agent.name }),
      sessionsPath: textOf(sessions.path) || config.stateDir,
      sessionsCount: numberOf(sessions.count) ?? 0,
      lastUpdatedAt: updated.length > 0 ? Math.max(...updated) : null,
    };
  });
  const totalSessions = agents.reduce((sum, agent) => sum + agent.sessionsCount, 0);
  return { defaultId: textOf(answer.defaultId) || "main", agents, totalSessions };
}

/** Node hosts are no part of this release. */
const nodeService = { label: null, installed: false, loadedText: "not installed", runtimeShort: "unknown" } as const;

/** `update.channel`, else what fits the installation. */
function channelOf(config: LocatedConfig, install: Install): UpdateChannel {
  const set = textOf(record(config.document.update).channel);
  return {
    updateChannel: set || (install.kind === "git" ? "dev" : "stable"),
    updateChannelSource: set ? "config" : "default",
  };
}

const emptySessions = { paths: [], count: 0, defaults: { model: null, contextTokens: null }, recent: [], byAgent: [] };

function asJson({ io }: Context, seen: Seen): unknown {
  const { target, result, status, known } = seen;
  const { config } = target;
  const { answers } = result;
  const optional = (name: string, value: unknown) => (value === undefined ? {} : { [name]: value });
  return {
    ...optional("linkChannel", status.linkChannel),
    heartbeat: status.heartbeat ?? { defaultAgentId: "main", agents: [] },
    channelSummary: list(status.channelSummary),
    queuedSystemEvents: list(status.queuedSystemEvents),
    sessions: status.sessions ?? emptySessions,
    ...optional("model", status.model),
    ...optional("runs", status.runs),
    problems: list(status.problems),
    os: osOf(io.platform),
    update: seen.install,
    ...seen.updates,
    version: VERSION,
    memory: null,
    memoryPlugin: { enabled: false },
    config: { path: config.path, verdict: config.verdict, ...optional("problem", config.problem) },
    stateDir: config.stateDir,
    ...(waitingOldState(config.stateDir) ? { olderState: { next: suggest(io.env, "sessions import") } } : {}),
    gateway: {
      mode: config.mode === "remote" ? "remote" : "local",
      url: shownAddress(target.url),
      urlSource: target.source,
      auth: seen.auth,
      misconfigured: seen.misconfigured !== undefined,
      reachable: result.ok,
      connectLatencyMs: result.latencyMs,
      self: selfOf(result),
      error: result.error,
    },
    differences: seen.differences,
    gatewayService: seen.service,
    nodeService,
    ...optional("lastKnown", known),
    agents: seen.agents,
    ...optional("health", answers.health),
    ...("last-heartbeat" in answers ? { lastHeartbeat: answers["last-heartbeat"] ?? null } : {}),
    ...optional("usage", answers["usage.status"]),
    ...optional("usageCost", answers["usage.cost"]),
  };
}
