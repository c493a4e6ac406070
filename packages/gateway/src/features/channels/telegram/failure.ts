/** What can become of a call of the Bot API, told apart by status, `error_code` and errno (R-TG-2). Texts of the platform are
 *  consulted only where it gives nothing else: all refusals of a request share the code 400. */

export type Failure =
  /** The platform's own envelope: the call had no effect. */
  | { kind: "refused"; code: number; description: string; retryAfterMs?: number; migrateTo?: string }
  /** The connection was never made: nothing left this machine. */
  | { kind: "not-sent"; errno: string }
  /** The request may have been read; what came back, if anything, is no answer of the platform. */
  | { kind: "no-answer"; status?: number; errno?: string }
  /** Given up by the caller or by its deadline. */
  | { kind: "aborted"; late: boolean };

/** Holds no address and no token. */
export class CallError extends Error {
  readonly failure: Failure;
  readonly method: string;

  constructor(method: string, failure: Failure) {
    super(describe(method, failure));
    this.name = "CallError";
    this.method = method;
    this.failure = failure;
  }

  get code(): number | undefined {
    return this.failure.kind === "refused" ? this.failure.code : undefined;
  }
}

function describe(method: string, failure: Failure): string {
  switch (failure.kind) {
    case "refused":
      return `Telegram refused ${method}: ${failure.code} ${failure.description}`;
    case "not-sent":
      return `Telegram could not be reached (${failure.errno}).`;
    case "no-answer": {
      const why = failure.status === undefined ? (failure.errno ?? "no answer") : `HTTP ${failure.status}`;
      return `Telegram gave no valid answer to ${method} (${why}).`;
    }
    case "aborted":
      return failure.late ? `Telegram did not answer ${method} in time.` : `${method} was given up.`;
  }
}

/** Errnos of a connection that was never made, TLS and proxy included. */
const beforeConnect = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "ENETUNREACH",
  "ENETDOWN",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
const earlyCode = /^(?:ERR_SSL_|ERR_TLS_|CERT_|HOSTNAME_MISMATCH|PROXY_)/u;

/** Reads what `fetch` threw, through causes and aggregates. */
export function networkFailure(error: unknown): Failure {
  const codes: string[] = [];
  let unwritten = false;
  const look = (at: unknown, depth: number) => {
    if (typeof at !== "object" || at === null || depth > 5) return;
    const { code, syscall, socket, localAddress, cause, errors } = at as Record<string, unknown>;
    if (typeof code === "string") {
      codes.push(code);
      if (syscall === "connect" || syscall === "getaddrinfo") unwritten = true;
      // How Node says that the other side hung up before TLS stood.
      if (code === "ECONNRESET" && syscall === undefined && localAddress !== undefined) unwritten = true;
    }
    // The library's own account of a socket that ended.
    const written =
      typeof socket === "object" && socket !== null ? (socket as Record<string, unknown>)["bytesWritten"] : undefined;
    if (written === 0) unwritten = true;
    look(cause, depth + 1);
    if (Array.isArray(errors)) for (const one of errors.slice(0, 5)) look(one, depth + 1);
  };
  look(error, 0);
  const never = codes.find((code) => beforeConnect.has(code) || earlyCode.test(code));
  const errno = never ?? codes[0];
  if (never !== undefined || unwritten) return { kind: "not-sent", errno: errno ?? "no connection" };
  return { kind: "no-answer", ...(errno === undefined ? {} : { errno }) };
}
