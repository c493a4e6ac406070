import { expect, test } from "vitest";
import { makeBench, reply } from "./agents.fixture.ts";
import { ContextCache } from "./context-cache.ts";

const key = "agent:main:main";

async function filled(count: number) {
  const { store, sessions } = makeBench();
  const sessionId = await store.commit((tx) => sessions.ensure(tx, key).sessionId);
  const add = (text: string) =>
    store.commit((tx) => sessions.append(tx, key, { type: "message", message: reply([{ type: "text", text }]) }));
  for (let index = 0; index < count; index++) await add(`m${index}`);
  const reads = { all: 0 };
  const cache = new ContextCache({
    contextEntries: (id, limit) => (reads.all++, sessions.contextEntries(id, limit)),
    entries: (id, options) => sessions.entries(id, options),
  });
  const same = () => expect(cache.read(sessionId)).toEqual(sessions.contextEntries(sessionId));
  return { store, sessions, sessionId, add, reads, cache, same };
}

test("an unchanged or longer transcript is read whole once", async () => {
  const { add, reads, same } = await filled(5);
  same();
  await add("new");
  same();
  same();
  expect(reads.all).toBe(1);
});

test("a compaction, a cut head and many new entries are noticed", async () => {
  const { store, sessions, add, reads, same, sessionId } = await filled(10);
  same();
  const kept = sessions.entries(sessionId, { limit: 2 })[0]?.id ?? "";
  await store.commit((tx) =>
    sessions.append(tx, key, { type: "compaction", summary: "s", firstKeptEntryId: kept, tokensBefore: 1 }),
  );
  same();
  same();
  expect(reads.all).toBe(2);
  for (let index = 0; index < 70; index++) await add(`more ${index}`);
  same();
  expect(reads.all).toBe(3);
  await sessions.compact({ key, maxLines: 5 });
  same();
});

test("a context too big to keep is read each time", async () => {
  const { add, reads, same } = await filled(1);
  await add("x".repeat(2_100_000));
  same();
  same();
  expect(reads.all).toBe(2);
});

test("at the limit a context grows a little before it is read again", async () => {
  const { store, sessions, sessionId, add, reads, cache } = await filled(1);
  await store.commit((tx) => {
    for (let index = 0; index < 2_100; index++) {
      sessions.append(tx, key, { type: "message", message: reply([{ type: "text", text: `m${index}` }]) });
    }
  });
  expect(cache.read(sessionId)).toHaveLength(2_000);
  await add("one more");
  expect(cache.read(sessionId)).toHaveLength(2_001);
  expect(cache.read(sessionId).at(-1)).toEqual(sessions.entries(sessionId, { limit: 1 })[0]);
  expect(reads.all).toBe(1);
});
