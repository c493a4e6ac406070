/** The channels of one generation and what stands between them and the agents: built in two steps, because an agent's answer is
 *  written into the outbox, and a chat's message becomes an agent's run. */
import { join } from "node:path";
import { type AgentDirectory, type Agents, commands, normalizeAgentId } from "../features/agents/index.ts";
import {
  channelMethods,
  channelRows,
  Channels,
  ConnectionNotes,
  type AccountRunner,
  ChannelService,
  Echoes,
  Inbox,
  letsIn,
  MediaSource,
  MediaStore,
  type MenuCommand,
  messageTool,
  mirror,
  Outbox,
  Pairing,
  Pipeline,
  Replies,
  replyRoutes,
  routeOf,
  Sends,
} from "../features/channels/index.ts";
import type { Sessions } from "../features/sessions/index.ts";
import { webFiles } from "../features/tools/index.ts";
import type { Bus } from "../kernel/bus.ts";
import type { Logger } from "../kernel/log.ts";
import type { Service } from "../kernel/lifecycle.ts";
import { stateDir } from "../kernel/paths.ts";
import type { Redactor } from "../kernel/redact.ts";
import type { Timer, World } from "../kernel/world.ts";
import type { Store } from "../store/index.ts";
import { listEditor } from "./allow-lists.ts";
import { groupMover } from "./group-mover.ts";
import type { EffectiveConfig } from "./sections.ts";

export interface ChannelParts {
  world: World;
  log: Logger;
  store: Store;
  bus: Bus;
  config: { readonly current: EffectiveConfig };
  redactor: Redactor;
  sessions: Sessions;
  directory: AgentDirectory;
  systemEvent: (sessionKey: string, text: string) => void;
  configPath: string;
  /** Skills an agent may use, for the menus of platforms. */
  skills: (agentId: string) => readonly { name: string; description: string }[];
  /** Why no account may connect and no message is answered (safe mode). */
  held: () => string | undefined;
  /** The state of an account changed. */
  changed: () => void;
}

export type ChannelRooms = ReturnType<typeof buildChannels>;

/** Everything below the agents. Opens nothing. */
export function buildChannels(parts: ChannelParts) {
  const { world, store, config, sessions, directory, systemEvent } = parts;
  const log = parts.log.child("channels");
  const inbox = new Inbox({ store, world, log });
  const outbox: Outbox = new Outbox({
    store,
    world,
    log,
    systemEvent,
    account: (channel, accountId) => outboxAccount(channels, channel, accountId),
  });
  const mediaStore = new MediaStore({ dir: join(stateDir(world), "media"), world, log });
  const media = new MediaSource({ world, mediaDir: mediaStore.dir, fetchFile: webFiles({ world, config }) });
  let accept: Pipeline["accept"] = () => {};
  let accountsChanged = () => {};
  const services = channelRows.map(
    (row) =>
      new ChannelService({
        row,
        world,
        log: parts.log.child(row.id),
        store,
        config,
        inbox,
        outbox,
        accept: (rows) => accept(rows),
        mediaDir: mediaStore.dir,
        commands: () => menuOf(parts),
        redact: (secret) => parts.redactor.add(secret),
        held: parts.held,
        changed: () => {
          parts.changed();
          notes.look();
          accountsChanged();
        },
      }),
  );
  const channels: Channels = new Channels({
    world,
    services,
    counts: {
      counts: (channel, accountId) => inbox.counts(channel, accountId),
      sends: (channel, accountId) => outbox.backlog(channel, accountId),
    },
  });
  const find = (id: string) => services.find((service) => service.row.id === id);
  const notes = new ConnectionNotes({
    world,
    accounts: () =>
      services.flatMap((service) =>
        service.runners().map(({ accountId, facts }) => ({
          channel: service.row.id,
          label: service.row.label,
          accountId,
          facts,
        })),
      ),
    tell: ({ channel, accountId }, text) => systemEvent(directSession(parts, channel, accountId), text),
  });
  const echoes = new Echoes(world);
  const roots = (agentId: string) => [directory.workspace(agentId), mediaStore.dir];
  const replies = new Replies({
    world,
    log,
    inbox,
    outbox,
    sessions,
    channel: find,
    media,
    roots,
    echoes,
  });
  const sends = new Sends({
    world,
    channels,
    outbox,
    media,
    roots: () => [directory.workspace(directory.defaultId()), mediaStore.dir],
    mirror: mirror({ world, store, log, sessions, directory, config, entry: (channel) => find(channel)?.entry }),
  });
  const pairing = new Pairing({ store, world, outbox, channel: find });
  const routes = replyRoutes({
    sessions,
    resolve: (params) => sends.resolve(params),
    letsIn: (channel, accountId, chatId) => {
      const service = find(channel);
      const access = service?.settings(accountId)?.access;
      const isPaired = (senderId: string) => pairing.isAllowed(channel, accountId, senderId);
      const self = service?.runner(accountId)?.facts.self?.id;
      return !service?.entry || !access || letsIn(chatId, { access, entry: service.entry, isPaired, self });
    },
    settings: (channel, accountId) => {
      const service = find(channel);
      const id = accountId ?? service?.defaultAccountId();
      return id === undefined ? undefined : service?.settings(id);
    },
  });
  return {
    parts,
    log,
    inbox,
    outbox,
    channels,
    services,
    sends,
    replies,
    routes,
    echoes,
    pairing,
    mediaStore,
    notes,
    find,
    /** Who takes fresh messages, and is told when an account comes or goes. */
    feed: (taker: Pick<Pipeline, "accept" | "accountsChanged">) => {
      accept = (rows) => taker.accept(rows);
      accountsChanged = () => taker.accountsChanged();
    },
  };
}

