/** One line per plain HTTP request that failed; with `--verbose`, per request. Method, route, status and time: never an address as
 *  it was sent, which may hold a secret, nor a header or a body (http.md §2.9, lifecycle.md §8.4). */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";
import type { ServerSettings } from "./ports.ts";
import type { RefusalLog } from "./refusal-log.ts";

export interface AccessLogParts {
  world: World;
  log: Logger;
  refusals: RefusalLog;
  settings: Pick<ServerSettings, "verbose">;
}

export class AccessLog {
  /** Answers by status class: `2xx`, `4xx` …; `gone` for clients that left before theirs. */
  readonly counts: Record<string, number> = {};
  readonly #parts: AccessLogParts;

  constructor(parts: AccessLogParts) {
    this.#parts = parts;
  }

  watch(
    req: IncomingMessage,
    res: ServerResponse,
    /** `place`: the route, as it was declared. */
    given: { id: string; place: string; ip: () => string },
  ): void {
    const { world } = this.#parts;
    const startedAt = world.monotonic();
    const ip = given.ip();
    res.once("close", () => {
      const complete = res.writableFinished;
      const status = res.statusCode;
      const counted = complete ? `${Math.floor(status / 100)}xx` : "gone";
      this.counts[counted] = (this.counts[counted] ?? 0) + 1;
      const failed = status >= 500;
      if (!failed && !this.#parts.settings.verbose) return;
      const ms = Math.round(world.monotonic() - startedAt);
      const mark = failed || !complete ? "✗" : "✓";
      const text = `⇄ http ${mark} ${methodOf(req)} ${given.place} ${complete ? status : "gone"} ${ms}ms id=${given.id}`;
      if (failed) this.#parts.refusals.warn(text, { remote: ip });
      else this.#parts.log.info(text, { remote: ip });
    });
  }
}

/** The parser lets only known ones through. */
export const methodOf = (req: IncomingMessage): string => req.method ?? "GET";
