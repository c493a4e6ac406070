import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { isSilent, showable, spoken } from "./reserved.ts";

test.each([
  ["hello", "hello"],
  ["  hello \n", "hello"],
  ["NO_REPLY", ""],
  ["no_reply", ""],
  ["HEARTBEAT_OK", ""],
  ["HEARTBEAT_OK all fine", "all fine"],
  ["All fine.\nHEARTBEAT_OK", "All fine."],
  ["Done.\n\nNO_REPLY", "Done."],
  ["Say NO_REPLY to be silent.", "Say NO_REPLY to be silent."],
  ["[[reply_to_current]] Sure.", "Sure."],
  ["Sure [[ reply_to: 42 ]] thing [[audio_as_voice]]", "Sure thing"],
  ["[[reply_to_current]]", ""],
  ["see [[other]] and [1]", "see [[other]] and [1]"],
])("%j is spoken as %j", (text, told) => {
  expect(spoken(text)).toBe(told);
});

test("only a reply that is meant to be silent is silent", () => {
  expect([isSilent("NO_REPLY"), isSilent(""), isSilent("hello")]).toEqual([true, false, false]);
});

describe("what is shown while a text grows", () => {
  const pieces = constantFrom(
    "a",
    " ",
    "\n",
    "N",
    "NO_",
    "NO_REPLY",
    "HEART",
    "BEAT_OK",
    "[",
    "[[",
    "reply_to_current",
    "]]",
    "]",
    "x: ",
    "**",
  );

  test("never shrinks and never shows a token or a tag", () => {
    assert(
      property(array(pieces, { maxLength: 20 }), (parts) => {
        let shown = "";
        let text = "";
        for (const part of parts) {
          text += part;
          const now = showable(text);
          expect(now.startsWith(shown)).toBe(true);
          expect(now).not.toContain("[[reply_to_current]]");
          shown = now;
        }
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["NO_RE", ""],
    ["Hi\nNO_RE", "Hi"],
    ["Hi\nNext", "Hi\nNext"],
    ["look [[rep", "look"],
    ["look [", "look"],
    ["look [1]", "look [1]"],
  ])("%j shows %j", (text, shown) => {
    expect(showable(text)).toBe(shown);
  });
});

test("blanks without end take no time, in front of a tag or anywhere", () => {
  const started = performance.now();
  expect(spoken(`a${" ".repeat(50_000)}[[reply_to_current]]${"\n".repeat(50_000)}b`)).toMatch(/^a\n+b$/);
  expect(showable(`a${" \n".repeat(50_000)}[`)).toBe("a");
  expect(performance.now() - started).toBeLessThan(200);
});
