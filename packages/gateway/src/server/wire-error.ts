/** The one place where something thrown becomes `error` of an answer (architecture §6). */
import { errorRules, GatewayError, type ProtocolVersion, type WireError } from "@openclaw/protocol";
import type { Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";

export interface Failure {
  error: WireError;
  /** Sent beside `error` when the thrower gave one. */
  payload?: unknown;
}

/** A refusal made by the server itself. */
export function refusal(code: string, message: string, details?: Record<string, unknown>): WireError {
  return details === undefined ? { code, message } : { code, message, details };
}

/** A GatewayError keeps its text. Anything else is a bug: its text may carry secrets, so the client gets an id and the log
 *  gets the rest. */
export function failureOf(
  thrown: unknown,
  protocol: ProtocolVersion,
  where: string,
  world: World,
  log: Logger,
): Failure {
  if (!(thrown instanceof GatewayError)) {
    const id = world.uuid().slice(0, 8);
    log.error(`${where} failed: internal error ${id}`, { error: thrown });
    return {
      error: {
        code: "UNAVAILABLE",
        message: `internal error (id ${id}); details are in the gateway log`,
        retryable: false,
      },
    };
  }
  const rule = errorRules[thrown.kind];
  const retryable = thrown.retryable ?? rule.retryable;
  const error: WireError = {
    code: thrown.kind === "forbidden" && protocol >= 4 ? "FORBIDDEN" : rule.code,
    message: thrown.message || rule.meaning,
    ...(thrown.details === undefined ? {} : { details: thrown.details }),
    ...(retryable ? { retryable } : {}),
    ...(thrown.retryAfterMs === undefined ? {} : { retryAfterMs: Math.max(0, Math.ceil(thrown.retryAfterMs)) }),
  };
  return thrown.payload === undefined ? { error } : { error, payload: thrown.payload };
}
