import { runInThisContext } from "node:vm";
import { expect, test } from "vitest";
import { narrow } from "../../scripts/build/narrow.ts";

test.each([
  `"a—b"`,
  `"a\\—b"`,
  `"a\\\\—b"`,
  "`—${'\\—'}😀\\\\—`",
  `"a\\\u2028b"`,
  `"a\u2028b"`,
  `/\\—+$/.test("x——")`,
  `/^[–-—😀]$/u.test("😀")`,
  `/^\\\\—[\\]—]$/.test("\\\\——")`,
  `((größe, 名) => größe + 名)(1, 2)`,
  `/* \\ — \\*/ "é\\é\\n—"`,
])("a file of characters of one byte is the same program: %s", (program) => {
  const narrowed = narrow(program);
  expect(narrowed).toMatch(/^[\0-\u00ff]*$/u);
  expect(runInThisContext(narrowed)).toBe(runInThisContext(program));
});

test("a text that is meant without its escapes is refused", () => {
  expect(() => narrow("String.raw`a—`")).toThrow("String.raw");
});
