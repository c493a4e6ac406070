/** `status` for people: tables that fit the terminal, and with `--all` a text that can be pasted. */
import { secretWeakness } from "../config/secret-strength.ts";
import { displayPath } from "../kernel/paths.ts";
import { VERSION } from "../kernel/version.ts";
import { describeAuth } from "./auth-source.ts";
import type { Context } from "./command.ts";
import { channelLines } from "./health.ts";
import type { Io } from "./io.ts";
import { describeLastKnown, readEnd } from "./last-known.ts";
import { formatLogLine, parseLogLine } from "./log-line.ts";
import { waitingOldState } from "./old-state.ts";
import { describeService } from "./service-summary.ts";
import { selfOf } from "./probe.ts";
import { suggest } from "./profile.ts";
import { list, numberOf, record, textOf } from "./rpc.ts";
import { describeDifference } from "./status-differences.ts";
import { pasteRedactor } from "./status-paste.ts";
import type { Seen } from "./status.ts";
import { shownAddress, type Target } from "./target.ts";
import { clean, cleanLine } from "./terminal/clean.ts";
import { displayWidth, folded, widthOf, wrap } from "./terminal/style.ts";
import { table } from "./terminal/table.ts";
import { age, duration } from "./terminal/time.ts";

type Row = readonly [string, string];

const logTailLines = 20;

export function describeStatus(context: Context, seen: Seen): string[] {
  const { io, options } = context;
  const { result, status, known, target } = seen;
  const lines = [...table(io, ["Overview", ""], fitted(io, overview(context, seen)))];
  const channels = list(status.channelSummary).map((line) => clean(textOf(line)));
  if (channels.length > 0) lines.push("", "Channels", ...channels);
  const recent = list(record(status.sessions).recent).map(record).slice(0, 10);
  if (recent.length > 0) lines.push("", ...table(io, ["Session", "Kind", "Age", "Model"], recent.map(sessionRow)));
  const problems = [
    ...list(status.problems)
      .map(record)
      .map((problem) => `${textOf(problem.part)}: ${textOf(problem.message)}`),
    ...faults(io, seen),
  ];
  if (problems.length > 0) lines.push("", "Problems", ...problems.map((problem) => `  ${cleanLine(problem)}`));
  if (result.answers.health !== undefined) lines.push("", "Health", ...healthLines(result.answers.health));
  if (result.answers["usage.cost"] !== undefined) lines.push("", "Usage", ...usageLines(result.answers["usage.cost"]));
  if (known) lines.push("", ...describeLastKnown(known, io));
  const next = nextSteps(io, seen);
  const redactor = pasteRedactor(target, io);
  const page = (text: readonly string[]) =>
    folded(
      io.stdout,
      text.map((line) => redactor.clean(line)),
    );
  // What is pasted into a report keeps its lines whole.
  const report = options.has("all") ? ["", "Diagnosis", ...diagnosis(io, seen)] : [];
  return [...page(lines), ...report.map((line) => redactor.clean(line)), ...page(next.length > 0 ? ["", ...next] : [])];
}

