import type { Message } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { silentLogger } from "../../kernel/log.ts";
import { ask, doneOf, failedOf, noModels, quickWorld, request, run, textOf } from "./models.test-support.ts";
import { Models } from "./models.ts";

const offline = (world = quickWorld()) =>
  new Models({
    world,
    log: silentLogger,
    config: { current: { models: noModels() } },
    selection: () => ({ fallbacks: [], allow: {} }),
  });

test("without any setting the message comes back in pieces, followed by two lines of advice", async () => {
  const events = await run(offline(), request([ask("hello out there")]));
  expect(events.filter((event) => event.type === "text").length).toBeGreaterThan(3);
  const text = textOf(events);
  expect(text.startsWith("hello out there\n\nNo model is configured")).toBe(true);
  expect(text).toContain("ANTHROPIC_API_KEY");
  expect(text.split("\n").length).toBe(4);
  expect(doneOf(events)).toMatchObject({
    provider: "offline",
    model: "echo",
    stopReason: "stop",
    content: [{ type: "text", text }],
  });
});

test("tool lines become parallel calls, and the next call reports what the tools answered", async () => {
  const models = offline();
  const question = ask('please\ntool: session_status {}\ntool: read {"path":"a.txt"}');
  const events = await run(models, request([question]));
  const calls = events.filter((event) => event.type === "toolCall");
  expect(calls.map((event) => [event.name, event.arguments])).toEqual([
    ["session_status", {}],
    ["read", { path: "a.txt" }],
  ]);
  const message = doneOf(events);
  expect(message.stopReason).toBe("toolUse");
  const results = calls.map((event, i): Message => ({
    role: "toolResult",
    toolCallId: event.id,
    toolName: event.name,
    content: [{ type: "text", text: i === 0 ? "all well" : "x".repeat(900) }],
    isError: i === 1,
    timestamp: 1,
  }));
  const text = textOf(await run(models, request([question, message, ...results])));
  expect(text).toContain("session_status answered: all well\nread failed: xxx");
  expect(text).toContain("… (900 characters)");
});

test("a tool line with broken JSON is an invalid call", async () => {
  const [call] = (await run(offline(), request([ask("tool: read {oops")]))).filter(
    (event) => event.type === "toolCall",
  );
  expect(call).toMatchObject({ name: "read", arguments: {}, invalid: "{oops" });
});

test("an abort while it sleeps ends the call at once", async () => {
  const controller = new AbortController();
  const world = quickWorld();
  world.after = (ms) => {
    if (ms === 60_000) queueMicrotask(() => controller.abort());
    return { cancel: () => {} };
  };
  const failed = failedOf(await run(offline(world), request([ask("sleep: 999999")]), controller.signal));
  expect(failed.failure.reason).toBe("aborted");
  expect(failed.message).toBeUndefined();
});

test("an abort between two words keeps what was said", async () => {
  const controller = new AbortController();
  const models = offline();
  const events = [];
  for await (const event of models.stream(models.defaultModel(), request([ask("one two three")]), {
    signal: controller.signal,
    agentId: "main",
  })) {
    events.push(event);
    if (event.type === "text") controller.abort();
  }
  expect(failedOf(events).message).toMatchObject({ stopReason: "aborted", content: [{ type: "text", text: "one " }] });
});
