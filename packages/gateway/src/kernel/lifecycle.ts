/** Services and the order in which they start and stop. */
import type { Logger } from "./log.ts";

/** All stop budgets derive from this one, also those a service manager is given (R-SHUT-1). */
export const stopBudgetMs = 5_000;

export interface Service {
  readonly name: string;
  /** Throws when the service cannot work; the ones started before it are then stopped in reverse. */
  start?(): void | Promise<void>;
  /** Must end within `deadlineMs`; what is left then is abandoned. Idempotent. */
  stop?(deadlineMs: number): void | Promise<void>;
  /** Takes over what it keeps of the new config: builds the new part before it drops the old. When it throws, the old part
   *  stays in use. What is read at use needs none of this. */
  reload?(next: unknown): void | Promise<void>;
  /** One line for `health`; absent or undefined means good. */
  health?(): string | undefined;
}

export class Lifecycle {
  readonly #services: readonly Service[];
  readonly #log: Logger;
  #started: Service[] = [];

  constructor(services: readonly Service[], log: Logger) {
    this.#services = services;
    this.#log = log;
  }

  async start(): Promise<void> {
    for (const service of this.#services) {
      try {
        await service.start?.();
        this.#started.push(service);
      } catch (error) {
        await this.stop(2_000);
        throw error;
      }
    }
  }

  /** Lets the named services take over `next`, one by one. One that throws does not stop the others; it is named in the
   *  answer. A name without a running service has nothing to do. */
  async reload(names: Iterable<string>, next: unknown): Promise<{ part: string; message: string }[]> {
    const wanted = new Set(names);
    const failed: { part: string; message: string }[] = [];
    for (const service of this.#started) {
      if (!wanted.has(service.name) || !service.reload) continue;
      try {
        await service.reload(next);
      } catch (error) {
        this.#log.error(`reloading ${service.name} failed`, { error });
        failed.push({ part: service.name, message: error instanceof Error ? error.message : String(error) });
      }
    }
    return failed;
  }

  /** Stops in reverse order. An error is logged and the next service still stops. */
  async stop(deadlineMs: number): Promise<void> {
    const started = this.#started.toReversed();
    this.#started = [];
    for (const service of started) {
      try {
        await service.stop?.(deadlineMs);
      } catch (error) {
        this.#log.error(`stopping ${service.name} failed`, { error });
      }
    }
  }
}
