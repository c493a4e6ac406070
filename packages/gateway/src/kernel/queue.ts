/** KeyedQueue: one task at a time per key, first in first out, a cap over all keys, a bound on what waits. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
}

interface Waiting {
  key: string;
  run: () => Promise<void>;
}

export interface Ticket {
  /** Takes the task out of the queue. False when it already started. */
  cancel(): boolean;
}

export class KeyedQueue {
  #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #busy = new Set<string>();
  #running = 0;
  /** In order of arrival; a task whose key is busy is passed over, so keys never block each other. */
  readonly #waiting = new Set<Waiting>();

  constructor(options: { maxRunning: number; maxWaiting: number }) {
    this.#maxRunning = options.maxRunning;
    this.#maxWaiting = options.maxWaiting;
  }

  get running(): number {
    return this.#running;
  }
  get waiting(): number {
    return this.#waiting.size;
  }
  setMaxRunning(maxRunning: number): void {
    this.#maxRunning = maxRunning;
    this.#pump();
  }
  /** Whether a task of this key runs or waits. */
  has(key: string): boolean {
    return this.#busy.has(key) || [...this.#waiting].some((w) => w.key === key);
  }

  /** Queues `task`; it starts in a later microtask at the earliest. `task` must not reject: a rejection is a bug and rises
   *  as an unhandled rejection. Throws QueueFullError when `maxWaiting` tasks already wait. */
  add(key: string, task: () => Promise<void>): Ticket {
    if (this.#waiting.size >= this.#maxWaiting) throw new QueueFullError("too many tasks are waiting");
    const entry: Waiting = { key, run: task };
    this.#waiting.add(entry);
    queueMicrotask(() => this.#pump());
    return { cancel: () => this.#waiting.delete(entry) };
  }

  #pump(): void {
    for (const entry of this.#waiting) {
      if (this.#running >= this.#maxRunning) return;
      if (this.#busy.has(entry.key)) continue;
      this.#waiting.delete(entry);
      this.#busy.add(entry.key);
      this.#running++;
      void entry.run().finally(() => {
        this.#busy.delete(entry.key);
        this.#running--;
        this.#pump();
      });
    }
  }
}
