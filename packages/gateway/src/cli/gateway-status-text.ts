/** The page of `gateway status`. Labels before the colon are stable (lifecycle.md §9.7). */
import { displayPath } from "../kernel/paths.ts";
import { VERSION } from "../kernel/version.ts";
import type { ServiceState } from "../service/index.ts";
import { describeAuth } from "./auth-source.ts";
import type { Context } from "./command.ts";
import { probeNote, shownEnvironment } from "./gateway-status-json.ts";
import type { PortReport, SeenStatus } from "./gateway-status.ts";
import { describeLastKnown } from "./last-known.ts";
import { suggest } from "./profile.ts";
import { describeDifference } from "./status-differences.ts";
import { shownAddress } from "./target.ts";
import { cleanLine } from "./terminal/clean.ts";
import { styleFor } from "./terminal/style.ts";

const managers = { systemd: "systemd", launchd: "LaunchAgent", schtasks: "Scheduled Task" } as const;

export function describeStatus(context: Context, seen: SeenStatus): string[] {
  const { io } = context;
  const show = (path: string) => cleanLine(displayPath(path, io));
  const { verdict } = seen;
  const style = styleFor(io.stdout, io.env);
  const good = verdict.code.startsWith("ok");
  const lines = [
    ...serviceLines(seen, show),
    ...configLines(seen, show),
    ...probeLines(seen, show),
    ...(seen.port ? portLines(seen.port) : []),
    ...(seen.portCli ? [`Port of this command: ${seen.portCli.port} (the service listens on another)`] : []),
    ...failureLines(seen, context),
    ...auditLines(seen, show, suggest(io.env, "doctor")),
    ...otherLines(seen, show),
    "",
    (good ? style.success : style.warn)(cleanLine(verdict.message)),
    ...verdict.next.map((command) => `Next: ${command}`),
  ];
  if (seen.result?.ok === false) lines.push(`Troubles: run ${suggest(io.env, "status")}`);
  return lines;
}

type Show = (path: string) => string;

function serviceLines({ facts }: SeenStatus, show: Show): string[] {
  if (!facts) return ["Service: none (this system has no service manager that is known here)"];
  const { state, version, elsewhere, wsl } = facts;
  const system = state.scope === "system" ? " system unit" : "";
  const word = state.installed ? (state.loaded ? state.loadedText : state.notLoadedText) : "not installed";
  const lines = [`Service: ${managers[state.manager]}${system} (${word})`];
  if (state.problem) {
    lines.push(`  ${cleanLine(state.problem.message)}`);
  }
  if (state.installed) {
    lines.push(`Service file: ${show(state.path)}`);
    if (state.command) {
      lines.push(`Command: ${state.command.programArguments.map((word) => cleanLine(show(word))).join(" ")}`);
      if (state.command.workingDirectory !== undefined)
        lines.push(`Working dir: ${show(state.command.workingDirectory)}`);
    }
    const environment = Object.entries(shownEnvironment(state)).map(([name, value]) => `${name}=${show(value)}`);
    if (environment.length > 0) lines.push(`Service env: ${environment.join(" ")}`);
    if (version !== undefined && version !== VERSION)
      lines.push(`Service version: ${cleanLine(version)} wrote it; this command is ${VERSION}`);
  }
  if (!state.problem && (state.installed || state.runtime.status === "running")) lines.push(runtimeLine(state));
  if (state.runtime.cachedLabel) lines.push("  Its file is gone; the manager still runs what it read earlier.");
  if (state.installed && state.linger !== undefined && state.linger !== "unknown")
    lines.push(`Lingering: ${state.linger === "yes" ? "on" : "off (the service ends at logout)"}`);
  if (elsewhere !== undefined) lines.push(`Also installed: ${show(elsewhere)}`);
  if (wsl && state.installed) lines.push("WSL: an idle distribution is shut down by Windows, and the service with it.");
  return lines;
}

function runtimeLine({ runtime }: ServiceState): string {
  const { state, subState, pid, lastExitStatus, lastExitReason, restarts, lastRunTime, lastRunResult } = runtime;
  const parts = [
    ...(pid === undefined ? [] : [`pid ${pid}`]),
    ...(state === undefined ? [] : [`state ${state}${subState && subState !== state ? `/${subState}` : ""}`]),
    ...(lastExitStatus === undefined
      ? []
      : [`last exit ${lastExitStatus}${lastExitReason ? `: ${lastExitReason}` : ""}`]),
    ...(lastExitStatus === undefined && lastExitReason ? [lastExitReason] : []),
    ...(restarts === undefined ? [] : [`${restarts} automatic restart${restarts === 1 ? "" : "s"}`]),
    ...(lastRunResult === undefined ? [] : [`last result ${lastRunResult}`]),
    ...(lastRunTime === undefined || lastExitStatus === undefined ? [] : [`at ${lastRunTime}`]),
  ];
  return `Runtime: ${runtime.status}${parts.length > 0 ? ` (${parts.map(cleanLine).join(", ")})` : ""}`;
}

