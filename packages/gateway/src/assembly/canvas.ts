/** The canvas of one generation: its host, its port, its routes on the gateway's port, and the way of an action to the agent. */
import { existsSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { isAbsolute, join, resolve } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import type { AgentDirectory, Agents } from "../features/agents/index.ts";
import { type ActionPort, actionLine, CanvasHost, canvasTool, canvasUrl } from "../features/canvas/index.ts";
import type { Sessions } from "../features/sessions/index.ts";
import type { Identity } from "../kernel/call.ts";
import type { Service } from "../kernel/lifecycle.ts";
import type { Logger } from "../kernel/log.ts";
import { expandHome, stateDir } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import {
  type Judged,
  Listener,
  ListenError,
  type Location,
  type PresencePort,
  rawPath,
  type Route,
  sendText,
  type SocketTaker,
} from "../server/index.ts";
import { derivePorts } from "./ports.ts";
import type { EffectiveConfig } from "./sections.ts";
import type { Endpoint } from "./startup-checks.ts";
import { loadTls } from "./tls.ts";

export interface CanvasParts {
  world: World;
  log: Logger;
  config: { readonly current: EffectiveConfig };
  directory: AgentDirectory;
  agents: Agents;
  sessions: Sessions;
  endpoint: Endpoint;
  /** The gateway's own. */
  listener: Listener;
  judge: (req: IncomingMessage) => Judged;
}

export interface Canvas {
  tool: ReturnType<typeof canvasTool>;
  routes: Route[];
  service: Service;
  socket(path: string): SocketTaker | undefined;
  url(identity: Identity, entrance: { host: string | undefined; location: Location }): string | undefined;
  /** Presence, and the end of addresses made for a connection. */
  watching(presence: PresencePort): PresencePort;
}

const prefix = "/__openclaw__/";
const actionsKept = 500;
const actionsPerMinute = 60;

/** The port the canvas has of its own: the environment, the config, the gateway's port + 4. */
export function canvasPort(world: Pick<World, "env">, config: EffectiveConfig, gatewayPort: number): number {
  const given = Number(world.env["OPENCLAW_CANVAS_HOST_PORT"]) || config.canvasHost.port;
  return derivePorts(gatewayPort, given).canvas;
}

export function canvasEnabled(world: Pick<World, "env">, config: EffectiveConfig): boolean {
  const skip = /^(?:1|true|yes|on)$/i.test(world.env["OPENCLAW_SKIP_CANVAS_HOST"]?.trim() ?? "");
  return config.canvasHost.enabled && !skip;
}

/** Opens nothing: the service does. Undefined parts while the canvas is off. */
export function buildCanvas(parts: CanvasParts): Canvas {
  const { world, config, listener, directory } = parts;
  const log = parts.log.child("canvas");
  if (!canvasEnabled(world, config.current)) return off();
  const { root, liveReload } = config.current.canvasHost;
  const host = new CanvasHost({
    world,
    log,
    root: root ? rooted(root, world) : join(directory.workspace(directory.defaultId()), "canvas"),
    a2uiDir: builtA2ui(),
    liveReload,
    judge: parts.judge,
    action: actionPort(parts),
  });
  const own = new CanvasListener(parts, host, log);
  const port = () => own.port ?? listener.port;
  const { secure } = listener;
  return {
    tool: canvasTool({
      url: () =>
        canvasUrl({ bindHost: listener.host, hostHeader: "127.0.0.1", peerIsLocal: true, port: port(), secure }),
    }),
    routes: routesOf(host),
    service: own,
    socket: (path) =>
      path.startsWith(prefix) && path.endsWith("/ws")
        ? (req, socket, head) => host.upgrade(req, socket, head, path)
        : undefined,
    url(identity, { host: hostHeader, location }) {
      const peerIsLocal = location.localDirect;
      const base = canvasUrl({ bindHost: listener.host, hostHeader, peerIsLocal, port: port(), secure });
      if (base === undefined || identity.role !== "node") return base;
      const { connId, client } = identity;
      const token = host.capabilities.mint({
        connId,
        host: client.displayName ?? client.id,
        instanceId: client.instanceId ?? identity.deviceId ?? connId,
      });
      return `${base}${prefix}cap/${token}`;
    },
    watching: (presence) => ({
      connected: (identity) => presence.connected(identity),
      disconnected: (identity) => {
        host.capabilities.revoke(identity.connId);
        presence.disconnected(identity);
      },
    }),
  };
}

const off = (): Canvas => ({
  tool: canvasTool({ url: () => undefined }),
  routes: [],
  service: { name: "canvas" },
  socket: () => undefined,
  url: () => undefined,
  watching: (presence) => presence,
});

function routesOf(host: CanvasHost): Route[] {
  const serve: Route["handle"] = (req, res, { path }) => host.request(req, res, path, false);
  const page = (path: string, methods = ["GET"]): Route => ({ methods, path, browser: true, handle: serve });
  return [
    ...["canvas", "a2ui"].flatMap((name) => [page(`${prefix}${name}`), page(`${prefix}${name}/*`)]),
    page(`${prefix}ws`),
    page(`${prefix}cap/*`, ["GET", "POST"]),
  ];
}

/** The port that serves the canvas alone. That it is taken is said and changes nothing else: the gateway's port serves it too. */
class CanvasListener implements Service {
  readonly name = "canvas";
  readonly #parts: CanvasParts;
  readonly #host: CanvasHost;
  readonly #log: Logger;
  #listener: Listener | undefined;

  constructor(parts: CanvasParts, host: CanvasHost, log: Logger) {
    this.#parts = parts;
    this.#host = host;
    this.#log = log;
  }

  get port(): number | undefined {
    return this.#listener?.port;
  }

  async start(): Promise<void> {
    await this.#host.start();
    const { world, config, endpoint, listener } = this.#parts;
    const port = canvasPort(world, config.current, listener.port);
    try {
      const tls = loadTls(endpoint.tls, stateDir(world), world);
      const options = { host: listener.host, port, log: this.#log, world, ...(tls ? { tls } : {}) };
      this.#listener = await Listener.bind(options);
    } catch (error) {
      const why = error instanceof ListenError && error.code === "EADDRINUSE" ? "it is in use" : String(error);
      this.#log.warn(
        `the canvas has no port of its own: ${port} cannot be opened (${why}). Pages are served on ${listener.port}; set canvasHost.port to choose another.`,
      );
      return;
    }
    const host = this.#host;
    this.#listener.setRouter({
      request: (req, res) => {
        const path = rawPath(req.url);
        if (path === undefined) sendText(req, res, 400, "Bad Request");
        else void host.request(req, res, path, true);
      },
      upgrade: (req, socket, head) => host.upgrade(req, socket, head, rawPath(req.url) ?? ""),
    });
    this.#log.debug(`canvas listens on port ${this.#listener.port}`);
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#host.stop();
    const closing = this.#listener?.close(Math.min(500, deadlineMs));
    this.#listener = undefined;
    await closing;
    this.#host.destroy();
  }
}

