/** `npm run conformance -- --url ws://host:port --token …`: the black-box cases against any gateway; without --url all cases
 *  against gateways of our own. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { url: { type: "string" }, token: { type: "string" } } });
const root = join(import.meta.dirname, "..", "..");
const ran = spawnSync(
  process.execPath,
  [join(root, "node_modules", "vitest", "vitest.mjs"), "run", "test/conformance"],
  {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      ...(values.url ? { CONFORMANCE_URL: values.url, CONFORMANCE_TOKEN: values.token ?? "" } : {}),
    },
  },
);
process.exitCode = ran.status ?? 1;
