/** What a list or a page costs must not depend on how much is stored: the plans are read, not the clock. */
import { expect, test } from "vitest";
import { sessionsFixture, user } from "./sessions.fixture.ts";
import { listStatement, writeSession, type ListFilter } from "./sessions.store.ts";
import { insertEntry, pageStatements } from "./transcripts.store.ts";
import { groupStatement } from "./usage.store.ts";
import type { Store } from "../../store/index.ts";

function planOf(store: Store, sql: string, params: readonly (string | number)[]): string[] {
  return store.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...params).map((row) => row.detail);
}

async function grown(sessionCount: number, messageCount: number) {
  const fixture = sessionsFixture();
  const { sessions, store, world } = fixture;
  await store.commit((tx) => {
    for (let i = 0; i < sessionCount; i++) {
      writeSession(tx, {
        key: `agent:main:k${i}`,
        agentId: i % 10 === 0 ? "work" : "main",
        sessionId: `s${i}`,
        createdAt: i,
        updatedAt: world.now() + i,
        sessionStartedAt: i,
        lastInteractionAt: i,
        hidden: false,
        displayName: i === 3 ? "needle" : `name ${i}`,
      });
    }
    sessions.ensure(tx, "agent:main:main", { sessionId: "long" });
    for (let i = 1; i <= messageCount; i++) {
      insertEntry(tx, {
        id: `e${i}`,
        sessionId: "long",
        seq: i,
        parentId: null,
        timestamp: i,
        body: { type: "message", message: user(`n${i}`) },
      });
    }
  });
  return fixture;
}

const base: ListFilter = { limit: 50, since: 0 };
const filters: [string, ListFilter][] = [
  ["no filter", base],
  ["activeMinutes", { ...base, since: 5 }],
  ["agentId", { ...base, agentId: "work" }],
  ["spawnedBy", { ...base, spawnedBy: "agent:main:main" }],
  ["spawnedBy and agentId", { ...base, spawnedBy: "agent:main:main", agentId: "main" }],
];

test.each(filters)("a list with %s walks one index in order and stops at its limit", async (_name, filter) => {
  const { store } = await grown(0, 0);
  const { sql, params } = listStatement(filter);
  const plan = planOf(store, sql, params);
  expect(plan).toHaveLength(1);
  expect(plan[0]).toMatch(/^SEARCH session USING INDEX session_\w+ \(/);
  expect(plan.join()).not.toContain("TEMP B-TREE");
});

test("a search reads a covering index, bounded, and fetches only what it found", async () => {
  const { store } = await grown(0, 0);
  const { sql, params } = listStatement({ ...base, search: "needle", agentId: "main" });
  expect(sql).toContain("LIMIT 10000");
  const plan = planOf(store, sql, params);
  expect(plan.some((line) => line.includes("SEARCH session USING COVERING INDEX session_recent"))).toBe(true);
  expect(plan.filter((line) => /\bSCAN session\b/u.test(line))).toEqual([]);
  expect(plan.some((line) => line.includes("SEARCH session USING INTEGER PRIMARY KEY"))).toBe(true);
});

test("a page of a transcript is a range of an index, newest first, for messages and for all entries", async () => {
  const { store } = await grown(0, 0);
  for (const which of ["all", "messages"] as const) {
    for (const [sql, params] of [
      [pageStatements.sizes[which], ["s", 1, 9, 50]],
      [pageStatements.rows[which], ["s", 1, 9]],
    ] as const) {
      const plan = planOf(store, sql, params);
      expect(plan).toHaveLength(1);
      expect(plan[0]).toMatch(/^SEARCH entry USING (COVERING )?INDEX \w+ \(session_id=\? AND seq>/);
    }
  }
});

test("a usage report reads its days or its session, never all", async () => {
  const { store } = await grown(0, 0);
  const range = { startDate: "2026-01-01", endDate: "2026-01-30" };
  expect(planOf(store, groupStatement(["day"], range, 50).sql, groupStatement(["day"], range, 50).params)[0]).toMatch(
    /^SEARCH usage_day USING PRIMARY KEY \(day>/,
  );
  const one = groupStatement([], { ...range, sessionId: "s" }, 1);
  expect(planOf(store, one.sql, one.params)[0]).toMatch(/^SEARCH usage_day USING INDEX usage_day_session/);
});

/** Rows a call reads through the store, and the statements it runs. */
function counted(store: Store) {
  const seen = { statements: 0, rows: 0 };
  const { get, all } = store;
  store.get = ((...args: Parameters<Store["get"]>) => {
    seen.statements++;
    const row = get.apply(store, args);
    if (row !== undefined) seen.rows++;
    return row;
  }) as Store["get"];
  store.all = ((...args: Parameters<Store["all"]>) => {
    seen.statements++;
    const rows = all.apply(store, args);
    seen.rows += rows.length;
    return rows;
  }) as Store["all"];
  return seen;
}

test("lists and histories take the same statements and rows at 100 and at 10,000", async () => {
  const costs = [];
  for (const size of [100, 10_000]) {
    const { sessions, store } = await grown(size, size);
    const seen = counted(store);
    expect(sessions.list({ limit: 50 }).sessions).toHaveLength(50);
    expect(sessions.list({ limit: 5, agentId: "work" }).sessions).toHaveLength(5);
    const page = sessions.history({ sessionKey: "main", limit: 50 });
    expect(page.messages).toHaveLength(50);
    expect(
      sessions.history({ sessionKey: "main", limit: 50, before: page.messages[0]?.id ?? "" }).messages,
    ).toHaveLength(50);
    costs.push({ ...seen });
    expect(sessions.list({ search: "needle" }).sessions).toMatchObject([{ displayName: "needle" }]);
  }
  expect(costs[1]).toEqual(costs[0]);
  expect(costs[0]?.rows).toBeLessThan(300);
});
