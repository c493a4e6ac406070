/** `setup`: first config, token, workspace; nothing is overwritten. With `--wizard` it asks, as `onboard` does. */
import { UsageError } from "./command.ts";
import type { Context } from "./command.ts";
import { run as onboard } from "./onboard.ts";
import { rooms } from "./rooms.ts";
import { runWizard } from "./wizard.ts";

export async function run(context: Context): Promise<number> {
  const { options } = context;
  const mode = options.text("mode") === "remote" ? "remote" : "local";
  const remote = options.has("remote-url") || options.has("remote-token");
  if (mode === "local" && remote) throw new UsageError("--remote-url and --remote-token need --mode remote");
  if (options.has("wizard")) {
    if (options.has("non-interactive"))
      throw new UsageError("--wizard asks. Without questions: onboard --non-interactive --accept-risk");
    return onboard(context);
  }
  if (remote) return connectTo(context);
  const workspace = options.text("workspace");
  const { runSetup } = await rooms.setup.load();
  const lines = await runSetup({ mode, ...(workspace ? { workspace } : {}) }, await context.io.world());
  context.print(...lines);
  return 0;
}

/** A gateway elsewhere: nothing runs here, so that there is no risk to accept. */
async function connectTo(context: Context): Promise<number> {
  const { options } = context;
  const wizard = await runWizard(context, {
    command: "onboard",
    title: "",
    silent: true,
    instead: "",
    given: {
      risk: true,
      existing: "modify",
      mode: "remote",
      ...(options.has("remote-url") ? { "remote-url": options.text("remote-url") } : {}),
      ...(options.has("remote-token") ? { "remote-token": options.text("remote-token") } : {}),
      apply: true,
    },
  });
  context.print(...(wizard.state.draft.written ?? []));
  return 0;
}
