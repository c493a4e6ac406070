/** The Gateway: one generation of all rooms, built in order, read from top to bottom. The Host owns what outlives it: lock,
 *  listener, signals, log. */
import { dirname, join } from "node:path";
import {
  configMethods,
  documentSchema,
  secretsOf,
  type ConfigSnapshot,
  type ReloadPlan,
  type RestartPort,
} from "../config/index.ts";
import { AgentDirectory, agentMethods, Agents, agentTools } from "../features/agents/index.ts";
import { deviceMethods, Devices } from "../features/devices/index.ts";
import { modelMethods, Models } from "../features/models/index.ts";
import { Presence, presenceMethods } from "../features/presence/index.ts";
import { sessionMethods, Sessions, SystemEvents } from "../features/sessions/index.ts";
import { setupMethods, SetupSessions } from "../features/setup/index.ts";
import { Skills, skillsMethods } from "../features/skills/index.ts";
import { Health, LogTail, statusMethods } from "../features/status/index.ts";
import {
  type AgentToolsConfig,
  ChildFile,
  coreTools,
  gatewayTool,
  killLeftovers,
  Processes,
  type ToolPolicyConfig,
  Tools,
  toolsMethods,
} from "../features/tools/index.ts";
import { Bus } from "../kernel/bus.ts";
import { Lifecycle } from "../kernel/lifecycle.ts";
import type { Logger } from "../kernel/log.ts";
import { commandLine, stateDir } from "../kernel/paths.ts";
import type { Redactor } from "../kernel/redact.ts";
import type { World } from "../kernel/world.ts";
import { Server, type Listener } from "../server/index.ts";
import { openStore, type SqliteStore } from "../store/index.ts";
import { recordApplied } from "./applied-config.ts";
import { laterMethods } from "./later-methods.ts";
import { joinHandlers } from "./handlers.ts";
import { storeMigrations } from "./migrations.ts";
import { hasUnreadOldState } from "./old-state.ts";
import { setupPorts } from "./onboard.ts";
import { findInstall } from "./install.ts";
import type { ConfigState } from "./reload.ts";
import type { SafeState } from "./safe-mode.ts";
import { selfCare } from "./self-care.ts";
import { Sentinel } from "./sentinel.ts";
import { StallWatch } from "./stall.ts";
import { perConfig } from "./remembered.ts";
import { declared, type EffectiveConfig } from "./sections.ts";
import { serverSettings } from "./server-settings.ts";
import { snapshotPort } from "./snapshot.ts";
import type { Endpoint } from "./startup-checks.ts";
import { statusSources } from "./status-sources.ts";
import { Tailnet } from "./tailscale.ts";
import { updateMethods } from "./update.ts";

export interface GatewayOptions {
  world: World;
  log: Logger;
  redactor: Redactor;
  /** Bound already; the Gateway takes its connections. */
  listener: Listener;
  /** Judged `ok` or `missing`. */
  snapshot: ConfigSnapshot;
  endpoint: Endpoint;
  version: string;
  logFile: () => string;
  verbose: boolean;
  /** With `verbose`: a line per WebSocket frame. */
  logFrames: boolean;
  process: ProcessView;
}

/** What a generation sees of the process around it. */
export interface ProcessView {
  restarts: RestartPort;
  configState: () => ConfigState;
  safe: () => SafeState | undefined;
}

/** How a generation ends. */
export interface Ending {
  reason: string;
  restartExpectedMs?: number;
  deadlineMs: number;
}

export interface Problem {
  part: string;
  message: string;
}

interface Parts {
  world: World;
  store: SqliteStore;
  server: Server;
  agents: Agents;
  directory: AgentDirectory;
  models: Models;
  bus: Bus;
  health: Health;
  config: { current: EffectiveConfig };
  lifecycle: Lifecycle;
  log: Logger;
  redactor: Redactor;
  sentinel: Sentinel;
  problems: () => Problem[];
}

