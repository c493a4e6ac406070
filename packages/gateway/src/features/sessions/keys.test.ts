import { GatewayError } from "@openclaw/protocol";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  canonicalKey,
  isCronRunKey,
  isSubagentKey,
  kindOf,
  maxKeyLength,
  parentKey,
  splitKey,
  type KeyRules,
} from "./keys.ts";

const rules: KeyRules = { defaultAgent: "main", scope: "per-sender", exists: (id) => ["main", "work"].includes(id) };

test.each([
  ["main", undefined, "agent:main:main"],
  ["", undefined, "agent:main:main"],
  ["  MAIN ", undefined, "agent:main:main"],
  ["main", "work", "agent:work:main"],
  ["global", undefined, "global"],
  ["unknown", undefined, "unknown"],
  ["agent:main:main", undefined, "agent:main:main"],
  ["Agent:Work:Main", undefined, "agent:work:main"],
  ["agent:work:telegram:group:-100:topic:7", "main", "agent:work:telegram:group:-100:topic:7"],
  ["node-abc", undefined, "agent:main:node-abc"],
  ["whatsapp:dm:+1555", "work", "agent:work:whatsapp:dm:+1555"],
  ["whatsapp:group:123@G.US", undefined, "agent:main:whatsapp:group:123@g.us"],
  ["direct:+1555", undefined, "agent:main:dm:+1555"],
  ["agent:main:telegram:acc:direct:7", undefined, "agent:main:telegram:acc:dm:7"],
  ["telegram:group:direct:7", undefined, "agent:main:telegram:group:direct:7"],
  ["__proto__", undefined, "agent:main:__proto__"],
  ["constructor", undefined, "agent:main:constructor"],
])("%j with agent %j is %j", (input, agentId, canonical) => {
  expect(canonicalKey(input, rules, agentId)).toBe(canonical);
});

test("with scope global every main key is the one global session", () => {
  const whole = { ...rules, scope: "global" as const };
  for (const input of ["main", "", "agent:work:main"]) expect(canonicalKey(input, whole)).toBe("global");
  expect(canonicalKey("telegram:dm:1", whole)).toBe("agent:main:telegram:dm:1");
});

test.each([
  ["../../x"],
  ["a/b"],
  ["a\\b"],
  ["a\u0000b"],
  ["a\nb"],
  ["a\u2028b"],
  ["a\ud800"],
  ["x".repeat(maxKeyLength + 1)],
  ["x".repeat(maxKeyLength)],
  ["agent:"],
  ["agent:main"],
  ["agent:main:"],
  ["agent::x"],
  ["agent:main: "],
])("%j is refused as invalid", (input) => {
  expect(() => canonicalKey(input, rules)).toThrow(GatewayError);
  expect(() => canonicalKey(input, rules)).toThrow(/session key|agent id/);
});

test.each(["agent:nobody:main", "agent:a/b:main", "agent:__proto__:main"])("%j names no agent", (input) => {
  expect(() => canonicalKey(input, rules)).toThrow(/unknown agent id|slashes/);
});

test("an agent id that does not exist is refused beside the key too", () => {
  for (const agentId of ["nobody", "../x", "", "a/b"])
    expect(() => canonicalKey("x", rules, agentId)).toThrow("unknown agent id");
});

test("any text gives a safe canonical key that is its own canonical key, or is refused", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.constantFrom("agent:", "main", ":", "..", "/", "work", "global", "direct:", "dm:", "\u0000", "İ", "Σ"),
  );
  const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (input) => {
      let key: string;
      try {
        key = canonicalKey(input, rules);
      } catch (error) {
        return error instanceof GatewayError && error.kind === "invalid";
      }
      const known = key === "global" || key === "unknown" || rules.exists(splitKey(key)?.agentId ?? "");
      return (
        known &&
        key.length <= maxKeyLength &&
        !/[\p{Cc}/\\]/u.test(key) &&
        key.isWellFormed() &&
        canonicalKey(key, rules) === key
      );
    }),
    { numRuns: 3_000 },
  );
});

test("keys tell what they are", () => {
  expect(parentKey("agent:main:telegram:group:1:topic:2")).toBe("agent:main:telegram:group:1");
  expect(parentKey("agent:main:main")).toBeUndefined();
  expect(isCronRunKey("agent:main:cron:job:run:1")).toBe(true);
  expect(isCronRunKey("agent:main:cron:job")).toBe(false);
  expect(isSubagentKey("agent:main:subagent:u")).toBe(true);
  expect(isSubagentKey("agent:main:x:subagent:u")).toBe(false);
  expect(kindOf("agent:main:telegram:group:1", undefined)).toBe("group");
  expect(kindOf("agent:main:main", "direct")).toBe("direct");
  expect(kindOf("global", undefined)).toBe("global");
});
