import * as fc from "fast-check";
import { expect, test } from "vitest";
import { editsBetween, editText, setIn, type Edit } from "./edit.ts";
import { formatPath, parsePath } from "./path.ts";
import { parseDocument } from "./parse.ts";
import { isSpace, skipComment } from "./spans.ts";

const edit = (text: string, ...edits: [string, unknown][]): string =>
  editText(
    text,
    edits.map(([path, value]) => ({ path: parsePath(path), value })),
    "f",
  );

const annotated = "{\n  // why\n  demo: {\n    port: 1, // keep\n  },\n  env: { A: '${B}' },\n}\n";

test("an edit keeps comments, order and formatting outside the edited value", () => {
  expect(edit(annotated, ["demo.port", 2])).toBe(annotated.replace("port: 1", "port: 2"));
});

test("a new key takes the style of its neighbours", () => {
  expect(edit(annotated, ["demo.mode", "a"])).toBe(annotated.replace("// keep\n", '// keep\n    mode: "a",\n'));
  expect(edit('{\n\t"a": 1\n}\n', ["b", { c: [1] }])).toBe(
    '{\n\t"a": 1,\n\t"b": {\n\t\t"c": [\n\t\t\t1\n\t\t]\n\t}\n}\n',
  );
  expect(edit("{a:1}", ["b", 2])).toBe("{a:1,b:2}");
  expect(edit("{}\n", ["gateway.mode", "local"])).toBe('{\n  "gateway": {\n    "mode": "local"\n  }\n}\n');
  expect(edit("{\n  // nothing yet\n}", ["a", 1])).toBe('{\n  // nothing yet\n  "a": 1\n}');
  expect(edit("{ a: 1 // one\n}", ["b", 2])).toBe("{ a: 1, b: 2 // one\n}");
});

test("byte order mark and CRLF stay, and new lines end like the others", () => {
  const text = '\uFEFF{\r\n  "a": 1, // x\r\n  "b": { }\r\n}\r\n';
  expect(edit(text, ["b.c", true], ["a", 2])).toBe(
    '\uFEFF{\r\n  "a": 2, // x\r\n  "b": {\r\n    "c": true\r\n  }\r\n}\r\n',
  );
});

test("a removed key takes its line and one comma, and leaves comments", () => {
  expect(edit('{"a":1,"b":2}', ["a", undefined])).toBe('{"b":2}');
  expect(edit('{"a":1, "b":2 }', ["b", undefined])).toBe('{"a":1 }');
  expect(edit(annotated, ["demo.port", undefined])).toBe(annotated.replace("port: 1, // keep", "// keep"));
  expect(edit('{\n  "a": 1, // one\n  "b": 2\n}', ["b", undefined])).toBe('{\n  "a": 1 // one\n}');
  expect(edit("{\n  a: 1,\n  b: 2,\n}", ["a", undefined])).toBe("{\n  b: 2,\n}");
  expect(edit('{"a":1,"a":2,"b":3}', ["a", undefined])).toBe('{"b":3}');
});

test("setting an object changes only the members that differ", () => {
  const text = "{\n  demo: {\n    a: 1, // one\n    b: [1, /* two */ 2],\n    c: 3,\n  },\n}";
  expect(edit(text, ["demo", { a: 1, b: [1, 3], d: 4 }])).toBe(
    "{\n  demo: {\n    a: 1, // one\n    b: [1, /* two */ 3],\n    d: 4,\n  },\n}",
  );
});

test("list entries are replaced, appended and removed by index", () => {
  expect(edit("{a:[1,2,3]}", ["a[1]", 5])).toBe("{a:[1,5,3]}");
  expect(edit("{a:[1,2]}", ["a[2]", 3])).toBe("{a:[1,2,3]}");
  expect(edit("{ a: [1, 2, 3] }", ["a[2]", undefined])).toBe("{ a: [1, 2] }");
  expect(edit("{}", ["a[0].b", 1])).toBe('{\n  "a": [\n    {\n      "b": 1\n    }\n  ]\n}');
  expect(() => edit("{a:[1]}", ["a[3]", 1])).toThrow("a has 1 entries: 3 would leave a hole.");
  expect(() => edit("{a:[1]}", ["a.b", 1])).toThrow('a is a list: "b" is no index.');
  expect(() => edit("{a:1}", ["a.b", 1])).toThrow("a is not an object.");
});

test("keys that would reach a prototype cannot be edited", () => {
  expect(() => editText("{}", [{ path: ["__proto__", "x"], value: 1 }], "f")).toThrow(/cannot be a config key/u);
  for (const path of ["__proto__.x", "a.constructor", 'a["prototype"]', "", "a.", ".a", "a..b", "a[x]", "a[", "a]b"]) {
    expect(() => parsePath(path), path).toThrow("Invalid config path");
  }
});

test("paths are read with dots, brackets, quotes and backslashes", () => {
  expect(parsePath("a.b[0].c")).toEqual(["a", "b", "0", "c"]);
  expect(parsePath('models["x/y.z"].alias')).toEqual(["models", "x/y.z", "alias"]);
  expect(parsePath("a\\.b.c")).toEqual(["a.b", "c"]);
  expect(parsePath("['it\\'s']")).toEqual(["it's"]);
});

test("every written path is read back", () => {
  const key = fc
    .string({ minLength: 1, maxLength: 6, unit: "binary" })
    .filter((text) => !["__proto__", "constructor", "prototype"].includes(text));
  fc.assert(
    fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), (keys) => {
      expect(parsePath(formatPath(keys))).toEqual(keys);
    }),
  );
});

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
  const quote = (text: string) =>
    (next(2)
      ? JSON.stringify(text)
      : `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
    )
      .replaceAll("\u2028", "\\u2028")
      .replaceAll("\u2029", "\\u2029");
  const name = (text: string) => (/^[A-Za-z_$][\w$]*$/u.test(text) && next(2) ? text : quote(text));
  const make = (item: unknown): string => {
    if (typeof item === "string") return quote(item);
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

test("random documents and edits: the value is the patched one, and nothing but the named place changes", () => {
  const path = fc.array(fc.oneof(key, fc.constantFrom("0", "1", "2")), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(document, seedOfStyle, path, fc.option(json, { nil: undefined }), (value, style, at, next) => {
      const text = written(value, style[Symbol.iterator]());
      expect(parseDocument(text)).toEqual(value);
      const change: Edit = { path: at, value: next };
      const expected = structuredClone(value);
      try {
        setIn(expected, change);
      } catch {
        expect(() => editText(text, [change], "f")).toThrow();
        return;
      }
      const edited = editText(text, [change], "f");
      expect(parseDocument(edited)).toEqual(expected);
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
        expect(gone.filter((comment) => !named.includes(bones(comment)))).toEqual([]);
      }
      expect(edited.startsWith("\uFEFF")).toBe(text.startsWith("\uFEFF"));
    }),
    { numRuns: 1_500 },
  );
});

test("random pairs of documents: the edits between them lead from one to the other", () => {
  fc.assert(
    fc.property(document, document, seedOfStyle, (before, after, style) => {
      const text = written(before, style[Symbol.iterator]());
      expect(parseDocument(editText(text, editsBetween(before, after), "f"))).toEqual(after);
    }),
    { numRuns: 500 },
  );
});
