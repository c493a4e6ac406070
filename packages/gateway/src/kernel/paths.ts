/** Where things are: state directory, config file, workspaces (lifecycle.md §13, config.md §1). Pure functions of the
 *  environment; nothing is created here. An empty variable counts as unset. */
import { isAbsolute, join, resolve } from "node:path";
import type { World } from "./world.ts";

type Env = Pick<World, "env" | "homedir">;

const set = (value: string | undefined): string | undefined => (value ? value : undefined);

export function expandHome(path: string, world: Pick<World, "homedir">): string {
  if (path === "~") return world.homedir();
  return path.startsWith("~/") ? join(world.homedir(), path.slice(2)) : path;
}

export function profileName(world: Env): string | undefined {
  const name = set(world.env.OPENCLAW_PROFILE);
  return name === "default" ? undefined : name;
}

export function stateDir(world: Env): string {
  const given = set(world.env.OPENCLAW_STATE_DIR) ?? set(world.env.CLAWDBOT_STATE_DIR);
  if (given) return resolve(expandHome(given, world));
  const profile = profileName(world);
  return resolve(world.homedir(), profile ? `.openclaw-${profile}` : ".openclaw");
}

export function configPath(world: Env): string {
  const given = set(world.env.OPENCLAW_CONFIG_PATH) ?? set(world.env.CLAWDBOT_CONFIG_PATH);
  return given ? resolve(expandHome(given, world)) : join(stateDir(world), "openclaw.json");
}

/** Default workspace of the default agent. */
export function defaultWorkspace(world: Env): string {
  const profile = profileName(world);
  return resolve(world.homedir(), ".openclaw", profile ? `workspace-${profile}` : "workspace");
}

/** `openclaw <words>` as a person of the active profile would type it: what messages suggest must reach the same gateway. */
export function commandLine(world: Pick<World, "env">, words: string): string {
  const profile = set(world.env.OPENCLAW_PROFILE);
  if (profile === undefined || profile === "default") return `openclaw ${words}`;
  return profile === "dev" ? `openclaw --dev ${words}` : `openclaw --profile ${profile} ${words}`;
}

/** `path` with the home directory as `~`, for people. */
export function displayPath(path: string, world: Pick<World, "homedir">): string {
  const home = world.homedir();
  return isAbsolute(path) && (path === home || path.startsWith(`${home}/`)) ? `~${path.slice(home.length)}` : path;
}
