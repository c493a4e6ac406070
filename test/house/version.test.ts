import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./sources.ts";

const versionOf = (path: string): string =>
  (JSON.parse(readFileSync(join(root, path), "utf8")) as { version: string }).version;

test("all packages carry one version, and sources report it too", () => {
  const version = versionOf("package.json");
  for (const path of ["packages/protocol", "packages/client", "packages/gateway", "apps/control-ui"]) {
    expect([path, versionOf(`${path}/package.json`)]).toEqual([path, version]);
  }
  expect(readFileSync(join(root, "packages/gateway/src/kernel/version.ts"), "utf8")).toContain(`"${version}"`);
});
