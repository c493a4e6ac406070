/** Shared by the tests of this room: models over a fake provider on loopback, with real sockets and quick retries. */
import type { Message } from "@openclaw/protocol";
import { startFakeProvider } from "../../../../../test/support/fake-provider/index.ts";
import type { Api, FakeProvider, Script } from "../../../../../test/support/fake-provider/index.ts";
import { silentLogger } from "../../kernel/log.ts";
import type { World } from "../../kernel/world.ts";
import { systemWorld } from "../../kernel/world.ts";
import type { ModelsConfig } from "./models.config.ts";
import type { ModelsOptions } from "./models.ts";
import { Models } from "./models.ts";
import type { ModelEvent, ModelRequest } from "./provider.ts";

export const apis: Api[] = ["openai-completions", "openai-responses", "anthropic-messages", "google-generative-ai"];

/** The real World, except that pauses between retries pass at once; they are recorded. */
export function quickWorld(env: Record<string, string> = {}): World & { pauses: number[] } {
  const world = systemWorld(env);
  const pauses: number[] = [];
  return {
    ...world,
    pauses,
    after(ms, run) {
      if (ms < 1_000 || ms > 60_000) return world.after(ms, run);
      pauses.push(ms);
      return world.after(0, run);
    },
  };
}

export const noModels = (): ModelsConfig => ({ mode: "merge", providers: {} });

export const providerConfig = (
  baseUrl: string,
  api: Api,
  rest: Partial<ModelsConfig["providers"][string]> = {},
): ModelsConfig["providers"][string] => ({
  baseUrl,
  apiKey: "sk-test-secret-value",
  auth: "api-key",
  api,
  authHeader: false,
  models: [
    {
      id: "m",
      reasoning: true,
      input: ["text", "image"],
      cost: { input: 1, output: 2, cacheRead: 0.5, cacheWrite: 0 },
    },
  ],
  ...rest,
});

export interface Setup {
  fake: FakeProvider;
  models: Models;
  world: World & { pauses: number[] };
  close(): Promise<void>;
}

/** Providers `one` and `two` speak `api` and answer from the script; the model in use is `one/m`. */
export async function setup(
  api: Api,
  script: Script,
  options: Partial<ModelsOptions> & { fallbacks?: string[] } = {},
): Promise<Setup> {
  const fake = await startFakeProvider({ script });
  const world = quickWorld();
  const providers = {
    one: providerConfig(fake.baseUrl(api), api),
    two: providerConfig(fake.baseUrl(api), api, { apiKey: "sk-test-second-value" }),
  };
  const models = new Models({
    world,
    log: silentLogger,
    config: { current: { models: { mode: "merge", providers } } },
    selection: () => ({ primary: "one/m", fallbacks: options.fallbacks ?? [], allow: {} }),
    ...options,
  });
  return { fake, models, world, close: () => fake.close() };
}

export const ask = (text: string): Message => ({ role: "user", content: text, timestamp: 1 });

export const request = (messages: Message[] = [ask("hi")], rest: Partial<ModelRequest> = {}): ModelRequest => ({
  system: "Be brief.",
  messages,
  tools: [
    { name: "look", description: "Looks.", parameters: { type: "object", properties: { at: { type: "string" } } } },
  ],
  thinking: "off",
  sessionKey: "agent:main:main",
  ...rest,
});

export async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const list: ModelEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

export const run = (
  models: Models,
  message: ModelRequest = request(),
  signal: AbortSignal = new AbortController().signal,
) => collect(models.stream(models.defaultModel(), message, { signal, agentId: "main" }));

export const textOf = (events: ModelEvent[]): string =>
  events.map((event) => (event.type === "text" ? event.delta : "")).join("");

export function lastOf(events: ModelEvent[]): Extract<ModelEvent, { type: "done" | "failed" }> {
  const last = events.at(-1);
  if (last?.type !== "done" && last?.type !== "failed") throw new Error(`the stream ended with ${last?.type}`);
  return last;
}

export function doneOf(events: ModelEvent[]) {
  const last = lastOf(events);
  if (last.type !== "done") throw new Error(`the call failed: ${last.failure.reason}: ${last.failure.message}`);
  return last.message;
}

export function failedOf(events: ModelEvent[]) {
  const last = lastOf(events);
  if (last.type !== "failed") throw new Error("the call succeeded");
  return last;
}
