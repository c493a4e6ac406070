import { expect, test } from "vitest";
import { assistant, sessionsFixture, user } from "./sessions.fixture.ts";

const key = "agent:main:main";

test("ensure creates a session once; a seed fills only a new one", async () => {
  const { sessions, store } = sessionsFixture();
  const first = await store.commit((tx) =>
    sessions.ensure(tx, key, { sessionId: "wished", displayName: "Home", chatType: "direct" }),
  );
  expect(first).toMatchObject({ key, agentId: "main", sessionId: "wished", displayName: "Home", hidden: false });
  const again = await store.commit((tx) => sessions.ensure(tx, key, { displayName: "Other" }));
  expect(again).toEqual(first);
  expect(sessions.bySessionId("wished")).toEqual(first);
  expect(sessions.get("agent:main:none")).toBeUndefined();
});

test("a wished session id that is taken or odd is replaced by a fresh one", async () => {
  const { sessions, store } = sessionsFixture();
  await store.commit((tx) => sessions.ensure(tx, key, { sessionId: "taken" }));
  for (const [name, wish] of [
    ["a", "taken"],
    ["b", "../x"],
    ["c", ""],
  ] as const) {
    const entry = await store.commit((tx) => sessions.ensure(tx, `agent:main:${name}`, { sessionId: wish }));
    expect(entry.sessionId).not.toBe(wish);
  }
});

test("a renamed conversation keeps its entries and gives its former key up; one that exists is not written over", async () => {
  const { sessions, store, append } = sessionsFixture();
  const [from, to] = ["agent:main:telegram:group:-1", "agent:main:telegram:group:-1002"] as const;
  expect(await store.commit((tx) => sessions.rename(tx, from, to))).toBe(false);
  const entries = await append(from, user("the word is heron"));
  const before = sessions.get(from);
  expect(await store.commit((tx) => sessions.rename(tx, from, to))).toBe(true);
  expect(sessions.get(from)).toBeUndefined();
  expect(sessions.get(to)).toEqual({ ...before, key: to });
  expect(sessions.entries(before?.sessionId ?? "", { limit: 5 })).toEqual(entries);
  await append(to, user("and now?"));
  await append(from, user("somebody new"));
  expect(await store.commit((tx) => sessions.rename(tx, from, to))).toBe(false);
  expect(sessions.get(to)?.sessionId).toBe(before?.sessionId);
});

test("entries are numbered from one without gaps and point at the one before", async () => {
  const { sessions, append } = sessionsFixture();
  const entries = await append(key, user("hello"), assistant("hi"));
  expect(entries.map(({ seq, parentId }) => ({ seq, parentId }))).toEqual([
    { seq: 1, parentId: null },
    { seq: 2, parentId: entries[0]?.id },
  ]);
  const id = sessions.get(key)?.sessionId ?? "";
  expect(sessions.entries(id, { limit: 10 })).toEqual(entries);
  expect(sessions.entries(id, { limit: 1 })).toEqual([entries[1]]);
  expect(sessions.entries(id, { limit: 5, before: entries[1]?.id ?? "" })).toEqual([entries[0]]);
  expect(() => sessions.entries(id, { limit: 5, before: "nothing" })).toThrow('no message "nothing"');
});

test("title and preview follow the messages and lose what channels put in front", async () => {
  const { sessions, append } = sessionsFixture();
  await append(
    key,
    user("[Fri 2026-02-13 18:26 UTC]  Plan\n the   trip\n[message_id: f1]"),
    assistant("x".repeat(500)),
  );
  const entry = sessions.get(key);
  expect(entry?.derivedTitle).toBe("Plan the trip");
  expect(entry?.lastMessagePreview).toHaveLength(200);
  await append(key, user("second"));
  expect(sessions.get(key)).toMatchObject({ derivedTitle: "Plan the trip", lastMessagePreview: "second" });
});

test("update sets, clears and touches; key, agent and a taken label cannot be changed", async () => {
  const { sessions, store, world } = sessionsFixture();
  await store.commit((tx) => sessions.ensure(tx, key, { label: "mine" }));
  await store.commit((tx) => sessions.ensure(tx, "agent:work:main"));
  const before = sessions.get(key)?.updatedAt ?? 0;
  world.clock.shiftWall(1_000);
  const quiet = await store.commit((tx) => sessions.update(tx, key, { totalTokens: 7 }, { touch: false }));
  expect(quiet).toMatchObject({ totalTokens: 7, updatedAt: before });
  const loud = await store.commit((tx) => sessions.update(tx, key, { totalTokens: undefined, key: "x", agentId: "y" }));
  expect(loud).toMatchObject({ key, agentId: "main", updatedAt: before + 1_000 });
  expect("totalTokens" in loud).toBe(false);
  await expect(store.commit((tx) => sessions.update(tx, "agent:work:main", { label: "mine" }))).rejects.toThrow(
    "label already in use: mine",
  );
  await expect(store.commit((tx) => sessions.update(tx, "agent:main:none", {}))).rejects.toThrow("No session found");
});

