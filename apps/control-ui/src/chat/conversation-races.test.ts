import { signal } from "@preact/signals";
import { ClosedError, NotSentError } from "@openclaw/client";
import type { EventPayload } from "@openclaw/protocol";
import { afterEach, expect, test, vi } from "vitest";
import { Conversation } from "./conversation.ts";
import type { HistoryMessage } from "./turns.ts";

const message = (id: string, role: string, text: string): HistoryMessage => ({
  id,
  role,
  content: [{ type: "text", text }],
  timestamp: 1_000,
});

interface Call {
  method: string;
  params: Record<string, unknown>;
  answer: (payload: unknown) => void;
  refuse: (error: unknown) => void;
}

let made = 0;

/** A gateway that answers each call, readings of the history too, when it is told to. */
function harness() {
  const calls: Call[] = [];
  const port = {
    connected: signal(true),
    callAny: (method: string, params?: unknown) =>
      new Promise((answer, refuse) => calls.push({ method, params: params as Call["params"], answer, refuse })),
  };
  const sessionKey = `agent:main:race-${(made += 1)}`;
  const conversation = new Conversation({ sessionKey, port, announce: () => {}, now: () => 1_000 });
  const event = (state: string, runId: string, text = "") =>
    conversation.chatEvent({
      runId,
      sessionKey,
      seq: 1,
      state,
      ...(text === "" ? {} : { message: { role: "assistant", content: [{ type: "text", text }], timestamp: 1 } }),
    } as EventPayload<"chat">);
  const open = (method: string) => calls.filter((call) => call.method === method);
  const page = async (...messages: HistoryMessage[]) => {
    open("chat.history").at(-1)?.answer({ sessionKey, sessionId: "s", messages, thinkingLevel: "off" });
    await settled();
  };
  const shown = () => [
    ...conversation.turns.value.map(({ id }) => id),
    ...(conversation.live.value?.parts ?? []).map((part) => (part.kind === "text" ? part.text : part.kind)),
  ];
  return { conversation, calls, event, open, page, shown, sessionKey };
}

const settled = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

afterEach(() => void vi.useRealTimers());

test("a reply stays in view when it ends while an older reading is under way, until a reading that has it", async () => {
  const { conversation, event, page, open, shown } = harness();
  event("delta", "a", "Hel");
  void conversation.refresh();
  event("final", "a", "Hello");
  expect(conversation.busy.value).toBe(false);
  // Asked before the end: it does not have the reply.
  await page(message("1", "user", "hi"));
  expect(shown()).toEqual(["1", "Hello"]);
  expect(open("chat.history")).toHaveLength(2);
  await page(message("1", "user", "hi"), message("2", "assistant", "Hello"));
  expect(shown()).toEqual(["1", "2"]);
});

test("a reply stays in view when its history cannot be read, and nothing seems to go on", async () => {
  const { conversation, event, open, page, shown } = harness();
  event("delta", "a", "Hel");
  event("final", "a", "Hello");
  open("chat.history")
    .at(-1)
    ?.refuse(new ClosedError({ code: 1006, reason: "", wasConnected: true }));
  await settled();
  expect(shown()).toEqual(["Hello"]);
  expect(conversation.busy.value).toBe(false);
  void conversation.reconnected();
  await page(message("2", "assistant", "Hello"));
  expect(shown()).toEqual(["2"]);
});

test("what was written of a reply stays in view over a new connection until the history is there", async () => {
  const { conversation, event, page, shown } = harness();
  event("delta", "a", "Half");
  void conversation.reconnected();
  expect(shown()).toEqual(["Half"]);
  await page(message("1", "user", "hi"));
  expect(shown()).toEqual(["1"]);
  // It goes on: the next delta has all of it.
  event("delta", "a", "Half and more");
  expect(shown()).toEqual(["1", "Half and more"]);
});

test("a delta that comes while the history is read after a new connection is kept", async () => {
  const { conversation, event, page, shown } = harness();
  event("delta", "a", "Half");
  void conversation.reconnected();
  event("delta", "a", "Half and more");
  await page();
  expect(shown()).toEqual(["Half and more"]);
});

test("after a new connection the next message waits until it is known what became of the one before", async () => {
  const { conversation, open, page } = harness();
  conversation.send("one");
  conversation.send("two");
  open("chat.send")[0]?.refuse(new ClosedError({ code: 1006, reason: "", wasConnected: true }));
  await settled();
  void conversation.reconnected();
  await page();
  expect(open("chat.send").map(({ params }) => params.message)).toEqual(["one", "one"]);
  open("chat.send")[1]?.answer({ runId: String(open("chat.send")[1]?.params.idempotencyKey), status: "in_flight" });
  await settled();
  expect(conversation.busy.value).toBe(true);
  expect(open("chat.send")).toHaveLength(2);
});

test("a run whose end no chat event tells is over after its lifecycle", async () => {
  vi.useFakeTimers();
  const { conversation, sessionKey, open, page } = harness();
  const agent = (stream: string, data: unknown) =>
    conversation.agentEvent({ runId: "beat", sessionKey, stream, data, seq: 1, ts: 1 } as EventPayload<"agent">);
  agent("lifecycle", { phase: "start" });
  agent("assistant", { text: "HEARTBEAT_OK" });
  expect(conversation.busy.value).toBe(true);
  agent("lifecycle", { phase: "end" });
  vi.advanceTimersByTime(2_000);
  expect(open("chat.history")).toHaveLength(1);
  await page();
  expect(conversation.busy.value).toBe(false);
  expect(conversation.live.value).toBeUndefined();
});

test("a run that follows at once takes the place of the one that is over", () => {
  const { event, shown } = harness();
  event("delta", "a", "First");
  event("final", "a", "First");
  event("delta", "b", "Second");
  expect(shown()).toEqual(["Second"]);
});

test("at the end of a conversation that grows for days old messages are let go; a reader among them keeps them", async () => {
  const all = Array.from({ length: 1_000 }, (_, index) => message(`m${index}`, "user", `${index}`));
  const { conversation, page } = harness();
  const read = async (until: number) => {
    void conversation.refresh();
    const limit = conversation.turns.value.length === 0 ? 200 : 100;
    await page(...all.slice(Math.max(0, until - limit), until));
  };
  for (let until = 200; until <= 600; until += 50) await read(until);
  expect(conversation.turns.value).toHaveLength(600);
  conversation.readerAtEnd = false;
  await read(650);
  expect(conversation.turns.value).toHaveLength(650);
  conversation.readerAtEnd = true;
  await read(700);
  expect(conversation.turns.value).toHaveLength(200);
  expect(conversation.turns.value.at(-1)?.id).toBe("m699");
  expect(conversation.state.value.older).toBe("some");
});

test("a stop that does not reach the gateway is told", async () => {
  const { conversation, event, open } = harness();
  event("delta", "a", "long");
  const stopped = conversation.stop();
  open("chat.abort")[0]?.refuse(new NotSentError("There is no connection to the gateway."));
  expect(await stopped).toBe("There is no connection to the gateway.");
});
