/** A Sessions over an in-memory store, for the tests of this room. */
import { emptyUsage, GatewayError, type AssistantMessage, type Message, type UserMessage } from "@openclaw/protocol";
import { Bus, type Announcement } from "../../kernel/bus.ts";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { silentLogger } from "../../kernel/log.ts";
import { openStore } from "../../store/index.ts";
import type { SessionConfig } from "./sessions.config.ts";
import { sessionMigrations } from "./sessions.store.ts";
import { Sessions, type SessionsOptions } from "./sessions.ts";

export const plainConfig: SessionConfig = {
  scope: "per-sender",
  dmScope: "main",
  mainKey: "main",
  resetTriggers: ["/new", "/reset"],
  typingIntervalSeconds: 6,
};

const models = ["mock/one", "mock/two"];

export function sessionsFixture(
  given: Partial<SessionsOptions> & { session?: Partial<SessionConfig>; path?: string } = {},
) {
  const world = fakeWorld();
  const bus = new Bus(silentLogger);
  const published: Announcement[] = [];
  bus.subscribe((announcement) => published.push(announcement));
  const store =
    given.store ??
    openStore({ path: given.path ?? ":memory:", migrations: sessionMigrations, world, log: silentLogger });
  const agents = ["main", "work"];
  const config = { current: { session: { ...plainConfig, ...given.session } } };
  const sessions = new Sessions({
    store,
    world,
    bus,
    log: silentLogger,
    config,
    agents: { defaultId: () => "main", exists: (id) => agents.includes(id), list: () => agents },
    defaults: () => ({ modelProvider: "mock", model: "one", contextTokens: 32_000 }),
    resolveModel: (ref) => {
      const full = ref.includes("/") ? ref : `mock/${ref}`;
      if (!models.includes(full)) throw new GatewayError("invalid", `model not allowed: ${ref}`);
      return { provider: "mock", model: full.slice(5) };
    },
    ...given,
  });
  const append = (key: string, ...messages: Message[]) =>
    store.commit((tx) => {
      sessions.ensure(tx, key);
      return messages.map((message) =>
        sessions.append(tx, key, { type: "message", message }, { timestamp: message.timestamp }),
      );
    });
  return { sessions, store, world, bus, published, agents, config, append };
}

export const user = (text: string, timestamp = 1_770_000_000_000): UserMessage => ({
  role: "user",
  content: [{ type: "text", text }],
  timestamp,
});

export const assistant = (text: string, given: Partial<AssistantMessage> = {}): AssistantMessage => ({
  role: "assistant",
  content: [{ type: "text", text }],
  api: "openai-completions",
  provider: "mock",
  model: "one",
  usage: { ...emptyUsage(), input: 10, output: 5, totalTokens: 15 },
  stopReason: "stop",
  timestamp: 1_770_000_001_000,
  ...given,
});
