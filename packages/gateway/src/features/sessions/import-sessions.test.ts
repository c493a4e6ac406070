import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Store } from "../../store/index.ts";
import { importSessions, type AgentFolder, type ImportLog, type SourceFile } from "./import-sessions.ts";
import { assistant, sessionsFixture, user } from "./sessions.fixture.ts";
import { exportables, exportTranscript, writtenEntry } from "./transfer.ts";

const key = "agent:main:main";

const logOf = () => {
  const skipped: string[] = [];
  const warnings: string[] = [];
  return {
    sessions: 0,
    earlier: 0,
    entries: 0,
    before: 0,
    skipped,
    warnings,
    skip: (path: string, reason: string) => void skipped.push(`${path}: ${reason}`),
    warn: (text: string) => void warnings.push(text),
  } satisfies ImportLog & Record<string, unknown>;
};

const file = (name: string, lines: readonly string[]): SourceFile => ({
  path: `agents/main/sessions/${name}`,
  name,
  hash: `${name}:${lines.join("\n")}`,
  lines: () => lines,
});

const folderOf = (sessions: Record<string, unknown> | string, transcripts: readonly SourceFile[] = []): AgentFolder => {
  const text = typeof sessions === "string" ? sessions : JSON.stringify(sessions);
  return { agentId: "main", index: { path: "agents/main/sessions/sessions.json", hash: text, text }, transcripts };
};

const line = (id: string, parentId: string | null, text: string, at = 1_760_000_000_000) =>
  JSON.stringify({ type: "message", id, parentId, timestamp: new Date(at).toISOString(), message: user(text, at) });
const header = (id: string, more: Record<string, unknown> = {}) =>
  JSON.stringify({ type: "session", version: 3, id, timestamp: "2025-10-01T00:00:00.000Z", cwd: "/w", ...more });

async function moved(folder: AgentFolder, fixture = sessionsFixture()) {
  const log = logOf();
  await importSessions({ store: fixture.store, world: fixture.world, scope: "per-sender" }, folder, log);
  return { ...fixture, log };
}

/** Every row of the room that an import writes, except when it was written. */
const rowsOf = ({ store }: Pick<ReturnType<typeof sessionsFixture>, "store">) =>
  [
    "SELECT key, session_id, agent_id, updated_at, hidden, listed, label, json FROM session ORDER BY key",
    "SELECT * FROM transcript ORDER BY session_id",
    "SELECT * FROM entry ORDER BY session_id, seq",
    "SELECT * FROM usage_day ORDER BY day, session_id, provider, model",
    "SELECT path, hash FROM import_file ORDER BY path",
  ].map((sql) => store.all(sql));

test("an entry keeps its fields, its last route and its times", async () => {
  const { sessions, log } = await moved(
    folderOf({
      main: {
        sessionId: "s1",
        updatedAt: 1_760_000_009_000,
        sessionStartedAt: 1_760_000_000_000,
        lastInteractionAt: 1_760_000_008_000,
        label: "Errands",
        chatType: "direct",
        thinkingLevel: "high",
        modelOverride: "two",
        providerOverride: "mock",
        totalTokens: 10,
        deliveryContext: { channel: "telegram", to: "42", threadId: 7 },
        skillsSnapshot: { prompt: "…" },
        queueMode: "steer",
      },
    }),
  );
  expect(sessions.get(key)).toEqual({
    key,
    agentId: "main",
    sessionId: "s1",
    createdAt: 1_760_000_000_000,
    updatedAt: 1_760_000_009_000,
    sessionStartedAt: 1_760_000_000_000,
    lastInteractionAt: 1_760_000_008_000,
    hidden: false,
    label: "Errands",
    chatType: "direct",
    thinkingLevel: "high",
    modelOverride: "two",
    providerOverride: "mock",
    totalTokens: 10,
    lastChannel: "telegram",
    lastTo: "42",
    lastThreadId: "7",
  });
  expect(log).toMatchObject({ sessions: 1, warnings: [`${key}: not taken: queueMode`] });
});

