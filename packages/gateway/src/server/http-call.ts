/** One plain HTTP request as a room sees it, and the answer it gives (kernel/http.ts). */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { EventStream, HttpCall, HttpCaller, HttpReply, HttpRoute } from "../kernel/http.ts";
import type { Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";
import { HttpEventStream } from "./event-stream.ts";
import { type BodyBudget, type BodyShare, parseJson, readBody } from "./http-body.ts";
import { sendBytes } from "./http-reply.ts";

export class RoutedCall implements HttpCall {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly caller: HttpCaller;
  readonly log: Logger;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #world: World;
  readonly #maxBytes: number;
  readonly #share: BodyShare;
  readonly #gone = new AbortController();
  #body: Promise<Buffer> | undefined;
  #query: URLSearchParams | undefined;
  #headers: Record<string, string | undefined> | undefined;
  #stream: HttpEventStream | undefined;

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    given: {
      id: string;
      path: string;
      caller: HttpCaller;
      route: HttpRoute;
      world: World;
      log: Logger;
      bodies: BodyBudget;
    },
  ) {
    const { maxBytes } = given.route;
    this.#req = req;
    this.#res = res;
    this.#world = given.world;
    this.#maxBytes = typeof maxBytes === "number" ? maxBytes : maxBytes();
    this.id = given.id;
    this.method = req.method ?? "GET";
    this.path = given.path;
    this.caller = given.caller;
    this.log = given.log;
    // Not the request's own close: that one comes as soon as the body was read.
    this.#share = given.bodies.share();
    res.once("close", () => {
      this.#share.release();
      if (!res.writableFinished) this.#gone.abort();
    });
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  get query(): URLSearchParams {
    const target = this.#req.url ?? "";
    const at = target.indexOf("?");
    this.#query ??= new URLSearchParams(at === -1 ? "" : target.slice(at + 1));
    return this.#query;
  }

  get headers(): Readonly<Record<string, string | undefined>> {
    this.#headers ??= Object.assign(
      Object.create(null) as Record<string, string | undefined>,
      Object.fromEntries(
        Object.entries(this.#req.headers).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.join(", ") : value,
        ]),
      ),
    );
    return this.#headers;
  }

  get stream(): HttpEventStream | undefined {
    return this.#stream;
  }

  bytes(): Promise<Buffer> {
    this.#body ??= readBody(this.#req, this.#maxBytes, this.#world, this.#share);
    return this.#body;
  }

  async json(options?: { keepUnsafeKeys?: boolean }): Promise<unknown> {
    return parseJson(await this.bytes(), options);
  }

  events(headers?: Readonly<Record<string, string>>): EventStream {
    this.#stream = new HttpEventStream(this.#res, this.#world, headers);
    return this.#stream;
  }

  /** Sends the answer of a route, and ends the stream of one that opened it. */
  reply(reply: HttpReply | undefined): void {
    if (this.#stream || !reply) return void this.#stream?.end();
    const { status = "empty" in reply ? 204 : 200, headers = {} } = reply;
    const [type, body] = contentOf(reply);
    const all = "json" in reply ? { "Cache-Control": "no-store", ...headers } : headers;
    sendBytes(this.#req, this.#res, status, type, body, all, this.#world);
  }
}

function contentOf(reply: HttpReply): [type: string | undefined, body: Uint8Array] {
  if ("json" in reply) return ["application/json; charset=utf-8", Buffer.from(JSON.stringify(reply.json))];
  if ("text" in reply) return ["text/plain; charset=utf-8", Buffer.from(reply.text)];
  if ("bytes" in reply) return [reply.type, reply.bytes];
  return [undefined, new Uint8Array(0)];
}
