/** lifecycle.md row by row: `lifecycle-rows.txt` names the test that shows each [core] row of the sections an operator lives with,
 *  and these tests keep that list true: every named test exists and runs, and every test that carries a section's number is
 *  named. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dotted, isNode, root, sources, walk, type Node } from "./sources.ts";

interface Row {
  line: number;
  section: string;
  row: string;
  /** Path in the checkout; undefined for a row left out, whose `test` then is the reason. */
  file: string | undefined;
  test: string;
}

const integration = /^(integration|conformance|regression|soak)\//;
const path = (file: string) => `${integration.test(file) ? "test" : "packages/gateway/src"}/${file}.test.ts`;

const lines = readFileSync(join(root, "test/house/lifecycle-rows.txt"), "utf8").split("\n");
const rows: Row[] = lines.flatMap((text, i) => {
  if (text === "" || text.startsWith("#")) return [];
  const [section = "", row = "", file = "", ...rest] = text.split(" | ");
  return [{ line: i + 1, section, row, file: file === "out" ? undefined : path(file), test: rest.join(" | ") }];
});

/** Every numbered row or section that has [core] rows; those of §9 and §10 have tests of their own kinds. */
const numbered = [
  ...Array.from({ length: 11 }, (_, i) => `2.2.${i + 1}`),
  ..."5.1 5.2.1 5.2.2 5.2.3 5.2.4 6.1 6.2 6.3 6.4 6.5 6.6 7.3 7.4 7.5 7.6 8.1 8.2 8.3 8.4 8.5 11.1 12.1 12.2 12.3".split(
    " ",
  ),
  ..."13.1 13.2 14.1 14.2 14.3 14.4 14.6 14.7 14.8".split(" "),
  ...Array.from({ length: 13 }, (_, i) => `14.9.${i + 1}`),
];

/** What a call calls at its beginning: `test` of `test.each(…)(…)`. */
function calls(node: unknown): string {
  if (!isNode(node)) return "";
  if (node.type === "CallExpression") return calls(node.callee);
  return dotted(node) ?? (node.type === "MemberExpression" ? calls(node.object) : "");
}

/** Names of the tests of a file; `blackBox` is the conformance suite's own. */
function testsOf(file: string): string[] {
  const names: string[] = [];
  walk(sources().find((source) => source.path === file)?.ast, (node) => {
    if (node.type !== "CallExpression" || !/^(test|blackBox)(\.|$)/.test(calls(node))) return;
    const [name] = node.arguments as Node[];
    if (name?.type === "Literal" && typeof name.value === "string") names.push(name.value);
  });
  return names;
}

test("every row has four parts, and says why when it is left out", () => {
  expect(rows.filter(({ section, row, test: name }) => !/^\d/.test(section) || row === "" || name === "")).toEqual([]);
  const parts = rows.map(({ section, row }) => `${section} ${row}`);
  expect(parts.filter((part, i) => parts.indexOf(part) !== i)).toEqual([]);
});

test("every numbered row of the specification is there", () => {
  const there = new Set(rows.map(({ section }) => section));
  expect(numbered.filter((section) => !there.has(section))).toEqual([]);
});

test("every named test exists by its exact name", () => {
  const known = new Map<string, string[]>();
  const missing = rows.filter(({ file, test: name }) => {
    if (file === undefined) return false;
    if (!known.has(file)) known.set(file, existsSync(join(root, file)) ? testsOf(file) : []);
    return !known.get(file)?.includes(name);
  });
  expect(missing.map(({ line, file, test: name }) => `line ${line}: ${file}: ${name}`)).toEqual([]);
});

test("every test that carries a section's number is named", () => {
  const named = new Set(rows.map(({ file, test: name }) => `${file}: ${name}`));
  const sections = /^(?:lifecycle |§)(?:2\.2|5|6|7\.[3-6]|8|1[1-4])(?:\.|,|:| )/;
  const forgotten = sources()
    .filter((source) => source.path.endsWith(".test.ts"))
    .flatMap((source) => testsOf(source.path).map((name) => ({ name, line: `${source.path}: ${name}` })))
    .filter(({ name, line }) => sections.test(name) && !named.has(line));
  expect(forgotten.map(({ line }) => line)).toEqual([]);
});
