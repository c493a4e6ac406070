/** The lock every writer of the config file holds while it reads, judges and replaces: a file beside it, so that programs of
 *  other versions and hosts that share the folder see it too (R-CFG-2). */
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import type { World } from "../kernel/world.ts";

export type LockWorld = Pick<World, "pid" | "uuid" | "now" | "monotonic" | "sleep" | "hostname" | "platform">;

export interface ConfigLock {
  /** Throws when another writer took the lock away, which happens only to one that was stopped for seconds. */
  assertHeld(): void;
  /** Idempotent. */
  release(): void;
}

const staleMs = 10_000;
const waitMs = 15_000;
const pollMs = 15;

/** Waits until the lock is free. Throws GatewayError naming the holder after 15 s, or when the folder cannot be written. */
export async function lockConfig(target: string, world: LockWorld): Promise<ConfigLock> {
  const path = `${target}.lock`;
  const content = JSON.stringify({
    pid: world.pid,
    start: startOf(world.pid, world),
    host: world.hostname(),
    id: world.uuid(),
  });
  const deadline = world.monotonic() + waitMs;
  while (!create(path, content, world)) {
    const holder = read(path);
    if (holder !== undefined && isStale(path, holder, world)) steal(path, holder, world);
    else if (world.monotonic() >= deadline) {
      throw new GatewayError(
        "unavailable",
        `The config is being written by ${nameOf(holder)}; nothing was written. Try again.`,
        {
          details: { code: "CONFIG_LOCKED", path },
          retryAfterMs: 1_000,
        },
      );
    } else await world.sleep(pollMs);
  }
  removeLeftovers(target, world);
  let held = true;
  return {
    assertHeld() {
      if (read(path) === content) return;
      throw new GatewayError("conflict", "Another writer took over; nothing was written. Try again.", {
        details: { code: "STALE_HASH" },
      });
    },
    release() {
      if (held && read(path) === content) rmSync(path, { force: true });
      held = false;
    },
  };
}

/** The lock appears with its content: a process that dies in between leaves only a file nobody looks at. */
function create(path: string, content: string, world: LockWorld): boolean {
  const aside = `${path}.${world.uuid()}`;
  try {
    writeFileSync(aside, content, { flag: "wx", mode: 0o600 });
    linkSync(aside, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code === "EPERM" || code === "ENOTSUP" || code === "ENOSYS") return createWithoutLinks(path, content);
    throw new GatewayError(
      "unavailable",
      `${dirname(path)} cannot be written (${code ?? "unknown error"}). Nothing was changed. ${nextStep(error, dirname(path))}`,
      { cause: error },
    );
  } finally {
    rmSync(aside, { force: true });
  }
}

/** What a person does about a path that cannot be written. */
export function nextStep(error: unknown, path: string): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOSPC":
    case "EDQUOT":
      return "The disk is full: free some space and try again.";
    case "EROFS":
      return "Its file system is mounted read-only: mount it for writing, or choose another state directory.";
    case "EACCES":
    case "EPERM":
      return `Run this as its owner, or let this user write it: chown ${process.getuid?.() ?? ""} ${path}`;
    default:
      return "Look at the disk and try again.";
  }
}

/** For file systems without hard links. */
function createWithoutLinks(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Released between two looks.
    return undefined;
  }
}

interface Holder {
  pid: number;
  start: string | null;
  host: string;
}

function parse(content: string): Holder | undefined {
  try {
    const value = JSON.parse(content) as Partial<Holder>;
    return typeof value.pid === "number" && typeof value.host === "string"
      ? { pid: value.pid, host: value.host, start: value.start ?? null }
      : undefined;
  } catch {
    // Written halfway by a process that died, or being written right now.
    return undefined;
  }
}

const nameOf = (content: string | undefined): string => {
  const holder = parse(content ?? "");
  return holder ? `process ${holder.pid} on ${holder.host}` : "another process";
};

/** Older than 10 s, or of a process of this machine that is gone. */
function isStale(path: string, content: string, world: LockWorld): boolean {
  const holder = parse(content);
  if (holder && holder.host === world.hostname() && !lives(holder, world)) return true;
  return isOld(path, world);
}

function isOld(path: string, world: LockWorld): boolean {
  const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return modified !== undefined && Math.abs(world.now() - modified) > staleMs;
}

function lives(holder: Holder, world: LockWorld): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return holder.start === null || holder.start === startOf(holder.pid, world);
}

/** What tells a process from a later one with the same number: its start in clock ticks since boot. Linux only. */
function startOf(pid: number, world: LockWorld): string | null {
  if (world.platform !== "linux") return null;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    // No such process, or no /proc.
    return null;
  }
}

/** Moves the stale lock away. When another waiter was faster and this one caught its fresh lock, that is put back. */
function steal(path: string, content: string, world: LockWorld): void {
  const aside = `${path}.${world.uuid()}`;
  try {
    renameSync(path, aside);
    if (read(aside) !== content) linkSync(aside, path);
  } catch {
    // Gone already, or taken again: the loop looks anew.
  }
  rmSync(aside, { force: true });
}

/** Files of writers that died on the way. Young ones may belong to somebody who is about to wait for the lock. */
function removeLeftovers(target: string, world: LockWorld): void {
  const folder = dirname(target);
  const name = basename(target);
  for (const file of readdirSync(folder)) {
    if (
      file.startsWith(`${name}.`) &&
      /^\.(\d+\.[0-9a-f-]{36}\.tmp|lock\.[0-9a-f-]{36})$/u.test(file.slice(name.length)) &&
      isOld(join(folder, file), world)
    )
      rmSync(join(folder, file), { force: true });
  }
}
