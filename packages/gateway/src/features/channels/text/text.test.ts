import * as fc from "fast-check";
import { expect, test } from "vitest";
import { chunk } from "./chunk.ts";
import { renderHtml } from "./html.ts";
import { parseMarkdown } from "./markdown.ts";
import { renderMarks, renderWhatsApp } from "./marks.ts";
import { slice, spellLinks } from "./styled.ts";

const html = (markdown: string, tables: "off" | "bullets" | "code" = "code") =>
  renderHtml(parseMarkdown(markdown, { tables }));
const whatsapp = (markdown: string, tables: "off" | "bullets" | "code" = "bullets", limit = 4_000) =>
  renderWhatsApp(markdown, { limit, chunkMode: "length", tables }).map((part) => part.text);

test("markdown becomes the tags of Telegram, and nothing else does", () => {
  expect(html("# Head *ing*\n\nA **bold _both_** ~~gone~~ `a<b>` & <b>raw</b>")).toBe(
    "<b>Head <i>ing</i></b>\n\nA <b>bold <i>both</i></b> <s>gone</s> <code>a&lt;b&gt;</code> &amp; &lt;b&gt;raw&lt;/b&gt;",
  );
  expect(html('[x](https://a.b/?q="1"&r) [y](javascript:z) [`c`](http://d) <http://e>')).toBe(
    '<a href="https://a.b/?q=%221%22&amp;r">x</a> y (javascript:z) <a href="http://d">c</a> <a href="http://e">http://e</a>'.replaceAll(
      "%22",
      "&quot;",
    ),
  );
  expect(html("**see `code` here**")).toBe("<b>see </b><code>code</code><b> here</b>");
  expect(html("> q\n> > r\n\nafter")).toBe("<blockquote>q\n\nr</blockquote>\n\nafter".replace("q\n\nr", "q\nr"));
  expect(html("```ts x\na < b\n```")).toBe('<pre><code class="language-ts">a &lt; b</code></pre>');
  expect(html("a &amp; b &#x41; &unknown; 1 \\* 2")).toBe("a &amp; b A &amp;unknown; 1 * 2");
});

test("lists keep their numbers, nesting and boxes", () => {
  expect(html("- a\n  - b\n    c\n- [x] d\n\n3. e\n4. f")).toBe("• a\n  • b\n    c\n• ☑ d\n\n3. e\n4. f");
});

test("single line ends stay, blank lines stay single", () => {
  expect(html("a\nb  \nc\n\n\n\nd")).toBe("a\nb\nc\n\nd");
});

test("a table is code, bullets or what was typed", () => {
  const table = "| Name | N |\n|---|--:|\n| **Ann** | 1 |\n| Bo | 22 |";
  expect(html(table)).toBe("<pre>Name |  N\n-----|---\nAnn  |  1\nBo   | 22</pre>");
  expect(html(table, "bullets")).toBe("<b>Ann</b>\n• N: 1\n\n<b>Bo</b>\n• N: 22");
  expect(html(table, "off")).toBe(table);
});

test("WhatsApp gets its own marks, line by line and without touching white space", () => {
  expect(whatsapp("# Title\n\n**a\nb** and *c* ~~d~~ `e`\n\n> q **x**\n> z")).toEqual([
    "*Title*\n\n*a*\n*b* and _c_ ~d~ `e`\n\n> q *x*\n> z",
  ]);
  expect(whatsapp("```js\none\n\ntwo\n```")).toEqual(["```one\n\ntwo```"]);
  expect(whatsapp("[docs](https://x.y) and https://x.y")).toEqual(["docs (https://x.y) and https://x.y"]);
});

test("links spelled out keep the styles around them in place", () => {
  const styled = spellLinks(parseMarkdown("**[a](http://b) c** *d*", { tables: "off" }));
  expect(renderHtml(styled)).toBe("<b>a (http://b) c</b> <i>d</i>");
});

