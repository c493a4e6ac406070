/** When to try again (protocol.md §2.4, R-UI-6). Pure: the client owns the timer. */

export const backoffLimits = { firstMs: 1_000, maxMs: 30_000, refusedMs: 15_000 } as const;

export class Backoff {
  #failures = 0;
  #refused = false;

  /** A connection ended or could not be made. `refused`: the gateway answered and said no. */
  failed(refused: boolean): void {
    this.#failures += 1;
    this.#refused = refused;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#refused = false;
  }

  /** ms to wait before the next attempt: doubling, jittered by up to a fifth, and never under 15 s after a refusal. */
  delayMs(random: number): number {
    const doubled = Math.min(backoffLimits.maxMs, backoffLimits.firstMs * 2 ** Math.max(0, this.#failures - 1));
    const jittered = Math.min(backoffLimits.maxMs, doubled * (0.9 + 0.2 * random));
    return Math.round(this.#refused ? Math.max(backoffLimits.refusedMs, jittered) : jittered);
  }

  /** The earliest moment a wake-up may force, in ms after the end of the last attempt. */
  get wakeFloorMs(): number {
    return this.#refused ? backoffLimits.refusedMs : 0;
  }
}
