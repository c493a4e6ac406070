/** A gateway without sockets for the tests of the pipeline: real store, ledger, sessions and agents; a scripted model, a platform in
 *  memory, a fake clock. `again()` is what a crash and a restart are: new objects on the same store. */
import { access } from "node:fs/promises";
import { type Message, messageText } from "@openclaw/protocol";
import { Type } from "typebox";
import { applyDefaults } from "../../../config/index.ts";
import { Bus } from "../../../kernel/bus.ts";
import { type FakeWorld, fakeWorld } from "../../../kernel/fake-world.ts";
import { type Logger, silentLogger } from "../../../kernel/log.ts";
import { openStore, type Store } from "../../../store/index.ts";
import {
  Agents,
  type AgentsOptions,
  agentsSection,
  commandsSection,
  messagesSection,
  runMigrations,
} from "../../agents/index.ts";
import type { ModelRequest } from "../../models/index.ts";
import { sessionMigrations, Sessions, sessionSection, SystemEvents } from "../../sessions/index.ts";
import { type Tool, Tools, toolsSection } from "../../tools/index.ts";
import type { AccountSettings, ChannelAccount, ChannelEntry, Target } from "../channel.ts";
import { channelMigrations } from "../channels.store.ts";
import type { InboundMessage, InboundRow } from "../inbound.ts";
import { Inbox, Outbox } from "../ledger/index.ts";
import { bindingsSection } from "../routing.config.ts";
import type { EditList } from "./allowlist.ts";
import { Echoes } from "./echoes.ts";
import { model, say, type Script } from "./model.fixture.ts";
import { Pairing } from "./pairing.ts";
import { Pipeline } from "./pipeline.ts";
import type { ChannelPort, PipelineConfig } from "./ports.ts";
import { Replies } from "./replies.ts";
import { replyRoutes } from "./reply-routes.ts";
import { mortal } from "./mortal.fixture.ts";
import { settle } from "./waiting.fixture.ts";

export { settle, until } from "./waiting.fixture.ts";
export { callTool, fail, gate, inTurn, say, type Script } from "./model.fixture.ts";

export interface SentText {
  chatId: string;
  text: string;
  replyToId?: string;
  threadId?: string;
}

export const settingsOf = (more: Partial<AccountSettings["access"]> = {}): AccountSettings => ({
  accountId: "default",
  enabled: true,
  access: {
    dmPolicy: "pairing",
    allowFrom: ["ann"],
    groupPolicy: "open",
    historyLimit: 50,
    debounceMs: 0,
    replyToMode: "first",
    commandsNeedOwner: false,
    ...more,
  },
  mediaMaxBytes: 1_000_000,
  textChunkLimit: 4_000,
  chunkMode: "length",
  tables: "code",
  settings: {},
});

const entry: ChannelEntry = {
  id: "fake",
  label: "Fake",
  docs: "",
  capabilities: {
    clientMessageIds: false,
    polls: false,
    reactions: true,
    edit: false,
    delete: false,
    threads: true,
    login: false,
    nativeCommands: true,
  },
  budget: {
    directEveryMs: 0,
    group: { count: 1_000, perMs: 1_000, everyMs: 0 },
    account: { count: 1_000, perMs: 1_000 },
  },
  accounts: () => [],
  parseTarget: (text) => ({ chatId: text, kind: "direct" }),
  normalizeSender: (id) => id.trim().toLowerCase().replace(/^@/, ""),
  captionLimit: 1_000,
  idLabel: "Fake id",
  render: (text, { limit }) =>
    Array.from({ length: Math.ceil(text.length / limit) }, (_, at) => text.slice(at * limit, (at + 1) * limit)).map(
      (piece) => ({ text: piece, plain: piece }),
    ),
  load: () => Promise.reject(new Error("the tests bring the account themselves")),
};

let ids = 0;
export const text = (body: string, more: Partial<InboundMessage> = {}): InboundMessage => {
  const id = `m${++ids}`;
  return {
    platformId: id,
    messageId: id,
    at: 1_770_000_000_000,
    chat: { kind: "direct", id: more.sender?.id ?? "ann" },
    sender: { id: "ann", name: "Ann" },
    text: body,
    media: [],
    mentions: { self: false, others: false },
    ...more,
  };
};

export const inGroup = (body: string, more: Partial<InboundMessage> = {}): InboundMessage =>
  text(body, { chat: { kind: "group", id: "g1", title: "Friends" }, ...more });

