/** A gateway with a scripted model and a fake Telegram beside it; both outlive the gateway. */
import { expect } from "vitest";
import { startFakeTelegram, type FakeTelegram } from "../../fakes/telegram/index.ts";
import type { RateLimits } from "../../fakes/telegram/types.ts";
import {
  type FakeProvider,
  type FakeRequest,
  type Reply,
  startFakeProvider,
} from "../../support/fake-provider/index.ts";
import { openGateway, type TestGateway } from "../../support/gateway.ts";
import { makeHome, type Home } from "../../support/process.ts";
import type { WireFrame } from "../../support/wire.ts";

export interface ChatWorld {
  fake: FakeTelegram;
  provider: FakeProvider;
  home: Home;
  gateway: TestGateway;
  /** What the model says; it may look at the request. */
  script: (request: FakeRequest) => Reply | Promise<Reply>;
  /** A call by an operator. */
  call(method: string, params?: Record<string, unknown>): Promise<WireFrame>;
  /** Stops the gateway and starts another one on the same state. */
  again(): Promise<void>;
  stop(): Promise<void>;
}

export interface ChatOptions {
  telegram?: Record<string, unknown>;
  config?: Record<string, unknown>;
  rateLimits?: RateLimits;
}

/** `models` of a config whose only model is the fake provider. */
export const modelsOf = (provider: FakeProvider) => ({
  providers: {
    mock: {
      baseUrl: provider.baseUrl("openai-completions"),
      apiKey: "mock-key-0123456789",
      api: "openai-completions",
      models: [{ id: "mock-1", name: "Mock", contextWindow: 200_000, maxTokens: 8_000, input: ["text", "image"] }],
    },
  },
});

/** `beside` may put something between the gateway and the fake: what it returns is added to the account's settings. */
export async function openChatWorld(
  options: ChatOptions = {},
  beside: (fake: FakeTelegram) => Promise<Record<string, unknown>> = async () => ({}),
): Promise<ChatWorld> {
  const fake = await startFakeTelegram(options.rateLimits ? { rateLimits: options.rateLimits } : {});
  const between = await beside(fake);
  const provider = await startFakeProvider({ script: (request) => world.script(request) });
  const home = makeHome({
    models: modelsOf(provider),
    ...options.config,
    agents: {
      ...(options.config?.agents as object | undefined),
      defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } },
    },
    channels: {
      telegram: { botToken: fake.bot.token, apiRoot: fake.url, allowFrom: [42], ...options.telegram, ...between },
    },
  });
  const world: ChatWorld = {
    fake,
    provider,
    home,
    gateway: await openGateway({ home }),
    script: () => ["ok"],
    async call(method, params = {}) {
      const wire = await world.gateway.connect();
      try {
        return await wire.request(method, params);
      } finally {
        await wire.close();
      }
    },
    async again() {
      await world.gateway.stop();
      world.gateway = await openGateway({ home });
    },
    async stop() {
      await world.gateway.stop();
      await provider.close();
      await fake.close();
      home.remove();
    },
  };
  return world;
}

/** Edits the config as an operator does, and resolves when the running gateway has taken it over. */
export async function patchConfig(world: Pick<ChatWorld, "call" | "gateway">, config: unknown): Promise<void> {
  const applied = () => world.gateway.log.filter((line) => /config (?:hot reload|change) applied/u.test(line)).length;
  const before = applied();
  const { hash } = (await world.call("config.get")).payload as { hash: string };
  const patched = await world.call("config.patch", { raw: JSON.stringify(config), baseHash: hash });
  expect(patched.error).toBeUndefined();
  await expect.poll(applied, { timeout: 5_000 }).toBeGreaterThan(before);
}

/** What the model was asked last, envelope included. */
export function askedText(request: FakeRequest | undefined): string {
  const { messages } = (request?.body ?? {}) as { messages?: { role: string; content: unknown }[] };
  const content = messages?.findLast(({ role }) => role === "user")?.content;
  return typeof content === "string" ? content : JSON.stringify(content ?? "");
}
