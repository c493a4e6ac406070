import * as fc from "fast-check";
import { expect, test } from "vitest";
import { wrongEdits } from "./edit.fixture.ts";
import { editText } from "./edit.ts";
import { formatPath, parsePath } from "./path.ts";

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

test("two thousand random documents and edits: the value is the patched one, and nothing but the named place changes", () => {
  const seed = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31));
  expect(wrongEdits({ seed, documents: 2_000 })).toEqual([]);
});
