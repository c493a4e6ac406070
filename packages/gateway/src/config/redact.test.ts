import { expect, test } from "vitest";
import { redactedSentinel, redactRaw, secretsOf } from "./redact.ts";

test("in a text that cannot be parsed, what stands after a key that names a credential goes", () => {
  const raw = `{ headers: { Authorization: "Bearer canary-1", "x-api-key": 'canary-2', "X-Auth": "canary-3", cookie: "canary-4" },
    botToken: "canary-5", name: "Ann", {`;
  const shown = redactRaw(raw, undefined, []);
  expect(shown).not.toContain("canary");
  expect([shown.split(redactedSentinel).length - 1, shown.includes('name: "Ann"')]).toEqual([5, true]);
});

test("of a key that stands there twice neither value is shown", () => {
  const raw = `{ a: [{ token: "canary-1", name: "Ann", "token": "canary-2" }], token: { x: "canary-3" }, token: "canary-4" }`;
  const shown = redactRaw(raw, undefined, secretsOf({ a: [{ token: "canary-2" }], token: "canary-4" }));
  expect(shown).not.toContain("canary");
  expect(shown).toContain('name: "Ann"');
});
