/** One generation of the gateway's front: its connections, from upgrade to close. The port itself belongs to `Listener`. */
import { closeRules } from "@openclaw/protocol";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Bus } from "../kernel/bus.ts";
import type { Identity } from "../kernel/call.ts";
import type { HttpRoute } from "../kernel/http.ts";
import type { Logger } from "../kernel/log.ts";
import type { Timer, World } from "../kernel/world.ts";
import { AuthLimiter } from "./auth-limiter.ts";
import { closeReason } from "./refusals.ts";
import { Connection, type ConnectionOwner, type Entrance } from "./connection.ts";
import { Dispatcher } from "./dispatch.ts";
import { Entry, type SocketTaker } from "./entry.ts";
import { Fanout } from "./fanout.ts";
import { FrameLog } from "./frame-log.ts";
import { Greeter } from "./greeter.ts";
import { Handshake } from "./handshake.ts";
import { advertisedEvents, helloOk, type ServerInfo } from "./hello.ts";
import { HttpRouter, type Judged, type Route } from "./http.ts";
import type { OutcomePort } from "./idempotency.ts";
import type { Listener } from "./listener.ts";
import type { DevicePort, HandlerTable, PresencePort, ServerSettings, SnapshotPort } from "./ports.ts";
import type { Phase } from "./probes.ts";
import { RefusalLog } from "./refusal-log.ts";
import type { TailnetPort } from "./tailnet.ts";
import { Unauthenticated, type Place } from "./unauthenticated.ts";
import { paramsValidator } from "./validate.ts";
import { maxQueuedBytesInAll } from "./writer.ts";

export interface ServerParts {
  world: World;
  log: Logger;
  bus: Bus;
  listener: Listener;
  settings: ServerSettings;
  /** Handlers by method name; methods without one are unknown on the wire and not advertised. */
  handlers: HandlerTable;
  devices: DevicePort;
  presence: PresencePort;
  snapshots: SnapshotPort;
  info: ServerInfo;
  /** Confirms logins of the tailnet; absent, none counts. */
  tailnet?: TailnetPort;
  /** Plain HTTP beside the probes: APIs, then pages. */
  api?: readonly HttpRoute[];
  routes?: readonly Route[];
  /** Who takes upgrades to a path instead of the control protocol. */
  socket?: (path: string) => SocketTaker | undefined;
  /** `canvasHostUrl` of hello-ok for a connection; undefined leaves it out. */
  canvasUrl?: (identity: Identity, entrance: Pick<Entrance, "host" | "location">) => string | undefined;
  /** Answers of `replay` and `join` methods that outlive the process. */
  outcomes?: OutcomePort;
  /** What is known bad, for `/readyz`: `<channel>/<account>`. Read at use. */
  failing?: () => readonly string[];
  /** Text of `GET /` until a route takes it. */
  about?: string;
}

/** Parts of the tick interval at which pings go out and dead peers are looked for. */
const slicesPerTick = 16;
const overLimitGraceMs = 8_000;
const stalledMs = 5_000;

export class Server {
  readonly #parts: ServerParts;
  readonly #world: World;
  readonly #log: Logger;
  readonly #refusals: RefusalLog;
  readonly #dispatcher: Dispatcher;
  readonly #fanout: Fanout;
  readonly #entry: Entry;
  readonly #greeter: Greeter;
  readonly #http: HttpRouter;
  readonly #owner: ConnectionOwner;
  readonly #connections = new Set<Connection>();
  readonly #byPlace = new WeakMap<Place, Connection>();
  readonly #startedAt: number;
  #timers: Timer[] = [];
  #unsubscribe: (() => void) | undefined;
  #phase: Phase = "starting";
  #queuedBytes = 0;
  #slice = 0;
  #lookedAt: number;
  #emptied: (() => void) | undefined;

