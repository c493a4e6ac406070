/** PATH of the service: short and the same at every install, whatever the installing shell had (lifecycle.md §9.2). Pure. */
import { isAbsolute, join } from "node:path";
import type { World } from "../kernel/world.ts";

type Env = World["env"];

const named: readonly (readonly [variable: string, ...below: string[]])[] = [
  ["PNPM_HOME"],
  ["NPM_CONFIG_PREFIX", "bin"],
  ["BUN_INSTALL", "bin"],
  ["VOLTA_HOME", "bin"],
  ["ASDF_DATA_DIR", "shims"],
  ["NVM_DIR", "current", "bin"],
  ["FNM_DIR", "current", "bin"],
];
const belowHome = [
  ".local/bin",
  ".npm-global/bin",
  "bin",
  ".nvm/current/bin",
  ".fnm/current/bin",
  ".volta/bin",
  ".asdf/shims",
  ".local/share/pnpm",
  ".bun/bin",
];

/** What every program of the machine needs. */
export const requiredPath: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ["/usr/local/bin", "/usr/bin", "/bin"],
  darwin: ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin"],
};

export function servicePath(platform: NodeJS.Platform, env: Env, home: string): string {
  if (platform === "win32") return env.PATH ?? env.Path ?? "";
  const required = requiredPath[platform] ?? requiredPath.linux ?? [];
  if (platform === "darwin") return required.join(":");
  const own = named.flatMap(([variable, ...below]) => {
    const folder = env[variable];
    return folder && isAbsolute(folder) ? [join(folder, ...below)] : [];
  });
  return [...new Set([...own, ...belowHome.map((folder) => join(home, folder)), ...required])].join(":");
}
