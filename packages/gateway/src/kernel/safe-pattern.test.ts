import { expect, test } from "vitest";
import { safePattern } from "./safe-pattern.ts";

const matches = (source: string, subject: string): boolean => {
  const judged = safePattern(source);
  return "pattern" in judged && judged.pattern.test(subject);
};

test.each([
  ["\\bopenclaw\\b", "hey OpenClaw, look", true],
  ["@?jarvis", "JARVIS?", true],
  ["^(bot|claw)[,: ]", "claw: do it", true],
  ["hey .* bot", "hey you lazy bot", true],
  ["\\+?1555\\d{4,7}", "call +15551234567", true],
  ["^(a|b|c|d|e|f|g|h|i|j|k|l)ot (please|now)", "lot now", true],
  ["\\bopenclaw\\b", "reopenclawed", false],
  ["\\-bot\\-", "a -bot- b", true],
])("%s is used", (source, subject, expected) => {
  expect(matches(source, subject)).toBe(expected);
});

test.each([
  "(a+)+$",
  "(a|aa)+$",
  "(a*)*",
  "(.*a){20}",
  "((ab)*c)+",
  "(\\w+\\s?)*!",
  "(a)\\1",
  ".*.*.*=.*",
  "(x+x+)+y",
  "a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaa",
  "a{0,9}a{0,9}b",
  `${"(a|a)".repeat(22)}b`,
  `${"a?".repeat(10)}.*.*b`,
  "[unclosed",
  "(",
  ")",
  "",
  "x".repeat(201),
])("%s is refused with a reason", (source) => {
  expect(safePattern(source)).toMatchObject({ problem: expect.stringMatching(/./) });
});

test("whatever is used takes no time on the worst text", () => {
  for (const source of ["a*a*b", ".*.*b", "\\w+\\s+x", "(a|b|c)d?e?f?", "a?a?a?a?a?a?a?a?aaaaaaaab"]) {
    const judged = safePattern(source);
    if (!("pattern" in judged)) throw new Error(`${source} is refused`);
    const hostile = `${"a".repeat(judged.maxChars - 1)}!`;
    const started = performance.now();
    judged.pattern.test(hostile);
    expect(performance.now() - started, source).toBeLessThan(100);
  }
});
