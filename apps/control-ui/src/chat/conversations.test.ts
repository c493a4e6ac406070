import { signal } from "@preact/signals";
import { ClosedError } from "@openclaw/client";
import { beforeEach, expect, test } from "vitest";
import { Conversations } from "./conversations.ts";
import { readDraft, storeDraft } from "./draft.ts";
import { readOutgoing, sessionsWithOutgoing, storeOutgoing, type Outgoing } from "./outgoing.ts";

/** Answers every call, but for `chat.send` while it is away. */
function open(path: string) {
  const sent: Record<string, unknown>[] = [];
  const connected = signal(false);
  const hello = signal<unknown>(undefined);
  let refresh: (why: "hello") => void = () => {};
  const link = {
    connected,
    hello,
    offers: () => false,
    on: () => () => {},
    onRefresh: (listener: typeof refresh) => {
      refresh = listener;
      return () => {};
    },
    call: () => Promise.reject(new Error("not here")),
    callAny: (method: string, params: Record<string, unknown>) => {
      if (!connected.value) return Promise.reject(new ClosedError({ code: 1006, reason: "", wasConnected: true }));
      if (method === "chat.history") return Promise.resolve({ messages: [], sessionId: "s" });
      sent.push(params);
      return Promise.resolve({ runId: params.idempotencyKey, status: "started" });
    },
  };
  const router = { current: { path: "/chat", rest: path, query: new URLSearchParams() } };
  const settings = { current: { sessionKey: "" }, change: () => {} };
  const conversations = new Conversations({ link, router, settings, toasts: { announce: () => {} } } as never);
  const arrive = async () => {
    const sessionDefaults = { defaultAgentId: "main", mainKey: "main", mainSessionKey: "agent:main:main" };
    hello.value = { snapshot: { sessionDefaults } };
    connected.value = true;
    refresh("hello");
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return { conversations, sent, arrive };
}

const waiting = (key: string, text: string): Outgoing => ({
  key,
  text,
  attachments: [],
  at: 1,
  state: "sending",
  afterId: undefined,
});

// What other tests left in this page's memory.
beforeEach(() => {
  for (const key of sessionsWithOutgoing()) storeOutgoing(key, []);
});

test("a message that was not sent goes out with the connection, also in a session nobody looks at any more", async () => {
  const { conversations, sent, arrive } = open("agent:main:here");
  conversations.get("agent:main:there").send("from over there");
  conversations.get("agent:main:here");
  await arrive();
  expect(sent.map(({ sessionKey, message }) => [sessionKey, message])).toEqual([
    ["agent:main:there", "from over there"],
  ]);
});

test("so does one of before a reload; one message is sent once, whatever its session was called then", async () => {
  storeOutgoing("agent:main:old", [waiting("k1", "from before")]);
  storeOutgoing("main", [waiting("k2", "under its short name")]);
  const { sent, arrive } = open("agent:main:here");
  await arrive();
  expect(sent.map(({ sessionKey, idempotencyKey }) => [sessionKey, idempotencyKey]).sort()).toEqual([
    ["agent:main:main", "k2"],
    ["agent:main:old", "k1"],
  ]);
  expect(readOutgoing("main")).toEqual([]);
});

test("what was written before the gateway told the session's right name stands there afterwards", async () => {
  storeDraft("main", "dear gateway");
  const { arrive } = open("");
  await arrive();
  expect(readDraft("agent:main:main")).toBe("dear gateway");
  expect(readDraft("main")).toBe("");
  storeDraft("agent:main:main", "");
});

test("a session with something on its way is not forgotten for others", () => {
  const { conversations } = open("agent:main:here");
  const first = conversations.get("agent:main:first");
  first.drafted.value = [{ name: "a.png", mimeType: "image/png", data: "" }];
  const idle = conversations.get("agent:main:idle");
  for (let index = 0; index < 20; index++) conversations.get(`agent:main:other-${index}`);
  expect(conversations.get("agent:main:first")).toBe(first);
  expect(conversations.get("agent:main:idle")).not.toBe(idle);
});
