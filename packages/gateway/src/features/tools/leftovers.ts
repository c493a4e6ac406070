/** Children that outlive a gateway that died (R-PROC-2): written down while they run, killed by the next generation when pid
 *  and start time both match. Nothing else is ever killed. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Logger } from "../../kernel/log.ts";
import type { World } from "../../kernel/world.ts";

export interface ChildRecord {
  /** Also the id of its process group. */
  pid: number;
  /** Boot id and start tick of the process. Absent where the system does not tell: then it is never killed. */
  startTime?: string;
}

/** Hears of every child. Called synchronously, right after the spawn and when its group is gone. Must not throw. */
export interface ChildLedger {
  recordChild(record: ChildRecord): void;
  forgetChild(pid: number): void;
}

/** Start time of a process in a form that differs between boots. Linux only; undefined elsewhere or when it is gone. */
export function processStartTime(pid: number, platform: NodeJS.Platform): string | undefined {
  if (platform !== "linux") return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may itself hold spaces and parentheses; field 22 is counted from behind it.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return ticks === undefined ? undefined : `${boot}/${ticks}`;
  } catch {
    // The process is gone or /proc is not mounted: unknown, so never killed.
    return undefined;
  }
}

/** Kills the process groups of recorded children that still run. Returns how many there were. */
export function killLeftovers(
  records: readonly ChildRecord[],
  world: Pick<World, "platform" | "pid">,
  log: Logger,
): number {
  let killed = 0;
  for (const { pid, startTime } of records) {
    if (!Number.isInteger(pid) || pid <= 1 || pid === world.pid || startTime === undefined) continue;
    if (processStartTime(pid, world.platform) !== startTime) continue;
    try {
      process.kill(-pid, "SIGKILL");
      killed++;
    } catch (error) {
      log.warn(`a command left over from an earlier run could not be ended (pid ${pid})`, { error });
    }
  }
  if (killed > 0) log.info(`ended ${killed} commands left over from an earlier run`);
  return killed;
}

/** A ledger in a small file, replaced atomically. Synchronous on purpose: a child must be on disk before anything else runs. */
export class ChildFile implements ChildLedger {
  readonly #path: string;
  readonly #log: Logger;
  readonly #records = new Map<number, ChildRecord>();

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  /** What an earlier generation left. Empty when there is no file or it cannot be read. */
  readLeftovers(): ChildRecord[] {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#path, "utf8"));
      return Array.isArray(value) ? value.filter(isRecord) : [];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        this.#log.warn("the list of running commands cannot be read; leftovers of an earlier run are not ended", {
          error,
        });
      }
      return [];
    }
  }

  recordChild(record: ChildRecord): void {
    this.#records.set(record.pid, record);
    this.#write();
  }

  forgetChild(pid: number): void {
    if (this.#records.delete(pid)) this.#write();
  }

  #write(): void {
    try {
      const temporary = `${this.#path}.tmp`;
      writeFileSync(temporary, JSON.stringify([...this.#records.values()]), { mode: 0o600 });
      renameSync(temporary, this.#path);
    } catch (error) {
      this.#log.warn("the list of running commands cannot be written", { error });
    }
  }
}

function isRecord(value: unknown): value is ChildRecord {
  if (typeof value !== "object" || value === null) return false;
  const { pid, startTime } = value as Partial<ChildRecord>;
  return typeof pid === "number" && (startTime === undefined || typeof startTime === "string");
}
