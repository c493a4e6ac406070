import { emptyUsage } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { sessionsFixture } from "./sessions.fixture.ts";

const dayMs = 24 * 3_600_000;
const id = (n: number) => `00000000-0000-4000-a000-${String(n).padStart(12, "0")}`;
const once = (n: number) => `agent:main:hook:${id(n)}`;

test("a webhook's session for one request goes after 30 days, a named one after 90, others never", async () => {
  const { sessions, store, world, append } = sessionsFixture();
  const keys = [once(1), "agent:main:hook:orders", "agent:main:hooked", "agent:main:main"];
  for (const key of keys) await append(key, { role: "user", content: "x", timestamp: 0 });
  const left = () => keys.filter((key) => sessions.get(key) !== undefined);
  world.clock.shiftWall(30 * dayMs);
  expect([await sessions.sweepHooks(), left()]).toEqual([0, keys]);
  world.clock.shiftWall(1);
  expect([await sessions.sweepHooks(), left()]).toEqual([1, keys.slice(1)]);
  world.clock.shiftWall(60 * dayMs);
  expect([await sessions.sweepHooks(), left()]).toEqual([1, keys.slice(2)]);
  world.clock.shiftWall(1_000 * dayMs);
  expect([await sessions.sweepHooks(), left()]).toEqual([0, keys.slice(2)]);
  expect(store.get<{ n: number }>("SELECT count(*) AS n FROM entry")?.n).toBe(2);
});

test("a session of a webhook that a person gave a label is theirs to delete", async () => {
  const { sessions, store, world } = sessionsFixture();
  for (const key of [once(1), once(2)]) await store.commit((tx) => sessions.ensure(tx, key));
  await store.commit((tx) => sessions.update(tx, once(1), { label: "the outage" }));
  world.clock.shiftWall(1_000 * dayMs);
  expect(await sessions.sweepHooks()).toBe(1);
  expect([1, 2].map((n) => sessions.get(once(n)) !== undefined)).toEqual([true, false]);
});

test("of those for one request a thousand stay, the latest; all of them for a day", async () => {
  const { sessions, store, world } = sessionsFixture();
  for (let n = 0; n < 1_020; n++) {
    await store.commit((tx) => sessions.ensure(tx, once(n)));
    world.clock.shiftWall(1);
  }
  await store.commit((tx) => sessions.ensure(tx, "agent:main:hook:named"));
  expect(await sessions.sweepHooks()).toBe(0);
  world.clock.shiftWall(dayMs);
  const both = await Promise.all([sessions.sweepHooks(), sessions.sweepHooks()]);
  expect(both).toEqual([20, 20]);
  expect([19, 20, 1_019].map((n) => sessions.get(once(n)) !== undefined)).toEqual([false, true, true]);
  expect(sessions.get("agent:main:hook:named")).toBeDefined();
});

test("what swept sessions used stays in the totals of their day, in as many rows as there are models", async () => {
  const { sessions, store, world, append } = sessionsFixture();
  const answer = (totalTokens: number) => ({
    role: "assistant" as const,
    content: [{ type: "text" as const, text: "x" }],
    api: "openai-completions",
    provider: "mock",
    model: "m",
    usage: { ...emptyUsage(), input: totalTokens, totalTokens },
    stopReason: "stop" as const,
    timestamp: world.now(),
  });
  for (let n = 0; n < 40; n++) {
    const key = n % 2 ? once(n) : `agent:main:openai:${id(n)}`;
    await store.commit((tx) => sessions.ensure(tx, key, { hidden: n % 2 === 0 }));
    await append(key, { role: "user", content: "x", timestamp: world.now() }, answer(n));
  }
  await append("agent:main:main", answer(1_000));
  const report = () => {
    const { totals, sessions: listed } = sessions.usage({ startDate: day, endDate: day, limit: 100 });
    return [totals, listed.length] as const;
  };
  const day = new Date(world.now()).toISOString().slice(0, 10);
  const before = report();
  expect(before).toMatchObject([{ totalTokens: 1_780, input: 1_780 }, 41]);
  world.clock.shiftWall(31 * dayMs);
  await Promise.all([sessions.sweepHidden(), sessions.sweepHooks()]);
  expect(report()).toEqual([before[0], 2]);
  expect(store.get<{ n: number }>("SELECT count(*) AS n FROM usage_day")?.n).toBe(3);
});

test("a sweep of very many reads them a few times, not once for every few it deletes", async () => {
  const { sessions, store, world } = sessionsFixture();
  await store.commit((tx) => {
    for (let n = 0; n < 2_500; n++) sessions.ensure(tx, once(n));
  });
  world.clock.shiftWall(31 * dayMs);
  const { all } = store;
  let reads = 0;
  store.all = (sql, ...values) => {
    if (sql.includes("row_number")) reads++;
    return all.call(store, sql, ...values) as never;
  };
  expect(await sessions.sweepHooks()).toBe(2_500);
  // Two that find some and one that finds none, of the first agent; one of the other.
  expect(reads).toBe(4);
});
