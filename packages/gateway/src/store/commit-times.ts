/** How long commits take, over the newest 1,024 commits of the last five minutes (R-DB-5). */
const kept = 1_024;
const windowMs = 300_000;
const rememberedMs = 1_000;

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
  /** The last answer, good until the next commit or for a second. */
  #last: { times: CommitTimes; until: number } | undefined;

  /** Transactions since the store was opened: what was read before is unchanged while this is. */
  get commits(): number {
    return this.#commits;
  }

  /** `at`: monotonic ms when the commit ended. */
  record(at: number, tookMs: number, units: number): void {
    const slot = this.#commits++ % kept;
    this.#at[slot] = at;
    this.#tookMs[slot] = tookMs;
    this.#units += units;
    this.#last = undefined;
  }

  times(now: number): CommitTimes {
    if (!this.#last || now > this.#last.until) this.#last = { times: this.#measure(now), until: now + rememberedMs };
    return this.#last.times;
  }

  #measure(now: number): CommitTimes {
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
