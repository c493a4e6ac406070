/** systemd: a user unit (the default) or a system unit. One `show` tells the state; every verb looks again when it failed. */
import { existsSync, lstatSync, readdirSync, rmSync, rmdirSync } from "node:fs";
import { basename, join } from "node:path";
import { commandLine } from "../kernel/paths.ts";
import { ended } from "./answer.ts";
import { readText, replaceFile } from "./files.ts";
import { lingers, runtimeDir, unitFolder, type Machine } from "./machine.ts";
import type { ServiceNames } from "./names.ts";
import { systemdProblem } from "./reach.ts";
import { configurationExit, parseUnit, renderUnit } from "./systemd-unit.ts";
import { complaint, runTool, type Ran } from "./tool.ts";
import {
  ServiceError,
  type Definition,
  type Scope,
  type ServiceBackend,
  type ServiceRuntime,
  type ServiceState,
} from "./types.ts";

/** `systemd-notify` waits until its message was read from this version on; before, it may be lost, and the start with it. */
const leastNotify = 247;
/** A start ends within this or is given up: longer than the 90 s systemd itself waits for readiness. */
const jobTimeoutMs = 120_000;
const showTimeoutMs = 2_000;
const attempts = 5;
const pauseMs = 200;

const properties = [
  "LoadState",
  "ActiveState",
  "SubState",
  "UnitFileState",
  "MainPID",
  "ExecMainStatus",
  "ExecMainCode",
  "ExecMainExitTimestamp",
  "Result",
  "NRestarts",
  "NeedDaemonReload",
] as const;
type Shown = Partial<Record<(typeof properties)[number], string>>;

export class Systemd implements ServiceBackend {
  readonly manager = "systemd" as const;
  readonly scope: Scope;
  readonly label: string;
  readonly #machine: Machine;
  readonly #path: string;
  /** Known after `check`. */
  #notify = false;

  constructor(machine: Machine, names: ServiceNames, scope: Scope) {
    this.#machine = machine;
    this.scope = scope;
    this.label = names.unit;
    this.#path = join(unitFolder(machine, scope), names.unit);
  }

