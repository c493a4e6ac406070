import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { play } from "../../../../../test/support/fake-provider/index.ts";
import { silentLogger } from "../../kernel/log.ts";
import { apis, doneOf, providerConfig, quickWorld, request, run } from "./models.test-support.ts";
import { Models } from "./models.ts";

describe.each(apis)("%s", (api) => {
  test("bytes that show nothing are a sign of life, at most every 10 s", async () => {
    let now = 0;
    const chunks = [10_000, 1_000, 11_000].map((ms) => ({ ms, bytes: Buffer.from(": keep-alive\n\n") }));
    const world = quickWorld();
    const models = new Models({
      world: {
        ...world,
        monotonic: () => now,
        after: () => ({ cancel: () => {} }),
        fetch: async () =>
          new Response(
            new ReadableStream({
              async pull(out) {
                await new Promise((resolve) => setImmediate(resolve));
                const chunk = chunks.shift();
                if (!chunk) return out.close();
                now += chunk.ms;
                out.enqueue(chunk.bytes);
              },
            }),
            { headers: { "content-type": "text/event-stream" } },
          ),
      },
      log: silentLogger,
      config: {
        current: { models: { mode: "merge", providers: { one: providerConfig("http://fake.invalid/v1", api) } } },
      },
      selection: () => ({ primary: "one/m", fallbacks: [], allow: {} }),
    });
    const events: unknown[] = [];
    const controller = new AbortController();
    for await (const event of models.stream(models.defaultModel(), request(), {
      signal: controller.signal,
      agentId: "main",
    })) {
      if (event.type === "start" && event.attempt > 1) break;
      if (event.type !== "start") events.push(event);
      if (events.length === 2) controller.abort();
    }
    expect(events.slice(0, 2)).toEqual([
      { type: "thinking", delta: "" },
      { type: "thinking", delta: "" },
    ]);
  });

  test("whatever a server sends, the call ends in done or failed and no rejection is left over", async () => {
    const rejected: unknown[] = [];
    const onRejection = (reason: unknown) => void rejected.push(reason);
    process.on("unhandledRejection", onRejection);
    const good = play(api, "m", {
      steps: ["one", { toolCall: { id: "c", name: "look", arguments: { at: "x" } } }, "two"],
    });
    const lines = good
      .flatMap((action) => ("send" in action ? action.send.split("\n\n") : []))
      .filter((line) => line !== "");
    const line = fc.oneof(
      fc.constantFrom(...lines),
      fc.json().map((json) => `data: ${json}`),
      fc.string().map((text) => `data: ${text}`),
      fc.constantFrom(
        "",
        ":",
        "event: error",
        "data: null",
        "data: []",
        'data: {"error":null}',
        'data: {"choices":"x"}',
        "data: [DONE]",
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (body) => {
        const models = new Models({
          world: {
            ...quickWorld(),
            fetch: async () =>
              new Response(body.map((text) => `${text}\n\n`).join(""), {
                headers: { "content-type": "text/event-stream" },
              }),
          },
          log: silentLogger,
          config: {
            current: { models: { mode: "merge", providers: { one: providerConfig("http://fake.invalid/v1", api) } } },
          },
          selection: () => ({ primary: "one/m", fallbacks: [], allow: {} }),
        });
        expect(["done", "failed"]).toContain((await run(models)).at(-1)?.type);
      }),
      { numRuns: 60 },
    );
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", onRejection);
    expect(rejected).toEqual([]);
  });

  test("the bytes may be split anywhere", async () => {
    const answer = {
      steps: [
        "Grüße, ",
        { thinking: "hm 🤔", signature: "S" },
        "世界",
        { toolCall: { id: "call_1", name: "look", arguments: { at: "ü" } } },
      ],
    };
    const bytes = Buffer.from(
      play(api, "m", answer)
        .map((action) => ("send" in action ? action.send : ""))
        .join(""),
    );
    const events = async (cuts: number[]) => {
      const world = quickWorld();
      const parts = [0, ...cuts, bytes.length]
        .map((cut, i, all) => bytes.subarray(all[i - 1] ?? 0, cut))
        .filter((part) => part.length > 0);
      const models = new Models({
        world: {
          ...world,
          fetch: async () =>
            new Response(
              new ReadableStream({ pull: (out) => (parts.length > 0 ? out.enqueue(parts.shift()) : out.close()) }),
              { headers: { "content-type": "text/event-stream" } },
            ),
          now: () => 1,
        },
        log: silentLogger,
        config: {
          current: { models: { mode: "merge", providers: { one: providerConfig("http://fake.invalid/v1", api) } } },
        },
        selection: () => ({ primary: "one/m", fallbacks: [], allow: {} }),
      });
      return run(models);
    };
    const whole = await events([]);
    doneOf(whole);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 }), async (cuts) => {
        expect(await events(cuts.sort((a, b) => a - b))).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });
});
