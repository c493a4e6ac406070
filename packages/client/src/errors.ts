/** The three ways a call fails: the gateway said no, the connection ended, or the deadline passed. */
import type { WireError } from "@openclaw/protocol";

/** The gateway answered `ok: false`. */
export class RequestError extends Error {
  readonly method: string;
  readonly code: string;
  readonly details: unknown;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** Sent beside the error by a failed agent run (protocol.md §10.1). */
  readonly payload: unknown;

  constructor(method: string, error: WireError, payload?: unknown) {
    super(error.message);
    this.name = "RequestError";
    this.method = method;
    this.code = error.code;
    this.details = error.details;
    this.retryable = error.retryable ?? false;
    this.retryAfterMs = error.retryAfterMs;
    this.payload = payload;
  }
}

const closeNames: Readonly<Record<number, string>> = {
  1000: "normal closure",
  1001: "going away",
  1002: "protocol error",
  1005: "no status",
  1006: "abnormal closure (no close frame)",
  1008: "policy violation",
  1009: "message too big",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
  1015: "TLS failure",
  4000: "tick timeout",
};

/** The plain name of a close code, empty when it has none. */
export const closeName = (code: number): string => closeNames[code] ?? "";

/** The connection ended before the answer came, or could not be made. */
export class ClosedError extends Error {
  readonly code: number;
  readonly reason: string;
  /** The gateway's answer to `connect`, when it refused. */
  readonly refusal: WireError | undefined;
  /** Whether the connection had been accepted by the gateway. */
  readonly wasConnected: boolean;

  constructor(end: { code: number; reason: string; refusal?: WireError; wasConnected: boolean; error?: Error }) {
    const name = closeName(end.code);
    const reason = end.refusal?.message || end.reason || end.error?.message || "no close reason";
    super(
      `gateway closed (${end.code}${name ? ` ${name}` : ""}): ${reason}`,
      end.error ? { cause: end.error } : undefined,
    );
    this.name = "ClosedError";
    this.code = end.code;
    this.reason = reason;
    this.refusal = end.refusal;
    this.wasConnected = end.wasConnected;
  }
}

/** A deadline passed: of a call, or of the handshake. */
export class DeadlineError extends Error {
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`gateway timeout after ${timeoutMs}ms`);
    this.name = "DeadlineError";
    this.timeoutMs = timeoutMs;
  }
}

/** The call was never sent: too many are open, or the client was stopped. */
export class NotSentError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NotSentError";
  }
}
