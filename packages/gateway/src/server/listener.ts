/** The port, for the life of the process: bound once, while generations of the server plug in and out (settled.md 23).
 *  Between generations requests get 503 with Retry-After and sockets a close that says to come back: never a refusal. */
import type { IncomingMessage, Server as HttpServer, ServerOptions, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { closeRules } from "@openclaw/protocol";
import { WebSocketServer } from "ws";
import type { Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";
import { refuseBadHandshake, refuseUpgrade, sendJson, sendText } from "./http-reply.ts";
import { isLoopbackName } from "./locality.ts";
import { Newcomers } from "./newcomers.ts";
import { answerProbe, isProbe } from "./probes.ts";
import { rawPath } from "./target.ts";

export const listenerLimits = {
  headersTimeoutMs: 5_000,
  /** Headers and body of one request. */
  requestTimeoutMs: 35_000,
  keepAliveTimeoutMs: 30_000,
  maxHeaderBytes: 16_384,
  checkIntervalMs: 1_000,
  tlsHandshakeTimeoutMs: 10_000,
} as const;

const minVersion = "TLSv1.2";

/** For the moment between two generations; nothing is read. */
const betweenOptions = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: 1_024,
  closeTimeout: 2_000,
} as const;

/** A generation's side of the port. Neither may throw. */
export interface Router {
  request(req: IncomingMessage, res: ServerResponse): void;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Binding failed; `code` is the system's (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL` …). */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly code: string;
  readonly host: string;
  readonly port: number;

  constructor(code: string, host: string, port: number, cause: unknown) {
    super(`cannot listen on ${host}:${port} (${code})`, { cause });
    this.code = code;
    this.host = host;
    this.port = port;
  }
}

export interface ListenOptions {
  /** Address to bind. `127.0.0.1` also binds `::1` at the same port when it is free. */
  host: string;
  /** 0: any free port. */
  port: number;
  /** PEM texts. Present: the port speaks https and wss, and nothing else. */
  tls?: { cert: string; key: string; ca?: string };
  log: Logger;
  world: World;
  /** Shorter deadlines, for tests. */
  limits?: Partial<Record<keyof typeof listenerLimits, number>>;
}

export class Listener {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly #servers: readonly (HttpServer | HttpsServer)[];
  readonly #between: WebSocketServer;
  readonly #newcomers: Newcomers;
  readonly #world: World;
  readonly #boundAt: number;
  #router: Router | undefined;

  /** Throws ListenError. */
  static async bind(options: ListenOptions): Promise<Listener> {
    // The ESM namespace of node:http costs 30 ms at start, because it touches a lazy getter.
    const http = process.getBuiltinModule("node:http");
    let listener: Listener | undefined;
    const newcomers = new Newcomers(options.world);
    const limits = { ...listenerLimits, ...options.limits };
    const settings = {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      connectionsCheckingInterval: limits.checkIntervalMs,
      // Answered by the Host check instead, which also knows the other reasons.
      requireHostHeader: false,
      noDelay: true,
      // Anything else in the header is an ordinary request (http.md §1.2).
      shouldUpgradeCallback: (req: IncomingMessage) => req.headers.upgrade?.trim().toLowerCase() === "websocket",
    } as const;
    const answer = (req: IncomingMessage, res: ServerResponse) => listener?.serve(req, res);
    const make = () => {
      const server = options.tls ? secureServer(options.tls, settings, answer) : http.createServer(settings, answer);
      // A scanner, a plain ws:// client, a peer that does not trust the certificate: their connection ends, nothing else.
      server.on("tlsClientError", (error: Error) => options.log.debug("TLS refused", { error: error.message }));
      server.on("connection", (socket) => {
        socket.on("error", (error: Error) => options.log.debug("socket error", { error: error.message }));
        newcomers.enter(socket);
      });
      server.on("upgrade", (req, socket, head) => {
        // Before anything else: an error of a refused socket must not reach the process.
        socket.on("error", (error: Error) => options.log.debug("upgrade socket error", { error: error.message }));
        listener?.upgrade(req, socket, head);
      });
      server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
        const status =
          error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
        refuseUpgrade(socket, status);
      });
      return server;
    };
    const first = make();
    const port = await listen(first, options.host, options.port);
    const servers = [first];
    first.on("error", (error) => options.log.warn("listener error", { error: error.message }));
    if (options.host === "127.0.0.1") {
      const second = make();
      try {
        await listen(second, "::1", port);
        second.on("error", (error) => options.log.warn("listener error", { error: error.message }));
        servers.push(second);
      } catch (error) {
        options.log.debug("not listening on ::1", { error: error instanceof Error ? error.message : String(error) });
      }
    }
    listener = new Listener(options, port, servers, newcomers);
    return listener;
  }

  private constructor(options: ListenOptions, port: number, servers: readonly HttpServer[], newcomers: Newcomers) {
    this.#newcomers = newcomers;
    this.host = options.host;
    this.port = port;
    this.secure = options.tls !== undefined;
    this.#servers = servers;
    this.#world = options.world;
    this.#boundAt = options.world.monotonic();
    this.#between = new WebSocketServer(betweenOptions);
    this.#between.on("wsClientError", refuseBadHandshake);
  }

  /** Nothing but loopback is listened on. */
  get loopback(): boolean {
    return isLoopbackName(this.host);
  }

  /** As a person would type it. */
  get url(): string {
    return `${this.secure ? "wss" : "ws"}://${this.host}:${this.port}`;
  }

  /** Takes another certificate for the connections to come. Only where TLS is on already. */
  renew(tls: NonNullable<ListenOptions["tls"]>): void {
    for (const server of this.#servers)
      if ("setSecureContext" in server) server.setSecureContext({ ...tls, minVersion });
  }

  /** Plugs a generation in, or (undefined) takes it out. */
  setRouter(router: Router | undefined): void {
    this.#router = router;
  }

  /** Stops accepting, ends idle connections at once and the others after `graceMs`. Idempotent. */
  async close(graceMs = 1_000): Promise<void> {
    const closing = this.#servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeIdleConnections();
        }),
    );
    const timer = this.#world.after(graceMs, () => {
      for (const server of this.#servers) server.closeAllConnections();
    });
    await Promise.all(closing);
    timer.cancel();
  }

  /** The connection of a request gave a secret that fits. */
  admitted(req: IncomingMessage): void {
    this.#newcomers.release(req.socket);
  }

  serve(req: IncomingMessage, res: ServerResponse): void {
    this.#newcomers.spoke(req.socket);
    if (this.#router) return this.#router.request(req, res);
    const path = rawPath(req.url) ?? "";
    if (isProbe(path) && (req.method === "GET" || req.method === "HEAD")) {
      const facts = {
        phase: "starting",
        uptimeMs: Math.round(this.#world.monotonic() - this.#boundAt),
        failing: [],
      } as const;
      const { status, body } = answerProbe(path, facts, false);
      return sendJson(req, res, status, body, status === 503 ? { "Retry-After": "1" } : {});
    }
    sendText(req, res, 503, "Gateway Starting", { "Retry-After": "1", Connection: "close" });
  }

  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#newcomers.release(req.socket);
    if (this.#router) return this.#router.upgrade(req, socket, head);
    this.#between.handleUpgrade(req, socket, head, (ws) => {
      ws.on("error", () => ws.terminate());
      ws.close(closeRules.starting.code, closeRules.starting.reason);
    });
  }
}

function secureServer(
  tls: NonNullable<ListenOptions["tls"]>,
  settings: ServerOptions,
  answer: (req: IncomingMessage, res: ServerResponse) => void,
): HttpsServer {
  const https = process.getBuiltinModule("node:https");
  return https.createServer(
    { ...settings, ...tls, minVersion, handshakeTimeout: listenerLimits.tlsHandshakeTimeoutMs },
    answer,
  );
}

function listen(server: HttpServer | HttpsServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) =>
      reject(new ListenError(error.code ?? "UNKNOWN", host, port, error));
    server.once("error", failed);
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener("error", failed);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
