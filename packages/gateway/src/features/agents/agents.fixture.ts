/** A gateway without sockets for the tests of this room: real store, sessions and tools room; a scripted model; a fake clock. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AssistantMessage,
  emptyUsage,
  type EventPayload,
  GatewayError,
  type Message,
  messageText,
  type MethodParams,
} from "@openclaw/protocol";
import { Type } from "typebox";
import { applyDefaults } from "../../config/index.ts";
import { Bus, type Routing } from "../../kernel/bus.ts";
import type { Call, Identity } from "../../kernel/call.ts";
import { type FakeWorld, fakeWorld } from "../../kernel/fake-world.ts";
import { silentLogger } from "../../kernel/log.ts";
import { openStore, type Store } from "../../store/index.ts";
import type { FailureReason, ModelEntry, ModelEvent, ModelRequest } from "../models/index.ts";
import { sessionMigrations, Sessions, sessionSection, SystemEvents } from "../sessions/index.ts";
import { textResult, tool, type Tool, Tools, toolsSection } from "../tools/index.ts";
import {
  agentMethods,
  Agents,
  type AgentsRoomConfig,
  agentsSection,
  agentTools,
  commandsSection,
  messagesSection,
  runMigrations,
} from "./index.ts";
import type { EndingPort } from "./delivery.ts";
import type { TurnDeps } from "./turn-deps.ts";

export type Script = (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent>;

/** Stays empty: the tests skip the bootstrap files. */
const workspace = join(tmpdir(), "agents-test-workspace");

export const mockModel: ModelEntry = {
  ref: "mock/one",
  provider: "mock",
  id: "one",
  name: "One",
  api: "openai-completions",
  reasoning: true,
  input: ["text", "image"],
  contextWindow: 200_000,
  maxTokens: 8_000,
  auth: "none needed",
  available: true,
};

export const reply = (
  content: AssistantMessage["content"],
  usage: Partial<AssistantMessage["usage"]> = {},
): AssistantMessage => ({
  role: "assistant",
  content,
  api: "openai-completions",
  provider: "mock",
  model: "one",
  usage: { ...emptyUsage(), input: 10, output: 5, totalTokens: 15, ...usage },
  stopReason: content.some((part) => part.type === "toolCall") ? "toolUse" : "stop",
  timestamp: 0,
});

/** The model says the pieces one by one. */
export async function* say(...pieces: string[]): AsyncGenerator<ModelEvent> {
  yield { type: "start", ref: "mock/one", provider: "mock", model: "one", attempt: 1 };
  for (const delta of pieces) yield { type: "text", delta };
  yield { type: "done", message: reply([{ type: "text", text: pieces.join("") }]) };
}

export async function* callTools(
  ...calls: { name: string; args?: Record<string, unknown>; id?: string }[]
): AsyncGenerator<ModelEvent> {
  const parts = calls.map(({ name, args = {}, id }, index) => ({
    type: "toolCall" as const,
    id: id ?? `c${index + 1}`,
    name,
    arguments: args,
  }));
  for (const part of parts) yield part;
  yield { type: "done", message: reply(parts) };
}

export async function* fail(reason: FailureReason, message = "it broke"): AsyncGenerator<ModelEvent> {
  yield { type: "failed", failure: { reason, message }, attempts: [{ ref: "mock/one", reason, message }] };
}

/** Says the pieces and then waits for the abort. */
export const hang = (...pieces: string[]): Script =>
  async function* (_request, signal) {
    for (const delta of pieces) yield { type: "text", delta };
    await new Promise<void>((resolve) =>
      signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
    );
    yield { type: "text", delta: "too late" };
    yield { type: "failed", failure: { reason: "aborted", message: "aborted" }, attempts: [] };
  };

/** A model that answers call by call; the last script repeats. */
export const inTurn = (...scripts: Script[]): Script => {
  let at = 0;
  return (request, signal) => (scripts[Math.min(at++, scripts.length - 1)] ?? (() => say()))(request, signal);
};

