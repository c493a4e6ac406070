/** `npm run check`: everything a machine can judge without running the product. One line per part, output only of what
 *  failed. */
import { join } from "node:path";
import { build } from "./build.ts";
import { bin, root, run } from "./root.ts";

const node = process.execPath;
const script = (name: string, ...args: string[]) =>
  run(node, ["--conditions=openclaw-source", join(root, "scripts", name), ...args]);

const parts = {
  format: () => run(bin("oxfmt"), ["--check", "."]),
  lint: () => run(bin("oxlint"), ["--deny-warnings"]),
  types: () => run(bin("tsc"), ["-p", "tsconfig.json"]),
  "types of the app": () => run(bin("tsc"), ["-p", "apps/control-ui"]),
  "types of the A2UI page": () => run(bin("tsc"), ["-p", "apps/a2ui"]),
  protocol: () => script("protocol-gen.ts", "--check"),
  generated: () => script("generate.ts", "--check", "--references-only"),
  house: async () => {
    await build();
    return run(node, [join(root, "node_modules/vitest/vitest.mjs"), "run", "test/house"]);
  },
};

let failed = 0;
await Promise.all(
  Object.entries(parts).map(async ([name, start]) => {
    const startedAt = performance.now();
    const result = await start().catch((error: unknown) => ({ code: 1, output: String(error) }));
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    if (result.code === 0) return console.log(`ok      ${name} (${seconds} s)`);
    failed += 1;
    console.log(`FAILED  ${name} (${seconds} s)\n${result.output.trimEnd()}\n`);
  }),
);
console.log(failed === 0 ? "all good" : `${failed} of ${Object.keys(parts).length} parts failed`);
process.exit(failed === 0 ? 0 : 1);
