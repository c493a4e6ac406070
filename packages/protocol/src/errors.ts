/** Two vocabularies for two failures (architecture §6): a reply that failed, and a connection that ends. */

/** What a room throws. Rooms never choose wire codes; only dispatch and the HTTP router translate. */
export type ErrorKind =
  | "invalid"
  | "not-found"
  | "conflict"
  | "forbidden"
  | "not-paired"
  | "not-linked"
  | "timeout"
  | "unavailable";

export type WireErrorCode =
  | "INVALID_REQUEST"
  | "NOT_PAIRED"
  | "NOT_LINKED"
  | "AGENT_TIMEOUT"
  | "UNAVAILABLE"
  | "FORBIDDEN";

export interface ErrorRule {
  code: WireErrorCode;
  retryable: boolean;
  http: number;
  meaning: string;
}

export const errorRules: Record<ErrorKind, ErrorRule> = {
  invalid: {
    code: "INVALID_REQUEST",
    retryable: false,
    http: 400,
    meaning: "malformed frame, unknown method or bad params",
  },
  "not-found": { code: "INVALID_REQUEST", retryable: false, http: 404, meaning: "the thing named does not exist" },
  conflict: {
    code: "INVALID_REQUEST",
    retryable: false,
    http: 409,
    meaning: "the request does not fit the present state",
  },
  forbidden: {
    code: "INVALID_REQUEST",
    retryable: false,
    http: 403,
    meaning: "a scope is missing; protocol 4 says FORBIDDEN",
  },
  "not-paired": {
    code: "NOT_PAIRED",
    retryable: false,
    http: 403,
    meaning: "device unknown, revoked or not yet approved",
  },
  "not-linked": { code: "NOT_LINKED", retryable: false, http: 409, meaning: "the messaging account has no login" },
  timeout: { code: "AGENT_TIMEOUT", retryable: false, http: 504, meaning: "a run passed its deadline" },
  unavailable: {
    code: "UNAVAILABLE",
    retryable: true,
    http: 503,
    meaning: "starting, draining or a dependency is down",
  },
};

/** `error` of a response, exactly the keys a v3 client accepts (protocol.md §9.1). */
export interface WireError {
  code: string;
  message: string;
  details?: unknown;
  retryable?: boolean;
  retryAfterMs?: number;
}

export interface GatewayErrorOptions {
  details?: Record<string, unknown>;
  /** Milliseconds after which a retry makes sense. */
  retryAfterMs?: number;
  /** Overrides the kind's default. */
  retryable?: boolean;
  /** Payload sent beside `error` (second answer of `agent`, protocol.md §10.1). */
  payload?: unknown;
  cause?: unknown;
}

/** The only error whose text reaches a client. Anything else becomes a generic text with an id; its cause goes to the log. */
export class GatewayError extends Error {
  readonly kind: ErrorKind;
  readonly details: Record<string, unknown> | undefined;
  readonly retryAfterMs: number | undefined;
  readonly retryable: boolean | undefined;
  readonly payload: unknown;

  constructor(kind: ErrorKind, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "GatewayError";
    this.kind = kind;
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
    this.retryable = options.retryable;
    this.payload = options.payload;
  }
}

/** Why a connection ends (protocol.md §2.3). `comeBack` tells a client whether reconnecting makes sense. */
export const closeRules = {
  malformed: { code: 1000, reason: "", comeBack: false },
  protocolMismatch: { code: 1002, reason: "protocol mismatch", comeBack: false },
  invalidFrame: { code: 1008, reason: "invalid request frame", comeBack: false },
  invalidJson: { code: 1008, reason: "invalid JSON", comeBack: false },
  slowConsumer: { code: 1008, reason: "slow consumer", comeBack: true },
  unauthorizedCalls: { code: 1008, reason: "repeated unauthorized calls", comeBack: false },
  pendingHandshake: { code: 1008, reason: "too many pending handshake frames", comeBack: false },
  deviceRemoved: { code: 1008, reason: "device removed", comeBack: false },
  tooLarge: { code: 1009, reason: "", comeBack: false },
  tooLargePreauth: { code: 1009, reason: "preauth payload too large", comeBack: false },
  restarting: { code: 1012, reason: "service restart", comeBack: true },
  starting: { code: 1013, reason: "gateway starting", comeBack: true },
  tooMany: { code: 1013, reason: "too many unauthenticated connections", comeBack: true },
} as const;