/** Whether the last user message contains a text. */
export const lastUserText = (request: ModelRequest): string => {
  const message = request.messages.findLast((m) => m.role === "user");
  return message ? messageText(message) : "";
};

/** A store whose process can be killed: from then on nothing of it is written and nothing it waits for returns. */
export function mortal(store: Store): { store: Store; kill(): void; readonly dead: boolean } {
  let dead = false;
  const never = new Promise<never>(() => {});
  return {
    kill: () => {
      dead = true;
    },
    get dead() {
      return dead;
    },
    store: {
      path: store.path,
      get: (sql, ...params) => store.get(sql, ...params),
      all: (sql, ...params) => store.all(sql, ...params),
      check: () => store.check(),
      close: () => {},
      commit(unit) {
        if (dead) return never;
        const done = store.commit((tx) => {
          if (dead) throw new Error("killed");
          return unit(tx);
        });
        return done.then(
          (value) => (dead ? never : value),
          (error: unknown) => {
            if (dead) return never;
            throw error;
          },
        );
      },
    },
  };
}

export function memoryStore(world: FakeWorld): Store {
  return openStore({
    path: ":memory:",
    migrations: [...sessionMigrations, ...runMigrations],
    world,
    log: silentLogger,
  });
}

export interface Recorded {
  /** `ack`, `answer`, `error`, or the name of an event. */
  kind: string;
  payload: unknown;
  routing?: Routing;
}

export type Bench = ReturnType<typeof makeBench>;

export interface BenchOptions {
  script?: Script;
  tools?: Tool[];
  config?: Record<string, unknown>;
  world?: FakeWorld;
  store?: Store;
  model?: Partial<ModelEntry>;
  endings?: EndingPort;
}

const sections = [agentsSection, messagesSection, commandsSection, sessionSection, toolsSection];

function effective(authored: Record<string, unknown>): unknown {
  const schema = Type.Object(Object.fromEntries(sections.map((section) => [section.path, section.schema])));
  const agents = (authored["agents"] ?? {}) as { defaults?: object };
  const defaults = { workspace, skipBootstrap: true, ...agents.defaults };
  return applyDefaults(schema as never, { ...authored, agents: { ...agents, defaults } });
}

