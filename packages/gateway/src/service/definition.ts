/** From what is known at install time to what is written (R-SVC-3). Pure. */
import { configPath, stateDir } from "../kernel/paths.ts";
import { stopBudgetMs } from "../kernel/lifecycle.ts";
import type { World } from "../kernel/world.ts";
import { describeService, marker, type ServiceNames } from "./names.ts";
import { servicePath } from "./search-path.ts";
import type { Definition } from "./types.ts";

/** After the gateway's own budget a manager waits this long before it kills (R-SHUT-1). */
const killAfterMs = 10_000;
export const stopTimeoutSeconds = (stopBudgetMs + killAfterMs) / 1_000;

export interface DefinitionInputs {
  world: Pick<World, "env" | "homedir" | "platform">;
  names: ServiceNames;
  version: string;
  port: number;
  /** Node, its flags, the entry file. */
  program: readonly string[];
  /** Account of a system unit. */
  user?: string;
}

export function defineService({ world, names, version, port, program, user }: DefinitionInputs): Definition {
  const { env, platform } = world;
  const home = world.homedir();
  const set = (name: string) => Boolean(env[name]);
  const label: readonly [string, string] | undefined =
    platform === "darwin"
      ? ["OPENCLAW_LAUNCHD_LABEL", names.launchdLabel]
      : platform === "win32"
        ? ["OPENCLAW_WINDOWS_TASK_NAME", names.task]
        : ["OPENCLAW_SYSTEMD_UNIT", names.unit];
  const environment: (readonly [string, string])[] = [
    ["HOME", home],
    ["PATH", servicePath(platform, env, home)],
    ...(names.profile ? [["OPENCLAW_PROFILE", names.profile] as const] : []),
    ...(set("OPENCLAW_STATE_DIR") ? [["OPENCLAW_STATE_DIR", stateDir(world)] as const] : []),
    ...(set("OPENCLAW_CONFIG_PATH") ? [["OPENCLAW_CONFIG_PATH", configPath(world)] as const] : []),
    ["OPENCLAW_GATEWAY_PORT", String(port)],
    label,
    ...Object.entries(marker),
    ["OPENCLAW_SERVICE_VERSION", version],
  ];
  return {
    description: describeService(names, version),
    programArguments: [...program, "gateway", "--port", String(port)],
    workingDirectory: home,
    environment,
    stateDir: stateDir(world),
    stopTimeoutSeconds,
    ...(user === undefined ? {} : { user }),
  };
}