function overview(context: Context, seen: Seen): Row[] {
  const { io } = context;
  const { target, result, status, agents, auth, misconfigured, install, updates } = seen;
  const { config } = target;
  const self = selfOf(result);
  const show = (path: string) => displayPath(path, io);
  const sessions = record(status.sessions);
  const rows: Row[] = [
    ["Version", VERSION],
    ["OS", osOf(io.platform).label],
    ["Config", `${show(config.path)}${config.verdict === "ok" ? "" : ` (${config.verdict})`}`],
    ["State dir", show(config.stateDir)],
    ["Gateway", `${shownAddress(target.url)} (${target.source})`],
    [
      "",
      result.ok
        ? `reachable (${result.latencyMs}ms), version ${self?.version ?? "unknown"}`
        : `not reachable: ${firstLine(result.error)}`,
    ],
    ["Auth", describeAuth(auth)],
    ["Dashboard", `http${config.tls ? "s" : ""}://127.0.0.1:${config.port}${config.basePath.replace(/\/?$/, "/")}`],
    ["Tailscale", textOf(record(record(config.document.gateway).tailscale).mode) || "off"],
    ["Service", describeService(seen.service)],
    ["Update", `${installs[install.kind]}, channel ${updates.updateChannel}`],
  ];
  if (config.problem) rows.push(["Config problem", config.problem]);
  if (misconfigured) rows.push(["Problem", firstLine(misconfigured)]);
  if (waitingOldState(config.stateDir)) {
    rows.push(["Older OpenClaw", `found in the state dir; take it over with ${suggest(io.env, "sessions import")}`]);
  }
  if (!result.ok) return rows;
  const runs = record(status.runs);
  const uptimeMs = numberOf(status.uptimeMs);
  rows.push(["Model", modelText(status)]);
  for (const offer of list(status.localModels).map(record))
    rows.push(["", `${textOf(offer.name)} runs here: ${textOf(offer.command)}`]);
  rows.push(
    ["Agents", agents.agents.map(({ id }) => (id === agents.defaultId ? `${id} (default)` : id)).join(", ")],
    ["Sessions", String(numberOf(sessions.count) ?? 0)],
    ["Runs", `${numberOf(runs.active) ?? 0} running, ${numberOf(runs.waiting) ?? 0} waiting`],
    ["Connections", String(numberOf(status.connections) ?? 0)],
    ["Events", `${list(status.queuedSystemEvents).length} queued`],
    ["Heartbeat", heartbeatText(status)],
    ["Memory", "not part of this release"],
  );
  if (uptimeMs !== undefined) rows.push(["Uptime", duration(uptimeMs)]);
  return rows;
}

const installs = { git: "source checkout", npm: "npm package", unknown: "unknown kind of installation" } as const;

const firstLine = (text: string | null): string => (text ?? "").split("\n")[0] ?? "";

function modelText(status: Seen["status"]): string {
  const model = record(status.model);
  const ref = textOf(model.ref) || textOf(record(record(status.sessions).defaults).model);
  if (model.configured === false) return `no model configured (${ref || "offline/echo"} repeats what you say)`;
  return `${ref || "unknown"}${textOf(model.auth) ? ` (${textOf(model.auth)})` : ""}`;
}

function heartbeatText(status: Seen["status"]): string {
  const agents = list(record(status.heartbeat).agents).map(record);
  const on = agents.filter((agent) => agent.enabled === true);
  return on.length === 0 ? "off" : on.map((agent) => `${textOf(agent.every)} (${textOf(agent.agentId)})`).join(", ");
}

const sessionRow = (row: Readonly<Record<string, unknown>>): string[] => {
  const ageMs = numberOf(row.age);
  return [textOf(row.key), textOf(row.kind), ageMs === undefined ? "never" : age(ageMs), textOf(row.model)];
};

/** What this command sees to be wrong; the gateway's own problems stand beside it. */
const faults = (io: Io, { differences, target }: Seen): string[] => [
  ...differences.map((each) => describeDifference(each, (path) => displayPath(path, io))),
  ...weakSecret(io, target),
];

/** A secret that others than this machine can try to guess, and too soon would (reliability.md S6). */
function weakSecret(io: Io, { local, config }: Target): string[] {
  if (!local || config.bind === "loopback") return [];
  const kind = config.authMode === "password" || config.token === undefined ? "password" : "token";
  const secret = config[kind];
  const reason = secret === undefined ? undefined : secretWeakness(secret, kind, true);
  return reason === undefined ? [] : [`the ${kind} is weak. ${reason} ${suggest(io.env, "doctor")} says what to do`];
}

/** Without channels there is still a verdict. */
function healthLines(health: unknown): string[] {
  const channels = channelLines(health);
  if (channels.length > 0) return channels;
  return [record(health).ok === false ? "not ok: see the problems" : "OK, no channels"];
}

function usageLines(answer: unknown): string[] {
  const { totals, days } = record(answer);
  const { input, output, totalTokens, totalCost } = record(totals);
  const number = (value: unknown) => (numberOf(value) ?? 0).toLocaleString("en-US");
  return [
    `  ${numberOf(days) ?? 0} days: ${number(totalTokens)} tokens (${number(input)} in, ${number(output)} out), ${(numberOf(totalCost) ?? 0).toFixed(2)} USD`,
  ];
}

