/** Runs that HTTP clients wait for: begun through the same door as every other run, followed while they speak, and aborted when
 *  their client is gone (http.md §2.7, R-API-1). */
import type { Bus } from "../../kernel/bus.ts";
import type { Logger } from "../../kernel/log.ts";
import type { Service } from "../../kernel/lifecycle.ts";
import type { Agents, ClientMessage, EndedRun } from "../agents/index.ts";
import { Follower } from "./follower.ts";

export interface ApiRun {
  runId: string;
  /** ms since the epoch. */
  acceptedAt: number;
  /** Never rejects. */
  ended: Promise<EndedRun>;
}

export interface ApiRunsOptions {
  bus: Bus;
  log: Logger;
  agents: Agents;
}

export class ApiRuns implements Service {
  readonly name = "openai";
  readonly #options: ApiRunsOptions;
  readonly #followers = new Map<string, Follower>();
  #unsubscribe: (() => void) | undefined;

  constructor(options: ApiRunsOptions) {
    this.#options = options;
  }

  /** Requests that are being answered. */
  get active(): number {
    return this.#followers.size;
  }

  start(): void {
    this.#unsubscribe = this.#options.bus.on("agent", (event) => this.#followers.get(event.runId)?.hear(event));
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  /** Durable when it resolves. `say` gets the text as it grows; when `signal` aborts, the run is aborted. Throws GatewayError
   *  when it cannot be run. */
  async begin(
    message: ClientMessage,
    options: { signal: AbortSignal; say?: (delta: string) => void },
  ): Promise<ApiRun> {
    const { agents, log } = this.#options;
    const { runId, sessionKey } = message;
    const { signal, say } = options;
    const acceptance = agents.fromClient(message);
    this.#followers.set(runId, new Follower(say ?? (() => {})));
    const abort = () =>
      void agents.abort(sessionKey, { runId, reason: "rpc" }).catch((error: unknown) => {
        log.warn("the run of a client that left could not be stopped for good", { runId, error });
      });
    const forget = () => {
      this.#followers.delete(runId);
      signal.removeEventListener("abort", abort);
    };
    try {
      const run = await agents.submit(acceptance);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
      return { runId, acceptedAt: run.acceptedAt, ended: run.ended.finally(forget) };
    } catch (error) {
      forget();
      throw error;
    }
  }
}
