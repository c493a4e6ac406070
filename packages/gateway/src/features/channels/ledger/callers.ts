/** Who waits for what: callers for the end of their message, new messages for a connection. Nothing here is durable. */
import { GatewayError } from "@openclaw/protocol";
import type { Timer, World } from "../../../kernel/world.ts";

/** Calls that may be in progress at once. */
const maxCalls = 1_000;

interface Call {
  readonly principal: string;
  readonly requestHash: string;
  readonly answer: Promise<unknown>;
  /** Callers that have not left. */
  listening: number;
}

interface Waiter {
  wake: () => void;
  fail: (error: Error) => void;
  isHeard: () => boolean;
}

export class Callers {
  readonly #world: Pick<World, "after">;
  readonly #calls = new Map<string, Call>();
  readonly #messages = new Map<number, Set<Waiter>>();
  readonly #connections = new Map<string, Set<(open: boolean) => void>>();

  constructor(world: Pick<World, "after">) {
    this.#world = world;
  }

  get size(): number {
    return this.#calls.size;
  }

  call(name: string): Call | undefined {
    return this.#calls.get(name);
  }

  /** Remembers a call while it is in progress. Throws GatewayError("unavailable") when there are too many. */
  begin<T>(
    name: string,
    who: { principal: string; requestHash: string },
    work: (isHeard: () => boolean) => Promise<T>,
  ): Call {
    if (this.#calls.size >= maxCalls) {
      throw new GatewayError(
        "unavailable",
        "Too many sends are waiting for their answer; nothing was sent. Try again.",
        {
          details: { code: "OUTBOX_BUSY" },
          retryAfterMs: 1_000,
        },
      );
    }
    const answer = work(() => (this.#calls.get(name)?.listening ?? 0) > 0);
    const call: Call = { ...who, answer, listening: 0 };
    this.#calls.set(name, call);
    const forget = () => {
      if (this.#calls.get(name) === call) this.#calls.delete(name);
    };
    // Whoever still waits hears the failure; a caller that left does not.
    answer.then(forget, forget);
    return call;
  }

  /** Somebody will hear how the message ended. */
  isAwaited(message: number): boolean {
    for (const { isHeard } of this.#messages.get(message) ?? []) if (isHeard()) return true;
    return false;
  }

  /** Messages somebody waits for. */
  awaited(): number[] {
    return [...this.#messages.keys()].filter((message) => this.isAwaited(message));
  }

  /** Resolves when `look` finds something; it is asked now and whenever a part of the message ended. */
  ended<T>(message: number, isHeard: () => boolean, look: () => T | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiters = this.#messages.get(message) ?? new Set();
      const waiter: Waiter = {
        isHeard,
        wake: () => {
          try {
            const found = look();
            if (found === undefined) return;
            resolve(found);
          } catch (error) {
            reject(error as Error);
          }
          waiters.delete(waiter);
          if (waiters.size === 0) this.#messages.delete(message);
        },
        fail: reject,
      };
      waiters.add(waiter);
      this.#messages.set(message, waiters);
      waiter.wake();
    });
  }

  /** A part of the message ended. */
  wake(message: number): void {
    for (const { wake } of this.#messages.get(message) ?? []) wake();
  }

  /** Resolves with whether the account opened within `waitMs`. */
  opened(account: string, waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiters = this.#connections.get(account) ?? new Set();
      let timer: Timer | undefined;
      const settle = (open: boolean) => {
        timer?.cancel();
        waiters.delete(settle);
        if (waiters.size === 0) this.#connections.delete(account);
        resolve(open);
      };
      waiters.add(settle);
      this.#connections.set(account, waiters);
      timer = this.#world.after(waitMs, () => settle(false));
    });
  }

  connected(account: string): void {
    for (const settle of this.#connections.get(account) ?? []) settle(true);
  }

  /** Nobody can wait for a message any more. */
  failAll(failure: () => Error): void {
    for (const waiters of this.#messages.values()) for (const { fail } of waiters) fail(failure());
    this.#messages.clear();
  }

  /** The accounts that have not opened by now do not open any more. */
  giveUpConnections(): void {
    for (const waiters of this.#connections.values()) for (const settle of waiters) settle(false);
  }
}
