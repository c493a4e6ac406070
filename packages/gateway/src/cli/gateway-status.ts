/** `gateway status`: config, address and whether the gateway answers. Never fails because it is down (lifecycle.md §9.7). */
import type { LocatedConfig } from "../config/locate.ts";
import { displayPath } from "../kernel/paths.ts";
import type { Context } from "./command.ts";
import { readLastKnown } from "./last-known.ts";
import type { LastKnown } from "./last-known.ts";
import { probe } from "./probe.ts";
import type { Probe } from "./probe.ts";
import { suggest } from "./profile.ts";
import { localTarget, resolveTarget } from "./target.ts";
import type { Target } from "./target.ts";
import { cleanLine } from "./terminal/clean.ts";
import { age } from "./terminal/time.ts";

const hosts: Readonly<Record<string, string>> = { lan: "0.0.0.0", auto: "127.0.0.1", loopback: "127.0.0.1" };

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
  const lastKnown = result?.ok ? undefined : readLastKnown(config.stateDir, io.now());
  const bindHost = config.customBindHost ?? hosts[config.bind] ?? new URL(target.url).hostname;
  if (context.json) context.printJson(asJson(target, result, lastKnown, bindHost));
  else context.print(...describe(context, target, result, lastKnown, bindHost));
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

function asJson(
  target: Target,
  result: Probe | undefined,
  lastKnown: LastKnown | undefined,
  bindHost: string,
): unknown {
  const { config } = target;
  const note = probeNote(config);
  return {
    config: {
      cli: {
        path: config.path,
        exists: config.verdict !== "missing",
        valid: config.problem === undefined,
        ...(config.problem ? { issues: [{ path: "", message: config.problem }] } : {}),
      },
    },
    gateway: {
      bindMode: config.bind,
      bindHost,
      ...(config.customBindHost ? { customBindHost: config.customBindHost } : {}),
      port: config.port,
      portSource: "env/config",
      probeUrl: target.url,
      ...(note ? { probeNote: note } : {}),
    },
    ...(result ? { rpc: { ok: result.ok, ...(result.error ? { error: result.error } : {}), url: result.url } } : {}),
    ...(lastKnown ? { lastKnown } : {}),
    extraServices: [],
  };
}

function describe(
  context: Context,
  target: Target,
  result: Probe | undefined,
  lastKnown: LastKnown | undefined,
  bindHost: string,
): string[] {
  const { io } = context;
  const { config } = target;
  const verdict = config.verdict === "ok" ? "" : ` (${config.verdict})`;
  const lines = [`Config (cli): ${displayPath(config.path, io)}${verdict}`];
  if (config.problem) lines.push(`  ${cleanLine(config.problem)}`);
  lines.push(
    `State dir: ${displayPath(config.stateDir, io)}`,
    `Gateway: bind=${config.bind} (${bindHost}), port=${config.port} (${config.portSource})`,
    `Probe target: ${target.url}`,
    `Dashboard: http${config.tls ? "s" : ""}://127.0.0.1:${config.port}${config.basePath.replace(/\/?$/, "/")}`,
  );
  const note = probeNote(config);
  if (note) lines.push(`Probe note: ${note}`);
  if (!result) return lines;
  lines.push(`RPC probe: ${result.ok ? "ok" : "failed"}`);
  if (result.ok) {
    lines.push(`Version: ${cleanLine(result.hello?.server.version ?? "")}`);
    return lines;
  }
  lines.push(`RPC target: ${result.url}`, `  ${cleanLine(result.error ?? "")}`);
  if (lastKnown) lines.push(...describeLastKnown(lastKnown, io));
  lines.push(`Start it with: ${suggest(io.env, "gateway")}`, `Troubles: run ${suggest(io.env, "status")}`);
  return lines;
}

export function describeLastKnown(known: LastKnown, io: Context["io"]): string[] {
  const when = known.ageMs === null ? "at an unknown time" : age(known.ageMs);
  const lines = [
    `Last known (${when}): ${cleanLine(known.state)}, version ${cleanLine(known.version)}, PID ${known.pid ?? "unknown"}, port ${known.port ?? "unknown"}`,
  ];
  if (known.logFile) lines.push(`File logs: ${displayPath(cleanLine(known.logFile), io)}`);
  for (const problem of known.problems.slice(0, 5))
    lines.push(`  ${cleanLine(problem.part)}: ${cleanLine(problem.message)}`);
  return lines;
}
