/** All rooms of one generation, constructed in order and read from top to bottom: no container, no registration. What a room
 *  needs it gets here; a wiring mistake does not compile. */
import { dirname, join } from "node:path";
import { configMethods, type ConfigSnapshot, type RestartPort } from "../config/index.ts";
import { AgentDirectory, agentMethods, Agents, agentTools } from "../features/agents/index.ts";
import { groupTools } from "../features/channels/index.ts";
import { deviceMethods, Devices } from "../features/devices/index.ts";
import { modelMethods, Models } from "../features/models/index.ts";
import { openAiApi } from "../features/openai/index.ts";
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
  webFiles,
  wrapUntrusted,
} from "../features/tools/index.ts";
import { Bus } from "../kernel/bus.ts";
import { Lifecycle } from "../kernel/lifecycle.ts";
import type { Logger } from "../kernel/log.ts";
import { stateDir } from "../kernel/paths.ts";
import type { Redactor } from "../kernel/redact.ts";
import type { World } from "../kernel/world.ts";
import { Server, type Listener } from "../server/index.ts";
import { type SqliteStore } from "../store/index.ts";
import { laterMethods } from "./later-methods.ts";
import { buildAutomation } from "./automation.ts";
import { buildCanvas } from "./canvas.ts";
import { buildChannels, joinChannels } from "./channels.ts";
import { joinHandlers } from "./handlers.ts";
import { setupPorts } from "./onboard.ts";
import { findInstall } from "./install.ts";
import type { ConfigState } from "./reload.ts";
import type { SafeState } from "./safe-mode.ts";
import { selfCare } from "./self-care.ts";
import { Sentinel } from "./sentinel.ts";
import { StallWatch } from "./stall.ts";
import { perConfig } from "./remembered.ts";
import { declared, type EffectiveConfig } from "./sections.ts";
import { Metrics } from "./metrics.ts";
import { apiRoutes, httpRoutes } from "./routes.ts";
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

export interface Problem {
  part: string;
  message: string;
}

/** What the Gateway holds on to. */
export interface Rooms {
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
  /** A channel's SDK let an error escape: its connections are made anew. */
  renewChannel: (channel: string, error: unknown) => void;
  /** The state of the process changed: what safe mode held begins, once nothing holds it. */
  released: () => void;
}

/** Opens nothing and starts nothing: `lifecycle.start` does. */
export function buildRooms(options: GatewayOptions, store: SqliteStore): Rooms {
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
  const channelRooms = buildChannels({
    world: inside,
    log,
    store,
    bus,
    config,
    redactor,
    sessions,
    directory,
    systemEvent: queueSystemEvent,
    configPath: snapshot.path,
    skills: (agentId) => skills.promptList(agentId),
    held: () => options.process.safe()?.reason,
    changed: () => health.refreshSoon(),
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
    endings: () => automation.endings,
    routes: () => channelRooms.routes,
    version,
    care,
  });
  sessions.onStop((key) => agents.stopSession(key));
  const chats = joinChannels(channelRooms, agents);
  const automation: ReturnType<typeof buildAutomation> = buildAutomation({
    world: inside,
    log,
    store,
    bus,
    config,
    directory,
    sessions,
    agents,
    channels: channelRooms,
    models,
    tools: () => tools,
    configDir: dirname(snapshot.path),
    systemEvents,
    held: () => options.process.safe()?.reason,
  });

  const canvas = buildCanvas({
    world: inside,
    log,
    config,
    directory,
    agents,
    sessions,
    endpoint: options.endpoint,
    listener,
    judge: (req) => server.judge(req),
  });

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
      chats.tool,
      canvas.tool,
    ],
    agentPolicy: (agentId) => toolsOf(agentId) as ToolPolicyConfig | undefined,
    narrower: groupTools({ agents, channel: channelRooms.find }),
  });

  const openai = openAiApi({
    world: inside,
    log: log.child("http"),
    bus,
    agents,
    config,
    fetchFile: webFiles({ world: inside, config }),
    wrapUntrusted: (text, source) => wrapUntrusted(text, source, world),
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
    channels: () => channelRooms.channels.health(),
    channelSummary: () => channelRooms.channels.summaryLines(),
    heartbeat: (agentId: string) => automation.heartbeats.facts(agentId),
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
    chats.methods,
    automation.methods,
    setupMethods(new SetupSessions({ world, ports: setupPorts(world, { keys: "config", interactive: true }) })),
    laterMethods({ now: world.now }),
  );
  const metrics = new Metrics({
    world,
    version,
    bus,
    agents,
    sessions,
    connections: () => server.connections().length,
    answers: () => server.httpAnswers(),
    apiRequests: openai.active,
    problems: () => problems().length,
  });
  const server: Server = new Server({
    world,
    log: log.child("ws"),
    bus,
    listener,
    settings: serverSettings(config, options.endpoint, options.verbose, options.logFrames),
    handlers,
    devices,
    presence: canvas.watching(presence),
    socket: (path) => canvas.socket(path),
    canvasUrl: (identity, entrance) => canvas.url(identity, entrance),
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
    api: apiRoutes({ openai, metrics, config, loopback: listener.loopback, others: automation.routes }),
    routes: httpRoutes({ world, config: config.current, version, directory, others: canvas.routes }),
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
    chats.adapters,
    // Every run a former process left open is resolved before anyone can connect (R-SHUT-2).
    { name: "agents", start: () => agents.start() },
    openai.service,
    metrics,
    sentinel,
    new StallWatch({
      world,
      log: log.child("stall"),
      woke: (gapMs) => {
        server.woke();
        for (const channel of channelRooms.services) channel.woke(gapMs);
      },
    }),
    { name: "server", start: () => server.start(), stop: (deadlineMs: number) => server.stop(deadlineMs) },
    ...chats.services,
    automation.heartbeats,
    automation.hooks,
    canvas.service,
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
    renewChannel: (channel: string, error: unknown) => channelRooms.find(channel)?.renew(error),
    released: () => {
      if (options.process.safe() !== undefined) return;
      for (const channel of channelRooms.services)
        if (channel.runners().some(({ state: now }) => now === "held"))
          channel
            .reload(config.current)
            .catch((error: unknown) => log.error(`${channel.name} was not started after safe mode`, { error }));
      chats.pipeline.release();
    },
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
