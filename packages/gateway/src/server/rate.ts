/** Calls per time of the methods that declare a `rate`, per device and address (protocol.md §2.2). */
import type { World } from "../kernel/world.ts";

const maxKeys = 10_000;

export interface Rate {
  readonly calls: number;
  readonly perMs: number;
}

export class RateLimiter {
  readonly #world: World;
  readonly #calls = new Map<string, number[]>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Counts one call. Returns 0 when it may run, else the ms after which the next one may. */
  take(key: string, rate: Rate): number {
    const now = this.#world.monotonic();
    const recent = (this.#calls.get(key) ?? []).filter((at) => now - at < rate.perMs);
    const oldest = recent[0];
    if (recent.length >= rate.calls && oldest !== undefined) return Math.max(1, Math.ceil(oldest + rate.perMs - now));
    recent.push(now);
    this.#calls.delete(key);
    const first = this.#calls.size >= maxKeys ? this.#calls.keys().next().value : undefined;
    if (first !== undefined) this.#calls.delete(first);
    this.#calls.set(key, recent);
    return 0;
  }
}