  get #world() {
    return this.#machine.world;
  }

  definition(): Pick<ServiceState, "installed" | "path" | "command" | "text"> {
    const text = readText(this.#path);
    if (text === undefined) return { installed: existsSync(this.#path), path: this.#path };
    const dropIns = this.#dropIns().flatMap((path) => readText(path) ?? []);
    const { command } = parseUnit([text, ...dropIns], this.#world.homedir());
    const sourced = command ? { command: { ...command, sourcePath: this.#path } } : {};
    return { installed: true, path: this.#path, text, ...sourced };
  }

  async look(): Promise<ServiceState> {
    const definition = this.definition();
    // Root on behalf of somebody may look at nothing here, yet what is on disk can be told.
    const problem = systemdProblem(this.#machine, this.scope);
    const base = {
      manager: this.manager,
      scope: this.scope,
      label: this.label,
      loadedText: "enabled",
      notLoadedText: "disabled",
      ...definition,
      tellsReady: definition.text?.includes("Type=notify") === true,
      ...(this.scope === "user" ? { linger: lingers(this.#machine, this.#machine.user) } : {}),
    };
    if (problem) {
      // Without a manager the link in the file system still says what would start.
      const loaded = definition.installed && this.#links().length > 0;
      return { ...base, loaded, problem, runtime: { status: "unknown", detail: problem.message } };
    }
    const ran = await this.#systemctl(
      ["show", this.label, "--no-pager", `--property=${properties.join(",")}`],
      showTimeoutMs,
    );
    if (ran.code !== 0) {
      const failure = this.#failure(ran);
      const runtime: ServiceRuntime = { status: "unknown", detail: failure.message };
      return { ...base, loaded: definition.installed && this.#links().length > 0, problem: failure, runtime };
    }
    const shown = parseShown(ran.stdout);
    return { ...base, loaded: isEnabled(shown), runtime: runtimeOf(shown, definition.installed) };
  }

  async check(): Promise<void> {
    const problem = systemdProblem(this.#machine, this.scope);
    if (problem) throw new ServiceError(problem);
    if (this.scope === "system" && this.#machine.uid !== 0) throw this.#needsRoot("gateway install --system");
    const ran = await this.#systemctl(["show", "--property=Version", "--property=UnitPath"], showTimeoutMs);
    if (ran.code !== 0) throw this.#failure(ran);
    const places = /^UnitPath=(.+)$/mu.exec(ran.stdout)?.[1]?.split(" ");
    const folder = unitFolder(this.#machine, this.scope);
    if (places && !places.includes(folder)) {
      throw new ServiceError({
        code: "other-home",
        message: `The systemd manager of ${this.#machine.user} does not read ${folder}: HOME of this shell is another one than the account's.`,
        hints: [`HOME=~${this.#machine.user} ${commandLine(this.#world, "gateway install")}`],
      });
    }
    const version = Number(/^Version=\D*(\d+)/mu.exec(ran.stdout)?.[1] ?? 0);
    const helper = ["/usr/bin/systemd-notify", "/bin/systemd-notify"].some((path) =>
      existsSync(this.#machine.at(path)),
    );
    this.#notify = version >= leastNotify && helper;
  }

  render(definition: Definition): string {
    return renderUnit(definition, { notify: this.#notify });
  }

  async install(definition: Definition): Promise<string[]> {
    await this.check();
    const text = this.render(definition);
    const before = readText(this.#path);
    replaceFile(this.#path, text, this.scope === "system" ? 0o644 : 0o600, this.#world);
    try {
      await this.#must(["daemon-reload"]);
      await this.#must(["enable", this.label]);
    } catch (error) {
      // What cannot be enabled is not left behind half-installed.
      if (before === undefined) rmSync(this.#path, { force: true });
      else replaceFile(this.#path, before, 0o600, this.#world);
      await this.#systemctl(["daemon-reload"]);
      throw error;
    }
    await this.#job("restart");
    return [`Installed systemd service: ${this.#path}`];
  }

  async uninstall(): Promise<string[]> {
    const { installed } = this.definition();
    if (this.scope === "system" && this.#machine.uid !== 0 && installed)
      throw this.#needsRoot("gateway uninstall --system");
    const problem = systemdProblem(this.#machine, this.scope);
    if (problem) {
      this.#remove();
      if (!installed) return [`Systemd service not found at ${this.#path}`];
      return [
        `Removed systemd service: ${this.#path}`,
        `${problem.message} A process that still runs was not stopped.`,
      ];
    }
    // Also when the file is gone: the manager may still run what it has read earlier.
    const ran = await this.#systemctl(["disable", "--now", this.label], jobTimeoutMs);
    if (ran.code !== 0 && installed && !/does not exist|not loaded|No such file/iu.test(ran.stderr))
      throw this.#failure(ran);
    if (!installed) await this.#systemctl(["stop", this.label], jobTimeoutMs);
    this.#remove();
    await this.#systemctl(["daemon-reload"]);
    await this.#systemctl(["reset-failed", this.label]);
    const left = this.#dropIns();
    return [
      installed ? `Removed systemd service: ${this.#path}` : `Systemd service not found at ${this.#path}`,
      ...(left.length > 0 ? [`Own drop-ins were left: ${left.join(", ")}`] : []),
    ];
  }

  async start(): Promise<string> {
    await this.#job("start");
    return `Started systemd service: ${this.label}`;
  }

  async stop(): Promise<string> {
    await this.#must(["stop", this.label]);
    return `Stopped systemd service: ${this.label}`;
  }

  async restart(): Promise<string> {
    await this.#job("restart");
    return `Restarted systemd service: ${this.label}`;
  }

  async endWhenIdle(): Promise<void> {
    await this.#must(["kill", "--kill-who=main", "--signal=SIGUSR2", this.label]);
  }

  /** Starts or restarts with the start limit cleared (R-SVC-7). Jobs that others ask for at the same time may take this one's
   *  place, or use the limit up again: then what matters is that the unit runs. */
  async #job(verb: "start" | "restart"): Promise<void> {
    const problem = systemdProblem(this.#machine, this.scope);
    if (problem) throw new ServiceError(problem);
    for (let attempt = 1; ; attempt++) {
      // Fails when the manager never saw the unit; the job then says so.
      await this.#systemctl(["reset-failed", this.label]);
      const ran = await this.#systemctl([verb, this.label], jobTimeoutMs);
      if (ran.code === 0) return;
      const joined = /cancel+ed|start-limit|too quickly|transaction.*destructive/iu.test(ran.stderr);
      if (!joined || attempt >= attempts) throw await this.#failedJob(verb, ran);
      await this.#world.sleep(pauseMs * attempt);
    }
  }

  async #failedJob(verb: string, ran: Ran): Promise<ServiceError> {
    const { runtime, problem } = await this.look();
    if (problem) return new ServiceError(problem);
    if (/access denied|authentication|not permitted|permission/iu.test(ran.stderr))
      return this.#needsRoot(`gateway ${verb} --system`);
    const status = runtime.lastExitStatus;
    if (status) return ended(status, this.#world, [this.#logCommand()]);
    return new ServiceError({
      code: "start-failed",
      message: `The gateway did not start: ${complaint(ran)}`,
      hints: [commandLine(this.#world, "gateway status"), this.#logCommand()],
    });
  }

  #logCommand(): string {
    const scope = this.scope === "user" ? "--user -u" : "-u";
    return `journalctl ${scope} ${this.label} -n 50 --no-pager`;
  }

  async #must(args: readonly string[]): Promise<void> {
    const problem = systemdProblem(this.#machine, this.scope);
    if (problem) throw new ServiceError(problem);
    const ran = await this.#systemctl(args, jobTimeoutMs);
    if (ran.code !== 0) throw this.#failure(ran);
  }

  #systemctl(args: readonly string[], timeoutMs?: number): Promise<Ran> {
    const folder = runtimeDir(this.#machine);
    return runTool(this.#world, "systemctl", this.scope === "user" ? ["--user", ...args] : args, {
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(folder === undefined ? {} : { env: { XDG_RUNTIME_DIR: folder } }),
    });
  }

  #failure(ran: Ran): ServiceError {
    if (ran.missing) {
      return new ServiceError({
        code: "no-systemd",
        message: "systemctl is not on PATH, so the service manager cannot be asked.",
        hints: [`${commandLine(this.#world, "gateway")}   (in the foreground)`],
      });
    }
    const said = complaint(ran);
    if (/access denied|authentication|not permitted|permission/iu.test(said))
      return this.#needsRoot("gateway status --system");
    if (/connect to (the )?bus|no medium found|connection refused|connection reset/iu.test(said)) {
      return new ServiceError({
        code: "no-user-bus",
        message: `The systemd manager of ${this.#machine.user} does not answer: ${said}`,
        hints: [`sudo systemctl restart user@${this.#machine.uid ?? this.#machine.user}.service`],
      });
    }
    return new ServiceError({
      code: ran.code === null ? "manager-timeout" : "manager-failed",
      message: `systemctl failed: ${said}`,
      hints: [`systemctl ${this.scope === "user" ? "--user " : ""}status ${this.label}`],
    });
  }

  #needsRoot(words: string): ServiceError {
    return new ServiceError({
      code: "needs-root",
      message: "A system service belongs to root, and this account may not change it.",
      hints: [`sudo ${commandLine(this.#world, words)}`],
    });
  }

  #dropIns(): string[] {
    const folder = `${this.#path}.d`;
    return names(folder)
      .filter((name) => name.endsWith(".conf"))
      .sort()
      .map((name) => join(folder, name));
  }

  /** Links that `enable` made. */
  #links(): string[] {
    const folder = unitFolder(this.#machine, this.scope);
    return names(folder)
      .filter((name) => name.endsWith(".wants"))
      .map((name) => join(folder, name, basename(this.#path)))
      .filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  }

  #remove(): void {
    for (const link of this.#links()) rmSync(link, { force: true });
    rmSync(this.#path, { force: true });
    try {
      rmdirSync(`${this.#path}.d`);
    } catch {
      // Not there, or it holds drop-ins of the person, which are not ours to remove.
    }
  }
}

const names = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Not there, or not ours to read.
  }
};

function parseShown(text: string): Shown {
  const pairs = text
    .split("\n")
    .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1).trim()]);
  return Object.fromEntries(pairs.filter(([name]) => name)) as Shown;
}

const isEnabled = ({ UnitFileState = "" }: Shown): boolean =>
  ["enabled", "enabled-runtime", "linked", "static", "alias", "indirect", "generated"].includes(UnitFileState);

const signalNames: Readonly<Record<string, string>> = { 6: "SIGABRT", 9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM" };

function runtimeOf(shown: Shown, installed: boolean): ServiceRuntime {
  const { ActiveState: state = "unknown", SubState: subState, LoadState, Result, ExecMainExitTimestamp: ended } = shown;
  const pid = Number(shown.MainPID ?? 0);
  const code = Number(shown.ExecMainCode ?? 0);
  const exit = Number(shown.ExecMainStatus ?? 0);
  const restarts = Number(shown.NRestarts ?? 0);
  const running = ["active", "activating", "reloading", "deactivating"].includes(state) && pid > 0;
  // ExecMainCode is CLD_EXITED (1), CLD_KILLED (2) or CLD_DUMPED (3); 0 while it never ended.
  const killed = code === 2 || code === 3;
  const reason =
    Result === "start-limit-hit"
      ? "too many starts in a short time"
      : killed
        ? `killed by ${signalNames[String(exit)] ?? `signal ${exit}`}`
        : exit === configurationExit
          ? "configuration error"
          : Result && Result !== "success"
            ? Result
            : undefined;
  return {
    status: running ? "running" : LoadState === undefined ? "unknown" : "stopped",
    state,
    ...(subState ? { subState } : {}),
    ...(pid > 0 ? { pid } : {}),
    ...(code > 0 ? { lastExitStatus: killed ? 128 + exit : exit } : {}),
    ...(reason ? { lastExitReason: reason } : {}),
    ...(ended ? { lastRunTime: ended } : {}),
    ...(restarts > 0 ? { restarts } : {}),
    ...(LoadState === "not-found" ? { missingUnit: true } : {}),
    ...(!installed && running ? { cachedLabel: true } : {}),
  };
}