  constructor(parts: ServerParts) {
    const { world, log, settings, listener } = parts;
    this.#parts = parts;
    this.#world = world;
    this.#log = log;
    this.#startedAt = this.#lookedAt = world.monotonic();
    this.#refusals = new RefusalLog(world, log);
    this.#fanout = new Fanout(world, () => parts.snapshots.stateVersion());
    this.#dispatcher = new Dispatcher({
      world,
      log,
      refusals: this.#refusals,
      handlers: parts.handlers,
      validate: paramsValidator(log),
      followRun: (connection, runId) => this.#fanout.follow(connection, runId),
      verbose: () => settings.verbose && settings.logFrames !== true,
      ...(parts.outcomes ? { outcomes: parts.outcomes } : {}),
    });
    const limiter = new AuthLimiter(world);
    this.#greeter = new Greeter({
      world,
      log,
      refusals: this.#refusals,
      handshake: new Handshake({
        world,
        settings,
        devices: parts.devices,
        limiter,
        tailnet: parts.tailnet,
      }),
      admit: (connection, id, admission) => this.#admit(connection, id, admission),
      held: (connection, bytes) => this.#frame(connection, bytes),
    });
    this.#entry = new Entry({
      refusals: this.#refusals,
      settings,
      loopbackBind: listener.loopback,
      unauthenticated: new Unauthenticated(world),
      accept: (ws, socket, entrance) => this.#accept(ws, socket, entrance),
      excess: (place) => this.#byPlace.get(place)?.close(closeRules.tooMany),
      socket: parts.socket,
    });
    this.#http = new HttpRouter({
      world,
      log,
      refusals: this.#refusals,
      settings,
      loopbackBind: listener.loopback,
      limiter,
      facts: () => ({
        phase: this.#phase,
        uptimeMs: Math.round(world.monotonic() - this.#startedAt),
        version: parts.info.version,
        failing: parts.failing?.() ?? [],
      }),
      secure: listener.secure,
      admitted: (req) => listener.admitted(req),
      api: parts.api ?? [],
      routes: parts.routes ?? [],
      about: parts.about ?? `OpenClaw Gateway ${parts.info.version}\nConnect with a WebSocket client on this port.\n`,
    });
    this.#owner = {
      world,
      log,
      frames: settings.verbose && settings.logFrames ? new FrameLog(log) : undefined,
      maxBufferedBytes: () => settings.maxBufferedBytes,
      frame: (connection, bytes) => this.#frame(connection, bytes),
      queued: (bytes) => this.#countQueued(bytes),
      closed: (connection, code, reason) => this.#closed(connection, code, reason),
    };
  }

  /** Plugs into the listener and begins to tick. */
  start(): void {
    const { bus, listener, settings } = this.#parts;
    this.#lookedAt = this.#world.monotonic();
    this.#unsubscribe = bus.subscribe((announcement) => this.#fanout.announce(announcement));
    this.#timers.push(
      this.#world.every(settings.tickIntervalMs, () => {
        bus.publish("tick", { ts: this.#world.now() });
        this.#fanout.sweep();
      }),
      this.#world.every(Math.max(1, Math.floor(settings.tickIntervalMs / slicesPerTick)), () => this.#lookAfter()),
    );
    listener.setRouter({
      request: (req, res) => this.#http.request(req, res),
      upgrade: (req, socket, head) => this.#entry.upgrade(req, socket, head),
    });
    this.#phase = "ready";
  }

  /** Tells every open client that the gateway goes away. Sockets stay open. */
  announceShutdown(what: { reason: string; restartExpectedMs?: number }): void {
    this.#parts.bus.publish("shutdown", what);
  }

  /** From now on requests that would begin work get UNAVAILABLE; reads and stops are still answered. */
  drain(): void {
    this.#phase = "draining";
    this.#dispatcher.drain();
  }

  /** A restart was called off after `drain`: everything is answered again. */
  resume(): void {
    this.#phase = "ready";
    this.#dispatcher.resume();
  }

  /** After a sleep or a stall nobody is gone because nothing was heard: every peer is asked now (R-NET-3). */
  woke(): void {
    const now = this.#world.monotonic();
    for (const connection of this.#connections) {
      connection.lastSeen = now;
      if (connection.state === "open") connection.ping();
    }
  }

  /** Unplugs from the listener and closes every socket with 1012, behind what still waits for it. Resolves when all are
   *  gone, after `deadlineMs` at the latest. Idempotent. */
  async stop(deadlineMs: number): Promise<void> {
    this.drain();
    this.#parts.listener.setRouter(undefined);
    const flushMs = Math.min(1_000, Math.floor(deadlineMs / 2));
    for (const connection of this.#connections) connection.finish(closeRules.restarting, flushMs);
    await this.#empty(deadlineMs);
    for (const connection of this.#connections) connection.terminate();
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  /** For other listeners of this gateway: what the checks of this port say about a request. */
  judge(req: IncomingMessage): Judged {
    return this.#http.judge(req);
  }

  /** Open connections in order of arrival; those still in the handshake are not counted. */
  connections(): Identity[] {
    const open: Identity[] = [];
    for (const { state, identity } of this.#connections) if (state === "open" && identity) open.push(identity);
    return open;
  }

  /** Plain HTTP answers so far, by class of status. */
  httpAnswers(): Readonly<Record<string, number>> {
    return this.#http.counts;
  }

  /** Closes the live sockets of a device (1008). `role`: only those of that role. */
  closeDevice(deviceId: string, reason: string, role?: string): void {
    const rule = { code: 1008, reason: closeReason(reason) };
    for (const connection of this.#connections) {
      const { identity } = connection;
      if (identity?.deviceId === deviceId && (role === undefined || identity.role === role)) connection.close(rule);
    }
  }

  #accept(ws: WebSocket, socket: Socket, entrance: Entrance): void {
    const connection = new Connection(ws, socket, entrance, this.#owner, this.#parts.settings.handshakeTimeoutMs);
    this.#connections.add(connection);
    this.#byPlace.set(entrance.place, connection);
  }

  #frame(connection: Connection, bytes: Buffer): void {
    const { identity } = connection;
    if (connection.state === "open" && identity) this.#dispatcher.frame(connection, identity, bytes);
    else this.#greeter.frame(connection, bytes);
  }

  /** Snapshot, hello-ok and subscription happen in one tick, so nothing falls between them (R-WS-3). */
  #admit(connection: Connection, id: string, admission: Parameters<typeof helloOk>[0]): void {
    const { presence, snapshots, settings, info } = this.#parts;
    const { identity } = admission;
    connection.opened(identity);
    presence.connected(identity);
    const parts = {
      info,
      methods: this.#dispatcher.advertised(),
      snapshot: snapshots.snapshot(identity),
      maxBufferedBytes: settings.maxBufferedBytes,
      tickIntervalMs: settings.tickIntervalMs,
      canvasHostUrl: this.#parts.canvasUrl?.(identity, connection.entrance),
    };
    connection.answer(id, helloOk(admission, parts, advertisedEvents()));
    this.#fanout.join(connection);
    const { client, connId, role } = identity;
    this.#log.info(
      `connected conn=${connId} client=${client.id} mode=${client.mode} version=${client.version.slice(0, 80)}`,
      {
        role,
        protocol: identity.protocol,
        scopes: identity.scopes,
        displayName: client.displayName,
        local: identity.local,
      },
    );
  }

  #closed(connection: Connection, code: number, reason: string): void {
    this.#connections.delete(connection);
    this.#fanout.leave(connection);
    const { identity, connId } = connection;
    if (identity) {
      this.#log.debug(`disconnected conn=${connId} client=${identity.client.id} code=${code} reason=${reason}`, {
        droppedEvents: connection.droppedEvents,
      });
      this.#parts.presence.disconnected(identity);
    } else
      this.#refusals.info(
        `closed before connect conn=${connId} remote=${connection.entrance.location.clientIp} code=${code} reason=${reason}`,
      );
    if (this.#connections.size === 0) this.#emptied?.();
  }

  /** Pings a part of the connections, ends those that have been silent for two ticks or slow for too long. */
  #lookAfter(): void {
    const { tickIntervalMs, maxBufferedBytes } = this.#parts.settings;
    const now = this.#world.monotonic();
    const slice = this.#slice++ % slicesPerTick;
    // Late by seconds: this loop stood still, and what the peers sent meanwhile waits unread.
    if (now - this.#lookedAt > tickIntervalMs / slicesPerTick + stalledMs) this.woke();
    this.#lookedAt = now;
    let position = 0;
    for (const connection of this.#connections) {
      const mine = position++ % slicesPerTick === slice;
      if (connection.state !== "open") continue;
      if (now - connection.lastSeen > 2 * tickIntervalMs) {
        this.#log.info(`peer is gone conn=${connection.connId}`);
        connection.terminate();
      } else if (connection.eventBytes <= maxBufferedBytes) connection.slowSince = undefined;
      else if (now - (connection.slowSince ??= now) >= overLimitGraceMs) connection.close(closeRules.slowConsumer);
      if (mine) connection.ping();
    }
  }

  #countQueued(bytes: number): void {
    this.#queuedBytes += bytes;
    if (bytes <= 0 || this.#queuedBytes <= maxQueuedBytesInAll) return;
    let largest: Connection | undefined;
    for (const connection of this.#connections)
      if (connection.queuedBytes > (largest?.queuedBytes ?? 0)) largest = connection;
    this.#log.warn("queues of all connections are full; closing the largest", {
      conn: largest?.connId,
      bytes: largest?.queuedBytes,
    });
    largest?.close(closeRules.slowConsumer);
  }

  #empty(deadlineMs: number): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#world.after(deadlineMs, resolve);
      this.#emptied = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
