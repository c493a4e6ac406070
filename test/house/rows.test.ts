/** The specification row by row: each file of `rows/` names, for one page, the test that shows each [core] row or conformance case,
 *  and these tests keep those lists true: every numbered row is there, every named test exists and runs, and every test that
 *  carries a number of the page is named. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dotted, isNode, root, sources, walk, type Node } from "./sources.ts";

interface Row {
  line: number;
  section: string;
  row: string;
  /** Path in the checkout; undefined for a row left out, whose `test` then is the reason. */
  file: string | undefined;
  test: string;
}

interface Page {
  /** Every numbered row, section or case that must be there. */
  numbered: string[];
  /** What the name of a test looks like that carries a number of this page. */
  carries: RegExp;
  /** Files where such names mean this page; default every `*.test.ts`. */
  within?: RegExp;
}

const words = (text: string) => text.split(" ");
const cases = (letter: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${letter}${String(i + 1).padStart(2, "0")}`);

const pages: Record<string, Page> = {
  /** The rows of the sections an operator lives with; those of §9 and §10 have tests of their own kinds. */
  lifecycle: {
    numbered: [
      ...Array.from({ length: 11 }, (_, i) => `2.2.${i + 1}`),
      ...words(
        "5.1 5.2.1 5.2.2 5.2.3 5.2.4 6.1 6.2 6.3 6.4 6.5 6.6 7.3 7.4 7.5 7.6 8.1 8.2 8.3 8.4 8.5 11.1 12.1 12.2 12.3",
      ),
      ...words("13.1 13.2 14.1 14.2 14.3 14.4 14.6 14.7 14.8"),
      ...Array.from({ length: 13 }, (_, i) => `14.9.${i + 1}`),
    ],
    carries: /^(?:lifecycle |§)(?:2\.2|5|6|7\.[3-6]|8|1[1-4])(?:\.|,|:| )/,
  },
  /** Sections 1-7 of the channels, and the drills of §10. */
  channels: {
    numbered: [
      ...words("1.1 1.2 1.3 2.1 2.2 2.3 3 4.1 4.2 4.3 4.4 5.1 5.2 5.3 5.4 5.5 5.6 5.7 5.8"),
      ...words("6.1 6.2 6.3 6.4 6.5 6.6 6.7 6.8 7.1 7.2 7.4 7.5 7.6 7.8 10"),
    ],
    carries: /^channels \d/,
  },
  /** The conformance cases of chat completions, responses, tools, hooks and the multiplexer (§8.12, 9.10, 11.11, 12.13, 15.4). */
  http: {
    numbered: [...cases("C", 28), ...cases("R", 28), ...cases("T", 25), ...cases("W", 30), ...cases("X", 25)],
    carries: /^[CRTWX]\d\d\b/,
  },
  /** The conformance cases of §17. */
  "control-ui": {
    numbered: Array.from({ length: 40 }, (_, i) => String(i + 1)),
    carries: /\[\d[\d, ]*\]$/,
    within: /^test\/e2e\//,
  },
};

const tests = /^(integration|conformance|regression|soak|fakes|fuzz|house|e2e)\//;

/** The file of a row: a folder of `test/`, a workspace package, or a room of the gateway. */
function path(file: string): string {
  const folder = tests.test(file) ? "test/" : /^(apps|packages)\//.test(file) ? "" : "packages/gateway/src/";
  return `${folder}${file}${file.endsWith(".ts") ? "" : ".test.ts"}`;
}

function rowsOf(page: string): Row[] {
  const lines = readFileSync(join(root, `test/house/rows/${page}.txt`), "utf8").split("\n");
  return lines.flatMap((text, i) => {
    if (text === "" || text.startsWith("#")) return [];
    const [section = "", row = "", file = "", ...rest] = text.split(" | ");
    return [{ line: i + 1, section, row, file: file === "out" ? undefined : path(file), test: rest.join(" | ") }];
  });
}

/** What a call calls at its beginning: `test` of `test.each(…)(…)`. */
function calls(node: unknown): string {
  if (!isNode(node)) return "";
  if (node.type === "CallExpression") return calls(node.callee);
  return dotted(node) ?? (node.type === "MemberExpression" ? calls(node.object) : "");
}

const known = new Map<string, string[]>();

/** Names of the tests of a file; `blackBox` is the conformance suite's own. */
function testsOf(file: string): string[] {
  const before = known.get(file);
  if (before !== undefined) return before;
  const names: string[] = [];
  if (existsSync(join(root, file)))
    walk(sources().find((source) => source.path === file)?.ast, (node) => {
      if (node.type !== "CallExpression" || !/^(test|blackBox)(\.|$)/.test(calls(node))) return;
      const [name] = node.arguments as Node[];
      if (name?.type === "Literal" && typeof name.value === "string") names.push(name.value);
    });
  known.set(file, names);
  return names;
}

describe.each(Object.entries(pages))("%s", (page, { numbered, carries, within = /\.test\.ts$/ }) => {
  const rows = rowsOf(page);

  test("every row has four parts, and says why when it is left out", () => {
    expect(
      rows.filter(({ section, row, test: name }) => !/^[A-Z]?\d/.test(section) || row === "" || name === ""),
    ).toEqual([]);
    const parts = rows.map(({ section, row }) => `${section} ${row}`);
    expect(parts.filter((part, i) => parts.indexOf(part) !== i)).toEqual([]);
  });

  test("every numbered row of the specification is there", () => {
    const there = new Set(rows.map(({ section }) => section));
    expect(numbered.filter((section) => !there.has(section))).toEqual([]);
  });

  test("every named test exists by its exact name", () => {
    const missing = rows.filter(({ file, test: name }) => file !== undefined && !testsOf(file).includes(name));
    expect(missing.map(({ line, file, test: name }) => `line ${line}: ${file}: ${name}`)).toEqual([]);
  });

  test("every test that carries a number of the page is named", () => {
    const named = new Set(rows.map(({ file, test: name }) => `${file}: ${name}`));
    const forgotten = sources()
      .filter((source) => within.test(source.path))
      .flatMap((source) => testsOf(source.path).map((name) => ({ name, line: `${source.path}: ${name}` })))
      .filter(({ name, line }) => carries.test(name) && !named.has(line));
    expect(forgotten.map(({ line }) => line)).toEqual([]);
  });
});
