import { expect, test } from "vitest";
import type { EventFrame } from "@openclaw/protocol";
import type { GatewayLink } from "../../gateway/index.ts";
import { EventLog, keptEvents, pretty } from "./event-log.ts";
import { methodHelp, typeText } from "./method-help.ts";

test("secrets are masked by the name they stand under; counts of tokens are not secrets", () => {
  const text = pretty({ token: "abc", nested: [{ apiKey: "k", password: "" }], totalTokens: 7, name: "x" });
  expect(JSON.parse(text)).toEqual({
    token: "••••••",
    nested: [{ apiKey: "••••••", password: "" }],
    totalTokens: 7,
    name: "x",
  });
});

test("long values are clipped and say how much is missing", () => {
  expect(pretty("x".repeat(30_000))).toMatch(/… \d+ more characters$/);
});

test("events are kept newest first and bounded; while paused they are only counted", () => {
  let say: (frame: EventFrame) => void = () => {};
  const link = {
    onAny: (_event: string, listener: typeof say) => {
      say = listener;
      return () => {};
    },
  } as unknown as GatewayLink;
  const log = new EventLog(link);
  log.open();
  for (let seq = 1; seq <= keptEvents + 5; seq++) say({ type: "event", event: "tick", seq, payload: {} });
  expect(log.events.value).toHaveLength(keptEvents);
  expect(log.events.value[0]?.seq).toBe(keptEvents + 5);
  log.pause(true);
  say({ type: "event", event: "tick", payload: {} });
  expect(log.missed.value).toBe(1);
  expect(log.events.value[0]?.seq).toBe(keptEvents + 5);
});

test("a method's help names its parameters, which are required, and a beginning to fill in", () => {
  const help = methodHelp("chat.send");
  expect(help).toMatchObject({ scope: "operator.write" });
  expect(help?.params.filter(({ required }) => required).map(({ name }) => name)).toEqual([
    "sessionKey",
    "message",
    "idempotencyKey",
  ]);
  expect(JSON.parse(help?.template ?? "")).toEqual({ sessionKey: "", message: "", idempotencyKey: "" });
  expect(methodHelp("toString")).toBeUndefined();
});

test("types are told in words", () => {
  expect(typeText({ anyOf: [{ const: "a" }, { const: "b" }, { type: "null" }] })).toBe('"a" | "b" | null');
  expect(typeText({ type: "array", items: { type: "string" } })).toBe("list of string");
  expect(typeText({})).toBe("anything");
});
