import * as fc from "fast-check";
import { expect, test } from "vitest";
import { assistant, sessionsFixture, user } from "./sessions.fixture.ts";
import { exportables, exportTranscript, importTranscript } from "./transfer.ts";

type Fixture = ReturnType<typeof sessionsFixture>;

const take = ({ store, world }: Pick<Fixture, "store" | "world">, lines: readonly string[], key?: string) =>
  importTranscript({ store, world, scope: "per-sender" }, { key, defaultAgent: "main", lines: () => lines });

const key = "agent:main:main";
const usage = {
  input: 1,
  output: 1,
  cacheRead: 0,
  cacheWrite: 0,
  totalTokens: 2,
  cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 },
};

const recorded = [
  '{"type":"session","version":3,"id":"fixture-1","timestamp":"2026-11-20T20:08:45.916Z","cwd":"/home/user/workspace"}',
  '{"type":"model_change","id":"5254bf79","parentId":null,"timestamp":"2026-11-20T20:08:45.920Z","provider":"mock","modelId":"mock-1"}',
  '{"type":"thinking_level_change","id":"5098598b","parentId":"5254bf79","timestamp":"2026-11-20T20:08:45.920Z","thinkingLevel":"off"}',
  '{"type":"custom","customType":"model-snapshot","data":{"provider":"mock"},"id":"7982145f","parentId":"5098598b","timestamp":"2026-11-20T20:08:45.922Z"}',
  '{"type":"message","id":"6f7022d2","parentId":"7982145f","timestamp":"2026-11-20T20:08:45.935Z","message":{"role":"user","content":[{"type":"text","text":"[Fri 2026-11-20 20:08 UTC] Say hello."}],"timestamp":1795205325925}}',
  `{"type":"message","id":"d894e4f5","parentId":"6f7022d2","timestamp":"2026-11-20T20:08:46.435Z","message":{"role":"assistant","content":[{"type":"text","text":"hello"}],"api":"openai-completions","provider":"mock","model":"mock-1","usage":${JSON.stringify(usage)},"stopReason":"stop","timestamp":1795205325933}}`,
];

test("what is exported and imported again is the same conversation", async () => {
  const from = sessionsFixture();
  const messages = Array.from({ length: 100 }, (_, i) => (i % 2 ? assistant(`a${i}`) : user(`u${i}`)));
  await from.append(key, ...messages);
  await from.store.commit((tx) =>
    from.sessions.append(tx, key, { type: "compaction", summary: "s", firstKeptEntryId: "x", tokensBefore: 3 }),
  );
  const id = from.sessions.get(key)?.sessionId ?? "";
  const lines = [...exportTranscript(from.store, id, { cwd: "/w" })];
  expect(lines).toHaveLength(102);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ type: "session", version: 3, id, cwd: "/w" });
  const to = sessionsFixture();
  const report = await take(to, lines);
  expect(report).toEqual({ sessionKey: key, sessionId: id, imported: 101, bad: [], moreBad: 0 });
  expect(to.sessions.entries(id, { limit: 500 })).toEqual(from.sessions.entries(id, { limit: 500 }));
  expect(to.sessions.get(key)).toMatchObject({ derivedTitle: "u0", lastMessagePreview: "a99" });
  expect(to.sessions.usage({ startDate: "2026-01-01", endDate: "2026-12-31" }).totals.totalTokens).toBe(50 * 15);
});

test("a transcript of 2026.2 is read with its session id, title and times", async () => {
  const { sessions, store, world } = sessionsFixture();
  const report = await take({ store, world }, recorded, key);
  expect(report).toMatchObject({ sessionId: "fixture-1", imported: 5, bad: [] });
  expect(sessions.get(key)).toMatchObject({
    derivedTitle: "Say hello.",
    updatedAt: Date.parse("2026-11-20T20:08:46.435Z"),
  });
  expect(sessions.history({ sessionKey: key }).messages.map((message) => message.role)).toEqual(["user", "assistant"]);
});

test("bad lines are reported with their number and cost nothing else", async () => {
  const { sessions, append, store, world } = sessionsFixture();
  const torn = recorded[4]?.slice(0, 80) ?? "";
  const lines = [
    recorded[0] ?? "",
    "",
    "{",
    "7",
    '{"id":"x"}',
    '{"type":"message","message":{"role":"user"}}',
    torn,
    ...recorded.slice(5),
  ];
  const report = await take({ store, world }, lines, key);
  expect(report).toMatchObject({
    imported: 1,
    bad: [
      { line: 3, reason: "not JSON" },
      { line: 4, reason: "not an object" },
      { line: 5, reason: "no type" },
      { line: 6, reason: "not a message" },
      { line: 7, reason: "not JSON" },
    ],
  });
  await append(key, user("goes on"));
  expect(sessions.history({ sessionKey: key }).messages).toHaveLength(2);
  expect(sessions.contextEntries("fixture-1")).toHaveLength(2);
});