export function makeBench(options: BenchOptions = {}) {
  const world = options.world ?? fakeWorld({ startAt: Date.UTC(2026, 1, 13, 18, 26) });
  const store = options.store ?? memoryStore(world);
  const config = { current: effective(options.config ?? {}) as AgentsRoomConfig & { session: never; tools: never } };
  const bus = new Bus(silentLogger);
  const state = { script: options.script ?? (() => say("ok")), requests: [] as ModelRequest[] };
  const model = { ...mockModel, ...options.model };
  const models: TurnDeps["models"] = {
    defaultModel: () => model,
    resolve: (reference) => {
      const name = reference.includes("/") ? reference : `mock/${reference}`;
      if (!name.startsWith("mock/")) throw new GatewayError("invalid", `unknown model ${reference}`);
      return { ...model, ref: name, id: name.slice(5) };
    },
    list: () => [model, { ...model, ref: "mock/two", id: "two" }],
    defaultThinking: () => "low",
    stream: (_model, request, { signal }) => {
      state.requests.push(request);
      return state.script(request, signal);
    },
  };
  const systemEvents = new SystemEvents({ world });
  const directory = {
    defaultId: () => agents.directory.defaultId(),
    exists: (id: string) => agents.directory.exists(id),
    list: () => agents.directory.list(),
  };
  const sessions = new Sessions({
    store,
    world,
    bus,
    log: silentLogger,
    config,
    systemEvents,
    agents: directory,
    defaults: () => ({ modelProvider: "mock", model: "one", contextTokens: 200_000 }),
    resolveModel: () => ({ provider: "mock", model: "one" }),
  });
  const agents: Agents = new Agents({
    store,
    sessions,
    models,
    bus,
    world,
    log: silentLogger,
    config,
    version: "test",
    tools: () => tools,
    drainSystemEvents: (key) => systemEvents.drain(key),
    queueSystemEvent: (key, text) => void systemEvents.enqueue(key, text),
    endings: () => options.endings,
  });
  const tools: Tools = new Tools({
    log: silentLogger,
    config,
    tools: [...agentTools(agents), ...(options.tools ?? [])],
  });
  const log: Recorded[] = [];
  bus.subscribe(({ event, payload, routing }) => void log.push({ kind: event, payload, routing }));
  const handlers = agentMethods(agents);

  const identityOf = (principal: string): Identity => ({
    connId: principal,
    role: "operator",
    scopes: ["operator.admin"],
    principal,
    protocol: 4,
    caps: [],
    local: true,
    can: () => true,
    client: { id: "cli", mode: "cli", version: "1", platform: "linux" },
  });
  const callOf = (principal: string, signal: AbortSignal): Call<never> => ({
    identity: identityOf(principal),
    requestId: "r",
    signal,
    followRun: () => {},
    log: silentLogger,
    ack: (payload: unknown) => void log.push({ kind: "ack", payload }),
  });
  const answered = async <T>(work: Promise<T> | T): Promise<T> => {
    try {
      const payload = await work;
      log.push({ kind: "answer", payload });
      return payload;
    } catch (error) {
      log.push({ kind: "error", payload: error });
      throw error;
    }
  };
  const signal = new AbortController().signal;

  return {
    world,
    store,
    bus,
    sessions,
    agents,
    log,
    state,
    config,
    systemEvents,
    tools,
    agent: (params: MethodParams<"agent">, as = "shared") => answered(handlers.agent(params, callOf(as, signal))),
    chat: (message: string, idempotencyKey: string, more: Partial<MethodParams<"chat.send">> = {}, as = "shared") =>
      answered(handlers["chat.send"]({ sessionKey: "main", message, idempotencyKey, ...more }, callOf(as, signal))),
    abort: (params: MethodParams<"chat.abort">) => answered(handlers["chat.abort"](params)),
    wait: (params: MethodParams<"agent.wait">) => agents.wait(params, signal),
    handlers,
    /** Events of one kind. */
    events: <N extends "agent" | "chat">(name: N, runId?: string): EventPayload<N>[] =>
      log
        .filter(
          (entry) =>
            entry.kind === name && (runId === undefined || (entry.payload as { runId: string }).runId === runId),
        )
        .map((entry) => entry.payload as EventPayload<N>),
    /** Messages of a session, oldest first. */
    transcript: (key = "agent:main:main"): Message[] => {
      const session = sessions.get(key);
      return session
        ? sessions
            .entries(session.sessionId, { limit: 1000 })
            .flatMap(({ body }) => (body.type === "message" ? [body.message] : []))
        : [];
    },
    row: (family: "agent" | "chat" | "channel", runId: string) => agents.deps.table.byKey(family, runId),
  };
}

/** Lets everything that is under way go on until `done`, without a clock. */
export async function until(done: () => boolean, what = "the condition"): Promise<void> {
  const patienceMs = 10_000;
  for (const started = performance.now(); performance.now() - started < patienceMs;) {
    if (done()) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  throw new Error(`${what} did not come true`);
}

/** Lets what is under way come to rest. */
export async function settle(turns = 30): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export const probeTool = (name: string, run: Tool["run"] = async () => textResult("done"), effects = false): Tool =>
  tool({
    name,
    description: `Test tool ${name}.`,
    params: Type.Object({ n: Type.Optional(Type.Integer()) }),
    effects,
    run,
  });

export const texts = (messages: readonly Message[]): string[] =>
  messages.map(
    (message) =>
      `${message.role}: ${typeof message.content === "string" ? message.content : message.content.map((part) => (part.type === "text" ? part.text : `(${part.type})`)).join("")}`,
  );
