/** For tests of this room: a real server on port 0 with fake ports behind it, and a plain client that records what it gets. */
import { once } from "node:events";
import type { EventName, EventPayload, MethodName } from "@openclaw/protocol";
import { WebSocket, type ClientOptions } from "ws";
import { Bus, type Routing } from "../kernel/bus.ts";
import type { Handler, Identity } from "../kernel/call.ts";
import { fakeWorld, type FakeWorld } from "../kernel/fake-world.ts";
import { createLogger, type Line, type Logger } from "../kernel/log.ts";
import { Listener } from "./listener.ts";
import type { DevicePort, PresentedDevice, ServerSettings } from "./ports.ts";
import { Server, type ServerParts } from "./server.ts";

export interface Frame {
  type: string;
  id?: string;
  ok?: boolean;
  payload?: unknown;
  error?: {
    code: string;
    message: string;
    details?: Record<string, unknown>;
    retryable?: boolean;
    retryAfterMs?: number;
  };
  event?: string;
  seq?: number;
  stateVersion?: unknown;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export const testToken = "secret-token";

export const testSettings = (): Writable<ServerSettings> => ({
  auth: { mode: "token", token: testToken },
  allowedOrigins: [],
  trustedProxies: [],
  controlUi: {
    allowInsecureAuth: false,
    dangerouslyDisableDeviceAuth: false,
    dangerouslyAllowHostHeaderOriginFallback: false,
  },
  maxBufferedBytes: 1_572_864,
  tickIntervalMs: 30_000,
  handshakeTimeoutMs: 10_000,
  verbose: false,
});

/** Lets every device in; records who asked. */
export class FakeDevices implements DevicePort {
  readonly asked: PresentedDevice[] = [];
  tokens = new Map<string, "ok" | "mismatch" | "scope">();
  pending: string | undefined;

