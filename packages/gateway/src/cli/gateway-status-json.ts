/** The JSON document of `gateway status`: stable, without secrets (lifecycle.md §9.7). */
import type { LocatedConfig } from "../config/locate.ts";
import type { ServiceState } from "../service/index.ts";
import type { SeenStatus } from "./gateway-status.ts";
import type { ServiceFacts } from "./service-facts.ts";
import { shownAddress } from "./target.ts";

/** Of the service's variables only these are shown. */
export const shownVariables = [
  "OPENCLAW_PROFILE",
  "OPENCLAW_STATE_DIR",
  "OPENCLAW_CONFIG_PATH",
  "OPENCLAW_GATEWAY_PORT",
  "OPENCLAW_NIX_MODE",
] as const;

export function shownEnvironment({ command }: ServiceState): Record<string, string> {
  const environment = command?.environment ?? {};
  return Object.fromEntries(
    shownVariables.flatMap((name) => (environment[name] ? [[name, environment[name] ?? ""] as const] : [])),
  );
}

export function probeNote({ bind }: LocatedConfig): string {
  if (bind === "loopback") return "Loopback-only gateway; only local clients can connect.";
  if (bind === "lan") return "bind=lan listens on every interface; this probe uses 127.0.0.1.";
  return "";
}

export function statusJson(seen: SeenStatus): unknown {
  const { target, cli, facts, result, auth, known, bindHost, port, portCli } = seen;
  const { config } = target;
  const note = probeNote(config);
  const others = facts?.others ?? [];
  return {
    verdict: seen.verdict,
    service: facts ? serviceJson(facts) : nothing,
    config: configJson(seen, cli),
    gateway: {
      bindMode: config.bind,
      bindHost,
      ...(config.customBindHost ? { customBindHost: config.customBindHost } : {}),
      port: facts?.reads && config === facts.reads.config ? facts.reads.port : config.port,
      portSource: seen.portSource,
      probeUrl: shownAddress(target.url),
      auth,
      ...(note ? { probeNote: note } : {}),
    },
    ...(port ? { port } : {}),
    ...(portCli ? { portCli } : {}),
    differences: seen.differences,
    ...(result ? { rpc: { ok: result.ok, ...(result.error ? { error: result.error } : {}), url: result.url } } : {}),
    ...(known ? { lastKnown: known } : {}),
    ...lastErrorOf(seen),
    ...(seen.refusal === undefined ? {} : { startProblem: seen.refusal }),
    legacyServices: others
      .filter(({ legacy }) => legacy)
      .map(({ label, detail, cleanup }) => ({ label, path: detail, exists: true, cleanup })),
    extraServices: others.filter(({ legacy }) => !legacy),
  };
}

const nothing = {
  label: null,
  loaded: false,
  loadedText: "loaded",
  notLoadedText: "not available",
  command: null,
  runtime: { status: "unknown" },
} as const;

function serviceJson({ state, issues, version, elsewhere }: ServiceFacts): unknown {
  const { manager, scope, label, loaded, loadedText, notLoadedText, installed, path, command, runtime, linger } = state;
  const environment = shownEnvironment(state);
  return {
    manager,
    scope,
    label,
    installed,
    path,
    loaded,
    loadedText,
    notLoadedText,
    command: command
      ? {
          programArguments: command.programArguments,
          ...(command.workingDirectory === undefined ? {} : { workingDirectory: command.workingDirectory }),
          ...(Object.keys(environment).length > 0 ? { environment } : {}),
          sourcePath: command.sourcePath,
        }
      : null,
    ...(version === undefined ? {} : { version }),
    runtime,
    ...(linger === undefined ? {} : { linger }),
    ...(state.problem
      ? { problem: { code: state.problem.code, message: state.problem.message, hints: state.problem.hints } }
      : {}),
    ...(elsewhere === undefined ? {} : { elsewhere }),
    ...(installed ? { configAudit: { ok: issues.length === 0, issues } } : {}),
  };
}

function configJson({ facts, differences }: SeenStatus, cli: LocatedConfig): unknown {
  const of = (config: LocatedConfig) => ({
    path: config.path,
    exists: config.verdict !== "missing",
    valid: config.problem === undefined,
    ...(config.problem ? { issues: [{ path: "", message: config.problem }] } : {}),
  });
  const daemon = facts?.reads?.config;
  if (daemon) return { cli: of(cli), daemon: of(daemon), ...(daemon.path === cli.path ? {} : { mismatch: true }) };
  const other = differences.find(({ what }) => what === "config path");
  return { cli: of(cli), ...(other ? { daemon: { path: other.gateway }, mismatch: true } : {}) };
}

function lastErrorOf({ lastError, known }: SeenStatus): { lastError?: string } {
  const text = lastError ?? known?.lastError?.message;
  return text === undefined ? {} : { lastError: text };
}
