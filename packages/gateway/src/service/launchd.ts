/** launchd: a LaunchAgent of the logged-in user. `stop` unloads it, `start` loads what is on disk (R-SVC-5). What launchctl
 *  answers is judged by its exit code and number: its sentences change between releases. */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { commandLine } from "../kernel/paths.ts";
import { readText, replaceFile } from "./files.ts";
import { logFiles, parsePlist, renderPlist } from "./launchd-plist.ts";
import type { Machine } from "./machine.ts";
import type { ServiceNames } from "./names.ts";
import { complaint, runTool, type Ran } from "./tool.ts";
import { ServiceError, type Definition, type ServiceBackend, type ServiceRuntime, type ServiceState } from "./types.ts";

const showTimeoutMs = 2_000;
/** Longer than launchd waits for the gateway to end. */
const jobTimeoutMs = 30_000;
const attempts = 5;
const pauseMs = 500;
/** After `bootout` the label stays for as long as the process takes to end. */
const goneTries = 40;

export class Launchd implements ServiceBackend {
  readonly manager = "launchd" as const;
  readonly scope = "user" as const;
  readonly label: string;
  readonly #machine: Machine;
  readonly #names: ServiceNames;
  readonly #path: string;

  constructor(machine: Machine, names: ServiceNames) {
    this.#machine = machine;
    this.#names = names;
    this.label = names.launchdLabel;
    this.#path = this.#plist(names.launchdLabel);
  }