test("a branch that was left is stored and not shown", async () => {
  const line = (id: string, parentId: string | null, text: string) =>
    JSON.stringify({ type: "message", id, parentId, timestamp: "2026-01-01T00:00:00Z", message: user(text) });
  const { sessions, store, world } = sessionsFixture();
  const header = recorded[0] ?? "";
  await take({ store, world }, [header, line("a", null, "root"), line("b", "a", "left"), line("c", "a", "kept")], key);
  expect(sessions.history({ sessionKey: key }).messages.map((message) => message.id)).toEqual(["a", "c"]);
  expect(store.get<{ n: number }>("SELECT count(*) AS n FROM entry")?.n).toBe(3);
});

test("a session that has a transcript is not imported into, and an unknown one is not exported", async () => {
  const { store, world, append } = sessionsFixture();
  await append(key, user("mine"));
  await expect(take({ store, world }, recorded, key)).rejects.toMatchObject({ kind: "conflict" });
  expect(() => [...exportTranscript(store, "nobody", { cwd: "/" })]).toThrow("No transcript found");
  expect(() => [...exportables(store, ["nobody"], { scope: "per-sender", defaultAgent: "main" })]).toThrow(
    "No session found: nobody",
  );
});

test("whatever happened to a file, good lines are kept and nothing throws", async () => {
  const junk = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom('{"type":"message"}', '{"type":"compaction"}', '{"type":"x","id":7,"timestamp":1e99}', "\u0000"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(junk, { maxLength: 6 }), fc.nat(5), async (bad, at) => {
      const { sessions, store, world } = sessionsFixture();
      const [header = "", ...rest] = recorded;
      await take({ store, world }, [header, ...rest.slice(0, at), ...bad, ...rest.slice(at)], key);
      const kept = sessions.history({ sessionKey: key }).messages.map((message) => message.id);
      store.close();
      return kept.includes("6f7022d2") && kept.includes("d894e4f5");
    }),
    { numRuns: 150 },
  );
});

test("a transcript without a key becomes a session named by its id, and is taken once", async () => {
  const { sessions, store, world } = sessionsFixture();
  expect(await take({ store, world }, recorded)).toMatchObject({ sessionKey: "agent:main:fixture-1", imported: 5 });
  expect(await take({ store, world }, recorded)).toMatchObject({ imported: 5 });
  expect(sessions.history({ sessionKey: "fixture-1" }).messages).toHaveLength(2);
  await expect(take({ store, world }, recorded, "other")).rejects.toThrow("is that of agent:main:fixture-1");
  await expect(take({ store, world }, ["{}"])).rejects.toThrow("no transcript");
});

test("what older versions wrote differently is kept: plain texts, missing usage, foreign roles, foreign parts", async () => {
  const { sessions, store, world } = sessionsFixture();
  const lines = [
    recorded[0] ?? "",
    '{"type":"message","id":"1","parentId":null,"timestamp":"2026-01-01T00:00:00Z","message":{"role":"user","content":"plain"}}',
    '{"type":"message","id":"2","parentId":"1","timestamp":"2026-01-01T00:00:01Z","message":{"role":"assistant","content":"said","timestamp":5}}',
    '{"type":"message","id":"3","parentId":"2","timestamp":"2026-01-01T00:00:02Z","message":{"role":"bashExecution","command":"ls"}}',
    '{"type":"message","id":"4","parentId":"3","timestamp":"2026-01-01T00:00:03Z","message":{"role":"user","content":[{"type":"video"},{"type":"text","text":"x"}],"timestamp":6}}',
    '{"type":"label","id":"5","parentId":"4","timestamp":"2026-01-01T00:00:04Z","targetId":"1","label":"l"}',
  ];
  const report = await take({ store, world }, lines, key);
  expect(report.imported).toBe(5);
  expect(report.bad).toEqual([{ line: 5, reason: "1 part of the message left out: unknown kind" }]);
  expect(sessions.history({ sessionKey: key }).messages).toHaveLength(3);
  expect(sessions.entries("fixture-1", { limit: 9 }).map(({ body }) => body.type)).toEqual([
    "message",
    "message",
    "custom",
    "message",
    "custom",
  ]);
});
