/** `setup`: first config, token, workspace; nothing is overwritten. */
import { CommandError, UsageError } from "./command.ts";
import type { Context } from "./command.ts";
import { rooms } from "./rooms.ts";

export async function run(context: Context): Promise<number> {
  const { options } = context;
  if (options.has("wizard")) {
    throw new CommandError(
      "--wizard is not offered yet. Run setup without it: it asks nothing and overwrites nothing.",
    );
  }
  const mode = options.text("mode") === "remote" ? "remote" : "local";
  if (mode === "local" && (options.has("remote-url") || options.has("remote-token"))) {
    throw new UsageError("--remote-url and --remote-token need --mode remote");
  }
  if (mode === "remote" && options.has("remote-url")) {
    throw new CommandError("--remote-url is not offered yet. Set gateway.remote.url in the config file.");
  }
  const workspace = options.text("workspace");
  const { runSetup } = await rooms.setup.load();
  const lines = await runSetup({ mode, ...(workspace ? { workspace } : {}) }, await context.io.world());
  context.print(...lines);
  return 0;
}
