import { expect, test } from "vitest";
import type { Edit } from "./edit.ts";
import { editText } from "./edit.ts";
import { refuseUnnamedLoss } from "./guard.ts";

const text = `{
  // by hand
  gateway: { mode: "local", port: 1 },
  channels: { telegram: { botToken: "123:abc", groups: { a: { requireMention: true }, b: { requireMention: false } } } },
  env: { A: "a long value that fills the file", B: "another long value that fills the file" },
}
`;
const port: Edit = { path: ["gateway", "port"], value: 2 };
const check = (after: string, ...edits: Edit[]) => refuseUnnamedLoss(text, after, edits, "openclaw.json");

test("a top-level key that no edit names may not go, however small it is", () => {
  expect(() => check(text.replace(/ {2}gateway.*\n/u, ""), { path: ["env", "A"], value: "x" })).toThrow(
    "openclaw.json: the edit would remove gateway without naming it. Nothing was written.",
  );
  for (const key of ["gateway", "channels", "env"])
    expect(() =>
      check(editText(text, [{ path: [key], value: undefined }], "f"), { path: [key], value: undefined }),
    ).not.toThrow();
});

test("more than a fifth of the text may not go unless it is part of what an edit names", () => {
  const emptied = text.replace(/groups: \{.*?\} \} \} \}/u, "} }").replace(/(A|B): "[^"]*"/gu, '$1: ""');
  expect(emptied).toContain("channels");
  expect(() => check(emptied, port)).toThrow("remove a large part of the file without naming it");
  // Removing one thing is no leave to remove another.
  expect(() => check(emptied, { path: ["gateway", "port"], value: undefined })).toThrow("a large part of the file");
  expect(() => check("{ gateway: {}, channels: {}, env: {} }", { path: ["env", "A"], value: { a: 1 } })).toThrow(
    "a large part of the file",
  );
});

test("an edit may take all that it names, and shorten it", () => {
  for (const edits of [
    [{ path: ["channels", "telegram"], value: undefined }],
    [{ path: ["channels"], value: { telegram: { botToken: "x" } } }],
    [{ path: ["env"], value: {} }, port],
    [{ path: ["channels", "telegram", "groups"], value: {} }],
    [
      { path: ["env", "A"], value: "" },
      { path: ["env", "B"], value: undefined },
    ],
  ] satisfies Edit[][])
    expect(() => check(editText(text, edits, "f"), ...edits), JSON.stringify(edits)).not.toThrow();
});

test("white space and a change that loses little are no loss", () => {
  expect(() => check(text.replace(/ {2,}/gu, " ").replace("// by hand", "//"), port)).not.toThrow();
});
