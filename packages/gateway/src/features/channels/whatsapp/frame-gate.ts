/** Where frames wait before they leave (R-WA-1, R-WA-8, settled.md 29). The library encrypts a frame and believes it sent; it
 *  leaves when the keys it used are durable and every message decrypted before it is stored. So the receipt of a message waits
 *  for its inbox row, and the library never waits for us: it cannot deadlock on its own receipt.
 *
 *  The library commits the keys of a frame some microtasks after it handed the frame over; therefore a frame is looked at in the
 *  next turn of the event loop, when those have run. */
import type { Timer, World } from "../../../kernel/world.ts";
import type { LinkKeys } from "./link-keys.ts";

/** Frames and bytes that may wait; more means the store stands still. */
export const maxWaiting = { frames: 20_000, bytes: 64 * 1024 * 1024 };
/** A decrypted message comes out of the library within microtasks. One that does not was given up by it. */
export const emergeMs = 250;

export interface GateOptions {
  world: World;
  keys: LinkKeys;
  /** Hands a frame to the transport. */
  write: (frame: Uint8Array) => void;
  /** The next turn of the event loop, after all microtasks. */
  turn: () => Promise<void>;
  /** The store cannot write, or too much waits: this connection must end. Called once. */
  failed: (error: Error) => void;
}

interface Arrival {
  /** Position of the keys before the message was decrypted. */
  before: number;
  emerged: boolean;
  /** Ends the wait for it to emerge. */
  patience: Timer | undefined;
  settled: PromiseWithResolvers<void>;
}

export class FrameGate {
  readonly #o: GateOptions;
  #frames: Uint8Array[] = [];
  #bytes = 0;
  #accepted = 0;
  #written = 0;
  #draining = false;
  #closed = false;
  #direct = false;
  /** Decrypted messages that are not stored yet, oldest first. */
  readonly #arrivals = new Set<Arrival>();
  #emerging: Arrival | undefined;
  #stored: Promise<void> = Promise.resolve();
  readonly #waiters = new Set<{ mark: number; resolve: (written: boolean) => void }>();

  constructor(options: GateOptions) {
    this.#o = options;
    options.keys.onChange(() => this.#start());
  }

  /** Frames taken so far; a frame sent later has a higher mark. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Whether frames wait. */
  get waiting(): boolean {
    return this.#frames.length > 0;
  }

  /** Frames sent while `ask` runs use no keys and need not wait for any, unless others wait before them. */
  directly<T>(ask: () => T): T {
    this.#direct = true;
    try {
      return ask();
    } finally {
      this.#direct = false;
    }
  }

  send(frame: Uint8Array): void {
    if (this.#closed) return;
    this.#accepted++;
    if (this.#direct && this.#frames.length === 0) {
      this.#written++;
      return this.#o.write(frame);
    }
    this.#frames.push(frame);
    this.#bytes += frame.byteLength;
    if (this.#frames.length > maxWaiting.frames || this.#bytes > maxWaiting.bytes) {
      return this.#fail(new Error("too many frames wait for the store"));
    }
    this.#start();
  }

  /** Whether all frames up to `mark` were handed to the transport; false when the connection ended first. */
  whenWritten(mark: number): Promise<boolean> {
    if (this.#written >= mark) return Promise.resolve(true);
    if (this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => this.#waiters.add({ mark, resolve }));
  }

  /** A message was decrypted; its keys were at `before` then. Until it `emerged` nothing leaves. */
  decrypted(before: number): void {
    if (this.#closed) return;
    // A message may have two encrypted parts: they are one arrival.
    if (this.#emerging) return;
    const arrival = newArrival(before);
    arrival.patience = this.#o.world.after(emergeMs, () => this.#settle(arrival));
    this.#emerging = arrival;
    this.#arrivals.add(arrival);
  }

  /** The library gave the message up; its keys are written like any other. */
  givenUp(): void {
    if (this.#emerging) this.#settle(this.#emerging);
  }

  /** The message came out. `store` makes it durable; its keys follow, so that a crash in between leaves the older keys, with which
   *  the platform's repetition can be read again and is recognised. */
  emerged(store: () => Promise<void>): void {
    if (this.#closed) return;
    const arrival = this.#emerging ?? newArrival(this.#o.keys.position);
    this.#emerging = undefined;
    arrival.emerged = true;
    arrival.patience?.cancel();
    this.#arrivals.add(arrival);
    const position = this.#o.keys.position;
    const earlier = this.#stored;
    const done = store()
      .then(() => earlier)
      .then(() => this.#o.keys.commit(position));
    this.#stored = done;
    done.then(
      () => this.#remove(arrival),
      (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** Lets go of everything. Keys that nobody can still need the old value of are committed; a message that was decrypted and never
   *  came out keeps its old keys, so that it can come again. Resolves when the store is done. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#frames = [];
    for (const waiter of this.#waiters) waiter.resolve(false);
    this.#waiters.clear();
    this.#emerging?.patience?.cancel();
    const position = this.#emerging?.before ?? this.#o.keys.position;
    try {
      await this.#stored;
      await this.#o.keys.commit(position);
    } catch {
      // The store cannot write: the connection ended for that, or the next one will say so.
    }
    this.#o.keys.close();
  }

  #settle(arrival: Arrival): void {
    if (arrival.emerged) return;
    if (this.#emerging === arrival) this.#emerging = undefined;
    this.#remove(arrival);
  }

  #remove(arrival: Arrival): void {
    arrival.patience?.cancel();
    this.#arrivals.delete(arrival);
    arrival.settled.resolve();
    this.#start();
  }

  #start(): void {
    if (this.#draining || this.#closed) return;
    this.#draining = true;
    this.#drain().then(
      () => {
        this.#draining = false;
        if (this.#frames.length > 0 || this.#o.keys.dirty) this.#start();
      },
      (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async #drain(): Promise<void> {
    do {
      await this.#o.turn();
      const count = this.#frames.length;
      const position = this.#o.keys.position;
      await Promise.all([...this.#arrivals].map((arrival) => arrival.settled.promise));
      await this.#o.keys.commit(position);
      this.#o.world.mark("keys.after-write");
      if (this.#closed) return;
      this.#release(count);
    } while (this.#frames.length > 0);
  }

  #release(count: number): void {
    for (const frame of this.#frames.splice(0, count)) {
      this.#bytes -= frame.byteLength;
      this.#written++;
      this.#o.write(frame);
    }
    for (const waiter of this.#waiters) {
      if (waiter.mark > this.#written) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(true);
    }
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    this.#o.failed(error);
  }
}

function newArrival(before: number): Arrival {
  return { before, emerged: false, patience: undefined, settled: Promise.withResolvers() };
}
