/** How late this process is woken: under a load that is not of the test's making, what it watches is as late. */

const everyMs = 20;
const memoryMs = 5_000;

export class Lag {
  readonly #late: { at: number; ms: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  #last = performance.now();

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now();
      const ms = now - this.#last - everyMs;
      this.#last = now;
      if (ms > everyMs) this.#late.push({ at: now, ms });
      while ((this.#late[0]?.at ?? now) < now - memoryMs) this.#late.shift();
    }, everyMs);
  }

  /** Milliseconds, of the last five seconds. */
  get worst(): number {
    return this.#late.reduce((worst, { ms }) => Math.max(worst, ms), 0);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
