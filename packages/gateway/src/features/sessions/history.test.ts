import { emptyUsage, GatewayError } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { assistant, sessionsFixture, user } from "./sessions.fixture.ts";

const key = "agent:main:main";

test("an unknown session has an empty history and keeps the key as sent", () => {
  const { sessions } = sessionsFixture();
  expect(sessions.history({ sessionKey: "Main" })).toEqual({ sessionKey: "Main", messages: [], thinkingLevel: "off" });
});

test("history returns the newest messages, oldest first, cleaned, with ids to page back", async () => {
  const { sessions, store, append } = sessionsFixture();
  await append(key, user("[WhatsApp +1555 2026-02-13 18:26] one\n[message_id: a1]"), assistant("two"), user("three"));
  await store.commit((tx) => sessions.update(tx, key, { thinkingLevel: "low", verboseLevel: "on" }));
  const page = sessions.history({ sessionKey: "main", limit: 2 });
  expect(page).toMatchObject({
    sessionKey: "main",
    sessionId: sessions.get(key)?.sessionId,
    thinkingLevel: "low",
    verboseLevel: "on",
  });
  expect(page.messages.map((message) => message.role)).toEqual(["assistant", "user"]);
  const older = sessions.history({ sessionKey: key, before: page.messages[0]?.id ?? "" });
  expect(older.messages).toEqual([{ ...user("one"), id: expect.any(String) }]);
  expect(() => sessions.history({ sessionKey: key, before: "nothing" })).toThrow(GatewayError);
});

test.each([
  ["[Fri 2026-02-13 18:26 UTC] hi", "hi"],
  ["[Telegram Ann id:7 2026-02-13 18:26] hi", "hi"],
  ["[2026-02-13 18:26] typed by a person", "[2026-02-13 18:26] typed by a person"],
  ["[x] todo", "[x] todo"],
  ["a [Fri 2026-02-13 18:26 UTC] b", "a [Fri 2026-02-13 18:26 UTC] b"],
])("the user text %j is shown as %j", async (text, shown) => {
  const { sessions, append } = sessionsFixture();
  await append(key, user(text), { ...user(""), content: text });
  const texts = sessions
    .history({ sessionKey: key })
    .messages.map(({ content }) => (typeof content === "string" ? content : content[0]));
  expect(texts).toEqual([{ type: "text", text: shown }, shown]);
});

test("only messages count towards the limit; the default is 200", async () => {
  const { sessions, store, append } = sessionsFixture();
  await append(key, ...Array.from({ length: 250 }, (_, i) => user(`n${i}`)));
  await store.commit((tx) => {
    for (let i = 0; i < 300; i++) sessions.append(tx, key, { type: "custom", customType: "x", data: i });
  });
  expect(sessions.history({ sessionKey: key }).messages).toHaveLength(200);
  expect(sessions.history({ sessionKey: key, limit: 1_000 }).messages).toHaveLength(250);
  expect(sessions.history({ sessionKey: key, limit: 1 }).messages[0]).toMatchObject(user("n249"));
});

test("an answer stays within 6 MiB: the oldest messages are left out", async () => {
  const { sessions, append } = sessionsFixture();
  const big = "x".repeat(1_000_000);
  for (let i = 0; i < 8; i++) await append(key, user(`${i}${big}`));
  const { messages } = sessions.history({ sessionKey: key });
  expect(messages).toHaveLength(6);
  expect(JSON.stringify(messages).length).toBeLessThan(6 * 1024 * 1024);
  expect(JSON.stringify(messages.at(-1)).slice(0, 100)).toContain('"7x');
});

test("a newest message that alone is too big is shown without its images", async () => {
  const { sessions, append } = sessionsFixture();
  await append(key, {
    ...user(""),
    content: [
      { type: "text", text: "look" },
      { type: "image", data: "A".repeat(7_000_000), mimeType: "image/png" },
    ],
  });
  expect(sessions.history({ sessionKey: key }).messages[0]?.content).toEqual([
    { type: "text", text: "look" },
    { type: "text", text: "[image left out: 7000000 characters of base64]" },
  ]);
});

test("inject appends an assistant message, stores it first and announces it as final", async () => {
  const { sessions, append, published, bus } = sessionsFixture();
  await append(key, user("a"));
  const stored: number[] = [];
  bus.on("chat", () => void stored.push(sessions.history({ sessionKey: key }).messages.length));
  const { ok, messageId } = await sessions.inject({ sessionKey: "main", message: "note", label: "Ops" });
  expect(ok).toBe(true);
  expect(stored).toEqual([2]);
  expect(published).toMatchObject([
    {
      event: "chat",
      payload: {
        runId: `inject-${messageId}`,
        sessionKey: key,
        seq: 0,
        state: "final",
        message: { content: [{ type: "text", text: "[Ops]\n\nnote" }] },
      },
    },
  ]);
  expect(sessions.history({ sessionKey: key }).messages.at(-1)).toMatchObject({
    id: messageId,
    provider: "openclaw",
    model: "gateway-injected",
    usage: emptyUsage(),
  });
});

test("inject says when there is no session and when the transcript cannot be written", async () => {
  const { sessions, append, store } = sessionsFixture();
  await expect(sessions.inject({ sessionKey: "main", message: "x" })).rejects.toMatchObject({
    kind: "not-found",
    message: "session not found",
  });
  await append(key, user("a"));
  const commit = store.commit.bind(store);
  store.commit = () =>
    Promise.reject(new GatewayError("unavailable", "The disk is full.", { details: { code: "DISK_FULL" } }));
  await expect(sessions.inject({ sessionKey: "main", message: "x" })).rejects.toMatchObject({
    kind: "unavailable",
    message: "failed to write transcript: The disk is full.",
    details: { code: "DISK_FULL" },
  });
  store.commit = commit;
});