export interface BenchOptions {
  script?: Script;
  config?: Record<string, unknown>;
  access?: Partial<AccountSettings["access"]>;
  tools?: Tool[];
  account?: Partial<ChannelAccount>;
  world?: FakeWorld;
  store?: Store;
  log?: Logger;
  held?: () => string | undefined;
  media?: ConstructorParameters<typeof Replies>[0]["media"];
  editList?: EditList;
}

const sections = [agentsSection, messagesSection, commandsSection, sessionSection, toolsSection, bindingsSection];

export type Bench = Awaited<ReturnType<typeof makeBench>>;

export async function makeBench(options: BenchOptions = {}) {
  const world = options.world ?? fakeWorld();
  const log = options.log ?? silentLogger;
  const disk =
    options.store ??
    openStore({
      path: ":memory:",
      migrations: [...sessionMigrations, ...runMigrations, ...channelMigrations],
      world,
      log: silentLogger,
    });
  const schema = Type.Object(Object.fromEntries(sections.map((section) => [section.path, section.schema])));
  const authored = { agents: {}, ...options.config } as { agents: { defaults?: object } };
  const defaults = { workspace: "/tmp/pipeline-test-workspace", skipBootstrap: true, ...authored.agents.defaults };
  const config = {
    current: applyDefaults(schema as never, {
      ...authored,
      agents: { ...authored.agents, defaults },
    }) as PipelineConfig & {
      tools: never;
    },
  };
  const state = { script: options.script ?? (() => say("ok")), requests: [] as ModelRequest[] };
  const models: AgentsOptions["models"] = {
    defaultModel: () => model,
    resolve: () => model,
    list: () => [model],
    defaultThinking: () => "off",
    stream: (_model, request, { signal }) => {
      state.requests.push(request);
      return state.script(request, signal);
    },
  };
  const sent: SentText[] = [];
  const shown: string[] = [];
  const account: ChannelAccount = {
    linked: () => true,
    connect: () => Promise.resolve({ kind: "aborted" }),
    async send({ target, content, replyToId }) {
      const body = content.type === "text" ? content.body.text : content.type === "media" ? content.path : "poll";
      const { chatId, threadId } = target;
      sent.push({ chatId, text: body, ...(replyToId ? { replyToId } : {}), ...(threadId ? { threadId } : {}) });
      return { state: "sent", messageId: `out${sent.length}` };
    },
    download: () => Promise.reject(new Error("no files here")),
    async typing(_chat: Target, on) {
      shown.push(on ? "typing" : "idle");
    },
    async react(_chat, _id, emoji, { remove }) {
      shown.push(`${remove ? "-" : "+"}${emoji}`);
    },
    async markRead(receipts) {
      shown.push(`read ${receipts.join(" ")}`);
    },
    probe: () => Promise.resolve({ ok: true, elapsedMs: 0 }),
    ...options.account,
  };
  const settings = { current: settingsOf(options.access) };
  /** Whether the adapter is there, and whether its account can be used yet. */
  const platform = { loaded: true, account: true };
  const service: ChannelPort = {
    get entry() {
      return platform.loaded ? { ...entry, accounts: () => [settings.current] } : undefined;
    },
    accounts: () => [settings.current],
    settings: (id) => (id === "default" ? settings.current : undefined),
    runner: () => ({
      account: platform.account ? account : undefined,
      state: platform.account ? "open" : "connecting",
      facts: platform.account ? { self: { id: "me", username: "bot" } } : {},
    }),
  };
  const channel = (id: string) => (id === "fake" ? service : undefined);

  function build() {
    const { store, die } = mortal(disk);
    const alive = { current: true };
    const bus = new Bus(log);
    const systemEvents = new SystemEvents({ world });
    const queueSystemEvent = (key: string, line: string) => void systemEvents.enqueue(key, line);
    const sessions: Sessions = new Sessions({
      store,
      world,
      bus,
      log,
      config,
      systemEvents,
      agents: {
        defaultId: () => agents.directory.defaultId(),
        exists: (id) => agents.directory.exists(id),
        list: () => agents.directory.list(),
      },
      defaults: () => ({ modelProvider: "mock", model: "one", contextTokens: 200_000 }),
      resolveModel: () => ({ provider: "mock", model: "one" }),
    });
    const inbox = new Inbox({ store, world, log });
    const outbox = new Outbox({
      store,
      world,
      log,
      account: () => ({
        state: "open",
        open: true,
        budget: entry.budget,
        clientMessageIds: false,
        send: (part, attempt) => (alive.current ? account.send(part, attempt) : new Promise(() => {})),
      }),
      systemEvent: queueSystemEvent,
    });
    const echoes = new Echoes(world);
    const replies: Replies = new Replies({
      world,
      log,
      inbox,
      outbox,
      sessions,
      channel,
      echoes,
      media: options.media ?? { take: () => Promise.reject(new Error("no files here")) },
      roots: () => ["/tmp"],
    });
    const agents: Agents = new Agents({
      store,
      sessions,
      models,
      bus,
      world,
      log,
      config,
      version: "test",
      tools: () => tools,
      drainSystemEvents: (key) => systemEvents.drain(key),
      queueSystemEvent,
      endings: () => replies,
      routes: () => routes,
    });
    const routes = replyRoutes({
      sessions,
      settings: (id) => channel(id)?.settings("default"),
      letsIn: () => true,
      resolve: ({ channel: id = "", to, threadId }) => ({
        entry: { id },
        runner: { accountId: "default" },
        target: { chatId: to, kind: "direct", ...(threadId ? { threadId } : {}) },
      }),
    });
    const tools = new Tools({ log, config, tools: options.tools ?? [] });
    const pairing = new Pairing({ store, world, outbox, channel });
    const pipeline = new Pipeline({
      store,
      world,
      log,
      bus,
      config,
      inbox,
      outbox,
      agents,
      sessions,
      channel,
      pairing,
      echoes,
      systemEvent: queueSystemEvent,
      ...(options.held ? { held: options.held } : {}),
      ...(options.editList ? { editList: options.editList } : {}),
    });
    const kill = () => {
      alive.current = false;
      die();
    };
    return { bus, systemEvents, sessions, inbox, outbox, echoes, replies, agents, pairing, pipeline, kill };
  }

  let house = build();
  async function start() {
    await house.outbox.start();
    house.outbox.opened("fake", "default");
    await house.agents.recover();
    house.agents.resume();
    await house.pipeline.start();
  }
  await start();

  return {
    world,
    store: disk,
    config,
    state,
    sent,
    shown,
    settings,
    platform,
    account,
    get house() {
      return house;
    },
    /** What a crash and a restart are. */
    async again(): Promise<void> {
      house.kill();
      house = build();
      await start();
    },
    /** Stores messages and hands them on, as an account does. */
    async receive(...messages: InboundMessage[]): Promise<InboundRow[]> {
      const rows = await house.inbox.receive("fake", "default", { ownId: "me", messages });
      house.pipeline.accept(rows);
      return rows;
    },
    /** Only stores them: the process dies before it handles them. */
    storeOnly: (...messages: InboundMessage[]) => house.inbox.receive("fake", "default", { ownId: "me", messages }),
    texts: () => sent.map(({ text: body }) => body),
    states: () =>
      disk
        .all<{ state: string; reason: string | null }>("SELECT state, reason FROM inbound ORDER BY id")
        .map(({ state: name, reason }) => (reason === null ? name : `${name} ${reason}`)),
    outboxStates: () =>
      disk.all<{ state: string }>("SELECT state FROM outbox ORDER BY id").map(({ state: name }) => name),
    /** Messages of the person as the model read them last. */
    asked: (): string[] =>
      (state.requests.at(-1)?.messages ?? [])
        .filter((message: Message) => message.role === "user")
        .map((message: Message) => messageText(message)),
    /** Lets virtual time pass in small steps until no message is open and nothing waits in the outbox. */
    async finish(): Promise<void> {
      const open = (sql: string) => disk.get(sql) !== undefined;
      const patienceMs = 10_000;
      for (const started = performance.now(); performance.now() - started < patienceMs;) {
        await settle(10);
        const busy =
          open("SELECT 1 FROM inbound WHERE state IN ('stored', 'command', 'waiting') LIMIT 1") ||
          open("SELECT 1 FROM outbox WHERE state IN ('queued', 'attempting') LIMIT 1");
        if (!busy) return;
        // Files are read in real time: the clock must not run away from them.
        await access("/");
        await world.clock.advance(100);
      }
      throw new Error("messages stay open");
    },
    /** Lets virtual time pass, with turns of the event loop around it. */
    async pass(ms: number): Promise<void> {
      await settle();
      await world.clock.advance(ms);
      await settle();
    },
  };
}
