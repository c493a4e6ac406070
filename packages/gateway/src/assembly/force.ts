/** `--force` (lifecycle.md §5.2, reliability.md §6.1 row 1): stops what listens on the port, and only that. */
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";
import { StartRefused } from "./startup-checks.ts";

export const forceTimes = { pollMs: 100, termMs: 700, budgetMs: 2_000, toolMs: 5_000 } as const;
const places = ["/usr/sbin/lsof", "/usr/bin/lsof"];

export interface ForceOptions {
  port: number;
  world: World;
  log: Logger;
  /** Where `lsof` is looked for before PATH. */
  places?: readonly string[];
  /** How a signal is sent. */
  kill?: (pid: number, signal: NodeJS.Signals) => void;
}

interface Holder {
  pid: number;
  command: string;
  user: string;
  /** Identity beside the pid, which may be given to another process: undefined when it is gone already. */
  startedAt: string | undefined;
}

/** Resolves when nothing listens on the port any more. Throws StartRefused with the text for the terminal. */
export async function freePort(options: ForceOptions): Promise<void> {
  const { port, world, log } = options;
  const lsof = findLsof(world, options.places ?? places);
  const kill = options.kill ?? ((pid, signal) => void process.kill(pid, signal));
  const began = world.monotonic();
  const holders = await listeners(lsof, port, world);
  if (holders.length === 0) return log.info(`force: no listeners on port ${port}`);
  const family = await familyOf(world);
  for (const { pid, command } of holders) {
    if (family.has(pid))
      throw refused(
        `port ${port} is held by this process or one of its family (pid ${pid}, ${command}); it is not stopped`,
      );
  }
  const mine = process.getuid?.();
  const known = await Promise.all(holders.map((holder) => describe(holder, world)));
  for (const { uid, pid, command, user } of known) {
    if (uid !== undefined && mine !== undefined && uid !== mine) {
      throw refused(
        `port ${port} is held by another user's process (pid ${pid}, ${command}, user ${user}). Stop it as that user, or choose another port with --port.`,
      );
    }
  }
  for (const holder of known) {
    if (await signalled(holder, "SIGTERM", world, kill)) {
      log.info(`force: killed pid ${holder.pid} (${holder.command}) on port ${port}`, { user: holder.user });
    }
  }
  let escalated = false;
  for (;;) {
    await world.sleep(forceTimes.pollMs);
    const left = await listeners(lsof, port, world);
    const elapsed = world.monotonic() - began;
    if (left.length === 0) return log.info(`force: waited ${Math.round(elapsed)}ms for port ${port} to free`);
    if (elapsed >= forceTimes.budgetMs)
      throw refused(`port ${port} still has listeners after --force: ${left.map(({ pid }) => pid).join(", ")}`);
    if (elapsed < forceTimes.termMs || escalated) continue;
    escalated = true;
    for (const holder of known)
      if (left.some(({ pid }) => pid === holder.pid)) await signalled(holder, "SIGKILL", world, kill);
    log.warn(`force: escalated to SIGKILL while freeing port ${port}`);
  }
}

const refused = (text: string): StartRefused => new StartRefused(`Force: Error: ${text}`, false);

function findLsof(world: World, first: readonly string[]): string {
  const inPath = (world.env.PATH ?? "")
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, "lsof"));
  for (const path of [...first, ...inPath]) {
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not there; the next place is tried.
    }
  }
  throw refused("lsof not found; required for --force");
}

interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

function run(command: string, args: readonly string[], world: World): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = world.spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    const keep = (text: string, chunk: Buffer) => (text.length > 100_000 ? text : text + chunk.toString("utf8"));
    child.stdout?.on("data", (chunk: Buffer) => (stdout = keep(stdout, chunk)));
    child.stderr?.on("data", (chunk: Buffer) => (stderr = keep(stderr, chunk)));
    const timer = world.after(forceTimes.toolMs, () => child.kill("SIGKILL"));
    child.once("error", reject);
    child.once("close", (code) => {
      timer.cancel();
      resolve({ code, stdout, stderr });
    });
  });
}

