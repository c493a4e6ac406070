import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

/** Modules that importing `file` loads: imports and re-exports that are not of types. */
function loaded(file: string, seen = new Map<string, string[]>()): Map<string, string[]> {
  if (seen.has(file)) return seen;
  const text = readFileSync(file, "utf8");
  const wanted = [...text.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from\s+"([^"]+)"/gm)].map(
    (match) => match[1] ?? "",
  );
  seen.set(
    file,
    wanted.filter((specifier) => !specifier.startsWith(".")),
  );
  for (const specifier of wanted) if (specifier.startsWith(".")) loaded(join(dirname(file), specifier), seen);
  return seen;
}

test("the main entry loads plain data only: no package, no schema", () => {
  const modules = loaded(join(import.meta.dirname, "index.ts"));
  expect([...modules.values()].flat()).toEqual([]);
  expect([...modules.keys()].some((file) => /schema\.ts|fields\.ts|spaces/.test(file))).toBe(false);
  expect(modules.size).toBeGreaterThan(4);
});

test("the validators need no package", () => {
  for (const name of ["validators.js", "answers.js"]) {
    const text = readFileSync(join(import.meta.dirname, "../generated", name), "utf8");
    expect(/\brequire\(|^import\s/m.test(text), name).toBe(false);
  }
});
