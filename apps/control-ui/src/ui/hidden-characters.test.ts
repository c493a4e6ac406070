import { expect, test } from "vitest";
import { piecesOf } from "./hidden-characters.ts";

test("plain text is one piece, whatever the language", () => {
  for (const text of ["rm -rf ./build", "écho 'größer'", "привет", "echo 漢字 🦞"])
    expect(piecesOf(text)).toEqual([{ text }]);
  expect(piecesOf("")).toEqual([]);
});

test("what turns the direction, is not drawn or steers a terminal is named, in its place", () => {
  expect(piecesOf("ls \u202egpj.exe")).toEqual([
    { text: "ls " },
    { text: "\u202e", name: "U+202E right-to-left override" },
    { text: "gpj.exe" },
  ]);
  const named = (text: string) => piecesOf(text).map(({ name }) => name);
  expect(named("\u001b\n\t\u200b\u2066")).toEqual([
    "U+001B escape",
    "U+000A new line",
    "U+0009 tab",
    "U+200B zero-width space",
    "U+2066 left-to-right isolate",
  ]);
  expect(named("\u00a0")).toEqual(["U+00A0 no-break space"]);
  expect(named("\u{e0041}\u3164\u2003\ufe0f")).toEqual(["U+E0041", "U+3164", "U+2003", "U+FE0F"]);
});

test("nothing is lost", () => {
  const text = "a\u202eb\u0000c\ud800d  e";
  expect(
    piecesOf(text)
      .map((piece) => piece.text)
      .join(""),
  ).toBe(text);
});
