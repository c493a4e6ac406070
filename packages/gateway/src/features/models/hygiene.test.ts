import type { AssistantMessage, Message } from "@openclaw/protocol";
import { emptyUsage } from "@openclaw/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hygiene } from "./hygiene.ts";

const targets = [
  { api: "anthropic-messages" as const, provider: "anthropic", id: "claude" },
  { api: "google-generative-ai" as const, provider: "google", id: "gemini" },
  { api: "openai-completions" as const, provider: "mistral", id: "mistral-large-latest" },
  { api: "openai-responses" as const, provider: "openai", id: "gpt" },
];
const claude = { api: "anthropic-messages" as const, provider: "anthropic", id: "claude" };

const user = (text: string): Message => ({ role: "user", content: text, timestamp: 1 });
const assistant = (content: AssistantMessage["content"], rest: Partial<AssistantMessage> = {}): AssistantMessage => ({
  role: "assistant",
  content,
  api: "anthropic-messages",
  provider: "anthropic",
  model: "claude",
  usage: emptyUsage(),
  stopReason: "stop",
  timestamp: 2,
  ...rest,
});
const call = (id: string) => ({ type: "toolCall" as const, id, name: "look", arguments: {} });
const result = (toolCallId: string, text = "seen"): Message => ({
  role: "toolResult",
  toolCallId,
  toolName: "look",
  content: [{ type: "text", text }],
  isError: false,
  timestamp: 3,
});

const ids = fc.constantFrom("a", "b", "c", "call|1", "call_2", "fc:3", "ümläut", "123456789");
const part = fc.oneof(
  fc.record({ type: fc.constant("text" as const), text: fc.constantFrom("", " ", "hello") }),
  fc.record({
    type: fc.constant("thinking" as const),
    thinking: fc.constantFrom("", "hm"),
    thinkingSignature: fc.constant("sig"),
  }),
  ids.map(call),
);
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.constantFrom("hi", "there").map(user),
  fc
    .tuple(
      fc.array(part, { maxLength: 4 }),
      fc.constantFrom("anthropic", "google"),
      fc.constantFrom("stop" as const, "error" as const, "aborted" as const),
    )
    .map(([content, provider, stopReason]) => assistant(content, { provider, stopReason })),
  fc.tuple(ids, fc.constantFrom("x", "y")).map(([id, text]) => result(id, text)),
);

describe("any transcript becomes one that a provider accepts", () => {
  test.each(targets)("$provider", (target) => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 14 }), (messages) => {
        const before = structuredClone(messages);
        const clean = hygiene(messages, target);
        expect(messages).toEqual(before);
        const seen = new Set<string>();
        for (let i = 0; i < clean.length; i++) {
          const at = clean[i];
          if (at?.role !== "assistant") continue;
          const calls = at.content.filter((p) => p.type === "toolCall").map((p) => p.id);
          const results = clean
            .slice(i + 1, i + 1 + calls.length)
            .map((m) => (m.role === "toolResult" ? m.toolCallId : m.role));
          expect(results).toEqual(calls);
          for (const id of calls) {
            expect(seen.has(id)).toBe(false);
            seen.add(id);
            expect(id).toMatch(target.provider === "mistral" ? /^[A-Za-z0-9]{9}$/ : /^[A-Za-z0-9_-]{1,64}$/);
          }
          expect(at.content.some((p) => p.type !== "thinking")).toBe(true);
          if (at.provider !== target.provider) expect(at.content.some((p) => p.type === "thinking")).toBe(false);
        }
        expect(clean.filter((m) => m.role === "toolResult").length).toBe(seen.size);
        if (target.api === "anthropic-messages" || target.api === "google-generative-ai") {
          if (clean[0]) expect(clean[0].role).toBe("user");
          for (let i = 1; i < clean.length; i++)
            if (clean[i]?.role !== "toolResult") expect(clean[i]?.role).not.toBe(clean[i - 1]?.role);
        }
        expect(hygiene(clean, target)).toEqual(clean);
      }),
      { numRuns: 300 },
    );
  });
});

test("a tool call without a result gets one that says why", () => {
  const clean = hygiene([user("go"), assistant([call("a"), call("b")]), result("b")], claude);
  expect(clean.map((m) => (m.role === "toolResult" ? `${m.toolCallId} ${m.isError}` : m.role))).toEqual([
    "user",
    "assistant",
    "a true",
    "b false",
  ]);
});

test("results move directly behind their call, orphans and duplicates go", () => {
  const clean = hygiene(
    [user("go"), assistant([call("a")]), user("wait"), result("a", "first"), result("a", "second"), result("zzz")],
    claude,
  );
  expect(clean.map((m) => m.role)).toEqual(["user", "assistant", "toolResult", "user"]);
  expect(JSON.stringify(clean)).toContain("first");
  expect(JSON.stringify(clean)).not.toContain("second");
});

test("an id used in two turns keeps its results apart", () => {
  const clean = hygiene(
    [user("1"), assistant([call("a")]), result("a", "one"), user("2"), assistant([call("a")]), result("a", "two")],
    claude,
  );
  const results = clean.filter((m) => m.role === "toolResult");
  expect(results.map((m) => JSON.stringify(m.content))).toEqual([
    expect.stringContaining("one"),
    expect.stringContaining("two"),
  ]);
  expect(new Set(results.map((m) => m.toolCallId)).size).toBe(2);
});

test("thinking of the same model stays with its signature, that of another model goes", () => {
  const thought = { type: "thinking" as const, thinking: "hm", thinkingSignature: "sig" };
  const text = { type: "text" as const, text: "yes" };
  expect(hygiene([user("q"), assistant([thought, text])], claude)[1]).toMatchObject({ content: [thought, text] });
  expect(hygiene([user("q"), assistant([thought, text], { model: "claude-older" })], claude)[1]).toMatchObject({
    content: [text],
  });
  expect(hygiene([user("q"), assistant([thought])], claude).length).toBe(1);
});

test("an assistant that speaks first is preceded by a user message for Google", () => {
  const clean = hygiene([assistant([{ type: "text", text: "welcome" }])], {
    api: "google-generative-ai",
    provider: "google",
    id: "gemini",
  });
  expect(clean.map((m) => m.role)).toEqual(["user", "assistant"]);
});
