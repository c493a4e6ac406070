import { expect, test } from "vitest";
import { fits, safeUrl } from "./safe.ts";

test.each([
  ["https://example.org/a.png", "https://example.org/a.png"],
  ["a.png", "http://gateway:18793/__openclaw__/canvas/a.png"],
  ["http://gateway:18793/x.png", "http://gateway:18793/x.png"],
  ["data:image/png;base64,AA==", "data:image/png;base64,AA=="],
  ["http://gateway:9/x.png", undefined],
  ["http://example.org/a.png", undefined],
  ["data:text/html,<script>1</script>", undefined],
  ["javascript:alert(1)", undefined],
  [" java\nscript:alert(1)", undefined],
  ["file:///etc/passwd", undefined],
  ["blob:http://gateway:18793/1", undefined],
])("of addresses only those of this site, https and pictures are kept: %s", (given, kept) => {
  expect(safeUrl(given, "http://gateway:18793/__openclaw__/canvas/")).toBe(kept);
});

test("a page without an origin of its own opens no scripts and no files", () => {
  for (const base of ["file:///page/index.html", "about:blank", "app-canvas://main/index.html"])
    for (const given of ["javascript:alert(1)", "file:///etc/passwd", "about:config"])
      expect([base, given, safeUrl(given, base)]).toEqual([base, given, undefined]);
});

test.each([
  ["^\\d{4,6}$", "12345", true],
  ["^\\d{4,6}$", "12a45", false],
  ["^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$", "ann@example.org", true],
  ["^[^@\\s]+@[^@\\s]+\\.[a-z]{2}$", "ann at home", false],
  ["^(?:ab)+$", "abab", true],
  ["^(?:ab)+$", "aba", false],
  ["^(yes|no)$", "maybe", false],
  ["[^@ ]+@[^@ ]+\\.[a-z]{2,}", "ann@example.org", true],
  ["[^@ ]+@[^@ ]+\\.[a-z]{2,}", "ann at home", false],
  ["[", "x", true],
])("%s judges %s", (pattern, text, verdict) => {
  expect(fits(pattern, text)).toBe(verdict);
});

test.each([
  "^(a+)+$",
  "^((a+))+$",
  "^(a|a)*$",
  "^(?:a|aa)+$",
  "^(a?){40}a{40}$",
  "^(?=(a+))\\1*b$",
  "^a*a*a*a*a*a*a*b$",
  `^${"a?".repeat(40)}${"a".repeat(40)}b$`,
  "^(?<x>a*)*b$",
  "^(?<!a*)(a{1,9}){1,9}b$",
  "a*a*a*b",
  "^x|a*a*a*b",
  `^${"a?".repeat(8)}a*a*a*b`,
])("a pattern that could take for ever holds nothing up: %s", (pattern) => {
  expect(fits(pattern, `${"a".repeat(250)}!`)).toBe(true);
});

test("whatever is judged is judged at once, on the worst text too", () => {
  for (const pattern of ["a*a*a*b", "^a*a*a*b", "a?a?a?a*a*b", "^a?a?a?a*a*a*b", `${"a?".repeat(8)}a*b`])
    for (const chars of [90, 250]) {
      const started = performance.now();
      fits(pattern, `${"a".repeat(chars)}!`);
      expect(performance.now() - started, pattern).toBeLessThan(1_000);
    }
});
