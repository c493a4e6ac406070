/** Plain HTTP on the gateway's port: probes first, then the APIs, then the pages, then 404. Every check stands here once, in this
 *  order: target, Host, draining, query token, route and its switch, page of another site, method, encoding, credentials; then
 *  the route reads the body (http.md §1.4-1.9, §2.8, §4). */
import type { IncomingMessage, ServerResponse } from "node:http";
import { HttpError, type HttpDialect, type HttpRoute } from "../kernel/http.ts";
import type { Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";
import { AccessLog, methodOf } from "./access-log.ts";
import type { AuthLimiter } from "./auth-limiter.ts";
import { authError, HttpAuthorizer } from "./http-auth.ts";
import { BodyBudget } from "./http-body.ts";
import { RoutedCall } from "./http-call.ts";
import { errorAnswer, namespaceOf, toHttpError } from "./http-dialect.ts";
import { allowListed, assertNoForeignPage } from "./http-pages.ts";
import { sendBytes, sendJson, sendText, secure } from "./http-reply.ts";
import { judgeHost, originAllowed, severalHosts } from "./origin.ts";
import type { ServerSettings } from "./ports.ts";
import { answerProbe, isProbe, type ProbeFacts } from "./probes.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { rawPath } from "./target.ts";

/** What a page route may know about its caller. */
export interface RouteContext {
  /** Raw path of the target, still percent-encoded, without query. */
  path: string;
  localDirect: boolean;
  /** The operator secret was given as a bearer. */
  authenticated: boolean;
}

/** What is known about who asks. */
export interface Judged {
  host: "ok" | "missing" | "foreign";
  /** No page asks, or one that may. */
  originAllowed: boolean;
  localDirect: boolean;
  /** Whether the operator secret was given; a wrong one counts as a guess, so ask once and only where it matters. */
  authenticated: () => boolean;
}

/** A route that writes its own answer: files and pages. APIs are `HttpRoute`s. */
export interface Route {
  /** Upper case. `GET` also serves HEAD. */
  methods: readonly string[];
  /** An exact path, or a prefix when it ends with `/*` (then `/x/*` matches `/x/` and all below). */
  path: string;
  /** Paths below the prefix that are not this route's. */
  except?: (path: string) => boolean;
  /** Nothing but files that hold no data: module scripts announce the page's origin, and a page whose origin may not open the
   *  socket must still be able to say so. */
  publicFiles?: boolean;
  /** Meant for pages: refused under a Host name nobody configured. */
  browser?: boolean;
  /** Owns the response from here on. Security headers are set already. A throw or rejection before the headers are sent
   *  becomes a 500 without the cause. */
  handle(req: IncomingMessage, res: ServerResponse, context: RouteContext): void | Promise<void>;
}

export interface HttpParts {
  world: World;
  log: Logger;
  refusals: RefusalLog;
  settings: ServerSettings;
  loopbackBind: boolean;
  /** TLS ends at this port. */
  secure: boolean;
  /** The one of the handshake: a bearer is one more field to guess in. */
  limiter: AuthLimiter;
  facts: () => ProbeFacts;
  /** Called for a request whose secret fits. */
  admitted: (req: IncomingMessage) => void;
  /** APIs; they come before all pages. */
  api: readonly HttpRoute[];
  routes: readonly Route[];
  /** Text of `GET /` while no route takes it. */
  about: string;
}

type Found = { api: HttpRoute[]; pages: Route[]; dialect: HttpDialect };

const covers = (route: { path: string; except?: (path: string) => boolean }, path: string): boolean =>
  route.path.endsWith("/*")
    ? path.startsWith(route.path.slice(0, -1)) && route.except?.(path) !== true
    : route.path === path;

const serves = (route: { methods: readonly string[] }, method: string): boolean =>
  route.methods.includes(method) || (method === "HEAD" && route.methods.includes("GET"));

const maxIdChars = 64;

export class HttpRouter {
  readonly #parts: HttpParts;
  readonly #auth: HttpAuthorizer;
  readonly #access: AccessLog;
  readonly #bodies = new BodyBudget();

  constructor(parts: HttpParts) {
    this.#parts = parts;
    this.#auth = new HttpAuthorizer(parts);
    this.#access = new AccessLog(parts);
  }

  /** Answers so far, by status class; for `/metrics`. */
  get counts(): Readonly<Record<string, number>> {
    return this.#access.counts;
  }

  /** What the checks of this port say about a request to another listener of the same gateway, or about an upgrade. */
  judge(req: IncomingMessage): Judged {
    const { settings, loopbackBind } = this.#parts;
    const { host, origin } = req.headers;
    const { dangerouslyAllowHostHeaderOriginFallback } = settings.controlUi;
    const rules = { allowedOrigins: settings.allowedOrigins, dangerouslyAllowHostHeaderOriginFallback };
    return {
      host: severalHosts(req.headersDistinct.host)
        ? "missing"
        : judgeHost(host, { loopbackBind, browser: true }, rules),
      originAllowed: origin === undefined || originAllowed(origin, host, rules),
      localDirect: this.#auth.locate(req).localDirect,
      authenticated: () => this.#auth.judge(req).ok,
    };
  }

  /** Answers one request. Never throws. */
  request(req: IncomingMessage, res: ServerResponse): void {
    const { log, world } = this.#parts;
    req.on("error", (error) => log.debug("request error", { error: error.message }));
    res.on("error", (error) => log.debug("response error", { error: error.message }));
    const id = `req_${world.uuid()}`.slice(0, maxIdChars);
    res.setHeader("x-request-id", id);
    const { strictTransportSecurity } = this.#parts.settings;
    if (this.#parts.secure && strictTransportSecurity !== undefined)
      res.setHeader("Strict-Transport-Security", strictTransportSecurity);
    const path = rawPath(req.url);
    const place = this.#placeOf(path);
    this.#access.watch(req, res, { id, place, ip: () => this.#auth.locate(req).clientIp });
    this.#route(req, res, id, path).catch((error: unknown) => this.#failed(req, res, id, path, error));
  }

  async #route(req: IncomingMessage, res: ServerResponse, id: string, path: string | undefined): Promise<void> {
    const { settings } = this.#parts;
    const method = req.method ?? "GET";
    const whole = method === "OPTIONS" && req.url === "*";
    if ((path === undefined && !whole) || severalHosts(req.headersDistinct.host))
      return sendText(req, res, 400, "Bad Request");
    if (path === undefined) return this.#options(req, res);
    if (isProbe(path)) return this.#probe(req, res, path, method);
    const found = this.#find(path);
    if (this.#hostRefused(req, res, path, found)) return;
    if (this.#parts.facts().phase === "draining")
      throw new HttpError(503, "Gateway Stopping", { headers: { "Retry-After": "5", Connection: "close" } });
    if (hasQueryToken(req.url)) throw new HttpError(400, "A token belongs into a header, never into the address.");
    const known = found.api.length > 0 || found.pages.length > 0;
    if (!known && namespaceOf(path)) throw notFound();
    if (!found.pages[0]?.publicFiles) assertNoForeignPage(req, path, settings);
    if (allowListed(req, res, path, settings)) return;
    const first = found.api.find((route) => route.auth?.first);
    if (first) await this.#authorise(req, first);
    const route = [...found.api, ...found.pages].find((candidate) => serves(candidate, method));
    if (!route) return this.#unserved(req, res, path, method, found);
    if (encoded(req)) throw new HttpError(415, "Unsupported Media Type");
    if ("dialect" in route) await this.#call(route, req, res, id, path);
    else await this.#page(route, req, res, path);
  }

  /** What the log says of a path: the route that takes it, never the path itself. */
  #placeOf(path: string | undefined): string {
    if (path === undefined) return "(bad target)";
    if (isProbe(path)) return path;
    const { api, pages } = this.#find(path);
    return (api[0] ?? pages[0])?.path ?? "(no route)";
  }

  #find(path: string): Found {
    const api = this.#parts.api.filter((route) => covers(route, path) && route.enabled?.() !== false);
    // What an API takes is never a page, whatever the method, nor while it is switched off; its base without the slash neither.
    const taken = this.#parts.api.some((route) => covers(route, path) || covers(route, `${path}/`));
    const pages = taken ? [] : this.#parts.routes.filter((route) => covers(route, path));
    return { api, pages, dialect: api[0]?.dialect ?? namespaceOf(path) ?? "text" };
  }

  #hostRefused(req: IncomingMessage, res: ServerResponse, path: string, { api, pages }: Found): boolean {
    const { settings, loopbackBind } = this.#parts;
    const browser = req.headers.origin !== undefined || path === "/" || [...api, ...pages].some((r) => r.browser);
    const { dangerouslyAllowHostHeaderOriginFallback } = settings.controlUi;
    const host = judgeHost(
      req.headers.host,
      { loopbackBind, browser },
      { allowedOrigins: settings.allowedOrigins, dangerouslyAllowHostHeaderOriginFallback },
    );
    if (host === "missing") sendText(req, res, 400, "Bad Request", {}, this.#parts.world);
    else if (host === "foreign") sendText(req, res, 421, "Host not allowed", {}, this.#parts.world);
    return host !== "ok";
  }

  #unserved(req: IncomingMessage, res: ServerResponse, path: string, method: string, { api, pages }: Found): void {
    const methods = [...api, ...pages].flatMap((candidate) => candidate.methods);
    if (methods.length > 0) return this.#methodNotAllowed(req, res, methods);
    if (path !== "/") return sendText(req, res, 404, "Not Found", {}, this.#parts.world);
    if (method !== "GET" && method !== "HEAD") return this.#methodNotAllowed(req, res, ["GET"]);
    sendText(req, res, 200, this.#parts.about);
  }

  /** `OPTIONS *`: about the port as a whole, and nothing that a page could use (http.md §4.5). */
  #options(req: IncomingMessage, res: ServerResponse): void {
    if (this.#hostRefused(req, res, "*", { api: [], pages: [], dialect: "text" })) return;
    sendBytes(req, res, 204, undefined, new Uint8Array(0), { Allow: "GET, HEAD, POST" }, this.#parts.world);
  }

  #methodNotAllowed(req: IncomingMessage, res: ServerResponse, methods: readonly string[]): void {
    const allow = [...new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])))];
    sendText(req, res, 405, "Method Not Allowed", { Allow: allow.join(", ") }, this.#parts.world);
  }

  #probe(req: IncomingMessage, res: ServerResponse, path: string, method: string): void {
    if (method !== "GET" && method !== "HEAD") return this.#methodNotAllowed(req, res, ["GET"]);
    const privileged = this.#auth.locate(req).localDirect || this.#auth.judge(req).ok;
    const { status, body } = answerProbe(path, this.#parts.facts(), privileged);
    sendJson(req, res, status, body, status === 503 ? { "Retry-After": "5" } : {});
  }

  /** Throws HttpError 401 or 429; wrong guesses from the owner's machine are answered late. */
  async #authorise(req: IncomingMessage, route: HttpRoute): Promise<void> {
    const verdict = this.#auth.judge(req, route.auth);
    if (verdict.ok) return this.#parts.admitted(req);
    if ("holdMs" in verdict && verdict.holdMs > 0)
      await new Promise<void>((resolve) => this.#parts.world.after(verdict.holdMs, resolve));
    const { clientIp } = this.#auth.locate(req);
    this.#parts.refusals.warn(`http refused: ${"lockedMs" in verdict ? "locked" : "unauthorized"}`, {
      path: route.path,
      remote: clientIp,
      origin: req.headers.origin?.slice(0, 200),
    });
    throw authError(verdict);
  }

  async #call(route: HttpRoute, req: IncomingMessage, res: ServerResponse, id: string, path: string): Promise<void> {
    const { auth } = route;
    if (auth && !auth.first) await this.#authorise(req, route);
    secure(res);
    const { clientIp, localDirect } = this.#auth.locate(req);
    const authenticated = auth ? true : this.#auth.judge(req).ok;
    const call = new RoutedCall(req, res, {
      id,
      path,
      caller: { ip: clientIp, localDirect, authenticated },
      route,
      world: this.#parts.world,
      log: this.#parts.log,
      bodies: this.#bodies,
    });
    call.reply(await route.handle(call));
  }

  async #page(route: Route, req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    secure(res);
    const { localDirect } = this.#auth.locate(req);
    await route.handle(req, res, { path, localDirect, authenticated: this.#auth.judge(req).ok });
  }

  #failed(req: IncomingMessage, res: ServerResponse, id: string, path = "", thrown: unknown): void {
    const known = toHttpError(thrown);
    if (!known) this.#parts.log.error(`${methodOf(req)} ${this.#placeOf(path)} failed`, { id, error: thrown as Error });
    if (res.headersSent) return void res.destroy();
    const error = known ?? new HttpError(500, "Internal Server Error");
    const { type, body } = errorAnswer(this.#find(path).dialect, error);
    const headers = { "Cache-Control": "no-store", ...error.headers };
    // A client that is too slow, or gone, is not waited for.
    const closing = error.status === 408 ? { ...headers, Connection: "close" } : headers;
    sendBytes(req, res, error.status, type, Buffer.from(body), closing, this.#parts.world);
  }
}

const notFound = (): HttpError => new HttpError(404, "Not Found");

const encoded = (req: IncomingMessage): boolean => {
  const encoding = req.headers["content-encoding"];
  return encoding !== undefined && encoding.toLowerCase() !== "identity";
};

/** `?token=` in any position and spelling that a query parser would accept. */
function hasQueryToken(target: string | undefined): boolean {
  const at = target?.indexOf("?") ?? -1;
  if (at === -1 || !/token|%/i.test(target?.slice(at) ?? "")) return false;
  return new URLSearchParams(target?.slice(at + 1)).has("token");
}
