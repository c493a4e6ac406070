/** Lanes: one per session key, existing only while something runs or waits there (reliability.md §3.4). One run at a time per
 *  key, first in first out; a cap per class over all keys. Nested runs have slots of their own, so that a run that waits for
 *  another one never holds the slot the other needs. */
export type LaneClass = "main" | "nested";

export interface Lane<R> {
  running: R | undefined;
  waiting: R[];
}

interface Member {
  readonly laneKey: string;
  readonly laneClass: LaneClass;
}

export class Lanes<R extends Member> {
  readonly #lanes = new Map<string, Lane<R>>();
  /** Keys with something to start, in order of arrival. */
  readonly #ready = new Set<string>();
  readonly #taken: Record<LaneClass, number> = { main: 0, nested: 0 };
  readonly #caps: () => Record<LaneClass, number>;
  readonly #start: (run: R) => void;
  #waiting = 0;
  #held: Record<LaneClass, boolean> = { main: false, nested: false };

  /** `start` is called when a run's turn comes, never from within `add`. It must not throw. */
  constructor(options: { caps: () => Record<LaneClass, number>; start: (run: R) => void }) {
    this.#caps = options.caps;
    this.#start = options.start;
  }

  get running(): number {
    return this.#taken.main + this.#taken.nested;
  }
  get waiting(): number {
    return this.#waiting;
  }
  get size(): number {
    return this.#lanes.size;
  }

  /** Runs of a key: the running one first, then the waiting ones in order. */
  of(key: string): R[] {
    const lane = this.#lanes.get(key);
    if (!lane) return [];
    return lane.running ? [lane.running, ...lane.waiting] : [...lane.waiting];
  }

  /** Whether the run's turn has come, also while it is still being opened. */
  started(run: R): boolean {
    return this.#lanes.get(run.laneKey)?.running === run;
  }

  add(run: R): void {
    const lane = this.#lanes.get(run.laneKey) ?? { running: undefined, waiting: [] };
    this.#lanes.set(run.laneKey, lane);
    lane.waiting.push(run);
    this.#waiting++;
    if (!lane.running) this.#ready.add(run.laneKey);
    queueMicrotask(() => this.#pump());
  }

  /** The run left its lane, whether it ran or waited; what follows may start in the same tick. Idempotent. */
  release(run: R): void {
    const lane = this.#lanes.get(run.laneKey);
    if (!lane) return;
    if (lane.running === run) {
      lane.running = undefined;
      this.#taken[run.laneClass]--;
      if (lane.waiting.length > 0) this.#ready.add(run.laneKey);
    } else {
      const at = lane.waiting.indexOf(run);
      if (at < 0) return;
      lane.waiting.splice(at, 1);
      this.#waiting--;
    }
    if (lane.waiting.length === 0) {
      this.#ready.delete(run.laneKey);
      if (!lane.running) this.#lanes.delete(run.laneKey);
    }
    queueMicrotask(() => this.#pump());
  }

  /** While held, nothing starts; what runs goes on. With `nested: false` nested runs still start, also past the main runs
   *  that wait in their lane. */
  hold({ nested = true }: { nested?: boolean } = {}): void {
    this.#held = { main: true, nested };
    if (!nested) queueMicrotask(() => this.#pump());
  }
  resume(): void {
    this.#held = { main: false, nested: false };
    this.#pump();
  }

  #pump(): void {
    const held = this.#held;
    if ((held.main && held.nested) || this.#ready.size === 0) return;
    const caps = this.#caps();
    for (const key of this.#ready) {
      if (this.#taken.main >= caps.main && this.#taken.nested >= caps.nested) return;
      const lane = this.#lanes.get(key);
      if (!lane || lane.waiting.length === 0) {
        this.#ready.delete(key);
        continue;
      }
      const at = held.main ? lane.waiting.findIndex((run) => run.laneClass === "nested") : 0;
      const run = lane.waiting[at];
      if (!run || this.#taken[run.laneClass] >= caps[run.laneClass]) continue;
      lane.waiting.splice(at, 1);
      this.#waiting--;
      lane.running = run;
      this.#taken[run.laneClass]++;
      this.#ready.delete(key);
      this.#start(run);
    }
  }
}