test("a code block that is cut is closed, and opened again with its language", () => {
  const code = Array.from({ length: 40 }, (_, i) => `  line ${i}`).join("\n");
  const parts = chunk(parseMarkdown(`Before\n\n\`\`\`ts\n${code}\n\`\`\`\n\nAfter`, { tables: "off" }), {
    limit: 100,
    mode: "length",
  }).map(renderHtml);
  expect(parts.length).toBeGreaterThan(3);
  for (const part of parts.slice(1, -1)) {
    expect(part).toMatch(/^<pre><code class="language-ts">[\s\S]*<\/code><\/pre>$/u);
    expect(part).toContain("  line");
  }
  expect(parts.join("\n").match(/line \d+/gu)).toEqual(code.match(/line \d+/gu));
});

test("cuts prefer the last newline, then white space outside parentheses, and tear no character", () => {
  const cut = (text: string) => chunk({ text, spans: [] }, { limit: 64, mode: "length" }).map((part) => part.text);
  const a = (n: number) => "a".repeat(n);
  expect(cut(`${a(30)}\n${a(20)} ${a(20)}`)).toEqual([a(30), `${a(20)} ${a(20)}`]);
  expect(cut(`${a(30)} (${a(20)} ${a(20)})`)).toEqual([a(30), `(${a(20)} ${a(20)})`]);
  expect(cut(`${a(63)}😀${a(5)}`)).toEqual([a(63), `😀${a(5)}`]);
  expect(cut(`${a(60)}👩‍👩‍👧${a(5)}`)).toEqual([a(60), `👩‍👩‍👧${a(5)}`]);
  expect(cut(`${a(64)}\n\n  \n`)).toEqual([a(64)]);
});

test("newline mode sends one message per paragraph, never cutting code at its blank lines", () => {
  const styled = parseMarkdown("one\n\ntwo\ntwo\n\n```\na\n\nb\n```\n\nthree", { tables: "off" });
  expect(chunk(styled, { limit: 100, mode: "newline" }).map((part) => part.text)).toEqual([
    "one",
    "two\ntwo",
    "a\n\nb",
    "three",
  ]);
});

test("a paragraph that is too long is cut like any text", () => {
  const a = (n: number) => "a".repeat(n);
  const styled = parseMarkdown(`one\n\n${a(40)} ${a(40)}\n${a(10)}\n\nthree`, { tables: "off" });
  expect(chunk(styled, { limit: 64, mode: "newline" }).map((part) => part.text)).toEqual([
    "one",
    a(40),
    `${a(40)}\n${a(10)}`,
    "three",
  ]);
});

test("the mark of a list stays with its text, and every part of a quote is one", () => {
  const a = (n: number) => "a".repeat(n);
  for (const mark of ["- ", "7. ", "- [x] "]) {
    const [first = "", ...rest] = chunk(parseMarkdown(`${mark}${a(100)}`, { tables: "off" }), {
      limit: 64,
      mode: "length",
    }).map((part) => part.text);
    expect(first, mark).toMatch(/^(?:• |7\. |• ☑ )a{50,}$/u);
    expect(rest).toHaveLength(1);
  }
  expect(whatsapp(`> ${a(40)} ${a(40)}`, "bullets", 64)).toEqual([`> ${a(40)}`, `> ${a(40)}`]);
});

test("code may hold as many marks as it likes", () => {
  const code = Array.from({ length: 2_000 }, (_, n) => `const a_b_c_${n} = x[_y];`).join("\n");
  const { spans } = parseMarkdown(`**Here:**\n\`\`\`js\n${code}\n\`\`\``, { tables: "code" });
  expect(spans.map(({ style }) => style)).toEqual(["bold", "pre"]);
});

test.each([
  ["a short line of nested quotes", `${"> ".repeat(38)}x`],
  ["a short line of nested lists", `${"- ".repeat(38)}x`],
  ["blanks without end", `a${" ".repeat(20_000)}b\n${"\t".repeat(20_000)}c`],
])("%s takes no time", (_what, markdown) => {
  const started = performance.now();
  parseMarkdown(markdown, { tables: "off" });
  expect(performance.now() - started).toBeLessThan(500);
});

