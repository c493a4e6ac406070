/** `npm run generate [-- --check]`: everything that is derived from declarations and committed. With `--check` nothing is
 *  written; the exit code is 1 when a file is stale. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cliReference } from "./generate/cli-reference.ts";
import { configReference } from "./generate/config-reference.ts";
import { dependencyList } from "./generate/dependency-list.ts";
import { root, runHere } from "./root.ts";

/** Text by path of the checkout. */
const references: Record<string, () => string | Promise<string>> = {
  "docs/reference/config.md": configReference,
  "docs/reference/cli.md": cliReference,
  "test/house/dependencies.txt": dependencyList,
};

const checking = process.argv.includes("--check");
let stale = 0;

if (!process.argv.includes("--references-only")) {
  const args = [
    "--conditions=openclaw-source",
    join(root, "scripts/protocol-gen.ts"),
    ...(checking ? ["--check"] : []),
  ];
  const code = await runHere(process.execPath, args);
  if (code !== 0) process.exit(code);
}
for (const [path, make] of Object.entries(references)) {
  const text = await make();
  if (read(join(root, path)) === text) continue;
  stale += 1;
  if (checking) {
    console.log(`${path} is stale: run npm run generate`);
    continue;
  }
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  console.log(`wrote ${path}`);
}
if (checking && stale > 0) process.exit(1);
if (stale === 0) console.log("references are fresh");

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not generated yet.
    return undefined;
  }
}
