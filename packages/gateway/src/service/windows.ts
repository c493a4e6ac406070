/** Windows: a scheduled task at logon, and only for those who ask for it: WSL2 with systemd is the recommended way. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { commandLine, stateDir } from "../kernel/paths.ts";
import { readText, replaceFile } from "./files.ts";
import type { Machine } from "./machine.ts";
import type { ServiceNames } from "./names.ts";
import { complaint, runTool, type Ran } from "./tool.ts";
import { ServiceError, type Definition, type ServiceBackend, type ServiceState } from "./types.ts";
import { parseScript, renderScript, renderTask, runtimeOfQuery } from "./windows-task.ts";

const jobTimeoutMs = 30_000;

export class WindowsTask implements ServiceBackend {
  readonly manager = "schtasks" as const;
  readonly scope = "user" as const;
  readonly label: string;
  readonly #machine: Machine;
  readonly #native: boolean;
  readonly #script: string;

  constructor(machine: Machine, names: ServiceNames, native: boolean) {
    this.#machine = machine;
    this.#native = native;
    this.label = names.task;
    const { env } = machine.world;
    this.#script =
      env.OPENCLAW_TASK_SCRIPT || join(stateDir(machine.world), env.OPENCLAW_TASK_SCRIPT_NAME || "gateway.cmd");
  }

  get #world() {
    return this.#machine.world;
  }

  definition(): Pick<ServiceState, "installed" | "path" | "command" | "text"> {
    const path = this.#script;
    const text = readText(path);
    if (text === undefined) return { installed: existsSync(path), path };
    const command = parseScript(text);
    return { installed: true, path, text, ...(command ? { command: { ...command, sourcePath: path } } : {}) };
  }

  async look(): Promise<ServiceState> {
    const base = {
      manager: this.manager,
      scope: this.scope,
      label: this.label,
      loadedText: "registered",
      notLoadedText: "missing",
      ...this.definition(),
    };
    const ran = await this.#schtasks(["/Query", "/TN", this.label, "/V", "/FO", "LIST"]);
    if (ran.missing || ran.code === null) {
      const problem = this.#failure(ran);
      return { ...base, loaded: false, problem, runtime: { status: "unknown", detail: problem.message } };
    }
    if (ran.code !== 0) return { ...base, loaded: false, runtime: { status: "stopped" } };
    return { ...base, loaded: true, runtime: runtimeOfQuery(ran.stdout) };
  }

  async check(): Promise<void> {
    if (this.#native) return;
    throw new ServiceError({
      code: "windows",
      message: "On Windows the gateway runs as a service inside WSL2, where systemd keeps it: install it there.",
      hints: [
        "wsl --install",
        `${commandLine(this.#world, "gateway install --native")}   (a scheduled task at logon instead)`,
      ],
    });
  }

  render(definition: Definition): string {
    return renderScript(definition);
  }

  async install(definition: Definition): Promise<string[]> {
    await this.check();
    replaceFile(this.#script, this.render(definition), 0o600, this.#world);
    const { env } = this.#world;
    const user = env.USERDOMAIN ? `${env.USERDOMAIN}\\${env.USERNAME ?? ""}` : (env.USERNAME ?? this.#machine.user);
    const xml = `${this.#script}.xml`;
    const utf16 = Buffer.from(`\ufeff${renderTask(definition, this.#script, user)}`, "utf16le");
    replaceFile(xml, utf16, 0o600, this.#world);
    const ran = await this.#schtasks(["/Create", "/F", "/TN", this.label, "/XML", xml]);
    rmSync(xml, { force: true });
    if (ran.code !== 0) throw this.#failure(ran);
    await this.#schtasks(["/End", "/TN", this.label]);
    await this.#must(["/Run", "/TN", this.label]);
    return [`Installed Scheduled Task: ${this.label}`, `Script: ${this.#script}`];
  }

  async uninstall(): Promise<string[]> {
    await this.#schtasks(["/End", "/TN", this.label]);
    const registered = (await this.#schtasks(["/Query", "/TN", this.label])).code === 0;
    if (registered) await this.#must(["/Delete", "/F", "/TN", this.label]);
    const there = existsSync(this.#script);
    rmSync(this.#script, { force: true });
    return [registered || there ? `Removed Scheduled Task: ${this.label}` : `Scheduled Task not found: ${this.label}`];
  }

  async start(): Promise<string> {
    await this.#must(["/Run", "/TN", this.label]);
    return `Started Scheduled Task: ${this.label}`;
  }

  async stop(): Promise<string> {
    const ran = await this.#schtasks(["/End", "/TN", this.label]);
    // A task that does not run cannot be ended, and that is what was wanted.
    if (ran.code !== 0 && !/not.*running|no running instance/iu.test(complaint(ran))) throw this.#failure(ran);
    return `Stopped Scheduled Task: ${this.label}`;
  }

  async restart(): Promise<string> {
    await this.stop();
    await this.#must(["/Run", "/TN", this.label]);
    return `Restarted Scheduled Task: ${this.label}`;
  }

  endWhenIdle(): Promise<void> {
    const hints = [commandLine(this.#world, "gateway restart")];
    const message = "A scheduled task cannot be asked to end when it is idle.";
    return Promise.reject(new ServiceError({ code: "not-offered", message, hints }));
  }

  async #must(args: readonly string[]): Promise<void> {
    const ran = await this.#schtasks(args);
    if (ran.code !== 0) throw this.#failure(ran);
  }

  #schtasks(args: readonly string[]): Promise<Ran> {
    return runTool(this.#world, "schtasks", args, { timeoutMs: jobTimeoutMs });
  }

  #failure(ran: Ran): ServiceError {
    const said = complaint(ran);
    if (ran.missing)
      return new ServiceError({ code: "no-schtasks", message: "schtasks is not on PATH.", hints: ["wsl --install"] });
    if (/access is denied/iu.test(said)) {
      return new ServiceError({
        code: "needs-elevation",
        message: "Windows did not allow the task to be changed.",
        hints: ["Open a terminal as administrator, and run it again there."],
      });
    }
    const code = ran.code === null ? "manager-timeout" : "manager-failed";
    return new ServiceError({
      code,
      message: `schtasks failed: ${said}`,
      hints: [`schtasks /Query /TN "${this.label}"`],
    });
  }
}
