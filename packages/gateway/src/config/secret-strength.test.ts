import { expect, test } from "vitest";
import { secretWeakness } from "./secret-strength.ts";

test.each([
  ["changeme", "token", false, "It is a word everybody tries first."],
  ["Password123!", "password", true, "It is a word everybody tries first."],
  ["abcdefghij-0123", "token", false, "It has 15 characters; 16 are wanted."],
  ["abcdefghij-01234", "token", false, undefined],
  ["abcdefghij-0123456789-x", "token", true, "It has 23 characters; 24 are wanted on this bind."],
  ["abcdefghij-0123456789-xy", "token", true, undefined],
  ["elevenchars", "password", true, "It has 11 characters; 12 are wanted on this bind."],
  ["twelve-chars", "password", true, undefined],
  ["ababababababababababababab", "token", true, "It repeats a few characters."],
] as const)("%j as a %s, exposed %j: %j", (secret, kind, exposed, reason) => {
  expect(secretWeakness(secret, kind, exposed)).toBe(reason);
});