/** Facts for a report; never a secret, and no text of a conversation. */
function diagnosis(io: Io, { target, known, status, result }: Seen): string[] {
  const { config } = target;
  const show = (path: string) => displayPath(path, io);
  const lines = [
    `Config: ${show(config.path)} (${config.verdict})`,
    `Mode: ${config.mode ?? "unset"}, bind: ${config.bind}, port: ${config.port} (${config.portSource}), auth: ${config.authMode ?? "default"}`,
    `Profile: ${io.env.OPENCLAW_PROFILE || "default"}`,
    `Runtime: node ${process.version}`,
  ];
  const store = record(status.store);
  const commit = record(store.commit);
  if (textOf(store.path))
    lines.push(
      `Store: ${show(textOf(store.path))}${numberOf(commit.p99Ms) === undefined ? "" : `, commit p99 ${numberOf(commit.p99Ms)}ms`}`,
    );
  const logFile = config.logFile ?? known?.logFile ?? (result.ok ? recordedLog(config.stateDir) : undefined);
  const tail = logFile ? (readEnd(logFile, 65_536)?.text.split("\n").filter(Boolean).slice(-logTailLines) ?? []) : [];
  const told = lines.map((line) => cleanLine(line));
  if (!logFile || tail.length === 0) return [...told, "Log: nothing to show"];
  const formatted = tail.map((raw) => {
    const line = parseLogLine(raw);
    return `  ${cleanLine(line ? formatLogLine(line, true, (_level, text) => text) : raw).slice(0, 400)}`;
  });
  return [...told, `Log: ${cleanLine(show(logFile))}, last ${tail.length} lines`, ...formatted];
}

const recordedLog = (stateDir: string): string | undefined => {
  const text = readEnd(`${stateDir}/status.json`, 65_536)?.text;
  return text === undefined
    ? undefined
    : /"logFile":\s*("(?:[^"\\]|\\.)*")/
        .exec(text)
        ?.slice(1)
        .map((quoted) => textOf(JSON.parse(quoted)))[0];
};

function nextSteps(io: Io, { target, result, status, differences }: Seen): string[] {
  const steps: string[] = [];
  if (target.config.problem) steps.push(`repair the config: ${suggest(io.env, "doctor")}`);
  if (!result.ok)
    steps.push(
      /unauthorized/.test(result.error ?? "")
        ? `find out which token counts: ${suggest(io.env, "doctor")}`
        : `start it with ${suggest(io.env, "gateway")}`,
    );
  if (record(status.model).configured === false)
    steps.push(`choose a model: ${suggest(io.env, "models set <provider/model>")}`);
  if (differences.some(({ what }) => what === "version")) steps.push("restart the gateway: the program files changed");
  return steps.map((step) => `Next: ${step}`);
}

/** Long values go on in rows of their own, so that nothing is cut. Without a terminal lines may be long. */
function fitted(io: Io, rows: readonly Row[]): string[][] {
  if (!io.stdout.isTTY) return rows.map((row) => [...row]);
  const left = Math.max(8, ...rows.map(([label]) => displayWidth(label)));
  const room = widthOf(io.stdout) - left - 7;
  return rows.flatMap(([label, value]) => {
    const parts = wrap(cleanLine(value), room).flatMap((line) => hardBreak(line, room));
    return parts.map((part, i) => [i === 0 ? label : "", part]);
  });
}

function hardBreak(text: string, width: number): string[] {
  const parts: string[] = [];
  for (let rest = text; ; rest = rest.slice(width)) {
    parts.push(rest.slice(0, width));
    if (rest.length <= width) return parts;
  }
}

export function osOf(platform: string): {
  platform: string;
  arch: string;
  release: string;
  runtime: string;
  label: string;
} {
  const { arch, version } = process;
  const release = process.getBuiltinModule("node:os").release();
  return { platform, arch, release, runtime: `node ${version}`, label: `${platform} ${release} (${arch})` };
}