function configLines({ cli, facts }: SeenStatus, show: Show): string[] {
  const of = (name: string, { path, verdict, problem }: SeenStatus["cli"]) => [
    `Config (${name}): ${show(path)}${verdict === "ok" ? "" : ` (${verdict})`}`,
    ...(problem ? [`  ${cleanLine(problem)}`] : []),
  ];
  const daemon = facts?.reads?.config;
  if (!daemon || daemon.path === cli.path) return of("cli", cli);
  return [
    ...of("cli", cli),
    ...of("service", daemon),
    "  Command and service use different config paths: probably another profile or state directory.",
  ];
}

function probeLines(seen: SeenStatus, show: Show): string[] {
  const { target, result, auth, bindHost, facts } = seen;
  const { config } = target;
  const port = facts?.reads && config === facts.reads.config ? facts.reads.port : config.port;
  const source = seen.portSource === "service args" ? seen.portSource : config.portSource;
  const note = probeNote(config);
  const lines = [
    `State dir: ${show(config.stateDir)}`,
    `Gateway: bind=${config.bind} (${bindHost}), port=${port} (${source})`,
    `Probe target: ${shownAddress(target.url)}`,
    `Auth: ${describeAuth(auth)}`,
    `Dashboard: http${config.tls ? "s" : ""}://127.0.0.1:${port}${config.basePath.replace(/\/?$/u, "/")}`,
    ...(note ? [`Probe note: ${note}`] : []),
  ];
  if (result) lines.push(`RPC probe: ${result.ok ? "ok" : "failed"}`);
  if (result?.ok) lines.push(`Version: ${cleanLine(result.hello?.server.version ?? "")}`);
  else if (result) lines.push(`RPC target: ${result.url}`, `  ${cleanLine(result.error ?? "")}`);
  for (const each of seen.differences) lines.push(`Note: ${cleanLine(describeDifference(each, show))}`);
  return lines;
}

function portLines({ port, status, listeners, hints }: PortReport): string[] {
  if (status !== "busy") return [];
  return [
    `Port ${port} is already in use.`,
    ...listeners.map(
      ({ pid, user, command, address }) => `- pid ${pid} ${cleanLine(user)}: ${cleanLine(command)} (${address})`,
    ),
    ...hints.map((hint) => `- ${hint}`),
  ];
}

function failureLines(seen: SeenStatus, { io }: Context): string[] {
  const { result, facts, known, port, refusal, lastError } = seen;
  if (!result || result.ok) return [];
  const lines: string[] = [];
  if (refusal !== undefined)
    lines.push("It does not start because:", ...refusal.split("\n").map((line) => `  ${cleanLine(line)}`));
  if (facts?.state.runtime.status === "running" && port && port.status !== "busy")
    lines.push(`Port ${port.port} is not listening (service appears running)`);
  if (lastError !== undefined) lines.push(`Last gateway error: ${cleanLine(lastError)}`);
  if (known) lines.push(...describeLastKnown(known, io));
  if (facts?.state.installed && facts.state.manager === "systemd")
    lines.push(
      `Service log: journalctl ${facts.state.scope === "user" ? "--user -u" : "-u"} ${facts.state.label} -n 200 --no-pager`,
    );
  return lines;
}

function auditLines({ facts }: SeenStatus, show: Show, doctor: string): string[] {
  const issues = facts?.issues ?? [];
  if (issues.length === 0) return [];
  return [
    `Service config: ${issues.length === 1 ? "one thing is" : `${issues.length} things are`} not as recommended (${doctor} repairs)`,
    ...issues.map(
      ({ code, message, detail }) =>
        `- ${cleanLine(message)}${detail === undefined ? "" : ` ${show(detail)}`} (${code})`,
    ),
  ];
}

function otherLines({ facts }: SeenStatus, show: Show): string[] {
  const others = facts?.others ?? [];
  if (others.length === 0) return [];
  return [
    "Other gateway-like services detected (best effort):",
    ...others.map(
      ({ label, detail, scope, legacy }) =>
        `- ${cleanLine(label)} (${scope}${legacy ? ", of an earlier version" : ""}): ${show(detail)}`,
    ),
    ...others.flatMap(({ cleanup }) => cleanup.map((command) => `Cleanup hint: ${cleanLine(command)}`)),
    "One gateway per machine is recommended; more need profiles and ports of their own.",
  ];
}