test("transcripts are found by name, by id and by topic; those nobody names stay readable beside the list", async () => {
  const { sessions, log } = await moved(
    folderOf(
      {
        "agent:main:main": { sessionId: "s1", updatedAt: 1_760_000_000_000, sessionFile: "/home/u/odd.jsonl" },
        "agent:main:telegram:group:-1:topic:7": { sessionId: "s2", updatedAt: 1_760_000_000_000 },
        "agent:main:whatsapp:direct:+15": { sessionId: "s3", updatedAt: 1_760_000_000_000 },
      },
      [
        file("odd.jsonl", [header("s1"), line("1", null, "main")]),
        file("s2-topic-7.jsonl", [header("s2"), line("1", null, "topic")]),
        file("s4.jsonl", [header("s4"), line("1", null, "earlier")]),
        file("s5.jsonl.reset.2026-01-01T00-00-00.000Z", [header("s5"), line("1", null, "reset")]),
        file("s6.jsonl.deleted.2026-01-01T00-00-00.000Z", [header("s6"), line("1", null, "deleted")]),
      ],
    ),
  );
  const text = (of: string) => JSON.stringify(sessions.history({ sessionKey: of }).messages);
  expect(text("main")).toContain("main");
  expect(text("agent:main:telegram:group:-1:topic:7")).toContain("topic");
  expect(sessions.get("agent:main:whatsapp:dm:+15")?.sessionId).toBe("s3");
  expect(sessions.list({}).count).toBe(3);
  expect(sessions.entries("s4", { limit: 1 })).toHaveLength(1);
  expect(sessions.entries("s5", { limit: 1 })).toHaveLength(1);
  expect(log).toMatchObject({ sessions: 3, earlier: 2, entries: 4 });
  expect(log.skipped).toEqual([
    "agents/main/sessions/s6.jsonl.deleted.2026-01-01T00-00-00.000Z: deleted before the move",
  ]);
});

test("a second import takes nothing, and what was deleted, reset or continued here stays so", async () => {
  const transcripts = [
    file("s1.jsonl", [header("s1"), line("1", null, "one")]),
    file("s2.jsonl", [header("s2"), line("1", null, "two")]),
    file("s3.jsonl", [header("s3"), line("1", null, "three")]),
  ];
  const entry = (sessionId: string, updatedAt = 1_760_000_000_000) => ({ sessionId, updatedAt });
  const index = { main: entry("s1"), "agent:main:b": entry("s2"), "agent:main:c": entry("s3") };
  const first = await moved(folderOf(index, transcripts));
  const before = rowsOf(first);
  const again = await moved(folderOf(index, transcripts), first);
  expect(again.log).toMatchObject({ sessions: 0, earlier: 0, before: 3, skipped: [], warnings: [] });
  expect(rowsOf(first)).toEqual(before);

  await first.append(key, user("goes on here"));
  await first.sessions.delete({ key: "agent:main:b" });
  await first.sessions.reset({ key: "agent:main:c" });
  const here = rowsOf(first).slice(0, 4);
  // The old installation was used once more: its index and its transcripts grew.
  const later = transcripts.map(({ name, lines }) => file(name, [...lines(), line("2", "1", "later")]));
  const grown = { main: entry("s1", 1_760_000_005_000), "agent:main:b": entry("s2"), "agent:main:c": entry("s3") };
  const { log } = await moved(folderOf(grown, later), first);
  expect(log.skipped).toHaveLength(3);
  expect(log).toMatchObject({ sessions: 0, earlier: 0, entries: 0 });
  expect(rowsOf(first).slice(0, 4)).toEqual(here);
});

test("a transcript that grew since its import is continued, also when it branched", async () => {
  const index = (updatedAt: number) => ({ main: { sessionId: "s1", updatedAt } });
  const old = [header("s1"), line("1", null, "one"), line("2", "1", "left later")];
  const first = await moved(folderOf(index(1_760_000_000_000), [file("s1.jsonl", old)]));
  const grown = file("s1.jsonl", [...old, line("3", "1", "kept"), line("4", "3", "last")]);
  const { sessions, log } = await moved(folderOf(index(1_760_000_001_000), [grown]), first);
  expect(sessions.history({ sessionKey: key }).messages.map(({ id }) => id)).toEqual(["1", "3", "4"]);
  expect(sessions.get(key)).toMatchObject({ updatedAt: 1_760_000_001_000, lastMessagePreview: "last" });
  expect(log.sessions).toBe(1);
});

test("a conversation with the same key keeps its place; the imported one is kept beside it", async () => {
  const here = sessionsFixture();
  await here.append(key, user("already here"));
  const { sessions, log } = await moved(
    folderOf({ main: { sessionId: "s1", updatedAt: 5 } }, [file("s1.jsonl", [header("s1"), line("1", null, "old")])]),
    here,
  );
  expect(sessions.history({ sessionKey: key }).messages).toHaveLength(1);
  expect(sessions.entries("s1", { limit: 1 })).toHaveLength(1);
  expect(log).toMatchObject({ sessions: 0, earlier: 1 });
  expect(log.warnings[0]).toContain("was there already");
});