/** Everything above the agents: the pipeline, pairing, the agents' own tool, and the methods. */
export function joinChannels(rooms: ChannelRooms, agents: Agents) {
  const { parts, log, inbox, outbox, channels, services, sends, echoes, pairing, mediaStore, notes, find } = rooms;
  const { world, store, bus, config, sessions, systemEvent, held } = parts;
  const pipeline = new Pipeline({
    store,
    world,
    log: log.child("inbound"),
    bus,
    config,
    inbox,
    outbox,
    agents,
    sessions,
    channel: find,
    systemEvent,
    held,
    pairing,
    echoes,
    editList: listEditor({ world, path: parts.configPath }),
    groupMoved: groupMover({ world, path: parts.configPath, log }),
  });
  rooms.feed(pipeline);
  const tool = messageTool({
    world,
    config,
    sends,
    agents,
    sessions,
    echoes,
    capabilities: () => channels.configured().flatMap(({ entry }) => (entry ? [entry.capabilities] : [])),
  });
  /** What runs that are taken up again need to write their answers. */
  const adapters: Service = {
    name: "channel-adapters",
    start: async () => void (await Promise.all(services.map((service) => service.load()))),
  };
  return {
    pipeline,
    pairing,
    tool,
    methods: channelMethods(channels, sends, pairing),
    adapters,
    /** In this order after the server: what is on its way out is stopped before its connection, then its callers are answered. */
    services: [mediaStore, sweeping(inbox, world, log), ...services, notes, pipeline, sends, outbox] as Service[],
  };
}

/** Where direct chats of an account lead. */
function directSession({ config, directory, sessions }: ChannelParts, channel: string, accountId: string): string {
  const { agentId } = routeOf({
    channel,
    accountId,
    message: { chat: { kind: "direct", id: "" } },
    config: config.current,
    defaultAgent: directory.defaultId(),
    exists: (name) => directory.exists(name),
    normalizeAgentId,
  });
  return sessions.mainKey(agentId);
}

/** What can be typed here, without what is switched off; then the skills of the agent that answers by default. */
function menuOf({ config, directory, skills }: ChannelParts): MenuCommand[] {
  const { restart, config: showConfig } = config.current.commands;
  const off = [...(restart ? [] : ["restart"]), ...(showConfig ? [] : ["config"])];
  return [
    ...commands.filter(({ name }) => !off.includes(name)).map(({ name, summary }) => ({ name, description: summary })),
    ...skills(directory.defaultId()).map(({ name, description }) => ({ name, description, skill: true })),
  ];
}

const sweepEveryMs = 3_600_000;

/** Ended messages are forgotten in time. */
function sweeping(inbox: Inbox, world: World, log: Logger): Service {
  let timers: Timer[] = [];
  const sweep = () =>
    void inbox.sweep().catch((error: unknown) => log.warn("old messages could not be swept", { error }));
  return {
    name: "inbox",
    start: () => {
      timers = [world.after(60_000, sweep), world.every(sweepEveryMs, sweep)];
    },
    stop: () => timers.forEach((timer) => timer.cancel()),
  };
}

function outboxAccount(channels: Channels, channel: string, accountId: string) {
  const runner = channels.runner(channel, accountId);
  if (!runner) return undefined;
  const { account, state, facts, entry } = runner;
  const problem = [facts.lastError, facts.fix].filter(Boolean).join(" ");
  return {
    state,
    open: state === "open" && account !== undefined,
    budget: entry.budget,
    clientMessageIds: entry.capabilities.clientMessageIds,
    ...(problem ? { problem } : {}),
    ...(account?.newMessageId ? { newMessageId: () => account.newMessageId?.() ?? "" } : {}),
    send: (...given: Parameters<AccountRunner["send"]>) => runner.send(...given),
  };
}
