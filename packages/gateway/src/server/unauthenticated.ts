/** Sockets that have not said who they are: counted in all and, once silent for a second, per address (R-SLOW-1). */
import { wireLimits } from "@openclaw/protocol";
import type { Timer, World } from "../kernel/world.ts";
import { isLoopbackAddress } from "./locality.ts";

export const unauthenticatedLimits = {
  inAll: 1_024,
  /** Places in `inAll` that only loopback may take, so that a flood from the net never shuts the owner out. */
  keptForLoopback: 16,
  silentAfterMs: 1_000,
  silentPerAddress: wireLimits.maxUnauthenticatedPerAddress,
} as const;

/** One place; must be released exactly when the socket authenticates or closes (repeated calls do nothing). */
export interface Place {
  /** A whole frame arrived: the socket is not silent. */
  spoke(): void;
  release(): void;
}

export class Unauthenticated {
  readonly #world: World;
  readonly #silent = new Map<string, number>();
  #count = 0;

  constructor(world: World) {
    this.#world = world;
  }

  get count(): number {
    return this.#count;
  }

  /** Undefined when no place is free. `onExcess` is called when the address has too many silent sockets, this one the newest. */
  enter(address: string, onExcess: () => void): Place | undefined {
    const free =
      unauthenticatedLimits.inAll -
      this.#count -
      (isLoopbackAddress(address) ? 0 : unauthenticatedLimits.keptForLoopback);
    if (free <= 0) return undefined;
    this.#count++;
    let released = false;
    let silent = false;
    const stopCounting = () => {
      if (!silent) return;
      silent = false;
      const left = (this.#silent.get(address) ?? 1) - 1;
      if (left > 0) this.#silent.set(address, left);
      else this.#silent.delete(address);
    };
    const timer: Timer = this.#world.after(unauthenticatedLimits.silentAfterMs, () => {
      const count = (this.#silent.get(address) ?? 0) + 1;
      if (count > unauthenticatedLimits.silentPerAddress) return onExcess();
      silent = true;
      this.#silent.set(address, count);
    });
    return {
      spoke: () => {
        timer.cancel();
        stopCounting();
      },
      release: () => {
        if (released) return;
        released = true;
        this.#count--;
        timer.cancel();
        stopCounting();
      },
    };
  }
}
