import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Files of this room and packages that importing `file` loads at once; types and lazy chunks are not. */
function loaded(file: URL, files = new Set<string>(), packages = new Set<string>()) {
  if (files.has(file.pathname)) return { files, packages };
  files.add(file.pathname);
  for (const [, target = ""] of readFileSync(file, "utf8").matchAll(
    /^(?:import|export) (?!type )[^;]*?from "([^"]+)";/gms,
  )) {
    if (target.startsWith(".")) loaded(new URL(target, file), files, packages);
    else packages.add(target);
  }
  return { files, packages };
}

test("the door loads no provider library", () => {
  const { files, packages } = loaded(new URL("./index.ts", import.meta.url));
  expect([...packages].sort()).toEqual(["@openclaw/protocol", "node:crypto", "node:fs", "node:path", "typebox"]);
  expect([...files].filter((file) => file.includes("/dialects/"))).toEqual([]);
});
