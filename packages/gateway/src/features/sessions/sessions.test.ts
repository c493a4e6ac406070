import { expect, test } from "vitest";
import { assistant, sessionsFixture, user } from "./sessions.fixture.ts";

async function seeded() {
  const fixture = sessionsFixture();
  const { sessions, store, world } = fixture;
  const seeds = [
    ["agent:main:main", { displayName: "Home" }],
    ["agent:work:main", { label: "Job" }],
    ["agent:main:telegram:group:-1", { chatType: "group", subject: "Climbing 100% fun" }],
    ["agent:main:subagent:u1", { spawnedBy: "agent:main:main" }],
    ["agent:main:cron:j:run:1", {}],
    ["agent:main:openai:h", { hidden: true }],
    ["global", {}],
    ["unknown", {}],
  ] as const;
  for (const [key, seed] of seeds) {
    await store.commit((tx) => sessions.ensure(tx, key, seed));
    world.clock.shiftWall(60_000);
  }
  const keys = (params: Parameters<typeof sessions.list>[0]) => sessions.list(params).sessions.map((row) => row.key);
  return { ...fixture, keys };
}

test("lists are sorted by the last change and leave out hidden, cron runs, global and unknown", async () => {
  const { sessions, keys } = await seeded();
  const all = ["agent:main:subagent:u1", "agent:main:telegram:group:-1", "agent:work:main", "agent:main:main"];
  expect(keys({})).toEqual(all);
  expect(keys({ limit: 2 })).toEqual(all.slice(0, 2));
  expect(keys({ includeGlobal: true, includeUnknown: true })).toEqual(["unknown", "global", ...all]);
  expect(keys({ includeGlobal: true, limit: 1 })).toEqual(["global"]);
  expect(sessions.count()).toBe(4);
  expect(sessions.count("work")).toBe(1);
  expect(sessions.recent(1).map((entry) => entry.key)).toEqual(all.slice(0, 1));
});

test("filters apply before the limit", async () => {
  const { keys } = await seeded();
  expect(keys({ agentId: "WORK", limit: 1 })).toEqual(["agent:work:main"]);
  expect(keys({ label: "Job" })).toEqual(["agent:work:main"]);
  expect(keys({ label: "Job", agentId: "main" })).toEqual([]);
  expect(keys({ spawnedBy: "agent:main:main" })).toEqual(["agent:main:subagent:u1"]);
  expect(keys({ activeMinutes: 6 })).toEqual(["agent:main:subagent:u1", "agent:main:telegram:group:-1"]);
  expect(keys({ search: "home", limit: 1 })).toEqual(["agent:main:main"]);
  expect(keys({ search: " 100% FUN" })).toEqual(["agent:main:telegram:group:-1"]);
  expect(keys({ search: "100_" })).toEqual([]);
  expect(keys({ search: "main", agentId: "work" })).toEqual(["agent:work:main"]);
  expect(keys({ search: "u1", spawnedBy: "agent:main:main", agentId: "main" })).toEqual(["agent:main:subagent:u1"]);
  expect(keys({ search: "job", includeGlobal: true })).toEqual(["agent:work:main"]);
  expect(keys({ search: "glob", includeGlobal: true })).toEqual(["global"]);
});

test("a row has the shape of the wire and names the database", async () => {
  const { sessions, append, store } = sessionsFixture();
  await append("agent:main:main", user("Hello there"), assistant("Hi"));
  await store.commit((tx) =>
    sessions.update(tx, "agent:main:main", {
      lastChannel: "telegram",
      lastTo: "1",
      totalTokens: 15,
      systemPromptReport: { a: 1 },
    }),
  );
  const list = sessions.list({ includeDerivedTitles: true, includeLastMessage: true });
  expect(list).toMatchObject({
    path: ":memory:",
    count: 1,
    defaults: { modelProvider: "mock", model: "one", contextTokens: 32_000 },
  });
  expect(list.sessions[0]).toEqual({
    key: "agent:main:main",
    kind: "direct",
    lastChannel: "telegram",
    lastTo: "1",
    deliveryContext: { channel: "telegram", to: "1" },
    derivedTitle: "Hello there",
    lastMessagePreview: "Hi",
    updatedAt: expect.any(Number),
    sessionId: expect.any(String),
    totalTokens: 15,
    contextTokens: 32_000,
    modelProvider: "mock",
    model: "one",
  });
  expect(sessions.list({}).sessions[0]).not.toHaveProperty("derivedTitle");
  expect(sessions.describe({ key: "main", includeDerivedTitles: true }).session).toMatchObject({
    derivedTitle: "Hello there",
  });
  expect(sessions.describe({ key: "other" })).toEqual({ session: null });
});

