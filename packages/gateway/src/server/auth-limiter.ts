/** Slows down guessing (R-AUTH-5, protocol.md §2.2): counted per address, over all credential fields together, and judged
 *  before any comparison. Loopback without a browser origin is delayed but never locked out: the owner sits there. */
import type { World } from "../kernel/world.ts";
import { isLoopbackAddress, type Location } from "./locality.ts";

export const authLimits = {
  failures: 10,
  windowMs: 60_000,
  lockMs: 300_000,
  globalFailuresPerSecond: 100,
  maxKeys: 10_000,
  /** Failures on loopback that are answered at once; later ones wait, doubling. */
  freeLoopbackFailures: 5,
  loopbackDelayMs: 100,
  maxLoopbackDelayMs: 2_000,
} as const;

/** Whose guesses are counted together. `lockable`: false for the owner's own machine without a browser in between. */
export interface Guesser {
  key: string;
  lockable: boolean;
}

export interface GuessLimits {
  failures: number;
  windowMs: number;
  lockMs: number;
}

/** Loopback through an unlisted proxy is somebody else's address: it can be locked. */
export function guesser(location: Location, origin: string | undefined): Guesser {
  if (!isLoopbackAddress(location.clientIp)) return { key: `ip:${location.clientIp}`, lockable: true };
  if (origin !== undefined) return { key: `origin:${origin.slice(0, 256).toLowerCase()}`, lockable: true };
  return location.forwarded ? { key: "proxied", lockable: true } : { key: "loopback", lockable: false };
}

interface Failures {
  at: number[];
  lockedUntil: number;
}

export class AuthLimiter {
  readonly #world: World;
  readonly #limits: GuessLimits;
  readonly #byKey = new Map<string, Failures>();
  #second = 0;
  #inSecond = 0;

  constructor(world: World, limits: GuessLimits = authLimits) {
    this.#world = world;
    this.#limits = limits;
  }

  /** ms until this guesser may try again; 0 when it may now. Call before comparing anything. */
  lockedForMs(who: Guesser): number {
    if (!who.lockable) return 0;
    const now = this.#world.monotonic();
    if (this.#inSecond >= authLimits.globalFailuresPerSecond && now - this.#second < 1_000)
      return Math.ceil(1_000 - (now - this.#second));
    const entry = this.#byKey.get(who.key);
    return entry && entry.lockedUntil > now ? Math.ceil(entry.lockedUntil - now) : 0;
  }

  /** Counts a wrong credential. Returns how long to hold the answer back, in ms. */
  failed(who: Guesser): number {
    const now = this.#world.monotonic();
    if (now - this.#second >= 1_000) {
      this.#second = now;
      this.#inSecond = 0;
    }
    this.#inSecond++;
    const entry = this.#byKey.get(who.key) ?? { at: [], lockedUntil: 0 };
    this.#byKey.delete(who.key);
    entry.at = entry.at.filter((at) => now - at < this.#limits.windowMs);
    entry.at.push(now);
    this.#makeRoom(now);
    this.#byKey.set(who.key, entry);
    if (who.lockable) {
      if (entry.at.length >= this.#limits.failures) {
        entry.lockedUntil = now + this.#limits.lockMs;
        entry.at = [];
      }
      return 0;
    }
    const beyond = entry.at.length - authLimits.freeLoopbackFailures;
    // The list need not grow once the delay is at its ceiling.
    if (entry.at.length > 32) entry.at.shift();
    return beyond <= 0 ? 0 : Math.min(authLimits.maxLoopbackDelayMs, authLimits.loopbackDelayMs * 2 ** (beyond - 1));
  }

  succeeded(who: Guesser): void {
    this.#byKey.delete(who.key);
  }

  /** Least recently failed first; a key that is locked goes last of all. */
  #makeRoom(now: number): void {
    if (this.#byKey.size < authLimits.maxKeys) return;
    let oldest: string | undefined;
    for (const [key, entry] of this.#byKey) {
      oldest ??= key;
      if (entry.lockedUntil > now) continue;
      this.#byKey.delete(key);
      return;
    }
    if (oldest !== undefined) this.#byKey.delete(oldest);
  }
}
