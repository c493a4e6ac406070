/** For tests: a scripted gateway on a real socket (`ws`, port 0), and a clock that only moves when told. */
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import type { AddressInfo } from "node:net";
import type { ClientClock } from "./clock.ts";

export interface Request {
  id: string;
  method: string;
  params: Record<string, unknown>;
}

export interface Peer {
  readonly socket: WebSocket;
  /** Requests in order of arrival, `connect` included. */
  readonly requests: Request[];
  send(frame: unknown): void;
  answer(request: Request, payload: unknown): void;
  refuse(request: Request, error: { code: string; message: string; details?: unknown }, payload?: unknown): void;
  event(event: string, payload: unknown, seq?: number): void;
}

export interface FakeGateway {
  readonly url: string;
  readonly port: number;
  readonly peers: Peer[];
  /** The nth connection, once it is there. */
  peer(index: number): Promise<Peer>;
  close(): Promise<void>;
}

export const helloOk = (extra: Record<string, unknown> = {}): Record<string, unknown> => ({
  type: "hello-ok",
  protocol: 4,
  server: { version: "test", connId: "c1" },
  features: { methods: [], events: [] },
  snapshot: {
    presence: [],
    health: {},
    stateVersion: { presence: 1, health: 1 },
    uptimeMs: 1,
    sessionDefaults: {
      defaultAgentId: "main",
      mainKey: "main",
      mainSessionKey: "agent:main:main",
      scope: "per-sender",
    },
  },
  auth: { role: "operator", scopes: ["operator.admin"] },
  policy: { maxPayload: 26_214_400, maxBufferedBytes: 1_572_864, tickIntervalMs: 30_000 },
  ...extra,
});

/** `onRequest` answers what it wants; `connect` is accepted unless it returns true for it. */
export async function fakeGateway(
  onRequest: (request: Request, peer: Peer) => boolean | void = () => {},
): Promise<FakeGateway> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, maxPayload: 64 * 1024 * 1024 });
  await new Promise<void>((resolve) => void server.once("listening", resolve));
  const peers: Peer[] = [];
  const waiting: { index: number; resolve: (peer: Peer) => void }[] = [];
  server.on("connection", (socket) => {
    const requests: Request[] = [];
    const send = (frame: unknown) => socket.send(JSON.stringify(frame));
    const peer: Peer = {
      socket,
      requests,
      send,
      answer: ({ id }, payload) => send({ type: "res", id, ok: true, payload }),
      refuse: ({ id }, error, payload) => send({ type: "res", id, ok: false, error, ...(payload ? { payload } : {}) }),
      event: (event, payload, seq) => send({ type: "event", event, payload, ...(seq === undefined ? {} : { seq }) }),
    };
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const request = JSON.parse(String(data)) as Request;
      requests.push(request);
      if (onRequest(request, peer) !== true && request.method === "connect") peer.answer(request, helloOk());
    });
    peers.push(peer);
    peer.event("connect.challenge", { nonce: `nonce-${peers.length}`, ts: 1_770_000_000_000 });
    for (const entry of waiting.splice(0)) {
      const found = peers[entry.index];
      if (found) entry.resolve(found);
      else waiting.push(entry);
    }
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    peers,
    peer: (index) => {
      const found = peers[index];
      return found ? Promise.resolve(found) : new Promise((resolve) => waiting.push({ index, resolve }));
    },
    close: () =>
      new Promise((resolve) => {
        for (const client of server.clients) client.terminate();
        server.close(() => resolve());
      }),
  };
}

export interface ManualClock extends ClientClock {
  /** Moves time, running what falls due in order. */
  advance(ms: number): void;
  readonly timers: number;
}

export function manualClock(): ManualClock {
  let now = 0;
  let due: { at: number; run: () => void }[] = [];
  return {
    monotonic: () => now,
    now: () => 1_770_000_000_000 + now,
    random: () => 0.5,
    after(ms, run) {
      const entry = { at: now + ms, run };
      due.push(entry);
      return () => {
        due = due.filter((other) => other !== entry);
      };
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = due.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        due = due.filter((entry) => entry !== next);
        now = Math.max(now, next.at);
        next.run();
      }
      now = end;
    },
    get timers() {
      return due.length;
    },
  };
}
