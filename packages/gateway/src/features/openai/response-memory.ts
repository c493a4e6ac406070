/** Which session an earlier response belongs to, so that a later one can go on from it (http.md §9.6). In memory: bounded in number
 *  and time, gone with the process. */
import type { World } from "../../kernel/world.ts";
import type { SessionChoice } from "./target.ts";

export const memoryLimits = { entries: 1_000, keptMs: 3_600_000 } as const;

export interface Remembered extends SessionChoice {
  agentId: string;
}

export class ResponseMemory {
  readonly #world: Pick<World, "monotonic">;
  readonly #byId = new Map<string, Remembered & { until: number }>();

  constructor(world: Pick<World, "monotonic">) {
    this.#world = world;
  }

  get size(): number {
    return this.#byId.size;
  }

  remember(id: string, what: Remembered): void {
    const now = this.#world.monotonic();
    for (const [oldest, { until }] of this.#byId) {
      if (until > now && this.#byId.size < memoryLimits.entries) break;
      this.#byId.delete(oldest);
    }
    this.#byId.set(id, { ...what, until: now + memoryLimits.keptMs });
  }

  find(id: string): Remembered | undefined {
    const found = this.#byId.get(id);
    return found && found.until > this.#world.monotonic() ? found : undefined;
  }
}