test("preview shows the last lines of each session and says which are missing", async () => {
  const { sessions, store, append } = sessionsFixture();
  await append(
    "agent:main:main",
    user("first"),
    assistant("", { content: [{ type: "toolCall", id: "1", name: "exec", arguments: {} }] }),
    {
      role: "toolResult",
      toolCallId: "1",
      toolName: "exec",
      content: [{ type: "text", text: "done" }],
      isError: false,
      timestamp: 1,
    },
    assistant("x".repeat(100)),
  );
  await store.commit((tx) => sessions.ensure(tx, "agent:main:new"));
  const { previews } = sessions.preview({ keys: ["main", "new", "gone", "../x"], limit: 3, maxChars: 20 });
  expect(previews.map(({ key, status }) => ({ key, status }))).toEqual([
    { key: "main", status: "ok" },
    { key: "new", status: "empty" },
    { key: "gone", status: "missing" },
    { key: "../x", status: "missing" },
  ]);
  expect(previews[0]?.items).toEqual([
    { role: "tool", text: "call exec" },
    { role: "tool", text: "done" },
    { role: "assistant", text: `${"x".repeat(19)}…` },
  ]);
  expect(sessions.preview({ keys: Array.from({ length: 70 }, (_, i) => `k${i}`) }).previews).toHaveLength(64);
});

test("resolve takes exactly one of key, session id and label", async () => {
  const { sessions } = await seeded();
  const id = sessions.get("agent:work:main")?.sessionId ?? "";
  const found = { ok: true, key: "agent:work:main" };
  expect(sessions.resolve({ key: "agent:work:main" })).toEqual(found);
  expect(sessions.resolve({ key: "main", agentId: "work" })).toEqual(found);
  expect(sessions.resolve({ sessionId: id })).toEqual(found);
  expect(sessions.resolve({ label: "Job", agentId: "work" })).toEqual(found);
  expect(() => sessions.resolve({})).toThrow("Either key, sessionId, or label is required");
  expect(() => sessions.resolve({ key: "main", label: "Job" })).toThrow(
    "Provide either key, sessionId, or label (not multiple)",
  );
  expect(() => sessions.resolve({ key: "nope" })).toThrow("No session found: nope");
  expect(() => sessions.resolve({ sessionId: "nope" })).toThrow("No session found: nope");
  expect(() => sessions.resolve({ label: "Job", agentId: "main" })).toThrow("No session found with label: Job");
});

test("reset gives a new session id after its run was stopped, also to a key nobody used", async () => {
  const stopped: string[] = [];
  const { sessions, append } = sessionsFixture({ stopSession: async (key) => stopped.push(key) > 0 });
  await append("agent:main:main", user("old"));
  const before = sessions.get("agent:main:main")?.sessionId;
  const { key, entry } = await sessions.reset({ key: "main", reason: "new" });
  expect(key).toBe("agent:main:main");
  expect((entry as { sessionId: string }).sessionId).not.toBe(before);
  expect(stopped).toEqual(["agent:main:main"]);
  expect((await sessions.reset({ key: "fresh" })).key).toBe("agent:main:fresh");
});

test("delete refuses the main session and a session that will not stop", async () => {
  const { sessions, append } = sessionsFixture({ stopSession: async () => false });
  await append("agent:work:main", user("a"));
  await append("agent:main:x", user("a"));
  await expect(sessions.delete({ key: "main" })).rejects.toThrow("Cannot delete the main session (agent:main:main).");
  await expect(sessions.delete({ key: "agent:work:main" })).rejects.toThrow(
    "Cannot delete the main session (agent:work:main).",
  );
  await expect(sessions.delete({ key: "x" })).rejects.toMatchObject({
    kind: "unavailable",
    message: "Session agent:main:x is still active; try again in a moment.",
  });
  expect(sessions.get("agent:main:x")).toBeDefined();
});

