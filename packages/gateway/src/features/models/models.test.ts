import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { GatewayError } from "@openclaw/protocol";
import { Value } from "typebox/value";
import { expect, test } from "vitest";
import type { SchemaNode } from "../../config/index.ts";
import { applyDefaults } from "../../config/index.ts";
import { silentLogger } from "../../kernel/log.ts";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { systemWorld } from "../../kernel/world.ts";
import { checkContextWindow } from "./context-window.ts";
import { Cooldowns } from "./cooldown.ts";
import { classify, retryAfter } from "./failure.ts";
import type { ModelsConfig } from "./models.config.ts";
import { modelsSection } from "./models.config.ts";
import { modelMethods } from "./models.methods.ts";
import type { ModelsOptions } from "./models.ts";
import { Models } from "./models.ts";
import { noModels, providerConfig } from "./models.test-support.ts";
import type { ModelSelection } from "./references.ts";
import { isPrivate } from "./registry.ts";
import { effectiveThinking, nearestThinking } from "./thinking.ts";
import { usageOf } from "./usage.ts";

function build(
  env: Record<string, string>,
  models: ModelsConfig = noModels(),
  selection: Partial<ModelSelection> = {},
  rest: Partial<ModelsOptions> = {},
) {
  const world = fakeWorld();
  world.env = env;
  return new Models({
    world,
    log: silentLogger,
    config: { current: { models } },
    selection: () => ({ fallbacks: [], allow: {}, ...selection }),
    ...rest,
  });
}
const local = (models: string[] = ["llama"]): ModelsConfig => ({
  mode: "merge",
  providers: {
    box: {
      baseUrl: "http://127.0.0.1:8000/v1",
      auth: "api-key",
      authHeader: false,
      models: models.map((id) => ({ id, reasoning: false, input: ["text"] })),
    },
  },
});

test("keys in the environment decide in a fixed order which provider answers without config", () => {
  const all = {
    ANTHROPIC_API_KEY: "aaaaaaaa",
    OPENAI_API_KEY: "bbbbbbbb",
    GEMINI_API_KEY: "cccccccc",
    OPENROUTER_API_KEY: "dddddddd",
  };
  const providers: string[] = [];
  for (const name of Object.keys(all)) {
    const from = Object.keys(all).indexOf(name);
    providers.push(build(Object.fromEntries(Object.entries(all).slice(from))).defaultModel().provider);
  }
  expect(providers).toEqual(["anthropic", "openai", "google", "openrouter"]);
});

test("without anything the offline model answers, and status says what to do", () => {
  const description = build({}).describe();
  expect(description).toMatchObject({ offline: true, model: { ref: "offline/echo", available: true } });
  expect(description.summary).toContain("no model configured");
  expect(description.summary).toContain("openclaw models set");
});

test("an explicit primary wins over keys, an agent's own over both", () => {
  const models = build(
    { ANTHROPIC_API_KEY: "aaaaaaaa" },
    local(),
    { primary: "box/llama" },
    { agentSelection: (id) => (id === "other" ? { primary: "anthropic/claude-sonnet-4-5" } : undefined) },
  );
  expect(models.defaultModel().ref).toBe("box/llama");
  expect(models.defaultModel("other").ref).toBe("anthropic/claude-sonnet-4-5");
});

test("a primary that cannot be found is shown as unavailable instead of throwing", () => {
  const entry = build({}, noModels(), { primary: "nobody/knows" }).defaultModel();
  expect(entry).toMatchObject({ ref: "nobody/knows", available: false });
  expect(entry.auth).toContain('Unknown model provider "nobody"');
});

test("references split at the first slash, providers have synonyms, ids nobody listed work", () => {
  const models = build({ OPENROUTER_API_KEY: "dddddddd", ZAI_API_KEY: "eeeeeeee", ANTHROPIC_API_KEY: "aaaaaaaa" });
  expect(models.resolve("openrouter/anthropic/claude-x")).toMatchObject({
    provider: "openrouter",
    id: "anthropic/claude-x",
    contextWindow: 200_000,
    input: ["text"],
  });
  expect(models.resolve("Z.AI/glm-4.7").ref).toBe("zai/glm-4.7");
  expect(models.resolve("anthropic/opus-4.5").id).toBe("claude-opus-4-5");
  expect(models.resolve("claude-haiku-4-5").ref).toBe("anthropic/claude-haiku-4-5");
});

test("aliases are found whatever their case, and listed families have one of their own", () => {
  const models = build({ ANTHROPIC_API_KEY: "aaaaaaaa" }, noModels(), {
    allow: { "anthropic/claude-opus-5-5": { alias: "Best" }, "anthropic/claude-sonnet-5-5": {} },
  });
  expect(models.resolve("best").ref).toBe("anthropic/claude-opus-5-5");
  expect(models.resolve("sonnet").ref).toBe("anthropic/claude-sonnet-5-5");
  expect(models.alias(models.resolve("sonnet"))).toBe("sonnet");
});

