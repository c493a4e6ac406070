/** Whether a connection lives (channels.md §6.5): by frames of the transport, never by messages, for a quiet account is a healthy
 *  one. Looks once a minute; every `heartbeatMs` it tells how the connection is. */
import type { Timer, World } from "../../../kernel/world.ts";

/** The library pings every 30 s and gives up after 35; this catches what it does not notice. */
export const silenceMs = 150_000;
export const lookMs = 60_000;
/** Quiet for longer than two pings: nothing is received. */
const receivingMs = 90_000;

export interface PulseOptions {
  world: World;
  heartbeatMs: number;
  /** The transport is dead. Called at most once. */
  silent: (quietMs: number) => void;
  look: (facts: { receiving: boolean }) => void;
  heartbeat: (facts: { upMs: number; quietMs: number }) => void;
}

export class Pulse {
  readonly #o: PulseOptions;
  readonly #timers: Timer[] = [];
  #lastFrameAt: number;
  #openedAt = 0;

  /** Counts from now: what an earlier connection heard is of no interest. */
  constructor(options: PulseOptions) {
    this.#o = options;
    this.#lastFrameAt = options.world.monotonic();
  }

  frame(): void {
    this.#lastFrameAt = this.#o.world.monotonic();
  }

  start(): void {
    const { world, heartbeatMs, heartbeat } = this.#o;
    this.#openedAt = world.monotonic();
    const beat = () =>
      heartbeat({ upMs: Math.round(world.monotonic() - this.#openedAt), quietMs: Math.round(this.#quietMs()) });
    this.#timers.push(
      world.every(lookMs, () => this.#look()),
      world.every(heartbeatMs, beat),
    );
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) timer.cancel();
  }

  #look(): void {
    const quietMs = this.#quietMs();
    if (quietMs <= silenceMs) return this.#o.look({ receiving: quietMs < receivingMs });
    this.stop();
    this.#o.silent(quietMs);
  }

  #quietMs(): number {
    return this.#o.world.monotonic() - this.#lastFrameAt;
  }
}
