/** The checks of a start, before anything is touched: by the gateway itself, before a restart, and by whoever asks whether a
 *  start would succeed. */
import { describeIssues, readConfig, type ConfigSnapshot } from "../config/index.ts";
import { commandLine, configPath } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import { lastGoodHint } from "./applied-config.ts";
import { declared, type EffectiveConfig } from "./sections.ts";
import { resolveEndpoint, StartRefused, type Endpoint, type LaunchFlags } from "./startup-checks.ts";

/** Where and how a gateway on this config listens. Throws StartRefused when it could not start; a missing file is legal. */
export function judge(snapshot: ConfigSnapshot, flags: LaunchFlags, world: World): Endpoint {
  if (snapshot.verdict !== "ok" && snapshot.verdict !== "missing") {
    throw new StartRefused(
      `${describeIssues(snapshot)}${lastGoodHint(snapshot.path, world)}\nRun "${commandLine(world, "doctor")}" to repair, then retry.`,
    );
  }
  return resolveEndpoint(flags, (snapshot.config as EffectiveConfig).gateway, snapshot.exists, snapshot.path, world);
}

/** The port a start with these flags would take. Throws StartRefused when the start would be refused. */
export function configuredPort(flags: LaunchFlags, world: World): number {
  return judge(readConfig(configPath(world), world, declared), flags, world).port;
}

/** What the gateway would say and end with 78, on the file as it is now; undefined when the file does not stop it. */
export function startProblem(flags: LaunchFlags, world: World): string | undefined {
  try {
    configuredPort(flags, world);
    return undefined;
  } catch (error) {
    if (error instanceof StartRefused) return error.message;
    throw error;
  }
}
