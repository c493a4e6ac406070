/** `configure`, and `config` alone: goes through the named parts of the set-up again. */
import type { Context } from "./command.ts";
import { suggest } from "./profile.ts";
import { runWizard } from "./wizard.ts";

export async function run(context: Context): Promise<number> {
  const { options, io } = context;
  const sections = options.all("section");
  const wizard = await runWizard(context, {
    command: "configure",
    title: "OpenClaw: configure",
    given: sections.length > 0 ? { sections } : {},
    silent: false,
    instead: `Without one: ${suggest(io.env, "config set <path> <value>")}, or ${suggest(io.env, "onboard --non-interactive --accept-risk")}`,
  });
  return wizard.state.draft.declined && sections.length > 0 ? 1 : 0;
}