test("delete removes the session, keeps its transcript by session id and answers deleted:false the second time", async () => {
  const { sessions, append } = sessionsFixture();
  const [entry] = await append("agent:main:x", user("kept"));
  sessions.systemEvents.enqueue("agent:main:x", "note");
  expect(await sessions.delete({ key: "x" })).toEqual({
    ok: true,
    key: "agent:main:x",
    deleted: true,
    archived: [":memory:"],
  });
  expect(sessions.get("agent:main:x")).toBeUndefined();
  expect(sessions.entries(entry?.sessionId ?? "", { limit: 5 })).toHaveLength(1);
  expect(sessions.systemEvents.has("agent:main:x")).toBe(false);
  expect(await sessions.delete({ key: "x" })).toEqual({ ok: true, key: "agent:main:x", deleted: false, archived: [] });
  expect(sessions.history({ sessionKey: "x" }).messages).toEqual([]);
});

test("a session whose agent left the config can still be read and deleted", async () => {
  const { sessions, append, agents } = sessionsFixture();
  await append("agent:work:main", user("a"));
  agents.pop();
  expect(sessions.history({ sessionKey: "agent:work:main" }).messages).toHaveLength(1);
  expect((await sessions.delete({ key: "agent:work:main" })).deleted).toBe(true);
  expect(() => sessions.history({ sessionKey: "agent:work:main" })).toThrow('unknown agent id "work"');
});

test("compact keeps the newest entries for history and context and says how many went", async () => {
  const { sessions, store, append } = sessionsFixture();
  await store.commit((tx) => sessions.ensure(tx, "agent:main:empty"));
  await append("agent:main:main", ...Array.from({ length: 10 }, (_, i) => user(`n${i}`)));
  expect(await sessions.compact({ key: "gone" })).toMatchObject({ compacted: false, reason: "no sessionId" });
  expect(await sessions.compact({ key: "empty" })).toMatchObject({ compacted: false, reason: "no transcript" });
  expect(await sessions.compact({ key: "main" })).toEqual({
    ok: true,
    key: "agent:main:main",
    compacted: false,
    kept: 10,
  });
  const done = await sessions.compact({ key: "main", maxLines: 3 });
  expect(done).toEqual({ ok: true, key: "agent:main:main", compacted: true, kept: 3, archived: "7 entries" });
  expect(sessions.history({ sessionKey: "main" }).messages).toHaveLength(3);
  expect(sessions.contextEntries(sessions.get("agent:main:main")?.sessionId ?? "")).toHaveLength(3);
  const [next] = await append("agent:main:main", user("after"));
  expect(next?.seq).toBe(11);
});

test("hidden sessions are removed with their transcripts an hour after their last use, others never", async () => {
  const { sessions, store, world, append } = sessionsFixture();
  await store.commit((tx) => sessions.ensure(tx, "agent:main:openai:a", { hidden: true }));
  await append("agent:main:openai:a", ...Array.from({ length: 600 }, () => user("x")));
  await append("agent:main:kept", user("x"));
  world.clock.shiftWall(30 * 60_000);
  await store.commit((tx) => sessions.ensure(tx, "agent:main:openai:b", { hidden: true }));
  sessions.start();
  await world.clock.advance(31 * 60_000);
  await Promise.all([sessions.sweepHidden(), sessions.sweepHidden()]);
  expect(sessions.get("agent:main:openai:a")).toBeUndefined();
  expect(sessions.get("agent:main:openai:b")).toBeDefined();
  expect(sessions.get("agent:main:kept")).toBeDefined();
  expect(store.get<{ n: number }>("SELECT count(*) AS n FROM entry")?.n).toBe(1);
  await sessions.stop();
  expect(world.clock.pending()).toBe(0);
});
