/** `npm start [-- <options of openclaw gateway run>]`: builds when stale, writes a first config when there is none, then runs
 *  the gateway in the foreground. Signals and the exit code pass through. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { configPath } from "../packages/gateway/src/kernel/paths.ts";
import { build } from "./build.ts";
import { root, runHere } from "./root.ts";

const main = join(root, "packages/gateway/dist/main.js");
/** How the gateway names its own command line in what it prints. */
const env = { OPENCLAW_COMMAND: relative(process.cwd(), join(root, "packages/gateway/bin/openclaw")), ...process.env };
const openclaw = (...args: string[]) => runHere(process.execPath, [main, ...args], { env });

await build();
const config = configPath({ env: process.env, homedir: () => process.env.HOME || homedir() });
if (!existsSync(config)) {
  const code = await openclaw("setup");
  if (code !== 0) process.exit(code);
}
process.exit(await openclaw("gateway", "run", ...process.argv.slice(2)));
