import { emptyUsage } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { assistant, sessionsFixture, user } from "./sessions.fixture.ts";

const day = 86_400_000;
const start = Date.parse("2026-02-01T12:00:00Z");

const answer = (at: number, tokens: number, cost: number, model = "one") =>
  assistant("answer", {
    model,
    timestamp: at,
    usage: {
      ...emptyUsage(),
      input: tokens,
      totalTokens: tokens,
      cost: { ...emptyUsage().cost, input: cost, total: cost },
    },
  });

async function used() {
  const fixture = sessionsFixture();
  fixture.world.clock.shiftWall(start + 2 * day - fixture.world.now());
  const call = assistant("", {
    timestamp: start,
    content: [{ type: "toolCall", id: "1", name: "exec", arguments: {} }],
    usage: emptyUsage(),
  });
  await fixture.append("agent:main:a", user("hi", start), call, answer(start, 10, 0.5), answer(start + day, 30, 0));
  await fixture.append("agent:work:b", user("hi", start), answer(start + day, 5, 2, "two"));
  return fixture;
}

test("a report sums tokens, cost and messages by session, model, agent and day", async () => {
  const { sessions } = await used();
  const report = sessions.usage({ startDate: "2026-02-01", endDate: "2026-02-02" });
  expect(report.totals).toMatchObject({
    input: 45,
    totalTokens: 45,
    totalCost: 2.5,
    inputCost: 2.5,
    missingCostEntries: 1,
  });
  expect(report.aggregates.messages).toEqual({
    total: 6,
    user: 2,
    assistant: 4,
    toolCalls: 1,
    toolResults: 0,
    errors: 0,
  });
  expect(report.aggregates.tools).toEqual({ totalCalls: 1, uniqueTools: 1, tools: [{ name: "exec", count: 1 }] });
  expect(report.aggregates.byModel).toMatchObject([
    { model: "two", totals: { totalCost: 2 } },
    { model: "one", count: 3 },
  ]);
  expect(report.aggregates.byAgent).toMatchObject([{ agentId: "work" }, { agentId: "main" }]);
  expect(report.aggregates.daily).toMatchObject([
    { date: "2026-02-01", tokens: 10 },
    { date: "2026-02-02", tokens: 35 },
  ]);
  expect(report.sessions).toMatchObject([
    { key: "agent:work:b" },
    { key: "agent:main:a", usage: { totalTokens: 40, messageCounts: { user: 1 } } },
  ]);
});

test("a report can be of one day or one session, and is empty for an unknown one", async () => {
  const { sessions } = await used();
  expect(sessions.usage({ startDate: "2026-02-01", endDate: "2026-02-01" }).totals.totalTokens).toBe(10);
  expect(sessions.usage({ key: "a" }).totals.totalTokens).toBe(40);
  expect(sessions.usage({ key: "nobody" })).toMatchObject({ sessions: [], totals: { totalTokens: 0 } });
  expect(sessions.usage({})).toMatchObject({
    startDate: "2026-01-05",
    endDate: "2026-02-03",
    totals: { totalTokens: 45 },
  });
  expect(sessions.usage({ limit: 1 }).sessions).toHaveLength(1);
  expect(() => sessions.usage({ startDate: "2026-13-01" })).toThrow("is not a day");
  expect(() => sessions.usage({ startDate: "2026-03-01", endDate: "2026-02-01" })).toThrow(
    "startDate is after endDate",
  );
});

test("days without usage are left out and deleting a session keeps its sums", async () => {
  const { sessions } = await used();
  await sessions.delete({ key: "agent:work:b" });
  expect(sessions.usageDays(start, start + 5 * day)).toMatchObject([
    { date: "2026-02-01" },
    { date: "2026-02-02", totalCost: 2 },
  ]);
});

test("a series continues the sum of what is no longer shown", async () => {
  const { sessions, append } = await used();
  await append("agent:main:long", ...Array.from({ length: 210 }, (_, i) => answer(start + i, 2, 1)));
  const { points } = sessions.usageTimeseries({ key: "long" });
  expect(points).toHaveLength(200);
  expect(points[0]).toMatchObject({ timestamp: start + 10, totalTokens: 2, cumulativeTokens: 22, cumulativeCost: 11 });
  expect(points.at(-1)).toMatchObject({ cumulativeTokens: 420 });
  expect(() => sessions.usageTimeseries({})).toThrow("key is required for timeseries");
  expect(() => sessions.usageTimeseries({ key: "nobody" })).toThrow("No transcript found for session: nobody");
});

test("logs show messages with tokens and cost", async () => {
  const { sessions } = await used();
  expect(sessions.usageLogs({ key: "agent:work:b" }).logs).toEqual([
    { timestamp: start, role: "user", content: "hi" },
    { timestamp: start + day, role: "assistant", content: "answer", tokens: 5, cost: 2 },
  ]);
  expect(sessions.usageLogs({ key: "a", limit: 1 }).logs).toHaveLength(1);
  expect(sessions.usageLogs({ key: "nobody", limit: "x" }).logs).toEqual([]);
  expect(() => sessions.usageLogs({ key: 7 })).toThrow("key is required for logs");
});
