import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { beforeEach, describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import { ChatDeltas } from "./chat-delta.ts";
import { maxAnswerBytes, Writer, type Outgoing } from "./writer.ts";

/** A peer whose reading is switched by hand. */
class FakeSocket extends EventEmitter {
  writableNeedDrain = false;
  cork(): void {}
  uncork(): void {}
  reads(): void {
    this.writableNeedDrain = false;
    this.emit("drain");
  }
}

let socket: FakeSocket;
let sent: Record<string, unknown>[];
let queuedBytes: number;
let full: boolean[];
let slow: number;
let writer: Writer;

beforeEach(() => {
  socket = new FakeSocket();
  sent = [];
  queuedBytes = 0;
  full = [];
  slow = 0;
  const ws = {
    send: (data: string | Buffer) => void sent.push(JSON.parse(data.toString()) as Record<string, unknown>),
  };
  writer = new Writer(ws as unknown as WebSocket, socket as unknown as Socket, {
    maxBufferedBytes: () => 1_000,
    slow: () => void slow++,
    answersFull: (is) => void full.push(is),
    queued: (bytes) => void (queuedBytes += bytes),
  });
});

const encode = (payload: unknown) => ({
  head: Buffer.from(`{"payload":${JSON.stringify(payload)}`),
  tail: Buffer.from("}"),
});
const out = (payload: unknown, more: Partial<Outgoing> = {}): Outgoing => ({
  ...encode(payload),
  droppable: true,
  ...more,
});

describe("a client that does not read", () => {
  test("gets the newest of what replaces each other, under the number of the first, in its place", () => {
    socket.writableNeedDrain = true;
    writer.event(out("health 1", { coalesce: "health" }), true);
    writer.event(out("agent"), true);
    writer.event(out("health 2, longer", { coalesce: "health" }), true);
    writer.answer('{"answer":1}');
    writer.event(out("health 3", { coalesce: "health" }), true);
    expect(sent).toEqual([]);
    expect(queuedBytes).toBe(writer.queuedBytes);
    socket.reads();
    writer.event(out("health 4", { coalesce: "health" }), true);
    expect(sent).toEqual([
      { payload: "health 3", seq: 1 },
      { payload: "agent", seq: 2 },
      { answer: 1 },
      { payload: "health 4", seq: 3 },
    ]);
    expect([writer.queuedBytes, queuedBytes, writer.dropped]).toEqual([0, 0, 0]);
  });

  test("gets waiting chat deltas as one whose deltaText is joined", () => {
    const deltas = new ChatDeltas(encode);
    const delta = (text: string) =>
      deltas.delta({
        runId: "r",
        sessionKey: "s",
        seq: 1,
        state: "delta",
        message: { role: "assistant", content: [{ type: "text", text }], timestamp: 1 },
      });
    writer.event(delta("Good").next(), true);
    socket.writableNeedDrain = true;
    for (const text of ["Good day", "Good day to", "Good day to you"]) writer.event(delta(text).next(), true);
    socket.reads();
    expect(sent).toHaveLength(2);
    expect(sent[1]).toMatchObject({ seq: 2, payload: { deltaText: " day to you" } });
    expect(sent[1]?.["payload"]).not.toHaveProperty("replace");
    socket.writableNeedDrain = true;
    writer.event(delta("Good day to you all").next(), true);
    writer.event(delta("New").next(), true);
    writer.event(delta("New text").next(), true);
    socket.reads();
    expect(sent[2]).toMatchObject({ seq: 3, payload: { deltaText: "New text", replace: true } });
  });

  test("loses droppable events above the limit, each leaving one hole, and is reported at the next other one", () => {
    socket.writableNeedDrain = true;
    expect(writer.event(out("x".repeat(1_200)), true)).toBe("sent");
    expect(writer.event(out("lost"), true)).toBe("dropped");
    expect(writer.event(out("lost, but not numbered"), false)).toBe("dropped");
    expect(slow).toBe(0);
    socket.reads();
    writer.event(out("after"), true);
    expect(sent.map((frame) => frame["seq"])).toEqual([1, 3]);
    socket.writableNeedDrain = true;
    writer.event(out("y".repeat(1_200)), true);
    expect(writer.event(out("must arrive", { droppable: false }), true)).toBe("closed");
    expect(slow).toBe(1);
  });

  test("has its requests held back while too many answers wait, and loses none", () => {
    socket.writableNeedDrain = true;
    const answer = JSON.stringify({ text: "z".repeat(1_000_000) });
    const count = Math.ceil(maxAnswerBytes / answer.length) + 1;
    for (let i = 0; i < count; i++) writer.answer(answer);
    expect(full).toEqual([true]);
    socket.reads();
    expect(full).toEqual([true, false]);
    expect(sent).toHaveLength(count);
  });
});

test("nothing is written after the end, and what waited is given back", () => {
  socket.writableNeedDrain = true;
  writer.event(out("waiting"), true);
  writer.end();
  socket.reads();
  writer.answer("{}");
  expect(writer.event(out("late"), true)).toBe("closed");
  expect(sent).toEqual([]);
  expect(queuedBytes).toBe(0);
});
