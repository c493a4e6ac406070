import { signal } from "@preact/signals";
import { ClosedError, RequestError } from "@openclaw/client";
import type { EventPayload } from "@openclaw/protocol";
import { beforeEach, expect, test } from "vitest";
import { Conversation } from "./conversation.ts";
import type { HistoryMessage } from "./turns.ts";

interface Call {
  method: string;
  params: Record<string, unknown>;
  answer: (payload: unknown) => void;
  refuse: (error: unknown) => void;
}

const key = "agent:main:main";
let keys = 0;

/** A gateway that answers when it is told to; its history is a list. */
function harness(history: HistoryMessage[] = []) {
  const calls: Call[] = [];
  const said: string[] = [];
  const connected = signal(true);
  const port = {
    connected,
    callAny: (method: string, params?: unknown) =>
      method === "chat.history"
        ? Promise.resolve(page(params as { limit: number; before?: string }))
        : new Promise((answer, refuse) => calls.push({ method, params: params as Call["params"], answer, refuse })),
  };
  const page = ({ limit, before }: { limit: number; before?: string }) => {
    const end = before === undefined ? history.length : history.findIndex(({ id }) => id === before);
    return {
      sessionKey: key,
      sessionId: "s",
      messages: history.slice(Math.max(0, end - limit), end),
      thinkingLevel: "off",
    };
  };
  const sessionKey = `${key}:${(keys += 1)}`;
  const conversation = new Conversation({ sessionKey, port, announce: (text) => said.push(text), now: () => 1_000 });
  const event = (state: string, runId: string, more: Record<string, unknown> = {}) =>
    conversation.chatEvent({ runId, sessionKey, seq: 1, state, ...more } as EventPayload<"chat">);
  const delta = (runId: string, text: string) =>
    event("delta", runId, { message: { role: "assistant", content: [{ type: "text", text }], timestamp: 1 } });
  return { conversation, calls, history, said, connected, event, delta, sessionKey };
}

const message = (id: string, role: string, text: string): HistoryMessage => ({
  id,
  role,
  content: [{ type: "text", text }],
  timestamp: 1_000,
});

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

beforeEach(() => {
  keys += 1;
});

test("what is sent is shown at once, and only once when the history has it", async () => {
  const { conversation, calls, history, event } = harness();
  await conversation.reconnected();
  conversation.send("hello");
  expect(conversation.outgoing.value).toMatchObject([{ text: "hello", state: "sending" }]);
  const runId = String(calls[0]?.params.idempotencyKey);
  calls[0]?.answer({ runId, status: "started" });
  await settled();
  expect(conversation.live.value?.runId).toBe(runId);
  history.push(message("1", "user", "hello"), message("2", "assistant", "hi"));
  event("final", runId, { message: { role: "assistant", content: [{ type: "text", text: "hi" }], timestamp: 1 } });
  await settled();
  expect(conversation.outgoing.value).toEqual([]);
  expect(conversation.live.value).toBeUndefined();
  expect(conversation.turns.value.map(({ id }) => id)).toEqual(["1", "2"]);
});

test("deltas of another run are ignored while one is shown, and its end reloads the history", async () => {
  const { conversation, history, delta, event } = harness();
  await conversation.reconnected();
  delta("a", "mine");
  delta("b", "theirs");
  expect(conversation.live.value).toMatchObject({ runId: "a", parts: [{ text: "mine" }] });
  history.push(message("1", "assistant", "theirs"));
  event("final", "b");
  await settled();
  expect(conversation.turns.value).toHaveLength(1);
  expect(conversation.live.value?.runId).toBe("a");
});

test("a delta after the end of its run brings nothing back", async () => {
  const { conversation, delta, event } = harness();
  await conversation.reconnected();
  delta("a", "text");
  event("final", "a");
  await settled();
  delta("a", "text and more");
  expect(conversation.live.value).toBeUndefined();
});

test("messages written during a reply wait, can be taken back, and go out in order", async () => {
  const { conversation, calls, event } = harness();
  await conversation.reconnected();
  conversation.send("one");
  const first = String(calls[0]?.params.idempotencyKey);
  calls[0]?.answer({ runId: first, status: "started" });
  await settled();
  for (const text of ["two", "three", "four"]) conversation.send(text);
  expect(conversation.outgoing.value.map(({ state }) => state)).toEqual(["accepted", "waiting", "waiting", "waiting"]);
  conversation.discard(conversation.outgoing.value[2]?.key ?? "");
  event("final", first);
  await settled();
  expect(calls.map(({ params }) => params.message)).toEqual(["one", "two"]);
  calls[1]?.answer({ runId: String(calls[1].params.idempotencyKey), status: "started" });
  await settled();
  event("final", String(calls[1]?.params.idempotencyKey));
  await settled();
  expect(calls.map(({ params }) => params.message)).toEqual(["one", "two", "four"]);
});

