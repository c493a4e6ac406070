/** Calls of the Bot API through grammY, over World's fetch. Every request has a connection of its own, which ends with it: no
 *  request is ever written into a socket that the other side is closing, so "was it sent?" has an answer (R-OUT-2), and a
 *  conflict is not carried over to the next poll (R-TG-1). Rejects only with CallError.
 *
 *  The library's build for the web: the one for Node brings an HTTP client of its own, which is old and never used here. */
import { Api } from "grammy/web";
import type { ApiMethods, Opts, UserFromGetMe } from "grammy/types";
import type { World } from "../../../kernel/world.ts";
import { CallError, type Failure, networkFailure } from "./failure.ts";
import { throughProxy } from "./through-proxy.ts";

export interface BotApiOptions {
  world: World;
  token: string;
  /** Without a slash at its end. */
  apiRoot: string;
  /** For methods and files. */
  proxy?: string | undefined;
}

export interface CallOptions {
  timeoutMs: number;
  signal?: AbortSignal;
}

/** More than a hundred updates can be. */
const maxAnswerBytes = 16 * 1024 * 1024;
/** The library's own clock must never be the first to ring. */
const libraryTimeoutSeconds = 1_000;

export class BotApi {
  readonly #world: World;
  readonly #network: World["fetch"];
  readonly #raw: Api["raw"];
  readonly #fileRoot: string;

  constructor({ world, token, apiRoot, proxy }: BotApiOptions) {
    this.#world = world;
    this.#network = proxy === undefined ? world.fetch : throughProxy(proxy);
    this.#fileRoot = `${apiRoot}/file/bot${token}/`;
    // The library is typed for the fetch and the signals of other packages; what it uses of them is the same.
    type LibraryFetch = NonNullable<NonNullable<ConstructorParameters<typeof Api>[1]>["fetch"]>;
    const door = (url: string, init: LibraryInit) => this.#fetch(url, init);
    this.#raw = new Api(token, {
      apiRoot,
      fetch: door as unknown as LibraryFetch,
      timeoutSeconds: libraryTimeoutSeconds,
    }).raw;
  }

  call<M extends Exclude<keyof ApiMethods, "getMe">>(
    method: M,
    params: Opts<M>,
    options: CallOptions,
  ): Promise<ReturnType<ApiMethods[M]>> {
    const run = this.#raw[method] as unknown as (
      params: Opts<M>,
      signal: AbortSignal,
    ) => Promise<ReturnType<ApiMethods[M]>>;
    return this.#run(method, (signal) => run(params, signal), options);
  }

  getMe(options: CallOptions): Promise<UserFromGetMe> {
    const run = this.#raw.getMe as unknown as (signal: AbortSignal) => Promise<UserFromGetMe>;
    return this.#run("getMe", run, options);
  }

  /** Opens a file that `getFile` named. The caller reads or cancels the body before `end`. */
  async openFile(
    path: string,
    options: CallOptions,
  ): Promise<{ body: ReadableStream<Uint8Array>; end: () => void; failure: (error: unknown) => CallError }> {
    const deadline = this.#deadline(options);
    const failure = (error: unknown) => new CallError("file", this.#judge(error, deadline));
    try {
      const address = this.#fileRoot + path.split("/").map(encodeURIComponent).join("/");
      const response = await this.#network(address, {
        redirect: "manual",
        headers: { connection: "close" },
        signal: deadline.signal,
      });
      if (response.status === 200 && response.body) return { body: response.body, end: deadline.end, failure };
      await response.body?.cancel();
      throw new AnswerError({ kind: "no-answer", status: response.status });
    } catch (error) {
      const failed = failure(error);
      deadline.end();
      throw failed;
    }
  }

  async #run<T>(method: string, run: (signal: AbortSignal) => Promise<T>, options: CallOptions): Promise<T> {
    const deadline = this.#deadline(options);
    try {
      return await run(deadline.signal);
    } catch (error) {
      throw new CallError(method, this.#judge(error, deadline));
    } finally {
      deadline.end();
    }
  }

  #judge(error: unknown, deadline: { late: boolean; signal: AbortSignal }): Failure {
    const inner = causeOf(error);
    if (inner instanceof AnswerError) return inner.failure;
    const { error_code: code, description, parameters } = fieldsOf(error);
    if (typeof code === "number") return refusal(code, description, parameters);
    if (deadline.signal.aborted) return { kind: "aborted", late: deadline.late };
    return networkFailure(inner);
  }

  #deadline({ timeoutMs, signal }: CallOptions) {
    const controller = new AbortController();
    const abort = () => controller.abort();
    const state = {
      signal: controller.signal,
      late: false,
      end: () => {
        timer.cancel();
        signal?.removeEventListener("abort", abort);
      },
    };
    const timer = this.#world.after(timeoutMs, () => {
      state.late = true;
      abort();
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
    return state;
  }

  /** What the library calls instead of its own network code: answers only with an envelope of the platform. */
  async #fetch(url: string, init: LibraryInit): Promise<Response> {
    const controller = new AbortController();
    if (init.signal?.aborted) controller.abort();
    else init.signal?.addEventListener("abort", () => controller.abort());
    const response = await this.#network(url, {
      method: init.method ?? "POST",
      headers: { ...init.headers, connection: "close" },
      body: init.body as RequestInit["body"],
      duplex: "half",
      // A redirect would carry the token to another host.
      redirect: "manual",
      signal: controller.signal,
    } as RequestInit);
    const { status } = response;
    const text = await readCapped(response, maxAnswerBytes);
    if (text === undefined || !isEnvelope(text)) throw new AnswerError({ kind: "no-answer", status });
    return new Response(text, { status: 200 });
  }
}

/** The part of the library's request that is used. Its signal is not the platform's class. */
interface LibraryInit {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
  signal?: { aborted: boolean; addEventListener(type: "abort", run: () => void): void };
}

class AnswerError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super("no answer of the platform");
    this.failure = failure;
  }
}

function refusal(code: number, description: unknown, parameters: unknown): Failure {
  const { retry_after: retryAfter, migrate_to_chat_id: migrateTo } = fieldsOf(parameters);
  return {
    kind: "refused",
    code,
    description: typeof description === "string" ? description.slice(0, 300) : "",
    ...(typeof retryAfter === "number" && retryAfter >= 0 ? { retryAfterMs: retryAfter * 1_000 } : {}),
    ...(typeof migrateTo === "number" ? { migrateTo: String(migrateTo) } : {}),
  };
}

function isEnvelope(text: string): boolean {
  try {
    const answer = fieldsOf(JSON.parse(text));
    if (answer["ok"] === true) return "result" in answer;
    return answer["ok"] === false && typeof answer["error_code"] === "number";
  } catch {
    // No JSON: a page of something in between.
    return false;
  }
}

/** Undefined when it is longer. */
async function readCapped(response: Response, maxBytes: number): Promise<string | undefined> {
  if (!response.body) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What the library wraps. */
function causeOf(error: unknown): unknown {
  const { error: inner } = fieldsOf(error);
  return inner ?? error;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
