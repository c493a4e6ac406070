/** Log lines that strangers can cause: refusals, failures, parse errors. Bounded per time, so that nobody can fill the log or
 *  make refusing dearer than serving; what was left out is counted and said (R-RATE-1). */
import type { Fields, Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";

export const refusalLogLimits = { burst: 50, perSecond: 5 } as const;

export class RefusalLog {
  readonly #world: World;
  readonly #log: Logger;
  #tokens: number = refusalLogLimits.burst;
  #refilledAt: number;
  #leftOut = 0;

  constructor(world: World, log: Logger) {
    this.#world = world;
    this.#log = log;
    this.#refilledAt = world.monotonic();
  }

  debug(message: string, fields?: Fields): void {
    if (this.#allowed()) this.#log.debug(message, fields);
  }

  info(message: string, fields?: Fields): void {
    if (this.#allowed()) this.#log.info(message, fields);
  }

  warn(message: string, fields?: Fields): void {
    if (this.#allowed()) this.#log.warn(message, fields);
  }

  #allowed(): boolean {
    const now = this.#world.monotonic();
    const { burst, perSecond } = refusalLogLimits;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#refilledAt) / 1_000) * perSecond);
    this.#refilledAt = now;
    if (this.#tokens < 1) {
      this.#leftOut++;
      return false;
    }
    this.#tokens--;
    if (this.#leftOut > 0) {
      this.#log.warn(`${this.#leftOut} lines about refused or failed requests were left out`);
      this.#leftOut = 0;
    }
    return true;
  }
}
