import { expect, test } from "vitest";
import { Json5Error, lineAndColumn, parseJson5, pathKey } from "./json5.ts";

const problem = (text: string): string => {
  try {
    parseJson5(text);
  } catch (error) {
    if (!(error instanceof Json5Error)) throw error;
    const { line, column } = lineAndColumn(text, error.offset);
    return `${line}:${column} ${error.message}`;
  }
  return "fine";
};

test("everything JSON5 knows is understood", () => {
  const { value } = parseJson5(`\uFEFF// a comment
  {
    bare: 'single \\'quotes\\'', "quoted": "a\\u0041\\x42\\n", /* between */
    numbers: [0x1F, .5, 5., +1, -2, 1e3, Infinity, -Infinity],
    "long": "one \\
two", yes: true, no: false, nothing: null, $dollar_1: [[], {},],
  }`);
  expect(value).toEqual({
    bare: "single 'quotes'",
    quoted: "aAB\n",
    numbers: [31, 0.5, 5, 1, -2, 1000, Infinity, -Infinity],
    long: "one two",
    yes: true,
    no: false,
    nothing: null,
    $dollar_1: [[], {}],
  });
  expect(parseJson5("NaN").value).toBeNaN();
});

test("plain JSON means what JSON.parse says", () => {
  const text = JSON.stringify({ a: [1, { b: "x\ny\u2028" }, null], "": { "a.b": -0.5e-3 }, ü: "\\" }, null, 3);
  expect(parseJson5(text).value).toEqual(JSON.parse(text));
});

test("every value and key has its place", () => {
  const text = `{ a: { "b.c": [10, 20] } }`;
  const { places } = parseJson5(text);
  const shown = (path: (string | number)[]) => {
    const place = places.get(pathKey(path));
    return (
      place && [text.slice(place.start, place.end), place.key === undefined ? "" : text.slice(place.key).slice(0, 3)]
    );
  };
  expect(shown(["a", "b.c", 1])).toEqual(["20", ""]);
  expect(shown(["a", "b.c"])).toEqual(["[10, 20]", '"b.']);
  expect(shown([])).toEqual([text, ""]);
});

test("a mistake is named with line and column", () => {
  expect(problem("{\n  a: 1\n  b: 2\n}")).toBe("3:3 a comma or } must stand before b");
  expect(problem("{\n  a: [1,\n")).toBe("3:1 the bracket of line 2 is not closed by ]");
  expect(problem('{ a: "open\n }')).toBe("1:6 the quote that opens here is not closed");
  expect(problem("{ a: yes }")).toBe("1:6 yes must stand in quotes");
  expect(problem("{ a 1 }")).toBe("1:5 a colon must follow a");
  expect(problem("{ a: 1 } x")).toBe("1:10 nothing may follow the closing bracket");
  expect(problem("{ a: /* never")).toBe("1:6 the comment that opens here is not closed");
  expect(problem("{ a: '\\u12' }")).toBe("1:9 \\u needs 4 hexadecimal digits");
  expect(problem("")).toBe("1:1 the text ends where a value should stand");
  expect(problem("[".repeat(200))).toMatch(/nested too deeply/);
});

test("a key may be called __proto__ without becoming one", () => {
  const { value } = parseJson5('{ "__proto__": { "admin": true } }');
  expect(Object.keys(value as object)).toEqual(["__proto__"]);
  expect((value as { admin?: boolean }).admin).toBeUndefined();
});