test("a send cut off by the connection goes out again with the same key", async () => {
  const { conversation, calls } = harness();
  await conversation.reconnected();
  conversation.send("hello");
  calls[0]?.refuse(new ClosedError({ code: 1006, reason: "", wasConnected: true }));
  await settled();
  expect(conversation.outgoing.value).toMatchObject([{ state: "sending" }]);
  await conversation.reconnected();
  expect(calls[1]?.params.idempotencyKey).toBe(calls[0]?.params.idempotencyKey);
});

test("a refused send says why; trying again uses the same key", async () => {
  const { conversation, calls } = harness();
  await conversation.reconnected();
  conversation.send("hello");
  calls[0]?.refuse(new RequestError("chat.send", { code: "UNAVAILABLE", message: "draining" }));
  await settled();
  const [failed] = conversation.outgoing.value;
  expect(failed).toMatchObject({ state: "failed", error: "Draining." });
  conversation.retry(failed?.key ?? "");
  expect(calls[1]?.params.idempotencyKey).toBe(failed?.key);
});

test("the word stop stops a reply instead of being sent; without a reply it is a message", async () => {
  const { conversation, calls, delta } = harness();
  await conversation.reconnected();
  delta("a", "long");
  expect(conversation.send(" STOP ")).toBe("stop");
  expect(conversation.outgoing.value).toEqual([]);
  void conversation.stop();
  expect(calls[0]).toMatchObject({ method: "chat.abort", params: { runId: "a" } });
  const idle = harness();
  await idle.conversation.reconnected();
  expect(idle.conversation.send("stop")).toBe("sent");
});

test("the text of a stopped reply stays, marked, when the history has none", async () => {
  const { conversation, delta, event } = harness();
  await conversation.reconnected();
  delta("a", "half a");
  event("aborted", "a", { stopReason: "rpc" });
  await settled();
  expect(conversation.live.value).toBeUndefined();
  expect(conversation.remains.value).toEqual({ runId: "a", text: "half a", error: undefined });
});

test("a failed reply shows its reason", async () => {
  const { conversation, delta, event, said } = harness();
  await conversation.reconnected();
  delta("a", "half");
  event("error", "a", { errorMessage: "the model is overloaded" });
  await settled();
  expect(conversation.remains.value?.error).toBe("the model is overloaded");
  expect(said).toContain("The reply failed.");
});

test("a failed reply whose words the history holds keeps its reason, and does not say the words twice", async () => {
  const { conversation, history, delta, event } = harness();
  await conversation.reconnected();
  delta("a", "half");
  history.push({ ...message("1", "assistant", "half"), stopReason: "aborted" });
  event("error", "a", { errorMessage: "the gateway was stopped" });
  await settled();
  expect(conversation.turns.value.at(-1)?.stopped).toBe(true);
  expect(conversation.remains.value).toEqual({ runId: "a", text: "", error: "the gateway was stopped" });
});

test("older pages are read by the id of the oldest message, and newer readings keep them", async () => {
  const history = Array.from({ length: 450 }, (_, index) =>
    message(`m${index}`, index % 2 ? "assistant" : "user", `${index}`),
  );
  const { conversation, event } = harness(history);
  await conversation.reconnected();
  expect(conversation.turns.value).toHaveLength(200);
  expect(conversation.state.value.older).toBe("some");
  await conversation.readOlder();
  await conversation.readOlder();
  expect(conversation.turns.value).toHaveLength(450);
  expect(conversation.state.value.older).toBe("none");
  history.push(message("m450", "assistant", "new"));
  event("final", "x");
  await settled();
  expect(conversation.turns.value).toHaveLength(451);
});

test("a reset session shows its new history only", async () => {
  const { conversation, history, event } = harness([message("1", "user", "old"), message("2", "assistant", "old")]);
  await conversation.reconnected();
  history.splice(0, 2, message("9", "user", "new"));
  event("final", "x");
  await settled();
  expect(conversation.turns.value.map(({ id }) => id)).toEqual(["9"]);
});

test("unsent messages survive a reload of the page", async () => {
  const { conversation, calls, connected, sessionKey } = harness();
  connected.value = false;
  conversation.send("later");
  calls[0]?.refuse(new ClosedError({ code: 1006, reason: "", wasConnected: false }));
  const again = new Conversation({
    sessionKey,
    port: { connected, callAny: () => new Promise(() => {}) },
    announce: () => {},
  });
  expect(again.outgoing.value).toMatchObject([{ text: "later", key: conversation.outgoing.value[0]?.key }]);
});
