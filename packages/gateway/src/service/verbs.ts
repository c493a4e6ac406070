/** The verbs of `gateway …` on any back-end (lifecycle.md §9.6): what is a no-op, what is refused, what is said. The outcome is
 *  the JSON document of the command. */
import { commandLine } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import { awaitAnswer } from "./answer.ts";
import { auditService } from "./audit.ts";
import { defineService } from "./definition.ts";
import { enableLinger, lingerCommand } from "./linger.ts";
import { findProgram, type ProgramSource } from "./program.ts";
import type { OpenedService } from "./open.ts";
import { ServiceError, type ServiceState } from "./types.ts";

export type Action = "install" | "uninstall" | "start" | "stop" | "restart";
export type Result =
  | "installed"
  | "already-installed"
  | "uninstalled"
  | "started"
  | "stopped"
  | "restarted"
  | "not-loaded";

/** Stable: what `--json` prints. */
export interface Outcome {
  action: Action;
  ok: boolean;
  result?: Result;
  message?: string;
  error?: string;
  /** Of the error; docs/guides/service.md lists them. */
  code?: string;
  hints?: readonly string[];
  warnings?: readonly string[];
  service?: Pick<ServiceState, "label" | "loaded" | "loadedText" | "notLoadedText">;
}

export interface InstallOptions {
  version: string;
  force: boolean;
  source: ProgramSource;
  /** Called before anything is written, unless there is nothing to do: finds the port, and keeps what the service will need.
   *  Throws ServiceError when the gateway could not start. */
  prepare: (before: ServiceState) => Promise<{ port: number; warnings: readonly string[] }>;
  /** Whether lingering may be switched on; absent means it is not asked for. */
  linger?: { interactive: boolean; agreed: () => Promise<boolean> };
}

const shown = ({ label, loaded, loadedText, notLoadedText }: ServiceState): NonNullable<Outcome["service"]> => ({
  label,
  loaded,
  loadedText,
  notLoadedText,
});

const some = <K extends string>(name: K, list: readonly string[]): { [P in K]?: readonly string[] } =>
  list.length > 0 ? ({ [name]: list } as { [P in K]: readonly string[] }) : {};

/** Turns what a verb throws into its outcome; anything that is no ServiceError is a fault of this program and goes on. */
async function outcomeOf(action: Action, verb: string, run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const { message, code, hints } = error;
    return { action, ok: false, error: `Gateway ${verb} failed: ${message}`, code, ...some("hints", hints) };
  }
}

export function installService(service: OpenedService, options: InstallOptions): Promise<Outcome> {
  const { backend, machine, names, world } = service;
  return outcomeOf("install", "install", async () => {
    const before = await backend.look();
    if (before.installed && before.loaded && !options.force) {
      return {
        action: "install",
        ok: true,
        result: "already-installed",
        message: `Gateway service already ${before.loadedText}.`,
        hints: [`Reinstall with: ${commandLine(world, "gateway install --force")}`],
        ...some("warnings", drift(service, before, options)),
        service: shown(before),
      };
    }
    await backend.check();
    const { port, warnings: found } = await options.prepare(before);
    const program = await findProgram(machine, options.source);
    const definition = defineService({
      world: service.serviceWorld,
      names,
      version: options.version,
      port,
      program: program.arguments,
      ...(service.user === undefined ? {} : { user: service.user }),
    });
    const lines = await backend.install(definition);
    const late = await awaitAnswer(backend, world);
    const warnings = [...program.warnings, ...found, ...(await lingering(service, options.linger)), ...late];
    const after = await backend.look();
    return {
      action: "install",
      ok: true,
      result: "installed",
      message: lines.join("\n"),
      ...some("warnings", warnings),
      service: shown(after),
    };
  });
}

/** What a reinstall would mend. */
function drift(service: OpenedService, state: ServiceState, { version, source }: InstallOptions): string[] {
  const issues = auditService(service, state, { version, source });
  return issues.filter(({ code }) => code !== "systemd-linger").map(({ message }) => message);
}

/** What there is to say about lingering after it was asked for. */
async function lingering({ backend, machine }: OpenedService, ask: InstallOptions["linger"]): Promise<string[]> {
  if (backend.manager !== "systemd" || backend.scope !== "user") return [];
  const { linger } = await backend.look();
  if (linger === "yes") return [];
  const why = `The service stops when ${machine.user} logs out, and does not start at boot, until lingering is on.`;
  if (!ask || !(await ask.agreed())) return [`${why} Switch it on with: ${lingerCommand(machine.user)}`];
  const outcome = await enableLinger(machine, ask);
  if (!("reason" in outcome)) return [];
  return [`${why} It could not be switched on (${outcome.reason}). Run: ${outcome.command}`];
}

