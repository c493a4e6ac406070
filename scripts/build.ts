/** `npm run build [-- --force]`: the gateway bundle and the publishable protocol and client. Does nothing when the inputs
 *  are those of the last build. Output appears file by file under content-hashed names and the entry is swapped last, so a
 *  running gateway, or a test that starts one, can go on using `dist` while a build writes. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleGateway } from "./build/bundle.ts";
import { hashInputs } from "./build/inputs.ts";
import { compileLibraries } from "./build/libraries.ts";
import { buildDir, root } from "./root.ts";

const stampPath = join(buildDir, "stamp");

/** Builds when stale. Resolves to whether anything was written. */
export async function build(options: { force?: boolean } = {}): Promise<boolean> {
  const stamp = hashInputs();
  if (!options.force && readStamp() === stamp) return false;
  const startedAt = performance.now();
  mkdirSync(buildDir, { recursive: true });
  const [chunks] = await Promise.all([bundleGateway(), compileLibraries()]).catch((error: unknown): never => {
    // A stack of the bundler says nothing about our sources.
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  });
  writeFileSync(stampPath, stamp);
  console.log(`built ${chunks} chunks in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return true;
}

function readStamp(): string | undefined {
  try {
    readFileSync(join(root, "packages/gateway/dist/main.js"));
    return readFileSync(stampPath, "utf8");
  } catch {
    // Never built, or cleaned: both mean stale.
    return undefined;
  }
}

if (import.meta.main) {
  const force = process.argv.includes("--force");
  if (!(await build({ force }))) console.log("up to date");
}
