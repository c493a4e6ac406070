/** Random JSON5 documents as people mix them, random edits of them, and the judge of both: for the editor's own test and for the
 *  longer run in `test/soak`. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import * as fc from "fast-check";
import { editsBetween, editText, setIn, type Edit } from "./edit.ts";
import { refuseUnnamedLoss } from "./guard.ts";
import { parseDocument } from "./parse.ts";
import { isSpace, skipComment } from "./spans.ts";

// Random documents: values, comments, white space, quotes, line ends and trailing commas as people mix them.
const key = fc
  .oneof(
    fc.constantFrom("a", "b", "c", "$x", "with space", "dots.in", "ünï", "0"),
    fc.string({ maxLength: 4, unit: "binary" }),
  )
  .filter((name) => !["__proto__", "constructor", "prototype"].includes(name));
const leaf = fc.oneof(
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.string({ maxLength: 6, unit: "binary" }),
  fc.constantFrom("it's", 'say "x"', "a // b", "/* */", "}", "\u2028"),
);
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
}));
const document = fc.dictionary(key, json, { maxKeys: 4, noNullPrototype: true });
const seedOfStyle = fc.infiniteStream(fc.nat(999));

function written(value: unknown, style: Iterator<number>): string {
  const next = (n: number) => (style.next().value as number) % n;
  const lineEnd = ["\n", "\r\n"][next(2)] ?? "\n";
  const trivia = () =>
    [
      "",
      " ",
      "",
      `${lineEnd}  `,
      ` /* ; ${next(9)} { */`,
      ` // "c${next(9)}" ,${lineEnd}\t`,
      `${lineEnd}${lineEnd}`,
      "\u00a0",
    ][next(8)] ?? "";
  const plain = (text: string) =>
    next(2)
      ? JSON.stringify(text)
      : `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
  const hex = (c: string) => c.charCodeAt(0).toString(16).padStart(4, "0");
  const quote = (text: string) =>
    next(6) > 0
      ? plain(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029")
      : // Every character escaped, broken over two lines: as few write, and JSON5 allows.
        `"\\${lineEnd}${text.replace(/[\s\S]/g, (unit) => `\\u${hex(unit)}`)}"`;
  const number = (value: number) =>
    [
      String(value),
      value < 0 ? `-0x${(-value).toString(16)}` : `0X${value.toString(16)}`,
      value < 0 ? `${value}.0` : `+${value}`,
      `${value}.`,
    ][next(8) > 3 ? 0 : next(4)] ?? "";
  const name = (text: string) => (/^[A-Za-z_$][\w$]*$/u.test(text) && next(2) ? text : quote(text));
  const make = (item: unknown): string => {
    if (typeof item === "string") return quote(item);
    if (typeof item === "number") return number(item);
    if (typeof item !== "object" || item === null) return JSON.stringify(item);
    const list = Array.isArray(item);
    const parts = list
      ? item.map(make)
      : Object.entries(item).map(([text, inner]) => `${name(text)}${trivia()}:${trivia()}${make(inner)}`);
    const inside = parts.map((part) => trivia() + part + trivia()).join(",");
    const end = parts.length > 0 && next(3) === 0 ? "," : "";
    return (list ? "[" : "{") + inside + end + trivia() + (list ? "]" : "}");
  };
  return ["", "\uFEFF", "// top\n"][next(3)] + trivia() + make(value) + trivia();
}

function commentsOf(text: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length;) {
    const c = text[at];
    if (c === '"' || c === "'") {
      for (at++; text[at] !== c; at++) if (text[at] === "\\") at++;
      at++;
    } else if (c === "/") {
      const end = skipComment(text, at);
      found.push(text.slice(at, end));
      at = end;
    } else at++;
  }
  return found;
}

/** What is left of a text without white space and commas: an edit may move those beside the place it changes. */
const bones = (text: string): string => [...text].filter((c) => c !== "," && !isSpace(c.codePointAt(0) ?? 0)).join("");

/** The value is the patched one, and nothing but the named place changes. */
function judgeEdit(value: Record<string, unknown>, style: Iterable<number>, at: string[], next: unknown): void {
  const text = written(value, style[Symbol.iterator]());
  deepStrictEqual(parseDocument(text), value);
  const change: Edit = { path: at, value: next };
  const expected = structuredClone(value);
  try {
    setIn(expected, change);
  } catch {
    throws(() => editText(text, [change], "f"));
    return;
  }
  const edited = editText(text, [change], "f");
  deepStrictEqual(parseDocument(edited), expected);
  // What an edit names is never a loss that nobody named (R-CFG-3).
  refuseUnnamedLoss(text, edited, [change], "f");
  // A removed or replaced object takes the comments inside it along; all others stay.
  const old = bones(text);
  const now = bones(edited);
  let start = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start++;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  if (typeof next !== "object" && next !== undefined) {
    const kept = commentsOf(edited);
    const gone = commentsOf(text).filter((comment) => !kept.includes(comment));
    const named = old.slice(start, old.length - end);
    deepStrictEqual(
      gone.filter((comment) => !named.includes(bones(comment))),
      [],
    );
  }
  strictEqual(edited.startsWith("\uFEFF"), text.startsWith("\uFEFF"));
}

const path = fc.array(fc.oneof(key, fc.constantFrom("0", "1", "2")), { minLength: 1, maxLength: 3 });
const oneEdit = fc.property(document, seedOfStyle, path, fc.option(json, { nil: undefined }), judgeEdit);

/** The edits between two documents lead from one to the other. */
const wholeChange = fc.property(document, document, seedOfStyle, (before, after, style) => {
  const text = written(before, style[Symbol.iterator]());
  deepStrictEqual(parseDocument(editText(text, editsBetween(before, after), "f")), after);
});

/** Edits as many random documents, a quarter of them as a whole; says what went wrong, with the seed that repeats it. */
export function wrongEdits(options: { seed: number; documents: number }): string[] {
  const whole = Math.ceil(options.documents / 4);
  const report = <T>(what: string, result: fc.RunDetails<T>): string[] =>
    result.failed ? [`${what}: ${fc.defaultReportMessage(result) ?? "failed"}`] : [];
  const { seed } = options;
  return [
    ...report("an edit", fc.check(oneEdit, { seed, numRuns: options.documents - whole })),
    ...report("the edits between two documents", fc.check(wholeChange, { seed, numRuns: whole })),
  ];
}