test("with an allowlist other models are refused by the name of the setting", () => {
  const models = build({ ANTHROPIC_API_KEY: "aaaaaaaa" }, noModels(), {
    primary: "anthropic/claude-opus-5-5",
    allow: { "anthropic/claude-sonnet-5-5": {} },
  });
  expect(models.list().map((entry) => entry.ref)).toEqual(["anthropic/claude-opus-5-5", "anthropic/claude-sonnet-5-5"]);
  expect(() => models.resolve("anthropic/claude-haiku-5-5")).toThrow(/agents\.defaults\.models/);
});

test.each(["", "  ", "a b/c", "x/", "/x", "nobody/x", "plain", "offline/other", "x".repeat(300)])(
  "%j is refused as invalid",
  (reference) => {
    expect(() => build({}).resolve(reference)).toThrow(GatewayError);
  },
);

test("a key in the config may be the name of a variable, and every key read is reported once for redaction", () => {
  const seen: string[] = [];
  const config: ModelsConfig = {
    mode: "merge",
    providers: {
      mine: providerConfig("https://api.example.com/v1", "openai-completions", {
        apiKey: "MY_KEY",
        headers: { "x-extra": "header-secret" },
      }),
    },
  };
  const models = build(
    { MY_KEY: "value-of-my-key" },
    config,
    { primary: "mine/m" },
    { redact: (secret) => void seen.push(secret) },
  );
  expect(models.defaultModel()).toMatchObject({ auth: "env MY_KEY", available: true });
  models.list();
  expect(seen).toEqual(["value-of-my-key"]);
  expect(build({}, config, { primary: "mine/m" }).defaultModel()).toMatchObject({
    available: false,
    auth: "missing: MY_KEY is not set",
  });
});

test("endpoints on this machine or at home need no key", () => {
  expect(build({}, local(), { primary: "box/llama" }).defaultModel()).toMatchObject({
    auth: "none needed",
    available: true,
  });
  for (const host of [
    "127.0.0.1",
    "localhost",
    "10.1.2.3",
    "192.168.0.9",
    "172.20.0.1",
    "[::1]",
    "nas.local",
    "100.100.1.1",
  ])
    expect(isPrivate(`http://${host}:1/v1`)).toBe(true);
  for (const host of ["api.example.com", "172.32.0.1", "8.8.8.8", "11.0.0.1"])
    expect(isPrivate(`https://${host}/v1`)).toBe(false);
});

test("mode replace leaves only configured providers", () => {
  const models = build({ ANTHROPIC_API_KEY: "aaaaaaaa" }, { ...local(), mode: "replace" });
  expect(models.defaultModel().ref).toBe("box/llama");
  expect(() => models.resolve("anthropic/claude-opus-5-5")).toThrow(/Unknown model provider/);
});

test("contextTokens caps the window, and small windows are warned of or refused", () => {
  const models = build({ ANTHROPIC_API_KEY: "aaaaaaaa" }, noModels(), { contextTokens: 20_000 });
  expect(models.defaultModel().contextWindow).toBe(20_000);
  expect(checkContextWindow(models.defaultModel(), { env: {} }).verdict).toBe("warn");
  expect(checkContextWindow({ ...models.defaultModel(), contextWindow: 8_000 }, { env: {} })).toMatchObject({
    verdict: "refuse",
    message: expect.stringContaining("contextWindow"),
  });
});

test("models that can think do so at low, unless the config says otherwise", () => {
  const models = build({ ANTHROPIC_API_KEY: "aaaaaaaa" }, noModels(), {
    allow: { "anthropic/claude-opus-5-5": { params: { thinking: "ultra" } }, "anthropic/claude-haiku-5-5": {} },
  });
  expect(models.defaultThinking(models.resolve("anthropic/claude-opus-5-5"))).toBe("high");
  expect(models.defaultThinking(models.resolve("anthropic/claude-haiku-5-5"))).toBe("low");
  expect(models.defaultThinking(build({}).defaultModel())).toBe("off");
  expect(effectiveThinking({ ...models.defaultModel(), id: "claude-haiku-4-5" }, "xhigh")).toBe("high");
  expect(nearestThinking("xhigh", ["low", "medium"])).toBe("medium");
});

test("models.list answers what the protocol names and nothing about keys", async () => {
  const answer = await modelMethods(build({ ANTHROPIC_API_KEY: "aaaaaaaa" }))["models.list"]();
  expect(answer.models[0]).toEqual({
    id: "claude-opus-5-5",
    name: "Claude Opus 5.5",
    provider: "anthropic",
    contextWindow: 200_000,
    reasoning: true,
    input: ["text", "image"],
  });
  expect(JSON.stringify(answer)).not.toContain("aaaaaaaa");
});

test("the config section takes what people write and fills the rest", () => {
  const filled = applyDefaults(modelsSection.schema as unknown as SchemaNode, {
    providers: { mine: { baseUrl: "http://x/v1", models: [{ id: "a" }] } },
  });
  expect(Value.Errors(modelsSection.schema, filled)).toEqual([]);
  expect(filled).toEqual({
    mode: "merge",
    providers: {
      mine: {
        baseUrl: "http://x/v1",
        auth: "api-key",
        authHeader: false,
        models: [{ id: "a", reasoning: false, input: ["text"] }],
      },
    },
  });
});

