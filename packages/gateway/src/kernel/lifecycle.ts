/** Services and the order in which they start and stop. */
import type { Logger } from "./log.ts";

export interface Service {
  readonly name: string;
  /** Throws when the service cannot work; the ones started before it are then stopped in reverse. */
  start?(): void | Promise<void>;
  /** Must end within `deadlineMs`; what is left then is abandoned. Idempotent. */
  stop?(deadlineMs: number): void | Promise<void>;
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

  /** Stops in reverse order. An error is logged and the next service still stops. */
  async stop(deadlineMs: number): Promise<void> {
    const started = this.#started.reverse();
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