export class Gateway {
  readonly bus: Bus;
  readonly models: Models;
  readonly config: { readonly current: EffectiveConfig };
  readonly store: SqliteStore;
  readonly sentinel: Sentinel;
  readonly #parts: Parts;
  readonly #background = new AbortController();
  #stopping: Promise<void> | undefined;
  #durable: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.bus = parts.bus;
    this.models = parts.models;
    this.config = parts.config;
    this.store = parts.store;
    this.sentinel = parts.sentinel;
  }

  /** Opens the store, builds the rooms, resolves what a former process left open, then lets connections in. When it
   *  rejects, everything it opened is closed again. */
  static async start(options: GatewayOptions): Promise<Gateway> {
    const { world, log, redactor, snapshot } = options;
    redactor.usePatterns((snapshot.config as EffectiveConfig).logging);
    redactor.addEnvironment(snapshot.env);
    for (const secret of secretsOf(snapshot.config, documentSchema(declared))) redactor.add(secret);
    const store = openStore({
      path: join(stateDir(world), "openclaw.db"),
      migrations: storeMigrations,
      world,
      log: log.child("store"),
    });
    try {
      const parts = build(options, store);
      const gateway = new Gateway(parts);
      await parts.lifecycle.start();
      gateway.#runBackground();
      recordApplied(snapshot, world, log.child("config"));
      return gateway;
    } catch (error) {
      store.close();
      throw error;
    }
  }

  defaultAgentId(): string {
    return this.#parts.directory.defaultId();
  }

  /** Empty once the generation stops: its parts are no longer there to be asked. */
  problems(): Problem[] {
    return this.#stopping ? [] : this.#parts.problems();
  }

  /** Waits for running turns before a planned restart; new requests are refused meanwhile. */
  async drain(budgetMs: number): Promise<void> {
    this.#parts.server.drain();
    await this.#parts.agents.drain(budgetMs);
  }

  /** The restart was called off: as if `drain` had not been. */
  resume(): void {
    this.#parts.server.resume();
    this.#parts.agents.resume();
  }

  /** Takes a new config over while everything runs: services build their new parts, then all readers see the new values at
   *  once. Answers with the services that kept their old part (R-REL-4). */
  async reload(snapshot: ConfigSnapshot, plan: ReloadPlan): Promise<Problem[]> {
    const { config, lifecycle, redactor } = this.#parts;
    redactor.usePatterns((snapshot.config as EffectiveConfig).logging);
    redactor.addEnvironment(snapshot.env);
    for (const secret of secretsOf(snapshot.config, documentSchema(declared))) redactor.add(secret);
    const next = snapshot.config as EffectiveConfig;
    const failed = await lifecycle.reload(plan.services.keys(), next);
    config.current = next;
    recordApplied(snapshot, this.#parts.world, this.#parts.log.child("config"));
    return failed;
  }

  /** The state of the process changed: one new health snapshot says so. */
  stateChanged(): void {
    this.#parts.health.refreshSoon();
  }

  /** The part of a stop that must survive SIGKILL: announce, admit nothing, write the end of every run (R-SHUT-4).
   *  Idempotent; `stop` begins with it. */
  durable(ending: Ending): Promise<void> {
    this.#durable ??= (async () => {
      const { server, agents } = this.#parts;
      this.#background.abort();
      server.announceShutdown({
        reason: ending.reason,
        ...(ending.restartExpectedMs === undefined ? {} : { restartExpectedMs: ending.restartExpectedMs }),
      });
      server.drain();
      await agents.stop(Math.min(500, ending.deadlineMs));
    })();
    return this.#durable;
  }

  /** Durable part first, then services in reverse, sockets closed with 1012, store closed last. Idempotent. */
  stop(ending: Ending): Promise<void> {
    this.#stopping ??= (async () => {
      await this.durable(ending).catch((error: unknown) =>
        this.#parts.log.error("the durable part of the stop failed", { error }),
      );
      await this.#parts.lifecycle.stop(ending.deadlineMs);
      this.#parts.store.close();
    })();
    return this.#stopping;
  }

  /** What may fail or need the network runs after ready and never stops the gateway (R-START-2). */
  #runBackground(): void {
    if (hasUnreadOldState(dirname(this.store.path))) {
      this.#parts.log.info(
        `conversations or devices of an older OpenClaw are in the state directory; to take them over, stop the gateway and run: ${commandLine(this.#parts.world, "sessions import")}`,
      );
    }
    this.#parts.models
      .discoverLocal(this.#background.signal)
      .catch((error: unknown) => this.#parts.log.debug("looking for local model servers failed", { error }));
  }
}