test("absurd nesting is sent as it is, quickly", () => {
  for (const source of [
    ">".repeat(50_000),
    "- ".repeat(5_000),
    "[".repeat(50_000),
    "*a ".repeat(20_000),
    "`".repeat(9_999),
    "_a".repeat(60_000),
    "_a ".repeat(2_999),
    "`a ".repeat(60_000),
  ]) {
    const startedAt = performance.now();
    expect(parseMarkdown(source, { tables: "code" }).text.length).toBeGreaterThan(0);
    expect(performance.now() - startedAt, source.slice(0, 4)).toBeLessThan(3_000);
  }
});

/** Markdown-like noise: words, marks, fences, links, wide characters. */
const scrap = fc.constantFrom(
  "word",
  "**",
  "*",
  "_",
  "`",
  "```\n",
  "```ts\n",
  "\n",
  "\n\n",
  "> ",
  "- ",
  "1. ",
  "# ",
  "[l](http://x.y/z)",
  "~~",
  "<b>",
  "&",
  "&lt;",
  "|",
  "\n| a | b |\n|---|---|\n| c | d |\n",
  "😀",
  "👩‍👩‍👧",
  "é",
  " ",
  "(",
  ")",
  "longerwordlongerwordlongerword",
  "\ud83d",
  "\t",
  "ｗｉｄｅ",
);
const noise = fc.array(scrap, { maxLength: 120 }).map((parts) => parts.join(""));
const settings = { numRuns: 400 };

test("property: pieces fit, hold whole tags, and lose nothing but white space", () => {
  fc.assert(
    fc.property(
      noise,
      fc.integer({ min: 32, max: 200 }),
      fc.constantFrom("length" as const, "newline" as const),
      (source, limit, mode) => {
        const styled = parseMarkdown(source, { tables: "code" });
        const pieces = chunk(styled, { limit, mode, maxSpans: 20 });
        for (const piece of pieces) {
          expect(piece.text.length).toBeLessThanOrEqual(limit);
          expect(piece.text.trim()).not.toBe("");
          expect(piece.spans.length).toBeLessThanOrEqual(20);
          expect(parseTags(renderHtml(piece))).toBe(piece.text);
        }
        const bare = (text: string) => text.replace(/\s+/gu, "");
        expect(bare(pieces.map((piece) => piece.text).join(""))).toBe(bare(styled.text));
      },
    ),
    settings,
  );
});

test("property: WhatsApp parts fit, marks included", () => {
  fc.assert(
    fc.property(noise, fc.integer({ min: 32, max: 200 }), (source, limit) => {
      for (const part of whatsapp(source, "bullets", limit)) expect(part.length).toBeLessThanOrEqual(limit);
    }),
    settings,
  );
});

test("property: every slice of a styled text is a styled text", () => {
  fc.assert(
    fc.property(noise, fc.nat(300), fc.nat(300), (source, a, b) => {
      const styled = parseMarkdown(source, { tables: "bullets" });
      const piece = slice(styled, Math.min(a, b), Math.max(a, b));
      expect(parseTags(renderHtml(piece))).toBe(piece.text);
      expect(() => renderMarks(piece)).not.toThrow();
    }),
    settings,
  );
});

/** Strict reader of the tags: the text they hold, or an error at the first that does not nest. */
function parseTags(source: string): string {
  const open: string[] = [];
  const text = source.replace(/<(\/?)([a-z]+)([^>]*)>/gu, (_, closing: string, name: string) => {
    if (closing === "") open.push(name);
    else if (open.pop() !== name) throw new Error(`${name} does not close what is open`);
    return "";
  });
  if (open.length > 0) throw new Error(`${open.join(" ")} left open`);
  if (text.includes("<") || text.includes(">")) throw new Error("a bare angle");
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