export function uninstallService({ backend, world }: OpenedService): Promise<Outcome> {
  return outcomeOf("uninstall", "uninstall", async () => {
    const lines = await backend.uninstall();
    const after = await backend.look();
    if (after.installed || (after.loaded && after.problem === undefined)) {
      throw new ServiceError({
        code: "still-loaded",
        message: "Gateway service still loaded after uninstall.",
        hints: [commandLine(world, "gateway status --deep")],
      });
    }
    return { action: "uninstall", ok: true, result: "uninstalled", message: lines.join("\n"), service: shown(after) };
  });
}

export function startService(service: OpenedService): Promise<Outcome> {
  return outcomeOf("start", "start", async () => {
    const { backend, world } = service;
    const before = await backend.look();
    if (!present(before)) return missing("start", before, world);
    const former = formerFailure(before);
    const message =
      before.runtime.status === "running" && before.runtime.state !== "activating"
        ? `Gateway service already running${before.runtime.pid === undefined ? "" : ` (pid ${before.runtime.pid})`}.`
        : await backend.start();
    const late = await awaitAnswer(backend, world);
    return {
      action: "start",
      ok: true,
      result: "started",
      message,
      ...some("warnings", [...former, ...late]),
      service: shown(await backend.look()),
    };
  });
}

export function stopService(service: OpenedService): Promise<Outcome> {
  return outcomeOf("stop", "stop", async () => {
    const { backend, world } = service;
    const before = await backend.look();
    if (!present(before)) return missing("stop", before, world);
    const message = await backend.stop();
    return { action: "stop", ok: true, result: "stopped", message, service: shown(await backend.look()) };
  });
}

export interface RestartOptions {
  /** Wait for the running turns first, at most this long. */
  whenIdleMs?: number;
}

export function restartService(service: OpenedService, { whenIdleMs }: RestartOptions = {}): Promise<Outcome> {
  return outcomeOf("restart", "restart", async () => {
    const { backend, world } = service;
    const before = await backend.look();
    if (!present(before)) return missing("restart", before, world);
    const former = formerFailure(before);
    const busy = whenIdleMs === undefined ? [] : await awaitIdle(backend, before, world, whenIdleMs);
    const message = await backend.restart();
    const late = await awaitAnswer(backend, world);
    return {
      action: "restart",
      ok: true,
      result: "restarted",
      message,
      ...some("warnings", [...former, ...busy, ...late]),
      service: shown(await backend.look()),
    };
  });
}

const idlePollMs = 100;

/** The gateway admits nothing new, and ends when its turns are over. Returns what is worth a warning. */
async function awaitIdle(
  backend: OpenedService["backend"],
  before: ServiceState,
  world: World,
  limitMs: number,
): Promise<string[]> {
  if (before.runtime.status !== "running") return [];
  await backend.endWhenIdle();
  const deadline = world.monotonic() + limitMs;
  for (;;) {
    const { runtime } = await backend.look();
    if (runtime.status !== "running" || runtime.pid !== before.runtime.pid) return [];
    if (world.monotonic() >= deadline)
      return [`It was still busy after ${Math.round(limitMs / 1_000)} s; what ran was interrupted.`];
    await world.sleep(idlePollMs);
  }
}

/** A manager that still runs a definition whose file is gone can be stopped, and told to. */
const present = ({ installed, runtime }: ServiceState): boolean => installed || runtime.status === "running";

function missing(action: Action, state: ServiceState, world: Pick<World, "env">): Outcome {
  if (state.problem && action !== "stop") throw new ServiceError(state.problem);
  return {
    action,
    // Nothing to stop is what was wanted; nothing to start is not.
    ok: action === "stop",
    result: "not-loaded",
    message: `Gateway service ${state.notLoadedText}.`,
    hints: [commandLine(world, "gateway install"), `${commandLine(world, "gateway")}   (in the foreground)`],
    service: shown(state),
  };
}

/** Told once, because the verb clears it. */
function formerFailure({ runtime }: ServiceState): string[] {
  if (runtime.state !== "failed") return [];
  const status = runtime.lastExitStatus === undefined ? "" : ` with ${runtime.lastExitStatus}`;
  return [`It had failed before${status}${runtime.lastExitReason ? `: ${runtime.lastExitReason}` : ""}.`];
}
