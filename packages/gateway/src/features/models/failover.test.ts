import { afterEach, expect, test } from "vitest";
import type { Script } from "../../../../../test/support/fake-provider/index.ts";
import type { Setup } from "./models.test-support.ts";
import { collect, doneOf, failedOf, noModels, quickWorld, request, run, setup, textOf } from "./models.test-support.ts";
import { Models } from "./models.ts";
import type { Line } from "../../kernel/log.ts";
import { createLogger, silentLogger } from "../../kernel/log.ts";

const open: Setup[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
const start = async (script: Script, options = {}) => {
  const one = await setup("openai-completions", script, options);
  open.push(one);
  return one;
};
const refuse = (status: number, message = "no", headers = {}) => ({ status, headers, body: { error: { message } } });
const secret = (header: string | undefined) => (header?.includes("second") ? "two" : "one");

test("a provider in trouble is asked four times, 2, 4 and 8 s apart, then the next model answers", async () => {
  const { models, fake, world } = await start(
    (sent) => (secret(sent.headers["authorization"]) === "one" ? refuse(503) : ["from two"]),
    { fallbacks: ["two/m"] },
  );
  const events = await run(models);
  expect(textOf(events)).toBe("from two");
  expect(doneOf(events).provider).toBe("two");
  expect(world.pauses).toEqual([2_000, 4_000, 8_000]);
  expect(fake.requests.length).toBe(5);
  expect(events.filter((event) => event.type === "start").map((event) => `${event.attempt} ${event.ref}`)).toEqual([
    "1 one/m",
    "2 one/m",
    "3 one/m",
    "4 one/m",
    "5 two/m",
  ]);
});

test("when every model fails, each attempt is listed with its reason", async () => {
  const { models } = await start(
    (sent) => (secret(sent.headers["authorization"]) === "one" ? refuse(401) : refuse(402)),
    { fallbacks: ["two/m"] },
  );
  const { failure, attempts } = failedOf(await run(models));
  expect(attempts.map((attempt) => [attempt.ref, attempt.reason])).toEqual([
    ["one/m", "auth"],
    ["two/m", "billing"],
  ]);
  expect(failure.reason).toBe("auth");
  expect(failure.message).toContain("models.providers.one.apiKey");
});

test("without failover only the requested model is asked", async () => {
  const { models, fake } = await start([refuse(401)], { fallbacks: ["two/m"] });
  const events = await collect(
    models.stream(models.defaultModel(), request(), {
      signal: new AbortController().signal,
      agentId: "main",
      noFallback: true,
    }),
  );
  expect(failedOf(events).attempts.length).toBe(1);
  expect(fake.requests.length).toBe(1);
});

test("a provider that refused its key is left alone while another can answer, and asked when it is the last hope", async () => {
  const { models, fake } = await start(
    (sent) => (secret(sent.headers["authorization"]) === "one" ? refuse(401) : ["from two"]),
    { fallbacks: ["two/m"] },
  );
  await run(models);
  await run(models);
  expect(fake.requests.map((sent) => secret(sent.headers["authorization"]))).toEqual(["one", "two", "two"]);
  await collect(
    models.stream(models.defaultModel(), request(), {
      signal: new AbortController().signal,
      agentId: "main",
      noFallback: true,
    }),
  );
  expect(fake.requests.length).toBe(4);
});

test("a request refused as malformed leaves the provider open for everybody else", async () => {
  const { models, fake } = await start(
    (sent) => (sent.raw.includes("poison") ? refuse(400, "messages.1: bad shape") : ["fine"]),
    { fallbacks: ["two/m"] },
  );
  const poisoned = failedOf(await run(models, request([{ role: "user", content: "poison", timestamp: 1 }])));
  expect(poisoned.failure.reason).toBe("format");
  expect(doneOf(await run(models)).provider).toBe("one");
  expect(fake.requests.length).toBe(3);
});

test("a key that the provider repeats reaches neither the caller nor the log", async () => {
  const lines: Line[] = [];
  const log = createLogger({ subsystem: "models", sinks: [(line) => void lines.push(line)], now: () => 0 });
  const { models } = await start(
    [refuse(401, "Incorrect API key provided: sk-test-secret-value. " + "x".repeat(260) + "sk-test-secret-value")],
    { log },
  );
  const events = await run(models);
  expect(lines.some((line) => line.message === "model call failed")).toBe(true);
  expect(JSON.stringify([events, lines]).toLowerCase()).not.toContain("sk-te");
});

test("a provider that asks for more than a minute is not waited for", async () => {
  const { models, world, fake } = await start([refuse(429, "later", { "retry-after": "3600" })]);
  const { failure } = failedOf(await run(models));
  expect(failure).toMatchObject({ reason: "rate_limit", retryAfterMs: 3_600_000 });
  expect(world.pauses).toEqual([]);
  expect(fake.requests.length).toBe(1);
});

test("an abort during a pause ends the call without another request", async () => {
  const { models, fake, world } = await start([refuse(503)]);
  const controller = new AbortController();
  const { after } = world;
  world.after = (ms, run) => {
    if (ms !== 2_000) return after(ms, run);
    queueMicrotask(() => controller.abort());
    return { cancel: () => {} };
  };
  const { failure } = failedOf(await run(models, request(), controller.signal));
  expect(failure.reason).toBe("aborted");
  expect(fake.requests.length).toBe(1);
});

test("a call that was aborted before it began asks nobody", async () => {
  const { models, fake } = await start([["hi"]]);
  expect(failedOf(await run(models, request(), AbortSignal.abort())).failure.reason).toBe("aborted");
  expect(fake.requests.length).toBe(0);
});

test("a refused thinking level is lowered to the nearest the provider names, then switched off", async () => {
  const efforts: unknown[] = [];
  const { models } = await start((sent) => {
    efforts.push(sent.body["reasoning_effort"]);
    return efforts.length < 3
      ? refuse(400, "Unsupported reasoning_effort 'high'. Supported values are: 'low' and 'medium'.")
      : ["ok"];
  });
  expect(textOf(await run(models, request(undefined, { thinking: "high" })))).toBe("ok");
  expect(efforts).toEqual(["high", "medium", undefined]);
});

test("a server that is not running is named with what to do", async () => {
  const { models, fake } = await start([["hi"]]);
  await fake.close();
  const { failure } = failedOf(await run(models));
  expect(failure.reason).toBe("network");
  expect(failure.message).toMatch(/^one is not running at 127\.0\.0\.1:\d+\. Start it/);
});

test("a model whose provider has no key fails with the name of the variable, without a request", async () => {
  const models = new Models({
    world: quickWorld(),
    log: silentLogger,
    config: { current: { models: noModels() } },
    selection: () => ({ primary: "openai/gpt-5.5", fallbacks: [], allow: {} }),
  });
  expect(failedOf(await run(models)).failure).toEqual({
    reason: "auth",
    message: "OpenAI has no key. Set OPENAI_API_KEY, or models.providers.openai.apiKey.",
  });
});
