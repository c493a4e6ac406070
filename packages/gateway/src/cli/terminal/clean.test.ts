import { expect, test } from "vitest";
import { clean, cleanLine, ControlFilter } from "./clean.ts";
import { displayWidth, wrap } from "./style.ts";
import { toJson } from "./json.ts";

const forbidden = new RegExp("[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]");

test.each([
  ["\u001b[1;31mred\u001b[0m", "red"],
  ["\u001b]0;title\u0007x", "x"],
  ["\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\", "link"],
  ["\u001bP1$r\u001b\\x", "x"],
  ["\u001b_apc\u001b\\x\u001b^pm\u009cy", "xy"],
  ["\u009b2Jx\u009d0;t\u009cy", "xy"],
  ["\u001bcreset\u001b(Bx\u001b#8y", "resetxy"],
  ["a\rb\bc\u007fd\u0000e", "abcde"],
  ["\u001b]52;c;never ended\nnext line", "next line"],
  ["\u001b[31", ""],
  ["tab\tand\nline 🦞 é", "tab\tand\nline 🦞 é"],
])("%j becomes %j", (text, wanted) => {
  expect(clean(text)).toBe(wanted);
});

test("a sequence cut in two is still one", () => {
  const text = "a\u001b[31mb\u001b]0;t\u001b\\c";
  for (let cut = 0; cut <= text.length; cut += 1) {
    const filter = new ControlFilter();
    expect(filter.push(text.slice(0, cut)) + filter.push(text.slice(cut))).toBe("abc");
  }
});

test("an unfinished string cannot swallow a reply", () => {
  expect(clean(`\u001b]0;${"x".repeat(10_000)}`).length).toBeGreaterThan(5_000);
});

test("no random text leaves a control character", () => {
  let seed = 42;
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff) / 0x7fffffff;
  for (let round = 0; round < 2_000; round += 1) {
    const text = Array.from({ length: 40 }, () => String.fromCharCode(Math.floor(random() * 170))).join("");
    expect(clean(text)).not.toMatch(forbidden);
    expect(cleanLine(text)).not.toMatch(/\n/);
    expect(JSON.parse(toJson({ text }))).toEqual({ text });
    expect(toJson({ text })).not.toMatch(forbidden);
  }
});

test("width counts what a terminal shows, and wrapping keeps long words whole", () => {
  expect([
    displayWidth("abc"),
    displayWidth("🦞"),
    displayWidth("漢字"),
    displayWidth("e\u0301"),
    displayWidth("\u001b[1mx\u001b[0m"),
  ]).toEqual([3, 2, 4, 1, 1]);
  expect(wrap("aa bb /a/very/long/path cc", 6)).toEqual(["aa bb", "/a/very/long/path", "cc"]);
});
