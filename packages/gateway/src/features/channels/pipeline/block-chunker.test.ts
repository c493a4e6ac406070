import { expect, test } from "vitest";
import { type BlockRules, fenceAfter, nextBlock } from "./block-chunker.ts";

const rules: BlockRules = { minChars: 20, maxChars: 40, breakAt: "paragraph" };

/** All pieces of a text that is complete, as they would be sent. */
function pieces(text: string, given: BlockRules = rules): string[] {
  const all: string[] = [];
  let rest = text;
  let open: string | undefined;
  for (;;) {
    const block = nextBlock(rest, given, open);
    const lead = open === undefined ? "" : `${open}\n`;
    if (!block) return rest === "" ? all : [...all, lead + rest];
    all.push(lead + rest.slice(0, block.chars) + (block.close ? `\n${block.close}` : ""));
    rest = rest.slice(block.chars);
    open = block.reopen;
  }
}

test("nothing is cut before the least length", () => {
  expect(nextBlock("short\n\nmore", rules)).toBeUndefined();
});

test("before the limit only the preferred break counts, at the limit the next best", () => {
  expect(nextBlock("twenty characters and\n\nmore", rules)).toEqual({ chars: 23 });
  expect(nextBlock("twenty characters and\nmore of it", rules)).toBeUndefined();
  expect(nextBlock("twenty characters and\nmore of it until the limit", rules)).toEqual({ chars: 22 });
  expect(nextBlock("This is one sentence. And another one that goes on", rules)).toEqual({ chars: 22 });
  expect(nextBlock("words without any full stop that simply go on", rules)).toEqual({ chars: 40 });
  expect(nextBlock("x".repeat(100), rules)).toEqual({ chars: 40 });
});

test("a pair of surrogates stays together", () => {
  expect(nextBlock(`${"x".repeat(39)}😀😀`, rules)).toEqual({ chars: 39 });
});

test("a code fence is not cut where that can be avoided", () => {
  const text = "Here is the code you want:\n```js\na\n\nb\n```\nend";
  expect(nextBlock(text, { ...rules, maxChars: 100 })).toBeUndefined();
  expect(pieces(text)[0]).toBe("Here is the code you want:\n");
});

test("a fence that must be cut is closed, and opened again with its language", () => {
  const code = Array.from({ length: 10 }, (_, n) => `line ${n};`).join("\n");
  const all = pieces(`\`\`\`js\n${code}\n\`\`\`\n`);
  expect(all.length).toBeGreaterThan(2);
  for (const piece of all) expect(fenceAfter(piece), piece).toBeUndefined();
  for (const piece of all.slice(1)) expect(piece.startsWith("```js\n")).toBe(true);
  expect(
    all
      .join("")
      .replaceAll(/```(?:js)?\n?/g, "")
      .replaceAll("\n", ""),
  ).toBe(code.replaceAll("\n", ""));
});

test("however a text is cut, nothing is lost and nothing is too long", () => {
  const words = [
    "alpha",
    "beta.",
    "gamma\n",
    "delta\n\n",
    "```ts\n",
    "```\n",
    "ε",
    "😀",
    "verylongwordwithoutanyend".repeat(3),
  ];
  let seed = 7;
  const next = () => (seed = (seed * 48_271) % 2_147_483_647);
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: 40 }, () => words[next() % words.length]).join(" ");
    let rest = text;
    let open: string | undefined;
    let joined = "";
    for (let block = nextBlock(rest, rules, open); block; block = nextBlock(rest, rules, open)) {
      expect(block.chars).toBeGreaterThan(0);
      expect(block.chars).toBeLessThanOrEqual(rules.maxChars);
      joined += rest.slice(0, block.chars);
      rest = rest.slice(block.chars);
      open = block.reopen;
    }
    expect(joined + rest).toBe(text);
  }
});