test("cost is the sum over the categories, and nothing without a price", () => {
  const counts = { input: 1_000_000, output: 500_000, cacheRead: 100_000, cacheWrite: 10_000 };
  expect(usageOf({ cost: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 } }, counts).cost.total).toBeCloseTo(
    3 + 7.5 + 0.03 + 0.0375,
    9,
  );
  expect(usageOf({}, { ...counts, input: Number.NaN }).cost.total).toBe(0);
});

test("cooldowns grow 1, 5, 25, 60 min, billing lasts 5 h, malformed requests never count, success clears", () => {
  let now = 0;
  const cooldowns = new Cooldowns(() => now);
  const minutes = () => Math.round((cooldowns.of("p")?.leftMs ?? 0) / 60_000);
  const lengths = [1, 2, 3, 4, 5].map(() => {
    cooldowns.failed("p", "rate_limit");
    const length = minutes();
    now += length * 60_000;
    return length;
  });
  expect(lengths).toEqual([1, 5, 25, 60, 60]);
  cooldowns.succeeded("p");
  cooldowns.failed("p", "format");
  cooldowns.failed("p", "context_overflow");
  expect(cooldowns.of("p")).toBeUndefined();
  cooldowns.failed("p", "billing");
  expect(minutes()).toBe(300);
});

test.each([
  [{ status: 401 }, "auth"],
  [{ status: 403, body: "forbidden" }, "auth"],
  [{ status: 400, body: "API key not valid. Please pass a valid API key." }, "auth"],
  [{ status: 402 }, "billing"],
  [{ status: 429, code: "insufficient_quota" }, "billing"],
  [{ status: 400, body: "Your credit balance is too low" }, "billing"],
  [{ status: 429 }, "rate_limit"],
  [{ status: 529, code: "overloaded_error" }, "rate_limit"],
  [{ code: "RESOURCE_EXHAUSTED" }, "rate_limit"],
  [{ status: 408 }, "timeout"],
  [{ status: 504 }, "timeout"],
  [{ status: 500 }, "unknown"],
  [{ status: 400, body: "tool_use ids must be unique" }, "format"],
  [{ status: 422 }, "format"],
  [{ status: 302 }, "format"],
  [{ status: 400, body: "This model's maximum context length is 8192 tokens" }, "context_overflow"],
  [{ status: 400, code: "context_length_exceeded" }, "context_overflow"],
  [{ status: 413, body: "Request too large" }, "context_overflow"],
  [{ status: 400, body: "The input token count exceeds the maximum" }, "context_overflow"],
] as const)("%j is %s", (symptom, reason) => {
  const { failure } = classify({ ref: "one/m", id: "m", provider: "one" }, "One", { ...symptom }, { env: {} });
  expect(failure.reason).toBe(reason);
  if ("body" in symptom) expect(failure.message).not.toContain(symptom.body);
});

test("retry-after is read as seconds, as a date, in ms and from Google's body", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(retryAfter(new Headers({ "retry-after": "3" }), "", now)).toBe(3_000);
  expect(retryAfter(new Headers({ "retry-after": "Thu, 01 Jan 2026 00:00:10 GMT" }), "", now)).toBe(10_000);
  expect(retryAfter(new Headers({ "retry-after-ms": "250" }), "", now)).toBe(250);
  expect(retryAfter(new Headers(), '{"retryDelay": "34s"}', now)).toBe(34_000);
  expect(retryAfter(new Headers({ "retry-after": "soon" }), "", now)).toBeUndefined();
});

test("local servers are offered with the command that selects them, and never used unasked", async () => {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(
      request.url === "/api/tags"
        ? '{"models":[{"name":"nomic-embed-text"},{"name":"llama3.2:3b"},{"name":7}]}'
        : "nonsense",
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const real = systemWorld({});
  const world = {
    ...real,
    fetch: (url: string | URL, init?: RequestInit) => real.fetch(String(url).replace(/:\d+/, `:${port}`), init),
  };
  const models = build({}, noModels(), {}, { world });
  expect(await models.discoverLocal(new AbortController().signal)).toEqual([
    {
      provider: "ollama",
      name: "Ollama",
      baseUrl: "http://127.0.0.1:11434/v1",
      models: ["llama3.2:3b"],
      command: "openclaw models set ollama/llama3.2:3b",
    },
  ]);
  expect(models.defaultModel().ref).toBe("offline/echo");
  expect(models.describe().summary).toContain('"openclaw models set ollama/llama3.2:3b" selects it');
  expect(models.resolve("ollama/llama3.2:3b")).toMatchObject({ available: true, auth: "none needed" });
  await new Promise((resolve) => server.close(resolve));
  expect(await models.discoverLocal(new AbortController().signal)).toEqual([]);
});