function build(options: GatewayOptions, store: SqliteStore): Parts {
  const { world, log, redactor, snapshot, listener, version } = options;
  const state = stateDir(world);
  const config = { current: snapshot.config as EffectiveConfig };
  // The document's `env` block counts as environment for everything below (config.md §2.3).
  const inside: World = { ...world, env: snapshot.env };
  const bus = new Bus(log.child("bus"));

  const directory = new AgentDirectory(config, inside);
  const models = new Models({
    world: inside,
    log: log.child("models"),
    config,
    selection: () => directory.modelSelection(),
    agentSelection: (agentId) => directory.agentModel(agentId),
    redact: (secret) => redactor.add(secret),
  });
  const systemEvents = new SystemEvents({ world });
  const sessions = new Sessions({
    store,
    world,
    bus,
    log: log.child("sessions"),
    config,
    systemEvents,
    agents: directory,
    defaults: perConfig(config, () => {
      const model = models.defaultModel();
      return { modelProvider: model.provider, model: model.id, contextTokens: model.contextWindow };
    }),
    resolveModel: (reference) => {
      const model = models.resolve(reference);
      return { provider: model.provider, model: model.id };
    },
  });
  const skills = new Skills({
    world: inside,
    log: log.child("skills"),
    config,
    managedDir: join(state, "skills"),
    workspaceOf: (agentId = directory.defaultId()) =>
      directory.exists(agentId) ? directory.workspace(agentId) : undefined,
    agentIds: () => directory.list(),
  });
  const queueSystemEvent = (sessionKey: string, text: string) => void systemEvents.enqueue(sessionKey, text);
  const sentinel = new Sentinel({
    store,
    log,
    show: (sessionKey, text) =>
      queueSystemEvent(sessionKey ? sessions.canonicalKey(sessionKey) : sessions.mainKey(), text),
  });
  const configs = configMethods({
    path: snapshot.path,
    declared,
    version,
    world,
    restart: options.process.restarts,
    sentinel,
  });
  const updates = updateMethods({ install: () => findInstall(import.meta.dirname, world), version, world });
  const care = selfCare({
    world,
    config,
    methods: configs,
    update: updates["update.run"],
    restarts: options.process.restarts,
    sentinel,
  });
  const agents: Agents = new Agents({
    store,
    sessions,
    models,
    bus,
    world: inside,
    log: log.child("agents"),
    config,
    directory,
    drainSystemEvents: (sessionKey) => systemEvents.drain(sessionKey),
    queueSystemEvent,
    tools: () => tools,
    skillsPrompt: (agentId) => skills.promptList(agentId),
    version,
    care,
  });
  sessions.onStop((key) => agents.stopSession(key));

  const children = new ChildFile(join(state, "children.json"), log.child("tools"));
  const processes = new Processes({
    world: inside,
    log: log.child("tools"),
    config,
    systemEvent: queueSystemEvent,
    ledger: children,
  });
  const toolsOf = (agentId: string) => directory.listed(agentId)?.tools as AgentToolsConfig | undefined;
  const tools: Tools = new Tools({
    log: log.child("tools"),
    config,
    tools: [
      ...coreTools({ world: inside, config, processes, agentTools: toolsOf }),
      ...agentTools(agents),
      gatewayTool(care, world),
    ],
    agentPolicy: (agentId) => toolsOf(agentId) as ToolPolicyConfig | undefined,
  });

  const presence = new Presence({
    world,
    bus,
    self: { host: world.hostname(), version, deviceFamily: world.platform, modelIdentifier: world.arch },
    enqueueSystemEvent: (text) => queueSystemEvent(sessions.mainKey(), text),
  });
  const devices: Devices = new Devices({
    store,
    world,
    bus,
    log: log.child("devices"),
    closeDevice: (deviceId, reason, role) => server.closeDevice(deviceId, reason, role),
  });
  const failing = (): Problem[] => lineUp([...services, { name: "store", health: () => store.health() }]);
  const problems = (): Problem[] => [...failing(), ...troubles(options.process)];
  const sources = {
    ...statusSources({
      world,
      version,
      config,
      store,
      sessions,
      systemEvents,
      agents,
      directory,
      models,
      problems,
      configPath: snapshot.path,
      connections: () => server.connections().length,
    }),
    configState: options.process.configState,
    safe: options.process.safe,
  };
  const health = new Health(sources, bus);
  const handlers = joinHandlers(
    statusMethods(sources, health, new LogTail(options.logFile)),
    configs,
    updates,
    presenceMethods(presence),
    deviceMethods(devices),
    sessionMethods(sessions),
    modelMethods(models),
    skillsMethods(skills),
    toolsMethods(tools, { defaultId: () => directory.defaultId(), has: (agentId) => directory.exists(agentId) }),
    agentMethods(agents),
    setupMethods(new SetupSessions({ world, ports: setupPorts(world, { keys: "config", interactive: true }) })),
    laterMethods({ now: world.now }),
  );
  const server: Server = new Server({
    world,
    log: log.child("ws"),
    bus,
    listener,
    settings: serverSettings(config, options.endpoint, options.verbose, options.logFrames),
    handlers,
    devices,
    presence,
    snapshots: snapshotPort({
      world,
      presence,
      health,
      directory,
      sessions,
      config,
      configPath: snapshot.path,
      stateDir: state,
      authMode: options.endpoint.auth.mode,
    }),
    info: { version, host: world.hostname() },
    tailnet: new Tailnet({ world: inside, log: log.child("tailscale") }),
    failing: () => failing().map((problem) => problem.part),
  });

  const services = [
    sessions,
    presence,
    health,
    {
      name: "processes",
      start: () => void killLeftovers(children.readLeftovers(), world, log.child("tools")),
      stop: (deadlineMs: number) => processes.stop(deadlineMs),
    },
    // Every run a former process left open is resolved before anyone can connect (R-SHUT-2).
    { name: "agents", start: () => agents.start() },
    sentinel,
    new StallWatch({ world, log: log.child("stall"), woke: () => server.woke() }),
    { name: "server", start: () => server.start(), stop: (deadlineMs: number) => server.stop(deadlineMs) },
  ];
  return {
    world,
    store,
    server,
    agents,
    directory,
    models,
    bus,
    health,
    config,
    lifecycle: new Lifecycle(services, log),
    log,
    redactor,
    sentinel,
    problems,
  };
}

/** What is wrong with the process rather than with a part of it; it works on. */
function troubles({ configState, safe }: ProcessView): Problem[] {
  const { lastReloadError, failed = [] } = configState();
  const held = safe();
  return [
    ...(lastReloadError ? [{ part: "config", message: lastReloadError.message }] : []),
    ...failed.map(({ part, message }) => ({ part, message: `keeps its former config: ${message}` })),
    ...(held ? [{ part: "safe-mode", message: held.reason }] : []),
  ];
}

function lineUp(services: readonly { name: string; health?(): string | undefined }[]): Problem[] {
  return services.flatMap((service) => {
    const message = service.health?.();
    return message ? [{ part: service.name, message }] : [];
  });
}