test("an index or an entry that cannot be read is reported, and the rest is taken", async () => {
  const transcripts = [file("s1.jsonl", [header("s1"), line("1", null, "one")])];
  const torn = await moved(folderOf('{"main":{"sess', transcripts));
  expect(torn.log.skipped).toEqual([
    "agents/main/sessions/sessions.json: not JSON; its transcripts wait until it is repaired",
  ]);
  expect(torn.log).toMatchObject({ sessions: 0, earlier: 0 });
  const { log } = await moved(
    folderOf(
      {
        main: { sessionId: "s1", updatedAt: 5, label: "same" },
        "agent:main:b": { sessionId: "s1", updatedAt: 5 },
        "agent:main:c": { sessionId: "s3", updatedAt: 5, label: "same" },
        "agent:main:d": { updatedAt: 5 },
        "a/../b": { sessionId: "s5", updatedAt: 5 },
        "agent:main:e": 7,
      },
      transcripts,
    ),
    torn,
  );
  expect(log.sessions).toBe(2);
  expect(log.skipped.map((text) => text.replace(/^.*"(.*)"/u, "$1")).sort()).toEqual([
    "a/../b: not a session key",
    "agent:main:b: its session id belongs to agent:main:main",
    "agent:main:d: no usable sessionId",
    "agent:main:e: not an object",
  ]);
  expect(log.warnings).toEqual(['agent:main:c: its label "same" belongs to agent:main:main and was not taken']);
});

test("an import that ends after any commit goes on and gives the same rows", async () => {
  const long = Array.from({ length: 700 }, (_, i) => line(`m${i}`, i === 0 ? null : `m${i - 1}`, `text ${i}`));
  const folder = folderOf(
    Object.fromEntries(
      Array.from({ length: 120 }, (_, i) => [
        `agent:main:k${i}`,
        { sessionId: `s${i}`, updatedAt: 1_760_000_000_000 + i },
      ]),
    ),
    Array.from({ length: 121 }, (_, i) =>
      file(`s${i}.jsonl`, [header(`s${i}`), ...(i === 3 ? long : [line("1", null, `hello ${i}`), "torn"])]),
    ),
  );
  const whole = await moved(folder);
  const wanted = rowsOf(whole);
  let commits = 0;
  for (let limit = 0; ; limit += 40) {
    const fixture = sessionsFixture();
    const { store } = fixture;
    let left = limit;
    const cut: Store = {
      path: store.path,
      get: (sql, ...params) => store.get(sql, ...params),
      all: (sql, ...params) => store.all(sql, ...params),
      commit: (unit) => (left-- > 0 ? store.commit(unit) : Promise.reject(new Error("killed"))),
      check: () => store.check(),
      close: () => store.close(),
    };
    const broken = await importSessions(
      { store: cut, world: fixture.world, scope: "per-sender" },
      folder,
      logOf(),
    ).then(
      () => false,
      () => true,
    );
    await store.commit(() => {});
    await moved(folder, fixture);
    expect(rowsOf(fixture)).toEqual(wanted);
    store.close();
    commits++;
    if (!broken) break;
  }
  expect(commits).toBeGreaterThan(5);
});

test("what is exported and imported again is equal: sessions, branches, earlier conversations", async () => {
  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
  const stamp = fc.integer({ min: 1_700_000_000_000, max: 1_800_000_000_000 });
  const message = fc.oneof(
    fc.tuple(text, stamp).map(([words, at]) => user(words, at)),
    fc.tuple(text, stamp).map(([words, at]) => assistant(words, { timestamp: at })),
  );
  const conversation = fc.record({
    name: fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/u),
    messages: fc.array(message, { maxLength: 6 }),
    reset: fc.boolean(),
    label: fc.option(fc.stringMatching(/^[A-Z][a-z]{0,8}$/u), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(conversation, { maxLength: 4, selector: ({ name }) => name }), async (given) => {
      const from = sessionsFixture();
      for (const { name, messages, reset, label } of given) {
        const of = `agent:main:${name}`;
        await from.append(of, ...messages);
        if (reset) await from.sessions.reset({ key: of });
        const free = given.filter((other) => other.label === label).length === 1;
        if (label !== undefined && free) await from.sessions.patch({ key: of, label });
      }
      const to = sessionsFixture();
      await importSessions({ store: to.store, world: to.world, scope: "per-sender" }, exported(from), logOf());
      const shape = (all: ReturnType<typeof rowsOf>) => ({
        sessions: all[0]?.map(({ json, ...row }) => ({ ...row, entry: JSON.parse(String(json)) as unknown })),
        // A reset leaves an empty row behind when nothing was said before it; it is not exported.
        transcripts: all[1]?.filter(({ session_id }) =>
          [...(all[2] ?? []), ...(all[0] ?? [])].some((row) => row.session_id === session_id),
        ),
        entries: all[2],
        usage: all[3],
      });
      expect(shape(rowsOf(to))).toEqual(shape(rowsOf(from)));
      from.store.close();
      to.store.close();
    }),
    { numRuns: 60 },
  );
});

function exported({ store }: ReturnType<typeof sessionsFixture>): AgentFolder {
  const index: Record<string, unknown> = {};
  const files: SourceFile[] = [];
  for (const { sessionId, key: of, entry } of exportables(store, "all", {
    scope: "per-sender",
    defaultAgent: "main",
  })) {
    if (entry) index[of] = JSON.parse(JSON.stringify(writtenEntry(entry)));
    files.push(file(`${sessionId}.jsonl`, [...exportTranscript(store, sessionId, { cwd: "/w" })]));
  }
  return folderOf(index, files);
}
