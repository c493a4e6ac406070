import { expect, test } from "vitest";
import { cleanText, imageSource, maxOutput, readResult, toTurns, turnText, type HistoryMessage } from "./turns.ts";

const user = (id: string, content: unknown, timestamp = 1_000): HistoryMessage => ({
  id,
  role: "user",
  content,
  timestamp,
});
const assistant = (id: string, content: unknown, more: Record<string, unknown> = {}): HistoryMessage => ({
  id,
  role: "assistant",
  content,
  timestamp: 2_000,
  ...more,
});
const text = (value: string) => [{ type: "text", text: value }];

test("a tool's result is folded into the call it answers, with its duration", () => {
  const turns = toTurns([
    user("1", "look"),
    assistant("2", [{ type: "toolCall", id: "c1", name: "exec", arguments: { command: "ls" } }]),
    {
      id: "3",
      role: "toolResult",
      toolCallId: "c1",
      toolName: "exec",
      content: text("a\nb"),
      isError: false,
      timestamp: 2_450,
    },
    assistant("4", text("Two files.")),
  ]);
  expect(turns.map(({ id }) => id)).toEqual(["1", "2", "4"]);
  expect(turns[1]?.parts[0]).toMatchObject({ kind: "tool", call: { state: "ok", output: "a\nb", durationMs: 450 } });
});

test("a failed result is marked, and one whose call is on an older page stands alone", () => {
  const turns = toTurns([
    {
      id: "3",
      role: "tool",
      tool_call_id: "gone",
      toolName: "read",
      content: "no such file",
      isError: true,
      timestamp: 5,
    },
  ]);
  expect(turns[0]?.parts[0]).toMatchObject({
    kind: "tool",
    call: { name: "read", state: "failed", output: "no such file" },
  });
});

test("consecutive turns of one sender show their name once", () => {
  const turns = toTurns([user("1", "a"), assistant("2", text("b")), assistant("3", text("c")), user("4", "d")]);
  expect(turns.map(({ first }) => first)).toEqual([true, true, false, true]);
  expect(turns.map(({ last }) => last)).toEqual([true, false, true, true]);
});

test("reserved answers and directives are not shown", () => {
  expect(toTurns([assistant("1", text("NO_REPLY")), assistant("2", text(" HEARTBEAT_OK\n"))])).toEqual([]);
  expect(cleanText("[[reply_to_current]] Hello")).toBe("Hello");
  expect(cleanText("See\nMEDIA: /tmp/a.png")).toBe("See\n📎 /tmp/a.png");
});

test("blocks of other shapes are read, unknown ones kept as they are", () => {
  const [turn] = toTurns([
    assistant("1", [
      { type: "tool_use", id: "x", name: "read", input: { path: "a" } },
      { type: "thinking", thinking: "hm" },
      { type: "hologram", depth: 3 },
    ]),
  ]);
  expect(turn?.parts.map(({ kind }) => kind)).toEqual(["tool", "thinking", "unknown"]);
});

test("stopped and failed replies say so even without text", () => {
  const turns = toTurns([
    assistant("1", [], { stopReason: "aborted" }),
    assistant("2", [], { stopReason: "error", errorMessage: "overloaded" }),
  ]);
  expect(turns[0]?.stopped).toBe(true);
  expect(turns[1]?.error).toBe("overloaded");
});

test("pictures come from data only; an address is never fetched", () => {
  expect(imageSource({ type: "image", data: "QUJD", mimeType: "image/png" })).toBe("data:image/png;base64,QUJD");
  expect(imageSource({ type: "image", url: "https://evil.example/x.png" })).toBeUndefined();
  expect(imageSource({ type: "image", data: "PHN2Zz4=", mimeType: "image/svg+xml" })).toBeUndefined();
});

test("a megabyte of output is cut with a word about it", () => {
  const { output } = readResult({ content: text("x".repeat(1_000_000)) });
  expect(output.length).toBeLessThan(maxOutput + 100);
  expect(output).toContain("more characters are not shown");
});

test("the text of a turn leaves out everything but text", () => {
  const [turn] = toTurns([assistant("1", [...text("a"), { type: "thinking", thinking: "t" }, ...text("b")])]);
  expect(turn && turnText(turn)).toBe("a\n\nb");
});
