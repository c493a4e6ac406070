/** One shell command as a process group, over pipes or a terminal, behind one interface. */
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import type { Logger } from "../../kernel/log.ts";
import type { World } from "../../kernel/world.ts";

export interface ChildOptions {
  command: string;
  cwd: string;
  env: Record<string, string>;
  /** Keep standard input open. Otherwise it is empty, so that filters and search tools do not wait for it. */
  input: boolean;
  terminal: boolean;
  /** Open descriptors that would pass to the child; it gets /dev/null in their place. */
  inherited: readonly number[];
  /** A descriptor of /dev/null; asked for only when `inherited` is not empty. */
  nullDescriptor: () => number;
  onOutput(text: string): void;
  /** Once, after the last output. `exitCode` is null when a signal ended it. */
  onExit(exit: { exitCode: number | null; signal: string | null }): void;
}

export interface Child {
  /** Also the id of its process group, except on Windows. */
  readonly pid: number;
  readonly terminal: boolean;
  /** Throws when there is no open input. */
  write(data: string | Buffer): void;
  /** Ends the input: closes the pipe, or types ctrl-d into a terminal. */
  endInput(): void;
}

/** Heavy or optional parts, loaded at first use. */
const catalogue = {
  terminal: { id: "terminal", summary: "real terminals for exec", load: () => import("@lydell/node-pty") },
} as const;

/** How long output of a finished command is waited for when something else still holds its pipe. */
const drainMs = 150;

/** Starts the command. Falls back to pipes when no terminal can be had. Throws when the shell cannot be started. */
export async function startChild(world: World, log: Logger, options: ChildOptions): Promise<Child> {
  const shell = shellCommand(world, options.command);
  if (!options.terminal) return startPiped(world, shell, options);
  try {
    const { spawn } = await catalogue.terminal.load();
    const pty = spawn(shell.file, shell.args, {
      name: "xterm-256color",
      cols: 120,
      rows: 40,
      cwd: options.cwd,
      env: { ...options.env, TERM: "xterm-256color" },
    });
    pty.onData((text) => options.onOutput(text));
    pty.onExit(({ exitCode, signal }) => {
      options.onExit(signal ? { exitCode: null, signal: `signal ${signal}` } : { exitCode, signal: null });
    });
    return {
      pid: pty.pid,
      terminal: true,
      write: (data) => pty.write(typeof data === "string" ? data : data.toString("utf8")),
      endInput: () => pty.write("\u0004"),
    };
  } catch (error) {
    log.warn("no terminal is available; the command runs with pipes", { error });
    return startPiped(world, shell, options);
  }
}

function shellCommand(world: World, command: string): { file: string; args: string[] } {
  if (world.platform === "win32") {
    return { file: "powershell.exe", args: ["-NoProfile", "-NonInteractive", "-Command", command] };
  }
  const shell = world.env.SHELL;
  return { file: shell?.startsWith("/") ? shell : "/bin/sh", args: ["-c", command] };
}

async function startPiped(
  world: World,
  shell: { file: string; args: string[] },
  options: ChildOptions,
): Promise<Child> {
  const child = world.spawn(shell.file, shell.args, {
    cwd: options.cwd,
    env: options.env,
    detached: world.platform !== "win32",
    stdio: stdio(options),
    windowsHide: true,
  });
  const { pid } = child;
  if (pid === undefined) {
    const error = await new Promise<Error>((resolve) => void child.once("error", resolve));
    throw new Error(`the shell ${shell.file} could not be started: ${error.message}`, { cause: error });
  }
  child.on("error", () => {}); // Failures to signal; the exit event tells what became of it.
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    const decoder = new StringDecoder("utf8");
    stream.on("data", (bytes: Buffer) => options.onOutput(decoder.write(bytes)));
    stream.on("end", () => options.onOutput(decoder.end()));
    stream.on("error", () => {}); // The pipe broke with the process; its exit is what counts.
  }
  child.stdin?.on("error", () => {}); // The command closed its input; `write` reports it.
  reportExit(world, child, options);
  return {
    pid,
    terminal: false,
    write(data) {
      if (!child.stdin?.writable) {
        throw new Error("this command has no open input. Start it with background: true or pty: true to write to it.");
      }
      child.stdin.write(data);
    },
    endInput: () => void child.stdin?.end(),
  };
}

function stdio(options: ChildOptions): SpawnOptions["stdio"] {
  const list: (number | "pipe" | "ignore")[] = [options.input ? "pipe" : "ignore", "pipe", "pipe"];
  if (options.inherited.length === 0) return list;
  const last = Math.max(...options.inherited);
  for (let fd = 3; fd <= last; fd++) list.push(options.inherited.includes(fd) ? options.nullDescriptor() : "ignore");
  return list;
}

const closeOnExec = 0o2000000;

/** Descriptors this process got from whoever started it and would pass on. Node opens its own so that they are not passed
 *  on, hence one look is enough. Linux only; elsewhere the list is empty. */
export function inheritedDescriptors(platform: NodeJS.Platform): number[] {
  if (platform !== "linux") return [];
  try {
    return readdirSync("/proc/self/fdinfo")
      .map(Number)
      .filter((fd) => fd > 2 && fd < 1024 && isInheritable(fd));
  } catch {
    return []; // Without /proc nothing is known, and the usual case is that there are none.
  }
}

function isInheritable(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/mu.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    return false; // Closed meanwhile: it was the one that read the list.
  }
}

function reportExit(world: World, child: ChildProcess, options: ChildOptions): void {
  child.once("exit", (exitCode, signal) => {
    let reported = false;
    const report = () => {
      if (reported) return;
      reported = true;
      waiting.cancel();
      for (const stream of child.stdio) stream?.destroy();
      options.onExit({ exitCode, signal });
    };
    // `close` comes only when every holder of the pipe is gone, which a grandchild may put off for ever.
    const waiting = world.after(drainMs, report);
    child.once("close", report);
  });
}

/** Signals a whole process group. */
export function signalGroup(world: World, pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  if (world.platform === "win32") {
    world
      .spawn("taskkill", ["/pid", String(pid), "/t", "/f"], { stdio: "ignore", windowsHide: true })
      .on("error", () => {}); // Gone already.
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // Nothing is left of the group, or only members of another user, which cannot be ended from here.
  }
}

/** Whether members of a process group still run. Ended ones that nobody has collected do not count where that can be seen. */
export function groupRuns(world: Pick<World, "platform">, pid: number): boolean {
  if (world.platform === "win32") return false;
  try {
    process.kill(-pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  if (world.platform !== "linux") return true;
  for (const name of readdirSync("/proc")) {
    if (!/^[1-9]/u.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 3);
      if (group === String(pid) && state !== "Z" && state !== "X") return true;
    } catch {
      // It ended while the list was read.
    }
  }
  return false;
}
