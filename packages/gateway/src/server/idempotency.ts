/** One key, one outcome: answers of methods whose row says `replay` or `join` (protocol.md §9.5, settled.md 6). A key
 *  belongs to the principal that used it first; another one is told so and never sees the answer. */
import { GatewayError } from "@openclaw/protocol";
import type { World } from "../kernel/world.ts";
import type { Failure } from "./wire-error.ts";

export type Outcome = { ok: true; payload: unknown } | ({ ok: false } & Failure);

/** Outcomes that outlive the process. `save` resolves when the outcome is durable. */
export interface OutcomePort {
  find(family: string, key: string): { principal: string; outcome: Outcome } | undefined;
  save(family: string, key: string, principal: string, outcome: Outcome): Promise<void>;
}

export const idempotencyLimits = { entries: 1_000, lifetimeMs: 300_000 } as const;

interface Entry {
  principal: string;
  outcome: Promise<Outcome>;
  done: boolean;
  at: number;
}

export class Idempotency {
  readonly #world: World;
  readonly #port: OutcomePort | undefined;
  readonly #entries = new Map<string, Entry>();

  constructor(world: World, port?: OutcomePort) {
    this.#world = world;
    this.#port = port;
  }

  /** The outcome of the key: stored, in progress, or of `work`, which then runs exactly once. `work` must not reject.
   *  Throws GatewayError("conflict") when the key belongs to another principal. */
  once(family: string, key: string, principal: string, work: () => Promise<Outcome>): Promise<Outcome> {
    const name = `${family}\0${key}`;
    const now = this.#world.monotonic();
    const known = this.#entries.get(name);
    if (known && !(known.done && now - known.at > idempotencyLimits.lifetimeMs)) {
      this.#mustOwn(known.principal, principal, key);
      return known.outcome;
    }
    const stored = this.#port?.find(family, key);
    if (stored) {
      this.#mustOwn(stored.principal, principal, key);
      return Promise.resolve(stored.outcome);
    }
    const entry: Entry = {
      principal,
      outcome: Promise.resolve({ ok: true, payload: undefined }),
      done: false,
      at: now,
    };
    entry.outcome = this.#run(entry, family, key, work);
    this.#entries.delete(name);
    this.#makeRoom();
    this.#entries.set(name, entry);
    return entry.outcome;
  }

  async #run(entry: Entry, family: string, key: string, work: () => Promise<Outcome>): Promise<Outcome> {
    const outcome = await work();
    await this.#port?.save(family, key, entry.principal, outcome);
    entry.done = true;
    entry.at = this.#world.monotonic();
    return outcome;
  }

  #mustOwn(owner: string, principal: string, key: string): void {
    if (owner === principal) return;
    throw new GatewayError(
      "conflict",
      `idempotencyKey '${key.slice(0, 80)}' was used by another client; choose a new one`,
      {
        details: { code: "IDEMPOTENCY_KEY_IN_USE", idempotencyKey: key.slice(0, 256) },
      },
    );
  }

  /** The oldest finished entry goes; calls in progress are bounded by the in-flight limits and stay. */
  #makeRoom(): void {
    if (this.#entries.size < idempotencyLimits.entries) return;
    for (const [name, entry] of this.#entries) {
      if (!entry.done) continue;
      this.#entries.delete(name);
      return;
    }
  }
}