test("a rollover starts a new transcript, keeps choices, clears counters and drops waiting notes", async () => {
  const { sessions, store, append } = sessionsFixture();
  await append(key, user("old"));
  await store.commit((tx) =>
    sessions.update(tx, key, {
      thinkingLevel: "high",
      modelOverride: "two",
      label: "l",
      totalTokens: 9,
      systemSent: true,
      compactionCount: 2,
      lastTo: "x",
    }),
  );
  const old = sessions.get(key);
  sessions.systemEvents.enqueue(key, "note");
  const next = await store.commit((tx) => sessions.rollover(tx, key, "new"));
  expect(next.sessionId).not.toBe(old?.sessionId);
  expect(next).toMatchObject({
    thinkingLevel: "high",
    modelOverride: "two",
    label: "l",
    lastTo: "x",
    totalTokens: 0,
    systemSent: false,
    compactionCount: 0,
  });
  expect(next.derivedTitle).toBeUndefined();
  expect(sessions.systemEvents.has(key)).toBe(false);
  expect(sessions.entries(next.sessionId, { limit: 5 })).toEqual([]);
  expect(sessions.entries(old?.sessionId ?? "", { limit: 5 })).toHaveLength(1);
});

test("a new day takes no note along that came in the moment before", async () => {
  const { sessions, store, append } = sessionsFixture();
  await append(key, user("old"));
  const { systemEvents } = sessions;
  const kept = store.commit((tx) => systemEvents.keep(tx, key, "acknowledged", false));
  await Promise.all([kept, store.commit((tx) => sessions.rollover(tx, key, "daily"))]);
  expect(systemEvents.drain(key).map(({ text }) => text)).toEqual(["acknowledged"]);
  expect(store.get<{ n: number }>("SELECT count(*) AS n FROM system_note")?.n).toBe(1);
});

test("the context begins with the last compaction and the entries it kept", async () => {
  const { sessions, store, append } = sessionsFixture();
  const [, second, third] = await append(key, user("1"), assistant("2"), user("3"), assistant("4"));
  const compact = (kept: string | undefined, summary: string) =>
    store.commit((tx) =>
      sessions.append(tx, key, { type: "compaction", summary, firstKeptEntryId: kept ?? "", tokensBefore: 1 }),
    );
  await compact(second?.id, "first");
  await compact(third?.id, "last");
  await append(key, user("5"));
  const context = sessions.contextEntries(sessions.get(key)?.sessionId ?? "");
  const said = context.map(({ body }) =>
    body.type === "compaction"
      ? body.summary
      : body.type === "message"
        ? JSON.stringify(body.message.content)
        : body.type,
  );
  expect(said[0]).toBe("last");
  expect(said.slice(1).map((text) => /"text":"(\d)"/u.exec(text)?.[1])).toEqual(["3", "4", "5"]);
  await compact("gone", "lost the kept part");
  expect(sessions.contextEntries(sessions.get(key)?.sessionId ?? "")).toHaveLength(1);
});

test("without a compaction the context is the newest entries, at most the limit", async () => {
  const { sessions, append } = sessionsFixture();
  await append(key, ...Array.from({ length: 600 }, (_, i) => user(`n${i}`)));
  const id = sessions.get(key)?.sessionId ?? "";
  expect(sessions.contextEntries(id)).toHaveLength(600);
  const newest = sessions.contextEntries(id, 300);
  expect(newest).toHaveLength(300);
  expect(newest[0]?.seq).toBe(301);
  expect(sessions.contextEntries("unknown")).toEqual([]);
});

test("a message and what belongs to it are stored together or not at all", async () => {
  const { sessions, store } = sessionsFixture();
  await expect(
    store.commit((tx) => {
      sessions.ensure(tx, key);
      sessions.append(tx, key, { type: "message", message: user("lost") });
      throw new Error("the run row failed");
    }),
  ).rejects.toThrow("the run row failed");
  expect(sessions.get(key)).toBeUndefined();
  expect(store.get("SELECT 1 FROM entry")).toBeUndefined();
});
