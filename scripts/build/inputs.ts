/** What a build depends on, as one hash. */
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../root.ts";

const patterns = [
  "package-lock.json",
  "tsconfig.base.json",
  "packages/*/package.json",
  "packages/*/tsconfig.build.json",
  "packages/*/src/**/*",
  "packages/protocol/generated/*.{js,ts,json}",
  "apps/control-ui/{index.html,vite.config.ts,package.json}",
  "apps/control-ui/{src,public}/**/*",
  "apps/a2ui/index.html",
  "apps/a2ui/src/**/*",
  "scripts/build.ts",
  "scripts/build/*.ts",
];

export function hashInputs(): string {
  const hash = createHash("sha256");
  hash.update(process.version);
  const files = globSync(patterns, { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test(-support)?\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(file));
  return hash.digest("hex");
}
