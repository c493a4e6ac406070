/** Which connections asked for the tool events of which run (protocol.md §10.3). Dropped 30 s after the end of the run or
 *  10 minutes after the last use. */
import type { World } from "../kernel/world.ts";
import type { Connection } from "./connection.ts";

export const followLimits = { afterEndMs: 30_000, unusedMs: 600_000, runs: 4_096, perRun: 64 } as const;

interface Followed {
  connections: Set<Connection>;
  usedAt: number;
  endedAt?: number;
}

export class RunFollowers {
  readonly #world: World;
  readonly #runs = new Map<string, Followed>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Does nothing for a connection whose caps do not ask for tool events. */
  follow(connection: Connection, runId: string): void {
    const caps = connection.identity?.caps ?? [];
    if (!caps.includes("tool-events") && !caps.includes("tool-results")) return;
    const usedAt = this.#world.monotonic();
    const run = this.#runs.get(runId);
    if (!run) {
      const oldest = this.#runs.size >= followLimits.runs ? this.#runs.keys().next().value : undefined;
      if (oldest !== undefined) this.#runs.delete(oldest);
      this.#runs.set(runId, { connections: new Set([connection]), usedAt });
    } else {
      run.usedAt = usedAt;
      if (run.connections.size < followLimits.perRun) run.connections.add(connection);
    }
  }

  of(runId: string): ReadonlySet<Connection> | undefined {
    const run = this.#runs.get(runId);
    if (run) run.usedAt = this.#world.monotonic();
    return run?.connections;
  }

  ended(runId: string): void {
    const run = this.#runs.get(runId);
    if (run) run.endedAt ??= this.#world.monotonic();
  }

  left(connection: Connection): void {
    for (const run of this.#runs.values()) run.connections.delete(connection);
  }

  /** Called now and then; drops what is over. */
  sweep(): void {
    const now = this.#world.monotonic();
    for (const [runId, run] of this.#runs) {
      const over = run.endedAt !== undefined && now - run.endedAt >= followLimits.afterEndMs;
      if (over || run.connections.size === 0 || now - run.usedAt >= followLimits.unusedMs) this.#runs.delete(runId);
    }
  }
}