  get #world() {
    return this.#machine.world;
  }

  get #domain(): string {
    return `gui/${this.#machine.uid ?? 501}`;
  }

  #target(label = this.label): string {
    return `${this.#domain}/${label}`;
  }

  #plist(label: string): string {
    return join(this.#world.homedir(), "Library", "LaunchAgents", `${label}.plist`);
  }

  get #logPrefix(): string {
    return this.#world.env.OPENCLAW_LOG_PREFIX || "gateway";
  }

  definition(): Pick<ServiceState, "installed" | "path" | "command" | "text"> {
    const path = this.#path;
    const text = readText(path);
    if (text === undefined) return { installed: existsSync(path), path };
    const command = parsePlist(text)?.command;
    return { installed: true, path, text, ...(command ? { command: { ...command, sourcePath: path } } : {}) };
  }

  async look(): Promise<ServiceState> {
    const definition = this.definition();
    const base = {
      manager: this.manager,
      scope: this.scope,
      label: this.label,
      loadedText: "loaded",
      notLoadedText: "not loaded",
      ...definition,
    };
    const ran = await this.#launchctl(["print", this.#target()], showTimeoutMs);
    if (ran.missing || ran.code === null) {
      const problem = this.#failure(ran);
      return { ...base, loaded: false, problem, runtime: { status: "unknown", detail: problem.message } };
    }
    if (ran.code !== 0) return { ...base, loaded: false, runtime: { status: "stopped" } };
    const runtime = runtimeOf(ran.stdout);
    return { ...base, loaded: true, runtime: definition.installed ? runtime : { ...runtime, cachedLabel: true } };
  }

  async check(): Promise<void> {
    if (this.#machine.uid === 0) {
      throw new ServiceError({
        code: "sudo",
        message: "A LaunchAgent belongs to the user who is logged in, and this is root.",
        hints: [`${commandLine(this.#world, "gateway install")}   (without sudo)`],
      });
    }
    const ran = await this.#launchctl(["print", this.#domain], showTimeoutMs);
    if (ran.code !== 0) throw this.#failure(ran);
  }

  render(definition: Definition): string {
    return renderPlist(definition, { label: this.label, logPrefix: this.#logPrefix });
  }

  async install(definition: Definition): Promise<string[]> {
    await this.check();
    const logs = logFiles(definition.stateDir, this.#logPrefix);
    mkdirSync(dirname(logs.out), { recursive: true, mode: 0o700 });
    const removed = await this.#removeLegacy();
    const before = readText(this.#path);
    replaceFile(this.#path, this.render(definition), 0o600, this.#world);
    try {
      await this.#unload();
      await this.#load();
    } catch (error) {
      // What cannot be loaded is not left behind half-installed.
      if (before === undefined) rmSync(this.#path, { force: true });
      else replaceFile(this.#path, before, 0o600, this.#world);
      throw error;
    }
    await this.#must(["kickstart", "-k", this.#target()]);
    return [...removed, `Installed LaunchAgent: ${this.#path}`, `Logs: ${logs.out}`];
  }

  async uninstall(): Promise<string[]> {
    const installed = existsSync(this.#path);
    await this.#unload();
    if (!installed) return [`LaunchAgent not found at ${this.#path}`];
    return [`Moved LaunchAgent to Trash: ${this.#trash(this.#path)}`];
  }

  async start(): Promise<string> {
    if (!(await this.#loaded())) await this.#load();
    await this.#must(["kickstart", this.#target()]);
    return `Started LaunchAgent: ${this.#target()}`;
  }

  async stop(): Promise<string> {
    await this.#unload();
    return `Stopped LaunchAgent: ${this.#target()}`;
  }

  async restart(): Promise<string> {
    if (await this.#loaded()) await this.#must(["kickstart", "-k", this.#target()]);
    else {
      await this.#load();
      await this.#must(["kickstart", this.#target()]);
    }
    return `Restarted LaunchAgent: ${this.#target()}`;
  }

  async endWhenIdle(): Promise<void> {
    await this.#must(["kill", "SIGUSR2", this.#target()]);
  }

  async #loaded(label = this.label): Promise<boolean> {
    const ran = await this.#launchctl(["print", this.#target(label)], showTimeoutMs);
    if (ran.missing || ran.code === null) throw this.#failure(ran);
    return ran.code === 0;
  }

  /** Resolves when launchd has forgotten the label. */
  async #unload(): Promise<void> {
    const ran = await this.#launchctl(["bootout", this.#target()], jobTimeoutMs);
    if (ran.missing || ran.code === null) throw this.#failure(ran);
    for (let n = 0; await this.#loaded(); n++) {
      if (n >= goneTries) {
        throw new ServiceError({
          code: "still-loaded",
          message: `launchd did not unload ${this.label}${ran.code === 0 ? "" : `: ${complaint(ran)}`}.`,
          hints: [`launchctl bootout ${this.#target()}`],
        });
      }
      await this.#world.sleep(pauseMs);
    }
  }

  /** A label that was switched off once stays so until it is enabled; while the former one ends, launchd answers 5 or 37. */
  async #load(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await this.#launchctl(["enable", this.#target()]);
      const ran = await this.#launchctl(["bootstrap", this.#domain, this.#path], jobTimeoutMs);
      if (ran.code === 0 || (!ran.missing && ran.code !== null && (await this.#loaded()))) return;
      if (!/failed: (5|37)\b/u.test(complaint(ran)) || attempt >= attempts) throw this.#failure(ran);
      await this.#world.sleep(pauseMs);
    }
  }

  async #must(args: readonly string[]): Promise<void> {
    const ran = await this.#launchctl(args, jobTimeoutMs);
    if (ran.code !== 0) throw this.#failure(ran);
  }

  /** Agents of earlier names would hold the port. */
  async #removeLegacy(): Promise<string[]> {
    const lines: string[] = [];
    for (const label of this.#names.legacyLabels) {
      const path = this.#plist(label);
      const there = existsSync(path);
      if (!there && !(await this.#loaded(label))) continue;
      await this.#launchctl(["bootout", this.#target(label)], jobTimeoutMs);
      if (there) {
        await this.#launchctl(["unload", path], jobTimeoutMs);
        lines.push(`Moved former LaunchAgent to Trash: ${this.#trash(path)}`);
      } else lines.push(`Unloaded former LaunchAgent: ${label}`);
    }
    return lines;
  }

  #trash(path: string): string {
    const folder = join(this.#world.homedir(), ".Trash");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const name = path.split("/").at(-1) ?? "";
    const plain = join(folder, name);
    const target = existsSync(plain) ? join(folder, name.replace(/\.plist$/u, `-${this.#world.now()}.plist`)) : plain;
    renameSync(path, target);
    return target;
  }

  #launchctl(args: readonly string[], timeoutMs?: number): Promise<Ran> {
    return runTool(this.#world, "launchctl", args, timeoutMs === undefined ? {} : { timeoutMs });
  }

  #failure(ran: Ran): ServiceError {
    if (ran.missing) {
      return new ServiceError({
        code: "no-launchd",
        message: "launchctl is not on PATH, so launchd cannot be asked.",
        hints: [`PATH=$PATH:/bin:/usr/bin ${commandLine(this.#world, "gateway status")}`],
      });
    }
    const said = complaint(ran);
    if (/domain|failed: 125\b|GUI session/iu.test(said)) {
      return new ServiceError({
        code: "no-gui-session",
        message: `LaunchAgents need a user who is logged in at the screen, and ${this.#domain} is not there: ${said}`,
        hints: [
          `Log in as ${this.#machine.user} at the screen or by screen sharing, then run it again.`,
          `${commandLine(this.#world, "gateway")}   (in the foreground)`,
        ],
      });
    }
    return new ServiceError({
      code: ran.code === null ? "manager-timeout" : "manager-failed",
      message: `launchctl failed: ${said}`,
      hints: [`plutil -lint ${this.#path}`, `launchctl print ${this.#target()}`],
    });
  }
}

function runtimeOf(printed: string): ServiceRuntime {
  // Lines of the service itself are indented once; those of its sub-dictionaries further.
  const field = (name: string) => new RegExp(`^\\t?${name} = (.+)$`, "mu").exec(printed)?.[1]?.trim();
  const state = field("state");
  const pid = Number(field("pid") ?? 0);
  const exit = /^(\d+)/u.exec(field("last exit code") ?? "")?.[1];
  const signal = /(\d+)$/u.exec(field("last terminating signal") ?? "")?.[1];
  const reason = signal ? field("last terminating signal") : field("last exit reason");
  return {
    status: state === "running" || pid > 0 ? "running" : "stopped",
    ...(state ? { state } : {}),
    ...(pid > 0 ? { pid } : {}),
    ...(signal ? { lastExitStatus: 128 + Number(signal) } : exit ? { lastExitStatus: Number(exit) } : {}),
    ...(reason ? { lastExitReason: reason } : {}),
  };
}
