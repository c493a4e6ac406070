/** Plain HTTP on the gateway's port: probes first, then the routes that the assembly hands over, then 404
 *  (http.md §1.4, §1.5, §2.8, §4.2). */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "../kernel/log.ts";
import { bearerOf, bearerValid } from "./auth.ts";
import { guesser, type AuthLimiter } from "./auth-limiter.ts";
import { sendJson, sendText, secure } from "./http-reply.ts";
import { locate } from "./locality.ts";
import { judgeHost, severalHosts } from "./origin.ts";
import type { ServerSettings } from "./ports.ts";
import { answerProbe, isProbe, type ProbeFacts } from "./probes.ts";
import { rawPath } from "./target.ts";

/** What a route may know about its caller. */
export interface RouteContext {
  /** Raw path of the target, still percent-encoded, without query. */
  path: string;
  localDirect: boolean;
  /** The operator secret was given as a bearer. */
  authenticated: boolean;
}

export interface Route {
  /** Upper case. `GET` also serves HEAD. */
  methods: readonly string[];
  /** An exact path, or a prefix when it ends with `/*` (then `/x/*` matches `/x/` and all below). */
  path: string;
  /** Meant for pages: refused under a Host name nobody configured. */
  browser?: boolean;
  /** Owns the response from here on. Security headers are set already. A throw or rejection before the headers are sent
   *  becomes a 500 without the cause. */
  handle(req: IncomingMessage, res: ServerResponse, context: RouteContext): void | Promise<void>;
}

export interface HttpParts {
  log: Logger;
  settings: ServerSettings;
  loopbackBind: boolean;
  /** The one of the handshake: a bearer is one more field to guess in. */
  limiter: AuthLimiter;
  facts: () => ProbeFacts;
  routes: readonly Route[];
  /** Text of `GET /` while no route takes it. */
  about: string;
}

const covers = (route: Route, path: string): boolean =>
  route.path.endsWith("/*") ? path.startsWith(route.path.slice(0, -1)) : route.path === path;

const serves = (route: Route, method: string): boolean =>
  route.methods.includes(method) || (method === "HEAD" && route.methods.includes("GET"));

export class HttpRouter {
  readonly #parts: HttpParts;

  constructor(parts: HttpParts) {
    this.#parts = parts;
  }

  /** Answers one request. Never throws. */
  request(req: IncomingMessage, res: ServerResponse): void {
    const { log } = this.#parts;
    req.on("error", (error) => log.debug("request error", { error: error.message }));
    res.on("error", (error) => log.debug("response error", { error: error.message }));
    try {
      this.#route(req, res);
    } catch (error) {
      this.#broken(req, res, error);
    }
  }

  #route(req: IncomingMessage, res: ServerResponse): void {
    const { settings, loopbackBind, routes, about } = this.#parts;
    const method = req.method ?? "GET";
    const path = rawPath(req.url);
    if (path === undefined || severalHosts(req.headersDistinct.host)) return sendText(req, res, 400, "Bad Request");
    if (isProbe(path)) return this.#probe(req, res, path, method);
    const matching = routes.filter((route) => covers(route, path));
    const browser = req.headers.origin !== undefined || path === "/" || matching.some((route) => route.browser);
    const { dangerouslyAllowHostHeaderOriginFallback } = settings.controlUi;
    const host = judgeHost(
      req.headers.host,
      { loopbackBind, browser },
      { allowedOrigins: settings.allowedOrigins, dangerouslyAllowHostHeaderOriginFallback },
    );
    if (host === "missing") return sendText(req, res, 400, "Bad Request");
    if (host === "foreign") return sendText(req, res, 421, "Host not allowed");
    if (this.#parts.facts().phase === "draining") {
      return sendText(req, res, 503, "Gateway Stopping", { "Retry-After": "5", Connection: "close" });
    }
    const encoding = req.headers["content-encoding"];
    if (encoding !== undefined && encoding.toLowerCase() !== "identity")
      return sendText(req, res, 415, "Unsupported Media Type");
    const route = matching.find((candidate) => serves(candidate, method));
    if (route) return this.#run(route, req, res, path);
    if (matching.length > 0)
      return methodNotAllowed(
        req,
        res,
        matching.flatMap((candidate) => candidate.methods),
      );
    if (path !== "/") return sendText(req, res, 404, "Not Found");
    if (method !== "GET" && method !== "HEAD") return methodNotAllowed(req, res, ["GET"]);
    sendText(req, res, 200, about);
  }

  #probe(req: IncomingMessage, res: ServerResponse, path: string, method: string): void {
    if (method !== "GET" && method !== "HEAD") return methodNotAllowed(req, res, ["GET"]);
    const { status, body } = answerProbe(path, this.#parts.facts(), this.#privileged(req));
    sendJson(req, res, status, body, status === 503 ? { "Retry-After": "5" } : {});
  }

  #privileged(req: IncomingMessage): boolean {
    return this.#locate(req).localDirect || this.#authenticated(req);
  }

  /** Whether the operator secret was given. Once an address is locked no bearer of it is looked at (R-AUTH-5). */
  #authenticated(req: IncomingMessage): boolean {
    const { settings, limiter } = this.#parts;
    const given = bearerOf(req.headers.authorization);
    if (given === undefined) return false;
    const who = guesser(this.#locate(req), req.headers.origin);
    if (limiter.lockedForMs(who) > 0) return false;
    const valid = bearerValid(settings.auth, given);
    if (valid) limiter.succeeded(who);
    else limiter.failed(who);
    return valid;
  }

  #locate(req: IncomingMessage) {
    return locate({ address: req.socket.remoteAddress, headers: req.headers }, this.#parts.settings.trustedProxies);
  }

  #run(route: Route, req: IncomingMessage, res: ServerResponse, path: string): void {
    secure(res);
    const context: RouteContext = {
      path,
      localDirect: this.#locate(req).localDirect,
      authenticated: this.#authenticated(req),
    };
    const running = route.handle(req, res, context);
    if (running instanceof Promise) running.catch((error: unknown) => this.#broken(req, res, error));
  }

  #broken(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    this.#parts.log.error(`${req.method ?? "GET"} ${(rawPath(req.url) ?? "").slice(0, 240)} failed`, { error });
    if (res.headersSent) res.destroy();
    else sendText(req, res, 500, "Internal Server Error");
  }
}

function methodNotAllowed(req: IncomingMessage, res: ServerResponse, methods: readonly string[]): void {
  const allow = [...new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])))];
  sendText(req, res, 405, "Method Not Allowed", { Allow: allow.join(", ") });
}