/** An action becomes a turn of the main session. It comes from a page, so it has no more rights than a message of a chat. */
export function actionPort({
  world,
  agents,
  sessions,
  directory,
  config,
}: Pick<CanvasParts, "world" | "agents" | "sessions" | "directory" | "config">): ActionPort {
  const known = new Map<string, { at: number; taken: Promise<unknown> }>();
  return async (action, { connId, host, instanceId }) => {
    const now = world.monotonic();
    const key = `${connId} ${action.id || world.uuid()}`;
    const repeated = known.get(key);
    if (repeated) return void (await repeated.taken);
    const recent = [...known.values()].filter(({ at }) => now - at < 60_000).length;
    if (recent >= actionsPerMinute)
      throw new GatewayError("unavailable", "too many actions; try again in a minute", { retryAfterMs: 60_000 });
    const oldest = known.keys().next();
    if (known.size >= actionsKept && !oldest.done) known.delete(oldest.value);
    const agentId = directory.defaultId();
    const sessionKey = sessions.mainKey(agentId);
    const taken = agents.submit({
      family: "agent",
      runId: world.uuid(),
      principal: `canvas:${instanceId}`,
      sessionKey,
      request: {
        message: actionLine(action, { sessionKey, host, instanceId }),
        images: [],
        agentId,
        origin: "channel",
        owner: false,
        sender: `canvas on ${host}`,
        thinking: "low",
        timeoutMs: config.current.agents.defaults.timeoutSeconds * 1_000,
        waitMs: 10 * 60_000,
      },
    });
    known.set(key, { at: now, taken });
    await taken.catch((error: unknown) => {
      // It was not taken: the page may send it again.
      known.delete(key);
      throw error;
    });
  };
}

const rooted = (path: string, world: World): string => {
  const expanded = expandHome(path, world);
  return isAbsolute(expanded) ? expanded : resolve(world.homedir(), expanded);
};

/** Where the build puts the A2UI page: beside the chunks in what ships, in `dist` of the package while sources run. */
export function builtA2ui(from: string = import.meta.dirname): string | undefined {
  return [join(from, "../a2ui"), join(from, "../../dist/a2ui")].find((folder) =>
    existsSync(join(folder, "a2ui.bundle.js")),
  );
}
