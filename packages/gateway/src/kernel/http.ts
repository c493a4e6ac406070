/** HTTP as a room sees it: a route it declares, a call it answers. The server reads, guards and writes; rooms never see a socket
 *  and never import the server (http.md §1-6).
 *
 *  ```ts
 *  const route: HttpRoute = {
 *    methods: ["POST"], path: "/tools/invoke", auth: { operator: true }, dialect: "openai", maxBytes: 2 * 1024 ** 2,
 *    async handle(call) {
 *      const body = await call.json();          // throws HttpError 408, 413, 400: let it rise
 *      return { json: { ok: true, result } };   // or { status: 202, json } …
 *    },
 *  };
 *  ```
 *  A thrown `HttpError` or `GatewayError` becomes an answer in the dialect of the route; anything else a 500 without its cause. */
import type { Logger } from "./log.ts";

/** How errors look: `openai` as OpenAI's API, `hooks` as `{ok: false, error}`, `text` as plain text (http.md §2.2, §6). */
export type HttpDialect = "openai" | "tools" | "hooks" | "text";

/** Which credentials open a route. Without any the route answers everybody and may look at `call.caller`. */
export interface HttpAuth {
  /** The operator secret, as a bearer. */
  operator?: boolean;
  /** A further secret, as a bearer or in `header`. Read at use; empty or undefined never fits. */
  secret?: () => string | undefined;
  /** Lower case. */
  header?: string;
  /** A limiter of its own for wrong secrets, which also counts on loopback. Absent: the one of the operator secret. */
  limits?: { failures: number; windowMs: number; lockMs: number };
  /** Judged before the method, so that strangers learn nothing about the route. */
  first?: boolean;
}

export interface HttpRoute {
  /** Upper case. `GET` also serves HEAD. */
  readonly methods: readonly string[];
  /** An exact path, or a prefix when it ends with `/*` (then `/x/*` matches `/x/` and all below). May be a getter. */
  readonly path: string;
  /** False: the path answers 404 to every method. Read at use. */
  readonly enabled?: () => boolean;
  readonly auth?: HttpAuth;
  readonly dialect: HttpDialect;
  /** Largest body, in bytes; read at use. 0: the route reads none. */
  readonly maxBytes: number | (() => number);
  /** Refused under a Host name nobody configured. */
  readonly browser?: boolean;
  /** Returns the answer, or nothing when it opened `call.events()`. */
  handle(call: HttpCall): HttpReply | undefined | Promise<HttpReply | undefined>;
}

export interface HttpCall {
  /** Also in the header `x-request-id` and in every line of the log about this call. */
  readonly id: string;
  readonly method: string;
  /** Raw path of the target, still percent-encoded, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case; repeated headers joined with `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly caller: HttpCaller;
  /** Aborted when the client is gone before its answer was complete. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** The body, within the limits of the route. Throws HttpError: 413, 408. */
  bytes(): Promise<Buffer>;
  /** The body as JSON, `{}` when it is empty. Throws HttpError: 413, 408, 400 also for text nested too deep and for keys that
   *  could reach a prototype; `keepUnsafeKeys` leaves those in, as own properties. */
  json(options?: { keepUnsafeKeys?: boolean }): Promise<unknown>;
  /** Begins an answer of server-sent events: status 200 and headers go out now. At most once. */
  events(headers?: Readonly<Record<string, string>>): EventStream;
}

export interface HttpCaller {
  /** Address of the client; behind a listed proxy the one it names. */
  ip: string;
  /** Loopback peer, loopback Host, no proxy in between (http.md §3.5). */
  localDirect: boolean;
  /** One of the route's secrets was given; on a route without any, the operator secret. */
  authenticated: boolean;
}

export type HttpReply = { status?: number; headers?: Readonly<Record<string, string>> } & (
  | { json: unknown }
  | { text: string }
  | { bytes: Uint8Array; type: string }
  | { empty: true }
);

/** Server-sent events. A comment keeps the line alive after 15 s of silence; a client that does not read is dropped once its
 *  buffer is full. */
export interface EventStream {
  /** False once it ended or the client is gone: what is sent then is dropped. */
  readonly open: boolean;
  /** One event in one write. `data` is one line, as JSON is. */
  send(data: string, event?: string): void;
  /** Idempotent. */
  end(): void;
}

/** An answer that is an error. `message` is shown to the caller: no secrets, no causes. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  /** `error.type`, where the status has another one by default. */
  readonly type: string | undefined;
  readonly code: string | undefined;
  readonly param: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    more: {
      type?: string;
      code?: string;
      param?: string;
      headers?: Readonly<Record<string, string>>;
      cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.status = status;
    this.type = more.type;
    this.code = more.code;
    this.param = more.param;
    this.headers = more.headers ?? {};
  }
}
