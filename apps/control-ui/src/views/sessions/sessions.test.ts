import { expect, test } from "vitest";
import type { SessionRow } from "../../chat/session-title.ts";
import { choicesOf, patchOf } from "./session-choices.ts";
import { matching } from "./session-filter.ts";

const row = (key: string, more: Partial<SessionRow> = {}): SessionRow => ({
  key,
  kind: "direct",
  updatedAt: 1,
  totalTokens: 0,
  modelProvider: "mock",
  model: "mock-1",
  ...more,
});

test("sessions are found by every word of name, key, channel and model, and by kind", () => {
  const rows = [
    row("agent:main:main"),
    row("agent:main:garden", { label: "Tomatoes", channel: "telegram", kind: "group" }),
  ];
  const keys = (text: string, kind = "") => matching(rows, text, kind).map(({ key }) => key);
  expect(keys("TOMA tele")).toEqual(["agent:main:garden"]);
  expect(keys("mock-1")).toHaveLength(2);
  expect(keys("", "group")).toEqual(["agent:main:garden"]);
  expect(keys("nothing")).toEqual([]);
});

const usual = { modelProvider: "mock", model: "mock-1" };

test("a model that is not the default was chosen for the session, and can be given back", () => {
  expect(choicesOf(row("k"), usual).model).toBe("");
  const before = choicesOf(row("k", { model: "mock-2" }), usual);
  expect(before.model).toBe("mock/mock-2");
  expect(patchOf(before, { ...before, model: "" })).toEqual({ model: null });
});

test("a patch holds what changed; an emptied choice is given back", () => {
  const before = choicesOf(row("k", { label: "Old", thinkingLevel: "low" }), usual);
  expect(patchOf(before, before)).toEqual({});
  expect(patchOf(before, { ...before, label: " New ", thinkingLevel: "" })).toEqual({
    label: "New",
    thinkingLevel: null,
  });
});
