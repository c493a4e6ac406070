import { signal } from "@preact/signals";
import { RequestError } from "@openclaw/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { GatewayLink } from "./link.ts";
import { Query, type QueryOptions } from "./query.ts";

type Listener = (frame: {
  event: string;
  payload: unknown;
  stateVersion?: { presence: number; health: number };
}) => void;

function harness(options: Partial<QueryOptions<string[]>> = {}) {
  const listeners = new Map<string, Set<Listener>>();
  const readings: { answer: (data: string[]) => void; refuse: (error: unknown) => void }[] = [];
  let refresh: (why: "hello" | "gap") => void = () => {};
  const link = {
    connected: signal(true),
    hello: signal({ snapshot: { stateVersion: { presence: 5, health: 1 } } }),
    onRefresh: (listener: typeof refresh) => {
      refresh = listener;
      return () => (refresh = () => {});
    },
    onAny: (event: string, listener: Listener) => {
      const known = listeners.get(event) ?? new Set();
      listeners.set(event, known.add(listener));
      return () => void known.delete(listener);
    },
  };
  const query = new Query<string[]>(link as unknown as GatewayLink, {
    load: () => new Promise((answer, refuse) => readings.push({ answer, refuse })),
    ...options,
  });
  const close = query.open();
  const push = (payload: unknown, presence?: number) => {
    for (const listener of listeners.get("presence") ?? [])
      listener({
        event: "presence",
        payload,
        ...(presence === undefined ? {} : { stateVersion: { presence, health: 1 } }),
      });
  };
  const answer = async (...data: string[]) => {
    readings.at(-1)?.answer(data);
    await vi.advanceTimersByTimeAsync(0);
  };
  const heard = () => [...listeners.values()].reduce((sum, { size }) => sum + size, 0);
  return { query, readings, push, answer, close, heard, refresh: (why: "hello" | "gap") => refresh(why) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("an event that carries the change is put in place without a reading", async () => {
  const { query, readings, push, answer } = harness({
    apply: { presence: (list, { payload }) => [...list, String(payload)] },
  });
  await answer("a");
  push("b");
  expect(query.state.value.data).toEqual(["a", "b"]);
  vi.advanceTimersByTime(1_000);
  expect(readings).toHaveLength(1);
});

test("a change that cannot be placed, or comes before there is anything, makes the data be read", async () => {
  const { readings, push, answer } = harness({ apply: { presence: () => undefined } });
  push("early");
  await answer("a");
  await vi.advanceTimersByTimeAsync(400);
  expect(readings).toHaveLength(2);
  await answer("b");
  for (const payload of ["x", "y", "z"]) push(payload);
  await vi.advanceTimersByTimeAsync(400);
  expect(readings).toHaveLength(3);
});

test("a change older than the last one, or than what hello told, is ignored; a new connection counts anew", async () => {
  const { query, push, answer, refresh } = harness({
    apply: { presence: (list, { payload }) => [...list, String(payload)] },
    stateVersion: "presence",
  });
  await answer();
  push("before hello", 4);
  push("new", 7);
  push("late", 6);
  push("same", 7);
  expect(query.state.value.data).toEqual(["new", "same"]);
  refresh("hello");
  await answer();
  push("after a restart", 5);
  expect(query.state.value.data).toEqual(["after a restart"]);
});

test("what was read stays on screen while it cannot be read again; a method nobody knows is told apart", async () => {
  const { query, readings, answer } = harness();
  await answer("a");
  void query.refresh();
  readings.at(-1)?.refuse(new RequestError("x", { code: "UNAVAILABLE", message: "draining" }));
  await vi.advanceTimersByTimeAsync(0);
  expect(query.state.value).toMatchObject({ data: ["a"], error: "Draining.", notOffered: false });
  void query.refresh();
  readings.at(-1)?.refuse(new RequestError("x", { code: "INVALID_REQUEST", message: "unknown method: x" }));
  await vi.advanceTimersByTimeAsync(0);
  expect(query.state.value.notOffered).toBe(true);
});

test("a closed query hears nothing and takes no late answer", async () => {
  const { query, push, answer, close, heard, readings } = harness({ on: ["presence"] });
  push("x");
  close();
  await answer("late");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(query.state.value.data).toBeUndefined();
  expect(heard()).toBe(0);
  expect(readings).toHaveLength(1);
});