  verifyToken(_device: unknown, token: string): Promise<"ok" | "mismatch" | "scope"> {
    return Promise.resolve(this.tokens.get(token) ?? "mismatch");
  }
  ensurePaired(device: PresentedDevice): ReturnType<DevicePort["ensurePaired"]> {
    this.asked.push(device);
    if (this.pending === undefined || device.silent) return Promise.resolve({ paired: true });
    return Promise.resolve({
      paired: false,
      requestId: this.pending,
      reason: "not-paired",
      approvedRoles: [],
      approvedScopes: [],
    });
  }
  issueToken(device: Parameters<DevicePort["issueToken"]>[0]): ReturnType<DevicePort["issueToken"]> {
    return Promise.resolve({ token: "device-token", role: device.role, scopes: device.scopes, issuedAtMs: 5 });
  }
}

type AnyHandler = (params: never, call: never) => unknown;

export interface Rig {
  world: FakeWorld;
  bus: Bus;
  log: Logger;
  lines: Line[];
  listener: Listener;
  server: Server;
  settings: Writable<ServerSettings>;
  devices: FakeDevices;
  presence: string[];
  connect(options?: ClientOptions & { path?: string }): Promise<TestClient>;
  /** Challenge, connect with the shared token, hello-ok. */
  hello(params?: Record<string, unknown>, options?: ClientOptions): Promise<TestClient>;
  publish<N extends EventName>(event: N, payload: EventPayload<N>, routing?: Routing): void;
  /** Lets go of the clients that are closed. */
  forget(): void;
  close(): Promise<void>;
}

export async function startRig(
  given: {
    handlers?: Record<string, AnyHandler>;
    settings?: Partial<ServerSettings>;
    world?: FakeWorld;
    parts?: Partial<ServerParts>;
  } = {},
): Promise<Rig> {
  const world = given.world ?? fakeWorld();
  const lines: Line[] = [];
  const log = createLogger({ subsystem: "server", sinks: [(line) => void lines.push(line)], now: () => world.now() });
  const bus = new Bus(log);
  const settings = { ...testSettings(), ...given.settings };
  const devices = new FakeDevices();
  const presence: string[] = [];
  const handlers = new Map<MethodName, Handler<MethodName>>();
  const plain: Record<string, AnyHandler> = { health: () => ({ ok: true }), status: () => ({}), ...given.handlers };
  for (const [name, handler] of Object.entries(plain))
    handlers.set(name as MethodName, handler as unknown as Handler<MethodName>);
  const listener = await Listener.bind({ host: "127.0.0.1", port: 0, log, world });
  const server = new Server({
    world,
    log,
    bus,
    listener,
    settings,
    handlers,
    devices,
    presence: {
      connected: (identity: Identity) => void presence.push(`+${identity.client.id}`),
      disconnected: (identity: Identity) => void presence.push(`-${identity.client.id}`),
    },
    snapshots: {
      snapshot: () => ({ presence: [], health: {}, stateVersion: { presence: 1, health: 1 }, uptimeMs: 1 }),
      stateVersion: () => ({ presence: 1, health: 1 }),
    },
    info: { version: "1.2.3", host: "box" },
    ...given.parts,
  });
  server.start();
  let clients: TestClient[] = [];
  const connect = async (options: ClientOptions & { path?: string } = {}) => {
    const { path = "/", ...rest } = options;
    const client = new TestClient(new WebSocket(`ws://127.0.0.1:${listener.port}${path}`, rest));
    clients.push(client);
    await client.opened;
    return client;
  };
  return {
    world,
    bus,
    log,
    lines,
    listener,
    server,
    settings,
    devices,
    presence,
    connect,
    publish: (event, payload, routing) => bus.publish(event, payload, routing),
    async hello(params = {}, options) {
      const client = await connect(options);
      const answer = await client.request("connect", connectParams(params));
      if (!answer.ok) throw new Error(answer.error?.message);
      return client;
    },
    forget() {
      clients = clients.filter((client) => client.ws.readyState !== client.ws.CLOSED);
      presence.length = 0;
    },
    async close() {
      for (const client of clients) client.ws.terminate();
      const stopping = server.stop(1_000);
      await world.clock.advance(2_000);
      await stopping;
      const closing = listener.close(0);
      await world.clock.advance(1);
      await closing;
    },
  };
}

export function connectParams(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    minProtocol: 3,
    maxProtocol: 3,
    client: { id: "cli", version: "1.0.0", platform: "linux", mode: "cli" },
    auth: { token: testToken },
    ...over,
  };
}

export class TestClient {
  readonly ws: WebSocket;
  readonly frames: Frame[] = [];
  readonly opened: Promise<unknown>;
  readonly closed: Promise<{ code: number; reason: string }>;
  #ids = 0;
  #wake: (() => void)[] = [];

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.setMaxListeners(0);
    this.opened = once(ws, "open");
    this.closed = new Promise((resolve) =>
      ws.once("close", (code, reason) => resolve({ code, reason: reason.toString() })),
    );
    ws.on("message", (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString()) as Frame);
      for (const wake of this.#wake.splice(0)) wake();
    });
    ws.on("error", () => {});
  }

  get events(): Frame[] {
    return this.frames.filter((frame) => frame.type === "event" && frame.event !== "connect.challenge");
  }

  async challenge(): Promise<string> {
    const frame = await this.until((candidate) => candidate.event === "connect.challenge");
    return (frame.payload as { nonce: string }).nonce;
  }

  /** The first frame that fits, also one that came already. */
  async until(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found) return found;
      await new Promise<void>((resolve, reject) => {
        this.#wake.push(resolve);
        this.ws.once("close", (code, reason) => reject(new Error(`closed ${code} ${reason.toString()}`)));
      });
    }
  }

  send(frame: unknown): void {
    this.ws.send(typeof frame === "string" || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  /** The first answer to the request. */
  request(method: string, params?: unknown): Promise<Frame> {
    const id = `r${++this.#ids}`;
    this.send({ type: "req", id, method, ...(params === undefined ? {} : { params }) });
    return this.until((frame) => frame.type === "res" && frame.id === id);
  }
}