/** Processes that listen on exactly this TCP port, whatever the address family. */
async function listeners(lsof: string, port: number, world: World): Promise<{ pid: number; command: string }[]> {
  const ran = await run(lsof, ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-FpFc"], world).catch((error: unknown) => {
    throw refused(`lsof could not be run: ${(error as Error).message}`);
  });
  if (ran.code === 1 && ran.stdout.trim() === "") return [];
  if (ran.code !== 0) {
    const why = ran.stderr.trim().split("\n")[0]?.slice(0, 300);
    throw refused(
      `lsof failed (${ran.code === null ? "no answer in time" : `exit ${ran.code}`})${why ? `: ${why}` : ""}`,
    );
  }
  const found = new Map<number, string>();
  let pid = 0;
  for (const line of ran.stdout.split("\n")) {
    if (/^p\d+$/u.test(line)) found.set((pid = Number(line.slice(1))), found.get(pid) ?? "unknown");
    else if (line.startsWith("c") && pid > 0) found.set(pid, line.slice(1, 81));
  }
  return [...found].map(([id, command]) => ({ pid: id, command }));
}

/** This process, its ancestors and its children: none of them is ever stopped. */
async function familyOf(world: World): Promise<Set<number>> {
  const parents = new Map<number, number>();
  const ran = await run("ps", ["-A", "-o", "pid=,ppid="], world).catch(() => undefined);
  for (const line of ran?.stdout.split("\n") ?? []) {
    const [pid, parent] = line.trim().split(/\s+/u).map(Number);
    if (pid && parent !== undefined) parents.set(pid, parent);
  }
  const family = new Set([world.pid, process.ppid]);
  for (let at = parents.get(world.pid); at !== undefined && at > 0 && family.size < 100; at = parents.get(at))
    family.add(at);
  const own = new Set([world.pid]);
  for (let grown = true; grown;) {
    grown = false;
    for (const [pid, parent] of parents) if (own.has(parent) && !own.has(pid)) grown = Boolean(own.add(pid));
  }
  return new Set([...family, ...own]);
}

async function describe(
  holder: { pid: number; command: string },
  world: World,
): Promise<Holder & { uid: number | undefined }> {
  const { pid, command } = holder;
  const ran = await run("ps", ["-o", "uid=,user=", "-p", String(pid)], world).catch(() => undefined);
  const [uid, user] = ran?.stdout.trim().split(/\s+/u) ?? [];
  const fromProc = world.platform === "linux" ? ownerOf(pid) : undefined;
  return {
    pid,
    command,
    user: user || String(fromProc ?? "unknown"),
    startedAt: await startOf(pid, world),
    uid: uid ? Number(uid) : fromProc,
  };
}

function ownerOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    // It ended between the list and the question.
    return undefined;
  }
}

/** When the process began, in whatever form the system tells it; undefined when it is gone. */
async function startOf(pid: number, world: World): Promise<string | undefined> {
  if (world.platform === "linux") {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, "utf8");
      // The command in brackets may hold anything; the fields are counted behind it.
      return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
    } catch {
      // It ended.
      return undefined;
    }
  }
  const ran = await run("ps", ["-o", "lstart=", "-p", String(pid)], world).catch(() => undefined);
  return ran?.stdout.trim() || undefined;
}

/** Sends the signal when the pid still names the process that was found. False when it is gone. */
async function signalled(
  holder: Holder,
  signal: NodeJS.Signals,
  world: World,
  kill: (pid: number, signal: NodeJS.Signals) => void,
): Promise<boolean> {
  const now = await startOf(holder.pid, world);
  if (now === undefined || now !== holder.startedAt) return false;
  try {
    kill(holder.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw refused(
      `pid ${holder.pid} (${holder.command}) cannot be stopped: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    );
  }
}
