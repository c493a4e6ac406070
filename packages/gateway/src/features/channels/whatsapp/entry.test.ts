import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";

test("the library is optional, and pinned to the one version this was written for", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../../../package.json", import.meta.url), "utf8")) as {
    dependencies?: Record<string, string>;
    optionalDependencies: Record<string, string>;
  };
  expect(manifest.optionalDependencies["baileys"]).toBe("7.0.0-rc14");
  expect(manifest.dependencies ?? {}).not.toHaveProperty("baileys");
  const installed = createRequire(import.meta.url)("baileys/package.json") as { version: string; type: string };
  expect(installed).toMatchObject({ version: "7.0.0-rc14", type: "module" });
});
