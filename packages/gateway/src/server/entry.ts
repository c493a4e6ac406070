/** The upgrade: which requests become connections (http.md §1.3, §4.2, settled.md 4, R-SLOW-1). */
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { closeRules, wireLimits } from "@openclaw/protocol";
import { WebSocketServer, type WebSocket } from "ws";
import type { Entrance } from "./connection.ts";
import { refuseBadHandshake, refuseUpgrade } from "./http-reply.ts";
import { locate } from "./locality.ts";
import { judgeHost, severalHosts } from "./origin.ts";
import type { ServerSettings } from "./ports.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { tailnetClaim } from "./tailnet.ts";
import { rawPath } from "./target.ts";
import type { Place, Unauthenticated } from "./unauthenticated.ts";

/** Limits hold on what is declared, before it is stored (R-LIM-1). */
const socketOptions = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: wireLimits.maxPayloadBytes,
  maxFragments: 256,
  maxBufferedChunks: 32_768,
  closeTimeout: 2_000,
} as const;

/** Sockets of other services; never the control protocol. */
const foreignPaths: ReadonlySet<string> = new Set(["/__openclaw__/ws", "/v1/responses"]);

/** Owns the socket from here on. Must not throw. */
export type SocketTaker = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface EntryParts {
  refusals: RefusalLog;
  settings: ServerSettings;
  loopbackBind: boolean;
  unauthenticated: Unauthenticated;
  accept(ws: WebSocket, socket: Socket, entrance: Entrance): void;
  /** Sockets that speak another protocol: who takes an upgrade to this path, if anybody. */
  socket?: ((path: string) => SocketTaker | undefined) | undefined;
  /** The newest silent socket of an address that has too many. */
  excess(place: Place): void;
}

export class Entry {
  readonly #parts: EntryParts;
  readonly #wss: WebSocketServer;

  constructor(parts: EntryParts) {
    this.#parts = parts;
    this.#wss = new WebSocketServer(socketOptions);
    this.#wss.on("wsClientError", refuseBadHandshake);
  }

  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { settings, loopbackBind, unauthenticated, refusals } = this.#parts;
    const path = rawPath(req.url);
    if (path === undefined || severalHosts(req.headersDistinct.host)) return refuseUpgrade(socket, 400);
    const taker = this.#parts.socket?.(path);
    if (taker) return taker(req, socket, head);
    if (foreignPaths.has(path)) return refuseUpgrade(socket, 404);
    if (!(socket instanceof Socket)) return refuseUpgrade(socket, 400);
    const { host, origin } = req.headers;
    const { dangerouslyAllowHostHeaderOriginFallback } = settings.controlUi;
    const rules = { allowedOrigins: settings.allowedOrigins, dangerouslyAllowHostHeaderOriginFallback };
    // Without an Origin no page is behind it: a foreign Host then only costs the trust of a local connection.
    const foreign = origin !== undefined && judgeHost(host, { loopbackBind, browser: true }, rules) === "foreign";
    if (foreign) return refuseUpgrade(socket, 421, "Host not allowed");
    const peer = { address: socket.remoteAddress, headers: req.headers };
    const location = locate(peer, settings.trustedProxies);
    let accepted = false;
    let place: Place | undefined = undefined;
    place = unauthenticated.enter(location.clientIp, () => {
      if (place && accepted) this.#parts.excess(place);
    });
    const taken = place;
    if (!taken) {
      refusals.warn(`too many unauthenticated sockets; refused remote=${location.clientIp}`);
      return this.#wss.handleUpgrade(req, socket, head, (ws) => {
        ws.on("error", () => ws.terminate());
        ws.close(closeRules.tooMany.code, closeRules.tooMany.reason);
      });
    }
    // Given back also when the upgrade itself fails and no connection takes the place over.
    socket.once("close", () => taken.release());
    this.#wss.handleUpgrade(req, socket, head, (ws) => {
      accepted = true;
      this.#parts.accept(ws, socket, { location, host, origin, tailnet: tailnetClaim(peer), place: taken });
    });
  }
}
