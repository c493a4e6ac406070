/** Sleep and stall detector (R-NET-3): a timer that comes late, or two clocks that drift apart, mean that the machine slept, the
 *  process was stopped or the clock was set. Whoever holds a connection probes it then, instead of calling it dead. */
import type { Logger } from "../kernel/log.ts";
import type { Service } from "../kernel/lifecycle.ts";
import type { Timer, World } from "../kernel/world.ts";

const everyMs = 1_000;
export const stallMs = 5_000;

export interface StallWatchOptions {
  world: Pick<World, "now" | "monotonic" | "every">;
  log: Logger;
  /** Must not throw. `gapMs`: how long nothing ran, or how far the clocks are apart. */
  woke: (gapMs: number) => void;
}

export class StallWatch implements Service {
  readonly name = "stall-watch";
  readonly #options: StallWatchOptions;
  #timer: Timer | undefined;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { world } = this.#options;
    let monotonic = world.monotonic();
    let wall = world.now();
    this.#timer = world.every(everyMs, () => {
      const ran = world.monotonic() - monotonic;
      const passed = world.now() - wall;
      monotonic += ran;
      wall += passed;
      const late = ran - everyMs;
      const apart = Math.abs(passed - ran);
      if (late >= stallMs) this.#tell(`nothing ran for ${Math.round(late / 1_000)} s`, late);
      else if (apart >= stallMs)
        this.#tell(
          `wall clock and uptime moved ${Math.round(apart / 1_000)} s apart (sleep, or the clock was set)`,
          apart,
        );
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #tell(what: string, gapMs: number): void {
    const { log, woke } = this.#options;
    log.warn(`${what}; probing every connection`);
    woke(gapMs);
  }
}
