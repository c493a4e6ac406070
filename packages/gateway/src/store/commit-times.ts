/** How long commits take, over the newest 1,024 commits of the last five minutes (R-DB-5). */
const kept = 1_024;
const windowMs = 300_000;

export interface CommitTimes {
  /** Transactions and units since the store was opened. */
  commits: number;
  units: number;
  /** Transactions measured in the window, and their durations. */
  measured: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export class CommitClock {
  readonly #at = new Float64Array(kept);
  readonly #tookMs = new Float64Array(kept);
  #commits = 0;
  #units = 0;

  /** `at`: monotonic ms when the commit ended. */
  record(at: number, tookMs: number, units: number): void {
    const slot = this.#commits++ % kept;
    this.#at[slot] = at;
    this.#tookMs[slot] = tookMs;
    this.#units += units;
  }

  times(now: number): CommitTimes {
    const filled = Math.min(this.#commits, kept);
    const recent = this.#tookMs
      .subarray(0, filled)
      .filter((_, slot) => now - (this.#at[slot] ?? 0) <= windowMs)
      .sort();
    const at = (share: number) => recent[Math.min(recent.length - 1, Math.floor(recent.length * share))] ?? 0;
    return {
      commits: this.#commits,
      units: this.#units,
      measured: recent.length,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: recent.at(-1) ?? 0,
    };
  }
}
