/** `gateway status`: config, address and whether the gateway answers. Never fails because it is down (lifecycle.md §9.7). */
import type { LocatedConfig } from "../config/locate.ts";
import { displayPath } from "../kernel/paths.ts";
import { authSource, describeAuth } from "./auth-source.ts";
import type { AuthSource } from "./auth-source.ts";
import type { Context } from "./command.ts";
import { describeLastKnown, readLastKnown } from "./last-known.ts";
import type { LastKnown } from "./last-known.ts";
import { probe } from "./probe.ts";
import type { Probe } from "./probe.ts";
import { suggest } from "./profile.ts";
import { rooms } from "./rooms.ts";
import { differences, describeDifference } from "./status-differences.ts";
import type { Difference } from "./status-differences.ts";
import { pasteRedactor } from "./status-paste.ts";
import { localTarget, resolveTarget } from "./target.ts";
import type { Target } from "./target.ts";
import { cleanLine } from "./terminal/clean.ts";

const hosts: Readonly<Record<string, string>> = { lan: "0.0.0.0", auto: "127.0.0.1", loopback: "127.0.0.1" };

interface PortReport {
  port: number;
  status: "free" | "busy" | "unknown";
  listeners: { pid: number; command: string; commandLine: string; address: string }[];
  hints: string[];
}

interface Seen {
  target: Target;
  result: Probe | undefined;
  auth: AuthSource;
  known: LastKnown | undefined;
  bindHost: string;
  port: PortReport | undefined;
  differences: Difference[];
}

function probeNote({ bind }: LocatedConfig): string {
  if (bind === "loopback") return "Loopback-only gateway; only local clients can connect.";
  if (bind === "lan") return "bind=lan listens on every interface; this probe uses 127.0.0.1.";
  return "";
}

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  const timeoutMs = options.integer("timeout", 10_000);
  const target = await statusTarget(context);
  const { config } = target;
  const result = options.has("no-probe") ? undefined : await probe(target, io, timeoutMs, { status: {} });
  const known = result?.ok ? undefined : readLastKnown(config.stateDir, io.now());
  const seen: Seen = {
    target,
    result,
    auth: authSource(options, target, io),
    known,
    bindHost: config.customBindHost ?? hosts[config.bind] ?? new URL(target.url).hostname,
    port: result && target.local && (!result.ok || options.has("deep")) ? await portReport(config.port) : undefined,
    differences: result ? differences(target, result, known) : [],
  };
  if (context.json) context.printJson(asJson(seen));
  else {
    const redactor = pasteRedactor(target, io);
    context.print(...describe(context, seen).map((line) => redactor.clean(line)));
  }
  return 0;
}

/** The gateway of this machine, also in remote mode; `--url` names another. */
async function statusTarget(context: Context): Promise<Target> {
  const { io, options } = context;
  try {
    return await resolveTarget(options, io);
  } catch (error) {
    if (options.has("url")) throw error;
    const { locateConfig } = await import("../config/locate.ts");
    return localTarget(await locateConfig(io), io);
  }
}

/** Who holds the port (lifecycle.md §9.9). */
async function portReport(port: number): Promise<PortReport> {
  const { holdersOf, portAnswers } = await rooms.listeners.load();
  const listeners = holdersOf(port);
  const busy = listeners.length > 0 || (await portAnswers(port));
  return { port, status: busy ? "busy" : "free", listeners, hints: busy ? hintsFor(listeners) : [] };
}

function hintsFor(listeners: PortReport["listeners"]): string[] {
  if (listeners.length === 0) return ["Who listens cannot be seen by this account; run lsof as administrator."];
  const hints = new Set(
    listeners.map(({ command }) => {
      if (/openclaw/.test(command))
        return "Gateway already running locally. Stop it (openclaw gateway stop) or use a different port.";
      return /ssh/.test(command) ? "An SSH tunnel holds the port." : "Another process is listening on this port.";
    }),
  );
  return [
    ...hints,
    ...(new Set(listeners.map(({ pid }) => pid)).size > 1 ? ["Several processes listen on this port."] : []),
  ];
}

/** No service can be installed by this release: it says so instead of guessing. */
const service = {
  label: null,
  loaded: false,
  loadedText: "loaded",
  notLoadedText: "not installed by this program",
  command: null,
  runtime: { status: "unknown" },
} as const;

function asJson({ target, result, auth, known, bindHost, port, differences: differing }: Seen): unknown {
  const { config } = target;
  const note = probeNote(config);
  const other = differing.find(({ what }) => what === "config path");
  return {
    service,
    config: {
      cli: {
        path: config.path,
        exists: config.verdict !== "missing",
        valid: config.problem === undefined,
        ...(config.problem ? { issues: [{ path: "", message: config.problem }] } : {}),
      },
      ...(other ? { daemon: { path: other.gateway }, mismatch: true } : {}),
    },
    gateway: {
      bindMode: config.bind,
      bindHost,
      ...(config.customBindHost ? { customBindHost: config.customBindHost } : {}),
      port: config.port,
      portSource: "env/config",
      probeUrl: target.url,
      auth,
      ...(note ? { probeNote: note } : {}),
    },
    ...(port ? { port } : {}),
    differences: differing,
    ...(result ? { rpc: { ok: result.ok, ...(result.error ? { error: result.error } : {}), url: result.url } } : {}),
    ...(known ? { lastKnown: known } : {}),
    ...(known?.lastError ? { lastError: known.lastError.message } : {}),
    legacyServices: [],
    extraServices: [],
  };
}

function describe(
  { io }: Context,
  { target, result, auth, known, bindHost, port, differences: differing }: Seen,
): string[] {
  const { config } = target;
  const show = (path: string) => displayPath(path, io);
  const verdict = config.verdict === "ok" ? "" : ` (${config.verdict})`;
  const lines = ["Service: not installed by this program", `Config (cli): ${show(config.path)}${verdict}`];
  if (config.problem) lines.push(`  ${cleanLine(config.problem)}`);
  lines.push(
    `State dir: ${show(config.stateDir)}`,
    `Gateway: bind=${config.bind} (${bindHost}), port=${config.port} (${config.portSource})`,
    `Probe target: ${target.url}`,
    `Auth: ${describeAuth(auth)}`,
    `Dashboard: http${config.tls ? "s" : ""}://127.0.0.1:${config.port}${config.basePath.replace(/\/?$/, "/")}`,
  );
  const note = probeNote(config);
  if (note) lines.push(`Probe note: ${note}`);
  if (result) lines.push(`RPC probe: ${result.ok ? "ok" : "failed"}`);
  if (result?.ok) lines.push(`Version: ${cleanLine(result.hello?.server.version ?? "")}`);
  else if (result) lines.push(`RPC target: ${result.url}`, `  ${cleanLine(result.error ?? "")}`);
  for (const each of differing) lines.push(`Note: ${cleanLine(describeDifference(each, show))}`);
  if (port?.status === "busy") {
    lines.push(`Port ${port.port} is in use:`);
    for (const { pid, command, address } of port.listeners)
      lines.push(`- pid ${pid} ${cleanLine(command)} (${address})`);
    lines.push(...port.hints.map((hint) => `- ${hint}`));
  }
  if (!result || result.ok) return lines;
  if (known) lines.push(...describeLastKnown(known, io));
  lines.push(`Start it with: ${suggest(io.env, "gateway")}`, `Troubles: run ${suggest(io.env, "status")}`);
  return lines;
}
