/** The calls waiting for an answer: each with a deadline, all rejected when the connection ends, never more than a limit. */
import type { ResponseFrame } from "@openclaw/protocol";
import type { ClientClock } from "./clock.ts";
import { DeadlineError, NotSentError, RequestError } from "./errors.ts";

export interface CallOptions<Ack = unknown> {
  /** Rejects with the signal's reason. The gateway may still do the work: abort a run with `chat.abort`. */
  signal?: AbortSignal;
  /** From now to the answer that counts. Default 30 s. */
  timeoutMs?: number;
  /** Wait past an `accepted` answer for the final one. */
  expectFinal?: boolean;
  /** Called with the `accepted` answer; implies `expectFinal`. */
  onAck?: (payload: Ack) => void;
}

export interface PendingCall {
  readonly id: string;
  readonly method: string;
  readonly text: string;
  /** Bytes of `text`, roughly: UTF-16 units. */
  readonly size: number;
  sent: boolean;
}

interface Entry extends PendingCall {
  awaitsFinal: boolean;
  onAck: ((payload: unknown) => void) | undefined;
  settle(): void;
  resolve(payload: unknown): void;
  reject(error: unknown): void;
}

const isAccepted = (payload: unknown): boolean =>
  typeof payload === "object" && payload !== null && "status" in payload && payload.status === "accepted";

export class Calls {
  readonly #clock: ClientClock;
  readonly #maxOpen: number;
  readonly #open = new Map<string, Entry>();
  #lastId = 0;

  constructor(clock: ClientClock, maxOpen: number) {
    this.#clock = clock;
    this.#maxOpen = maxOpen;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Registers a call and hands it to `send`; the promise settles exactly once. */
  start(method: string, params: unknown, options: CallOptions, send: (call: PendingCall) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { signal, timeoutMs = 30_000 } = options;
      if (signal?.aborted) return reject(signal.reason);
      if (this.#open.size >= this.#maxOpen) {
        return reject(new NotSentError(`Too many calls are open (${this.#maxOpen}); wait for some to be answered.`));
      }
      this.#lastId += 1;
      const id = String(this.#lastId);
      const text = JSON.stringify({ type: "req", id, method, ...(params === undefined ? {} : { params }) });
      const onAbort = () => entry.reject(signal?.reason);
      const cancelTimer = this.#clock.after(timeoutMs, () => entry.reject(new DeadlineError(timeoutMs)));
      const entry: Entry = {
        id,
        method,
        text,
        size: text.length,
        sent: false,
        awaitsFinal: options.expectFinal === true || options.onAck !== undefined,
        onAck: options.onAck as ((payload: unknown) => void) | undefined,
        settle: () => {
          this.#open.delete(id);
          cancelTimer();
          signal?.removeEventListener("abort", onAbort);
        },
        resolve: (payload) => {
          entry.settle();
          resolve(payload);
        },
        reject: (error) => {
          entry.settle();
          reject(error);
        },
      };
      this.#open.set(id, entry);
      signal?.addEventListener("abort", onAbort, { once: true });
      try {
        send(entry);
      } catch (error) {
        entry.reject(error);
      }
    });
  }

  /** Hands over what waited for a connection, oldest first. A call that cannot be sent is rejected. */
  sendQueued(send: (call: PendingCall) => void): void {
    for (const entry of this.#open.values()) {
      if (entry.sent) continue;
      try {
        send(entry);
      } catch (error) {
        entry.reject(error);
      }
    }
  }

  /** Answers of calls that are gone are ignored. */
  answer(frame: ResponseFrame): void {
    const entry = this.#open.get(frame.id);
    if (!entry) return;
    if (!frame.ok) {
      const error = frame.error ?? { code: "UNAVAILABLE", message: "the gateway refused without saying why" };
      return entry.reject(new RequestError(entry.method, error, frame.payload));
    }
    if (entry.awaitsFinal && isAccepted(frame.payload)) {
      const { onAck } = entry;
      entry.onAck = undefined; // A second `accepted` (a duplicate's answer) is not announced again.
      if (onAck) onAck(frame.payload);
      return;
    }
    entry.resolve(frame.payload);
  }

  /** Rejects what was sent on a connection that ended. Calls still queued stay, unless `all`. */
  failSent(error: unknown, all: boolean): void {
    for (const entry of this.#open.values()) if (all || entry.sent) entry.reject(error);
  }
}
