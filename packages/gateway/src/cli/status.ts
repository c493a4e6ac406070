/** `status`: the state of things on one page. Exit 0 also when the gateway is down; local facts are shown then
 *  (lifecycle.md §14.3, R-CLI-3, R-CLI-4). */
import type { LocatedConfig } from "../config/locate.ts";
import { displayPath } from "../kernel/paths.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { describeLastKnown } from "./gateway-status.ts";
import { channelLines } from "./health.ts";
import { readLastKnown } from "./last-known.ts";
import { probe, selfOf } from "./probe.ts";
import type { Probe } from "./probe.ts";
import { suggest } from "./profile.ts";
import { list, numberOf, record, textOf } from "./rpc.ts";
import { localTarget, resolveTarget } from "./target.ts";
import type { Target } from "./target.ts";
import { clean, cleanLine } from "./terminal/clean.ts";
import { table } from "./terminal/table.ts";
import { age } from "./terminal/time.ts";
import { VERSION } from "../kernel/version.ts";

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  const timeoutMs = options.integer("timeout", 10_000);
  const { target, misconfigured } = await where(context);
  const deep = options.has("deep") || options.has("all");
  const result = await probe(target, io, timeoutMs, {
    status: {},
    "system-presence": {},
    "agents.list": {},
    ...(deep ? { health: { probe: true }, "last-heartbeat": {} } : {}),
    ...(options.has("usage") ? { "usage.status": {} } : {}),
  });
  if (context.json) context.printJson(asJson(context, target, result, misconfigured));
  else context.print(...describe(context, target, result, misconfigured));
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

function agentsOf(result: Probe, config: LocatedConfig): Record<string, unknown> {
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

function asJson(context: Context, target: Target, result: Probe, misconfigured: string | undefined): unknown {
  const { io } = context;
  const { config } = target;
  const status = record(result.answers.status);
  const known = result.ok ? undefined : readLastKnown(config.stateDir, io.now());
  return {
    ...(status.linkChannel === undefined ? {} : { linkChannel: status.linkChannel }),
    heartbeat: status.heartbeat ?? { defaultAgentId: "main", agents: [] },
    channelSummary: list(status.channelSummary),
    queuedSystemEvents: list(status.queuedSystemEvents),
    sessions: status.sessions ?? {
      paths: [],
      count: 0,
      defaults: { model: null, contextTokens: null },
      recent: [],
      byAgent: [],
    },
    os: osOf(context),
    version: VERSION,
    config: { path: config.path, verdict: config.verdict, ...(config.problem ? { problem: config.problem } : {}) },
    stateDir: config.stateDir,
    gateway: {
      mode: config.mode === "remote" ? "remote" : "local",
      url: target.url,
      urlSource: target.source,
      misconfigured: misconfigured !== undefined,
      reachable: result.ok,
      connectLatencyMs: result.latencyMs,
      self: selfOf(result),
      error: result.error,
    },
    ...(known ? { lastKnown: known } : {}),
    agents: agentsOf(result, config),
    ...(result.answers.health === undefined ? {} : { health: result.answers.health }),
    ...("last-heartbeat" in result.answers ? { lastHeartbeat: result.answers["last-heartbeat"] ?? null } : {}),
    ...(result.answers["usage.status"] === undefined ? {} : { usage: result.answers["usage.status"] }),
  };
}

function osOf({ io }: Context): Record<string, string> {
  const { platform } = io;
  const { arch, version } = process;
  return { platform, arch, runtime: `node ${version}`, label: `${platform} (${arch})` };
}

function describe(context: Context, target: Target, result: Probe, misconfigured: string | undefined): string[] {
  const { io, options } = context;
  const { config } = target;
  const status = record(result.answers.status);
  const sessions = record(status.sessions);
  const self = selfOf(result);
  const agents = agentsOf(result, config);
  const reach = result.ok
    ? `reachable (${result.latencyMs}ms), version ${self?.version ?? "unknown"}`
    : `not reachable: ${(result.error ?? "").split("\n")[0] ?? ""}`;
  const model = textOf(record(sessions.defaults).model);
  const overview = [
    ["Version", VERSION],
    ["OS", osOf(context).label ?? ""],
    ["Config", `${displayPath(config.path, io)}${config.verdict === "ok" ? "" : ` (${config.verdict})`}`],
    ["State dir", displayPath(config.stateDir, io)],
    ["Gateway", `${target.url} (${target.source})`],
    ["", reach],
  ];
  if (config.problem) overview.push(["Config problem", config.problem]);
  if (misconfigured) overview.push(["Problem", misconfigured.split("\n")[0] ?? ""]);
  if (result.ok) {
    overview.push(
      ["Model", model || "unknown"],
      [
        "Agents",
        list(agents.agents)
          .map((agent) => textOf(record(agent).id))
          .join(", "),
      ],
      ["Sessions", String(numberOf(sessions.count) ?? 0)],
    );
  }
  const lines = [...table(io, ["Overview", ""], overview)];
  const channels = list(status.channelSummary).map((line) => clean(textOf(line)));
  if (channels.length > 0) lines.push("", "Channels", ...channels);
  const recent = list(sessions.recent).map(record);
  if (recent.length > 0) {
    const rows = recent
      .slice(0, 10)
      .map((row) => [
        textOf(row.key),
        textOf(row.kind),
        numberOf(row.age) === undefined ? "never" : age(numberOf(row.age) ?? 0),
        textOf(row.model),
      ]);
    lines.push("", ...table(io, ["Session", "Kind", "Age", "Model"], rows));
  }
  if (result.answers.health !== undefined) lines.push("", "Health", ...channelLines(result.answers.health));
  if (options.has("all")) lines.push("", "Diagnosis", ...diagnosis(context, target));
  if (!result.ok) {
    const known = readLastKnown(config.stateDir, io.now());
    if (known) lines.push("", ...describeLastKnown(known, io));
    lines.push("", `Next: start it with ${suggest(io.env, "gateway")}`);
  }
  return lines;
}

/** Facts for a report; never a secret, only whether there is one. */
function diagnosis({ io }: Context, { config, credentials }: Target): string[] {
  return [
    `Config: ${cleanLine(config.path)} (${config.verdict})`,
    `Mode: ${config.mode ?? "unset"}, bind: ${config.bind}, port: ${config.port} (${config.portSource}), auth: ${config.authMode ?? "default"}`,
    `Token: ${credentials.token ? "set" : "not set"}, password: ${credentials.password ? "set" : "not set"}`,
    `Profile: ${io.env.OPENCLAW_PROFILE || "default"}`,
  ].map((line) => cleanLine(line));
}
