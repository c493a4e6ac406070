import { expect, test } from "vitest";
import { fail, inTurn, makeBench, reply, say, settle, texts, until, type Script } from "./agents.fixture.ts";
import { compactionThreshold, findCut } from "./compaction.ts";
import type { ContextEntry } from "./context.ts";

const settings = {
  mode: "safeguard" as const,
  reserveTokens: 16_384,
  reserveTokensFloor: 20_000,
  keepRecentTokens: 20_000,
};

test.each([
  [200_000, 180_000],
  [32_000, 16_000],
  [16_000, 8_000],
])("a window of %d tokens counts as full at %d", (window, threshold) => {
  expect(compactionThreshold(window, settings)).toBe(threshold);
});

const entry = (id: string, role: "user" | "assistant" | "toolResult", chars: number): ContextEntry => ({
  id,
  message:
    role === "user"
      ? { role, content: "x".repeat(chars), timestamp: 0 }
      : role === "assistant"
        ? reply([{ type: "text", text: "x".repeat(chars) }])
        : {
            role,
            toolCallId: "c",
            toolName: "t",
            content: [{ type: "text", text: "x".repeat(chars) }],
            isError: false,
            timestamp: 0,
          },
});

test("the cut keeps about the wanted tokens and never begins at a tool result", () => {
  const context = [
    entry("a", "user", 4_000),
    entry("b", "assistant", 400),
    entry("c", "toolResult", 400),
    entry("d", "assistant", 400),
  ];
  expect(findCut(context, 250)?.firstKeptEntryId).toBe("d");
  expect(findCut(context, 400)?.firstKeptEntryId).toBe("b");
  expect(findCut(context, 10_000)).toBeUndefined();
  expect(findCut([entry("a", "user", 400_000)], 10)).toBeUndefined();
});

const isSummary = (request: Parameters<Script>[0]) => request.system.startsWith("You write the summary");

test("past the threshold the conversation is compacted before the next call, with events, and once", async () => {
  const bench = makeBench({
    model: { contextWindow: 32_000 },
    config: { agents: { defaults: { compaction: { keepRecentTokens: 500 } } } },
  });
  const big = reply([{ type: "text", text: "y".repeat(3_000) }], { input: 17_000, output: 5, totalTokens: 17_005 });
  bench.state.script = inTurn(
    () => say("z".repeat(3_000)),
    async function* () {
      yield { type: "done", message: big };
    },
  );
  await bench.agent({ message: "first", idempotencyKey: "k1", agentId: "main" });
  await bench.agent({ message: "second", idempotencyKey: "k2", agentId: "main" });
  bench.state.script = (request) => (isSummary(request) ? say("THE SUMMARY") : say("fine"));
  bench.state.requests.length = 0;
  await bench.agent({ message: "third", idempotencyKey: "k3", agentId: "main" });
  expect(bench.state.requests.map(isSummary)).toEqual([true, false]);
  expect(
    bench
      .events("agent", "k3")
      .filter(({ stream }) => stream === "compaction")
      .map(({ data }) => data),
  ).toEqual([{ phase: "start" }, { phase: "end", willRetry: false }]);
  expect(JSON.stringify(bench.state.requests[1]?.messages)).toContain("THE SUMMARY");
  expect(JSON.stringify(bench.state.requests[1]?.messages)).not.toContain("first");
  await bench.agent({ message: "fourth", idempotencyKey: "k4", agentId: "main" });
  expect(bench.state.requests.filter(isSummary)).toHaveLength(1);
  expect(texts(bench.transcript()).filter((line) => line.startsWith("user"))).toEqual([
    "user: first",
    "user: second",
    "user: third",
    "user: fourth",
  ]);
});

test("an overflow of the provider is answered by compaction and one retry", async () => {
  const bench = makeBench({ config: { agents: { defaults: { compaction: { keepRecentTokens: 500 } } } } });
  bench.state.script = () => say("y".repeat(8_000));
  await bench.agent({ message: "first", idempotencyKey: "k1", agentId: "main" });
  let overflows = 0;
  bench.state.script = (request) =>
    isSummary(request) ? say("SHORT") : overflows++ === 0 ? fail("context_overflow") : say("fits now");
  expect(await bench.agent({ message: "second", idempotencyKey: "k2", agentId: "main" })).toMatchObject({
    status: "ok",
  });
  expect(
    bench
      .events("agent", "k2")
      .filter(({ stream }) => stream === "compaction")
      .at(-1)?.data,
  ).toEqual({ phase: "end", willRetry: true });
});

test("a second overflow, or a summary that fails, ends the run with advice and loses nothing", async () => {
  const bench = makeBench({
    script: () => say("y".repeat(8_000)),
    config: { agents: { defaults: { compaction: { keepRecentTokens: 500 } } } },
  });
  await bench.agent({ message: "first", idempotencyKey: "k1", agentId: "main" });
  bench.state.script = (request) => fail(isSummary(request) ? "network" : "context_overflow");
  await expect(bench.agent({ message: "second", idempotencyKey: "k2", agentId: "main" })).rejects.toThrow(
    "Use /compact, or /new",
  );
  expect(bench.events("chat", "k2").at(-1)).toMatchObject({ state: "error", errorKind: "context_length" });
  expect(texts(bench.transcript())[0]).toBe("user: first");
});

test("a model with too small a window is refused with a clear error", async () => {
  const bench = makeBench({ model: { contextWindow: 8_000 } });
  await expect(bench.agent({ message: "hi", idempotencyKey: "k", agentId: "main" })).rejects.toThrow("at least 16000");
  expect(bench.state.requests).toEqual([]);
  await until(() => bench.agents.status().lanes === 0);
  await settle(1);
});
