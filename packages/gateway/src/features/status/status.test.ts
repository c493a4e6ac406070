import type { MethodName } from "@openclaw/protocol";
import { loadAnswerValidators } from "@openclaw/protocol/validators";
import { expect, test } from "vitest";
import { Bus } from "../../kernel/bus.ts";
import type { Call } from "../../kernel/call.ts";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { silentLogger } from "../../kernel/log.ts";
import type { SessionEntry } from "../sessions/index.ts";
import { Health } from "./health.ts";
import { LogTail } from "./logs.ts";
import type { StatusSources, UsageDay } from "./sources.ts";
import { statusMethods } from "./status.methods.ts";

const entry = (key: string, more: Partial<SessionEntry> = {}): SessionEntry => ({
  key,
  agentId: "main",
  sessionId: `id-${key}`,
  createdAt: 1,
  updatedAt: 1_769_999_990_000,
  sessionStartedAt: 1,
  lastInteractionAt: 1,
  hidden: false,
  ...more,
});

const day: UsageDay = {
  date: "2026-02-01",
  input: 10,
  output: 5,
  cacheRead: 0,
  cacheWrite: 0,
  totalTokens: 15,
  totalCost: 0.5,
  inputCost: 0.3,
  outputCost: 0.2,
  cacheReadCost: 0,
  cacheWriteCost: 0,
  missingCostEntries: 0,
};

function setting(more: Partial<StatusSources> = {}) {
  const world = fakeWorld();
  const ranges: [number, number][] = [];
  const sources: StatusSources = {
    world,
    version: "1.0.0",
    startedAt: world.now(),
    storePath: "/state/openclaw.db",
    configPath: "/state/openclaw.json",
    defaultAgentId: () => "main",
    agents: () => [{ id: "main" }],
    sessionCount: () => 1,
    recentSessions: () => [entry("agent:main:main", { totalTokens: 500, contextTokens: 1_000, verboseLevel: "on" })],
    model: () => ({
      ref: "offline/echo",
      provider: "offline",
      model: "echo",
      contextTokens: 2_000,
      configured: false,
      auth: "none needed",
    }),
    localModels: () => [],
    queuedSystemEvents: () => ["note"],
    runs: () => ({ active: 1, waiting: 2 }),
    connections: () => 3,
    problems: () => [],
    usageDays: (from, to) => {
      ranges.push([from, to]);
      return [day, day];
    },
    commitStats: () => undefined,
    ...more,
  };
  const events: unknown[] = [];
  const bus = new Bus(silentLogger);
  bus.on("health", (payload) => void events.push(payload));
  const health = new Health(sources, bus);
  const methods = statusMethods(sources, health, new LogTail(() => "/none"));
  const call = {} as Call<never>;
  return { world, sources, health, methods, call, events, ranges };
}

test("every answer fits its schema", async () => {
  const { methods, call } = setting();
  const { resultValidators } = await loadAnswerValidators();
  for (const [name, handler] of Object.entries(methods)) {
    const result = await (handler as (params: unknown, call: unknown) => unknown)({}, call);
    const validate = resultValidators[name as MethodName];
    expect([name, validate?.(JSON.parse(JSON.stringify(result))), validate?.errors]).toEqual([name, true, null]);
  }
});

test("health is answered from the cache for a minute, and a probe looks again", () => {
  const { methods, health } = setting();
  const first = methods.health({});
  expect(methods.health({})).toBe(first);
  expect(methods.health({ probe: true })).not.toBe(first);
  expect(health.version).toBe(3);
});

test("many reasons to refresh within a second make one event", async () => {
  const { health, world, events } = setting();
  for (let i = 0; i < 50; i++) health.refreshSoon();
  expect(events).toHaveLength(0);
  await world.clock.advance(1_000);
  expect(events).toHaveLength(1);
});

test("while it runs a fresh snapshot goes out every minute, and none after the stop", async () => {
  const { health, world, events } = setting();
  health.start();
  await world.clock.advance(180_000);
  expect(events).toHaveLength(3);
  health.stop();
  await world.clock.advance(180_000);
  expect(events).toHaveLength(3);
  expect(world.clock.pending()).toBe(0);
});

test("status rows show what is left of the context, and null for what is unknown", () => {
  const { methods } = setting();
  expect(methods.status().sessions.recent[0]).toMatchObject({
    totalTokens: 500,
    remainingTokens: 500,
    percentUsed: 50,
    flags: ["verbose:on"],
    age: 10_000,
  });
  const bare = setting({ recentSessions: () => [entry("agent:main:x")] });
  expect(bare.methods.status().sessions.recent[0]).toMatchObject({
    totalTokens: null,
    remainingTokens: null,
    percentUsed: null,
    contextTokens: 2_000,
  });
});

test("usage sums the days of the range that was asked for", () => {
  const { methods, ranges } = setting();
  const result = methods["usage.cost"]({ startDate: "2026-02-01", endDate: "2026-02-02" });
  expect(ranges).toEqual([[Date.parse("2026-02-01T00:00:00Z"), Date.parse("2026-02-03T00:00:00Z")]]);
  expect(result).toMatchObject({ days: 2, totals: { input: 20, totalCost: 1 } });
});

test("a date that is none is refused with its name", () => {
  const { methods } = setting();
  expect(() => methods["usage.cost"]({ startDate: "soon" })).toThrow(
    "invalid usage.cost params: startDate must be YYYY-MM-DD",
  );
});
