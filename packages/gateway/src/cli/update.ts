/** `update` and `update status`: what kind of installation this is, and the command that updates it. Neither changes
 *  anything, so `update` ends with 1: a script that runs it must not believe the program is new. */
import { VERSION } from "../kernel/version.ts";
import type { Context } from "./command.ts";
import { rooms } from "./rooms.ts";

async function look(context: Context): Promise<{ advice: string; report: Record<string, unknown> }> {
  const { findInstall, updateAdvice } = await rooms.install.load();
  const install = findInstall(import.meta.dirname, await context.io.world());
  const advice = updateAdvice(install, VERSION);
  return { advice, report: { status: "skipped", program: VERSION, ...install, reason: advice } };
}

export async function run(context: Context): Promise<number> {
  const { advice, report } = await look(context);
  if (context.json) context.printJson(report);
  else context.print(`openclaw ${VERSION} was not updated.`, advice);
  return 1;
}

export async function status(context: Context): Promise<number> {
  const { advice, report } = await look(context);
  if (context.json) context.printJson(report);
  else {
    const { kind, root, commit } = report as { kind: string; root?: string; commit?: string };
    context.print(
      `Version: ${VERSION}`,
      `Installed as: ${kind === "git" ? "source checkout" : kind === "npm" ? "npm package" : "unknown"}`,
      ...(root === undefined ? [] : [`Where: ${root}`]),
      ...(commit === undefined ? [] : [`Commit: ${commit.slice(0, 12)}`]),
      advice,
    );
  }
  return 0;
}
