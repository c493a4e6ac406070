import { afterEach, describe, expect, test } from "vitest";
import type { Reply, Script } from "../../../../../test/support/fake-provider/index.ts";
import type { Setup } from "./models.test-support.ts";
import { apis, ask, collect, doneOf, failedOf, request, run, setup, textOf } from "./models.test-support.ts";

const open: Setup[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

describe.each(apis)("%s", (api) => {
  const start = async (script: Script, options = {}) => {
    const one = await setup(api, script, options);
    open.push(one);
    return one;
  };

  test("text arrives in pieces and ends with the whole message, its usage and its cost", async () => {
    const { models } = await start([
      { steps: ["Hel", "lo ", "wörld"], usage: { input: 100, output: 50, cacheRead: 20 } },
    ]);
    const events = await run(models);
    expect(events[0]).toEqual({ type: "start", ref: "one/m", provider: "one", model: "m", attempt: 1 });
    expect(events.filter((event) => event.type === "text").length).toBe(3);
    expect(textOf(events)).toBe("Hello wörld");
    const message = doneOf(events);
    expect(message.content).toMatchObject([{ type: "text", text: "Hello wörld" }]);
    expect(message).toMatchObject({ role: "assistant", api, provider: "one", model: "m", stopReason: "stop" });
    expect(message.usage).toMatchObject({ input: 100, output: 50, cacheRead: 20, cacheWrite: 0, totalTokens: 170 });
    expect(message.usage.cost.total).toBeCloseTo(100e-6 + 100e-6 + 10e-6, 9);
  });

  test("two parallel tool calls come whole, after the text, and their results go back paired", async () => {
    const { models, fake } = await start([
      [
        "Looking.",
        { toolCall: { id: "call_a", name: "look", arguments: { at: "sky" } } },
        { toolCall: { id: "call_b", name: "look", arguments: { at: "sea" } } },
      ],
      ["Blue."],
    ]);
    const events = await run(models);
    const calls = events.filter((event) => event.type === "toolCall");
    expect(calls).toEqual([
      { type: "toolCall", id: "call_a", name: "look", arguments: { at: "sky" } },
      { type: "toolCall", id: "call_b", name: "look", arguments: { at: "sea" } },
    ]);
    const message = doneOf(events);
    expect(message.stopReason).toBe("toolUse");
    expect(message.content.map((part) => part.type)).toEqual(["text", "toolCall", "toolCall"]);
    const again = await run(
      models,
      request([
        ask("hi"),
        message,
        {
          role: "toolResult",
          toolCallId: "call_a",
          toolName: "look",
          content: [{ type: "text", text: "blue-sky" }],
          isError: false,
          timestamp: 2,
        },
        {
          role: "toolResult",
          toolCallId: "call_b",
          toolName: "look",
          content: [{ type: "text", text: "broken-glass" }],
          isError: true,
          timestamp: 2,
        },
      ]),
    );
    expect(textOf(again)).toBe("Blue.");
    const sent = fake.requests[1];
    expect(sent?.raw).toContain("blue-sky");
    expect(sent?.raw).toContain("broken-glass");
    expect(sent?.raw).toContain('"look"');
  });

  test("system text, tools and the model's own id are sent to the right address with the key", async () => {
    const { models, fake } = await start([["ok"]]);
    await run(models);
    const sent = fake.requests[0];
    expect(sent).toMatchObject({ api, model: "m" });
    expect(sent?.raw).toContain("Be brief.");
    expect(sent?.raw).toContain("Looks.");
    expect(Object.values(sent?.headers ?? {}).some((value) => value.includes("sk-test-secret-value"))).toBe(true);
  });

  test("thinking is streamed apart from text and its signature goes back to the same model only", async () => {
    const { models, fake } = await start([
      [{ thinking: "Let me ", signature: "SIGN-1" }, { thinking: "see.", signature: "SIGN-1" }, "Done."],
    ]);
    const events = await run(models, request(undefined, { thinking: "low" }));
    expect(events.map((event) => (event.type === "thinking" ? event.delta : "")).join("")).toBe("Let me see.");
    expect(textOf(events)).toBe("Done.");
    const message = doneOf(events);
    expect(message.content[0]).toMatchObject({ type: "thinking", thinking: "Let me see." });
    const signed = api !== "openai-completions";
    expect("thinkingSignature" in (message.content[0] ?? {})).toBe(signed);
    const history = [ask("hi"), message, ask("and?")];
    await run(models, request(history, { thinking: "low" }));
    expect(fake.requests[1]?.raw.includes("SIGN-1")).toBe(signed);
    await collect(
      models.stream(models.resolve("two/m"), request(history), {
        signal: new AbortController().signal,
        agentId: "main",
      }),
    );
    expect(fake.requests[2]?.raw).not.toContain("SIGN-1");
    expect(fake.requests[2]?.raw).not.toContain("Let me see.");
  });

  test("images reach the model, from the user and from tools", async () => {
    const { models, fake } = await start([["A cat."]]);
    const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const image = { type: "image" as const, data: png, mimeType: "image/png" };
    await run(
      models,
      request([
        { role: "user", content: [{ type: "text", text: "what is it" }, image], timestamp: 1 },
        {
          role: "assistant",
          content: [{ type: "toolCall", id: "call_1", name: "look", arguments: {} }],
          api,
          provider: "one",
          model: "m",
          usage: zeroUsage,
          stopReason: "toolUse",
          timestamp: 1,
        },
        {
          role: "toolResult",
          toolCallId: "call_1",
          toolName: "look",
          content: [{ type: "text", text: "seen" }, image],
          isError: false,
          timestamp: 1,
        },
      ]),
    );
    expect(fake.requests[0]?.raw.split(png).length).toBe(3);
  });

  test("a 429 before any output is tried again after retry-after, then answers", async () => {
    const { models, world } = await start([
      {
        status: 429,
        headers: { "retry-after": "7" },
        body: { error: { message: "slow down", type: "rate_limit_error" } },
      },
      ["fine"],
    ]);
    const events = await run(models);
    expect(events.filter((event) => event.type === "start").map((event) => event.attempt)).toEqual([1, 2]);
    expect(textOf(events)).toBe("fine");
    expect(world.pauses).toEqual([7_000]);
  });

  test("a refused key fails at once and names the setting, not the key", async () => {
    const { models, fake } = await start([
      {
        status: 401,
        body: { error: { message: "invalid x-api-key sk-test-secret-value", type: "authentication_error" } },
      },
    ]);
    const { failure, attempts } = failedOf(await run(models));
    expect(failure).toMatchObject({ reason: "auth", status: 401 });
    expect(failure.message).toContain("models.providers.one.apiKey");
    expect(JSON.stringify([failure, attempts])).not.toContain("sk-test");
    expect(fake.requests.length).toBe(1);
  });

  test("a prompt that is too long is a context overflow: no retry, no failover", async () => {
    const { models, fake } = await start(
      [
        {
          status: 400,
          body: {
            error: { message: "prompt is too long: 250000 tokens > 200000 maximum", type: "invalid_request_error" },
          },
        },
      ],
      {
        fallbacks: ["two/m"],
      },
    );
    expect(failedOf(await run(models)).failure.reason).toBe("context_overflow");
    expect(fake.requests.length).toBe(1);
  });

  test.each<[string, Reply]>([
    ["the socket dies", ["Half an ", "answer", { toolCall: { name: "look", arguments: { at: "x" } } }, { die: true }]],
    ["the stream is cut", ["Half an ", "answer", { cut: true }]],
    ["an error event comes", ["Half an ", "answer", { error: { type: "overloaded_error", message: "Overloaded" } }]],
  ])("when %s in the middle, what had arrived is kept and nothing is said twice", async (_name, reply) => {
    const { models, fake } = await start([reply, ["again"]], { fallbacks: ["two/m"] });
    const events = await run(models);
    const failed = failedOf(events);
    expect(textOf(events)).toBe("Half an answer");
    expect(events.some((event) => event.type === "toolCall")).toBe(false);
    expect(failed.message?.stopReason).toBe("error");
    expect(failed.message?.content).toMatchObject([{ type: "text", text: "Half an answer" }]);
    expect(fake.requests.length).toBe(1);
  });

  test("a stream that falls silent is given up after the idle time", async () => {
    const { models } = await start([["One", { hang: true }]], { idleMs: 400 });
    const failed = failedOf(await run(models));
    expect(failed.failure.reason).toBe("timeout");
    expect(failed.message?.content).toMatchObject([{ text: "One" }]);
  });

  test("a server that never sends headers is given up after the idle time", async () => {
    const { models } = await start([{ noHeaders: true }], { idleMs: 40 });
    expect(failedOf(await run(models)).failure.reason).toBe("timeout");
  });

  test("an abort ends the stream within 50 ms, keeps the text and closes the connection", async () => {
    const { models, fake } = await start([["One", { hang: true }]]);
    const controller = new AbortController();
    let abortedAt = 0;
    const events = [];
    for await (const event of models.stream(models.defaultModel(), request(), {
      signal: controller.signal,
      agentId: "main",
    })) {
      events.push(event);
      if (event.type === "text") {
        abortedAt = performance.now();
        controller.abort();
      }
    }
    expect(performance.now() - abortedAt).toBeLessThan(50);
    const failed = failedOf(events);
    expect(failed.failure.reason).toBe("aborted");
    expect(failed.message).toMatchObject({ stopReason: "aborted", content: [{ text: "One" }] });
    await expect.poll(() => fake.aborted).toBe(1);
  });

  test("an abort while the server has not answered at all ends the call within 50 ms", async () => {
    const { models, fake } = await start([{ noHeaders: true }]);
    const controller = new AbortController();
    const ended = run(models, request(), controller.signal);
    await expect.poll(() => fake.requests.length, { interval: 2 }).toBe(1);
    const abortedAt = performance.now();
    controller.abort();
    expect(failedOf(await ended).failure.reason).toBe("aborted");
    expect(performance.now() - abortedAt).toBeLessThan(50);
  });

  test("a length stop, an empty answer and an answer without usage are taken as they are", async () => {
    const { models } = await start([
      { steps: ["cut"], stop: "length" },
      { steps: [] },
      { steps: ["free"], usage: false },
    ]);
    expect(doneOf(await run(models)).stopReason).toBe("length");
    expect(doneOf(await run(models))).toMatchObject({ content: [], stopReason: "stop" });
    expect(doneOf(await run(models)).usage.cost.total).toBe(0);
  });

  test("a content filter is a failure that does not blame the provider", async () => {
    const { models } = await start([{ steps: [], stop: "content_filter" }]);
    expect(failedOf(await run(models)).failure).toMatchObject({ reason: "format" });
  });

  test("malformed events fail the call, never the process", async () => {
    const { models } = await start([[{ raw: "data: {broken json\n\n" }]]);
    const failed = failedOf(await run(models));
    expect(["unknown", "network"]).toContain(failed.failure.reason);
    expect(failed.failure.message).not.toContain("broken json");
  });

  test("a web page instead of a stream names the setting that is wrong", async () => {
    const { models } = await start([
      { status: 200, headers: { "content-type": "text/html" }, body: "<html>hello</html>" },
    ]);
    expect(failedOf(await run(models)).failure.message).toContain("baseUrl");
  });

  test("a model the provider does not have is named together with the command that chooses another", async () => {
    const { models } = await start([
      { status: 404, body: { error: { message: "model: m", type: "not_found_error" } } },
    ]);
    const { failure } = failedOf(await run(models));
    expect(failure.reason).toBe("format");
    expect(failure.message).toBe(
      'model "m" is not offered by one; choose one with "openclaw models set <provider/model>".',
    );
  });
});

test("arguments that are no JSON object arrive as invalid, with what the model wrote", async () => {
  for (const api of apis.filter((name) => name !== "google-generative-ai")) {
    const one = await setup(api, [[{ toolCall: { id: "call_1", name: "look", arguments: '{"at": "s' } }]]);
    open.push(one);
    const call = (await run(one.models)).find((event) => event.type === "toolCall");
    expect(call).toMatchObject({ name: "look", arguments: {}, invalid: '{"at": "s' });
  }
});

const zeroUsage = {
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite: 0,
  totalTokens: 0,
  cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 },
};
