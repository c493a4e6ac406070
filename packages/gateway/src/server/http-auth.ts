/** Secrets over plain HTTP: which one a request carries, whether it fits, and how often a stranger may try (http.md §3.2, §3.3,
 *  §3.9, R-AUTH-5). */
import type { IncomingMessage } from "node:http";
import { HttpError, type HttpAuth } from "../kernel/http.ts";
import type { World } from "../kernel/world.ts";
import { bearerOf, bearerValid, secretEquals } from "./auth.ts";
import { AuthLimiter, guesser, type Guesser } from "./auth-limiter.ts";
import { locate, type Location } from "./locality.ts";
import type { ServerSettings } from "./ports.ts";

export interface HttpAuthParts {
  world: World;
  settings: ServerSettings;
  /** The one of the handshake: a bearer is one more field to guess in. */
  limiter: AuthLimiter;
}

/** What became of the credentials of a request. */
export type Verdict =
  | { ok: true }
  | { ok: false; given: false }
  /** `holdMs`: how long the answer is held back. */
  | { ok: false; given: true; holdMs: number }
  | { ok: false; lockedMs: number };

const operatorOnly: HttpAuth = { operator: true };

export class HttpAuthorizer {
  readonly #parts: HttpAuthParts;
  /** One per route that counts for itself. */
  readonly #own = new WeakMap<HttpAuth, AuthLimiter>();

  constructor(parts: HttpAuthParts) {
    this.#parts = parts;
  }

  locate(req: IncomingMessage): Location {
    return locate({ address: req.socket.remoteAddress, headers: req.headers }, this.#parts.settings.trustedProxies);
  }

  /** Once an address is locked none of its secrets is looked at. Missing credentials are not counted. */
  judge(req: IncomingMessage, auth: HttpAuth = operatorOnly): Verdict {
    const given = secretOf(req, auth.header);
    if (given === undefined) return { ok: false, given: false };
    const { settings } = this.#parts;
    const location = this.locate(req);
    const limiter = this.#limiter(auth);
    const who: Guesser = auth.limits
      ? { key: `ip:${location.clientIp}`, lockable: true }
      : guesser(location, req.headers.origin);
    const lockedMs = limiter.lockedForMs(who);
    if (lockedMs > 0) return { ok: false, lockedMs };
    const own = auth.secret?.();
    // Both are always compared, so that time tells nothing about which of them exist.
    const fitsOwn = own !== undefined && own !== "" && secretEquals(given, own);
    const fitsOperator = auth.operator === true && bearerValid(settings.auth, given);
    if (fitsOwn || fitsOperator) {
      limiter.succeeded(who);
      return { ok: true };
    }
    return { ok: false, given: true, holdMs: limiter.failed(who) };
  }

  #limiter(auth: HttpAuth): AuthLimiter {
    if (!auth.limits) return this.#parts.limiter;
    let limiter = this.#own.get(auth);
    if (!limiter) {
      limiter = new AuthLimiter(this.#parts.world, auth.limits);
      this.#own.set(auth, limiter);
    }
    return limiter;
  }
}

/** The error a refused request is answered with. The same for missing and wrong secrets. */
export function authError(verdict: Exclude<Verdict, { ok: true }>): HttpError {
  if (!("lockedMs" in verdict))
    return new HttpError(401, "Unauthorized", { headers: { "WWW-Authenticate": "Bearer" } });
  return new HttpError(429, "Too many failed authentication attempts. Please try again later.", {
    headers: { "Retry-After": String(Math.ceil(verdict.lockedMs / 1_000)) },
  });
}

/** The bearer, else the header. Two `Authorization` headers are none. */
function secretOf(req: IncomingMessage, header: string | undefined): string | undefined {
  const authorization = req.headersDistinct["authorization"];
  if ((authorization?.length ?? 0) > 1) return undefined;
  const bearer = bearerOf(authorization?.[0]);
  if (bearer !== undefined || header === undefined) return bearer;
  const values = req.headersDistinct[header];
  return values?.length === 1 ? values[0]?.trim() || undefined : undefined;
}
