/** One attempt of an adapter to be connected: cut off when it hangs, abandoned when it does not end. */
import type { Timer, World } from "../../../kernel/world.ts";
import type { ConnectionEnd } from "../channel.ts";

/** Longest time in `starting`, `connecting` or `stopping` (A5). */
export const transientMs = 65_000;
/** What an adapter gets to end an attempt; it is abandoned then. */
export const endMs = 3_000;

export class Attempt {
  readonly #world: World;
  readonly #stop = new AbortController();
  readonly #hangs: () => boolean;
  #watchdog: Timer | undefined;
  #late = false;

  /** `hangs`: whether the account is in a state that must not last. */
  constructor(world: World, parent: AbortSignal, hangs: () => boolean) {
    this.#world = world;
    this.#hangs = hangs;
    if (parent.aborted) this.#stop.abort();
    parent.addEventListener("abort", () => this.#stop.abort(), { once: true, signal: this.#stop.signal });
    this.watch();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }
  get live(): boolean {
    return !this.#stop.signal.aborted;
  }

  /** Begins to count anew: something happened. */
  watch(): void {
    this.#watchdog?.cancel();
    this.#watchdog = this.#world.after(transientMs, () => {
      if (!this.#hangs()) return;
      this.#late = true;
      this.#stop.abort();
    });
  }

  /** How it ended. Never rejects. Afterwards whatever the adapter still calls belongs to the past. */
  async outcome(ended: Promise<ConnectionEnd>): Promise<ConnectionEnd> {
    const given = Promise.withResolvers<ConnectionEnd>();
    let patience: Timer | undefined;
    const abandon = () => {
      patience = this.#world.after(endMs, () => given.resolve({ kind: "aborted" }));
    };
    if (this.live) this.signal.addEventListener("abort", abandon, { once: true });
    else abandon();
    ended.then(given.resolve, (error: unknown) =>
      given.resolve({ kind: "retry", message: error instanceof Error ? error.message : String(error) }),
    );
    const end = await given.promise;
    this.#watchdog?.cancel();
    this.signal.removeEventListener("abort", abandon);
    patience?.cancel();
    this.#stop.abort();
    return this.#late ? { kind: "retry", status: 408, message: `no connection within ${transientMs / 1_000} s` } : end;
  }
}
