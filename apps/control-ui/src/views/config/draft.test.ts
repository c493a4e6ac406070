import { expect, test } from "vitest";
import { apply, changesOf, edited, holdsSecret, noEdits, patchOf, type Draft } from "./draft.ts";
import { lineDiff, withoutSecrets } from "./line-diff.ts";
import { rawState } from "./raw-state.ts";
import { redacted, type Path } from "./schema.ts";

const stored = { gateway: { port: 1, auth: { token: redacted } }, list: [{ id: "a" }, { id: "b" }], note: "x" };
const draft = (...edits: [Path, unknown][]): Draft =>
  edits.reduce((before, [path, value]) => edited(before, stored, path, value), noEdits);

test("an edit changes its path only, and goes out as a patch of it", () => {
  const edits = draft([["gateway", "port"], 2], [["new", "deep"], true]);
  expect(apply(stored, edits)).toEqual({ ...stored, gateway: { ...stored.gateway, port: 2 }, new: { deep: true } });
  expect(patchOf(edits)).toEqual({ gateway: { port: 2 }, new: { deep: true } });
});

test("a setting that is taken out is null in the patch and gone from the document", () => {
  const edits = draft([["note"], undefined]);
  expect(patchOf(edits)).toEqual({ note: null });
  expect(apply(stored, edits)).not.toHaveProperty("note");
});

test("what is as it was is no change", () => {
  expect(draft([["gateway", "port"], 2], [["gateway", "port"], 1]).size).toBe(0);
  expect(draft([["list"], [{ id: "a" }, { id: "b" }]]).size).toBe(0);
});

test("a list goes out whole, and edits within it add up", () => {
  const edits = draft([["list", 0, "id"], "A"], [["list", 1, "id"], "B"]);
  expect(patchOf(edits)).toEqual({ list: [{ id: "A" }, { id: "B" }] });
  expect(edits.size).toBe(1);
});

test("an edit above replaces those below; one below an edit changes that edit", () => {
  expect(patchOf(draft([["gateway", "port"], 2], [["gateway"], { port: 3 }]))).toEqual({ gateway: { port: 3 } });
  expect(patchOf(draft([["fresh"], {}], [["fresh", "a"], 1]))).toEqual({ fresh: { a: 1 } });
});

test("changes are told without secrets, stored or new", () => {
  const changes = changesOf(draft([["gateway", "auth", "token"], "sk-123"], [["note"], undefined]), stored, {});
  expect(changes).toEqual([
    { path: "gateway.auth.token", before: "the stored secret", after: "another secret" },
    { path: "note", before: '"x"', after: "not set" },
  ]);
  expect(JSON.stringify(changesOf(draft([["gateway"], { auth: { token: "sk-123" } }]), stored, {}))).not.toContain(
    "sk-123",
  );
});

test("a stored secret is found however deep it is", () => {
  expect(holdsSecret([{ a: [{ token: redacted }] }])).toBe(true);
  expect(holdsSecret([{ a: ["token"] }])).toBe(false);
});

test("changed lines stand among a few that stayed", () => {
  const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  const after = [...lines.slice(0, 9), "fresh", ...lines.slice(10)];
  expect(lineDiff(lines.join("\n"), after.join("\n")).map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    "skip 6 lines",
    "same line 6",
    "same line 7",
    "same line 8",
    "gone line 9",
    "new fresh",
    "same line 10",
    "same line 11",
    "same line 12",
    "skip 7 lines",
  ]);
  expect(lineDiff("a\nb", "a\nb")).toEqual([]);
  expect(lineDiff("", "a").map(({ kind }) => kind)).toEqual(["gone", "new"]);
});

test("a secret that was typed into the text is not shown in the diff", () => {
  expect(withoutSecrets(`  apiKey: "sk-1", name: "x",`)).toBe(`  apiKey: "••••••", name: "x",`);
  expect(withoutSecrets(`"botToken":'a\\'b'`)).toBe(`"botToken":"••••••"`);
  expect(withoutSecrets(`token: "${redacted}"`)).toBe(`token: "${redacted}"`);
});

test("what is wrong with a text is placed at its key, its value, or the nearest thing around it", () => {
  const schema = {
    type: "object",
    properties: {
      a: { type: "object", properties: { n: { type: "integer" } }, required: ["n"], additionalProperties: false },
    },
  };
  const at = (text: string, said: { path: string; message: string }[] = []) =>
    rawState(text, schema, said).issues.map(({ line, column, message }) => `${line}:${column} ${message}`);
  expect(at("{\n  a: {\n    n: 'x',\n  },\n}")).toEqual(["3:8 a.n must be a whole number, not text"]);
  expect(at("{\n  a: {\n    n: 1,\n    m: 2,\n  },\n}")).toEqual(["4:5 a.m is not a setting"]);
  expect(at("{ a: {} }", [{ path: "a.deep.er", message: "is odd" }])).toEqual(["1:6 a.deep.er is odd"]);
  expect(rawState("[]", schema, []).problem?.message).toBe("the config must be an object");
});
