/** How an HTTP error looks, by the surface it happens on (http.md §2.2, §3.3, §3.9, §6). */
import type { ErrorKind } from "@openclaw/protocol";
import { errorRules, GatewayError } from "@openclaw/protocol";
import { HttpError, type HttpDialect } from "../kernel/http.ts";

export interface ErrorAnswer {
  type: string;
  body: string;
}

const json = "application/json; charset=utf-8";
const plain = "text/plain; charset=utf-8";

/** What people read where no more than a phrase is said. */
const phrases: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  429: "Too Many Requests",
  500: "Internal Server Error",
};

function typeOf(status: number): string {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 429) return "rate_limited";
  return status >= 500 ? "api_error" : "invalid_request_error";
}

export function errorAnswer(dialect: HttpDialect, error: HttpError): ErrorAnswer {
  const { status, message } = error;
  if (dialect === "text") return { type: plain, body: phrases[status] ?? message };
  if (dialect === "hooks") {
    const phrase = status === 500 ? undefined : phrases[status];
    return phrase === undefined
      ? { type: json, body: JSON.stringify({ ok: false, error: message }) }
      : { type: plain, body: phrase };
  }
  const detail = {
    message,
    type: error.type ?? typeOf(status),
    ...(error.code === undefined ? {} : { code: error.code }),
    ...(error.param === undefined ? {} : { param: error.param }),
  };
  return { type: json, body: JSON.stringify(dialect === "tools" ? { ok: false, error: detail } : { error: detail }) };
}

/** What a throw means to the client; undefined for a bug, whose text stays in the log. */
export function toHttpError(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (!(error instanceof GatewayError)) return undefined;
  const status = errorRules[error.kind satisfies ErrorKind].http;
  const waitMs = error.retryAfterMs;
  const headers: Record<string, string> =
    waitMs === undefined ? {} : { "Retry-After": String(Math.max(1, Math.ceil(waitMs / 1_000))) };
  return new HttpError(status, error.message, { headers, cause: error });
}

/** Names of APIs, in which an unknown path is never a page (http.md §1.6). */
const namespaces: readonly [prefix: string, dialect: HttpDialect][] = [
  ["/v1/", "openai"],
  ["/tools/", "tools"],
  ["/api/", "openai"],
  ["/__openclaw__/", "text"],
];

export function namespaceOf(path: string): HttpDialect | undefined {
  return namespaces.find(([prefix]) => path.startsWith(prefix) || path === prefix.slice(0, -1))?.[1];
}
