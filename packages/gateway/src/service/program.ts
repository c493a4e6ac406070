/** Which Node and which file the service runs: paths that are still right after the next upgrade (R-SVC-2). */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { commandLine } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import type { Machine } from "./machine.ts";
import { runTool } from "./tool.ts";

export const leastNode = 24;

export interface ProgramSource {
  /** Of this process, links resolved. */
  execPath: string;
  /** Folder of the package this program belongs to. */
  packageRoot: string;
}

/** The package a folder of this program belongs to, bundled or not. */
export function programAt(folder: string): ProgramSource {
  let root = folder;
  while (!existsSync(join(root, "package.json")) && root !== dirname(root)) root = dirname(root);
  return { execPath: process.execPath, packageRoot: root };
}

export interface Program {
  arguments: readonly string[];
  warnings: readonly string[];
}

interface Layout {
  name: string;
  /** How a real path below it looks; the groups are used in `stable`. */
  real: RegExp;
  /** Where its present version is always found; absent when there is no such place. */
  stable?: string;
}

/** Real paths that name a version, and what leads to the present one. */
const layouts: readonly Layout[] = [
  { name: "Homebrew", real: /^(.*)\/Cellar\/([^/]+)\/[^/]+\/bin\/node$/u, stable: "$1/opt/$2/bin/node" },
  { name: "fnm", real: /^(.*\/(?:\.?fnm))\/node-versions\/.*\/bin\/node$/u, stable: "$1/aliases/default/bin/node" },
  { name: "volta", real: /^(.*\/\.volta)\/tools\/image\/node\/.*\/bin\/node$/u, stable: "$1/bin/node" },
  { name: "asdf", real: /^(.*\/\.asdf)\/installs\/nodejs\/.*\/bin\/node$/u, stable: "$1/shims/node" },
  {
    name: "mise",
    real: /^(.*\/mise)\/installs\/node\/(\d+)\.[^/]*\/bin\/node$/u,
    stable: "$1/installs/node/$2/bin/node",
  },
  { name: "nodenv", real: /^(.*\/\.nodenv)\/versions\/.*\/bin\/node$/u, stable: "$1/shims/node" },
  { name: "n", real: /^(.*)\/n\/versions\/node\/.*\/bin\/node$/u, stable: "$1/bin/node" },
  { name: "pnpm", real: /^(.*\/pnpm)\/nodejs\/.*\/bin\/node$/u, stable: "$1/node" },
  { name: "Nix", real: /^\/nix\/store\/.*\/bin\/node$/u, stable: "/run/current-system/sw/bin/node" },
  { name: "snap", real: /^\/snap\/node\/\d+\/bin\/node$/u, stable: "/snap/bin/node" },
  { name: "nvm", real: /\/\.?nvm\/versions\/node\//u },
  { name: "fnm", real: /\/fnm_multishells\//u },
];

/** The tool that keeps several versions of Node beside each other, when a path leads through it. */
export const versionManagerOf = (path: string): string | undefined =>
  layouts.find(({ name, real }) => real.test(path) && name !== "Homebrew")?.name ??
  (/\/(\.volta|\.asdf\/shims|\.nodenv\/shims)\//u.test(path) ? "a version manager" : undefined);

const systemNodes: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ["/opt/homebrew/bin/node", "/usr/local/bin/node", "/usr/bin/node"],
  linux: ["/usr/local/bin/node", "/usr/bin/node"],
};

/** Runs candidates with `--version`; everything else is reading. */
export async function findProgram(machine: Machine, source: ProgramSource): Promise<Program> {
  const warnings: string[] = [];
  const runtime = await findRuntime(machine, source, warnings);
  const root = stableRoot(source.packageRoot);
  const file = entryOf(source);
  const entry = file.endsWith(".ts") ? ["--conditions=openclaw-source", file] : [file];
  if (/\/_npx\//u.test(root)) {
    warnings.push(
      `This program runs from the cache of npx (${root}), which npm empties. Install it with npm install -g, then install the service from there.`,
    );
  } else if (versionManagerOf(join(root, "bin/node")) !== undefined || /\/\.?nvm\/versions\//u.test(root)) {
    warnings.push(
      `This program is installed below one version of Node (${root}). When you remove that version, install the program and the service again.`,
    );
  }
  return {
    arguments: [runtime, "--disable-warning=ExperimentalWarning", "--max-semi-space-size=4", ...entry],
    warnings,
  };
}

/** The file a service of this installation runs: the bundle, or the source of a checkout that was never built. */
export function entryOf({ packageRoot }: ProgramSource): string {
  const root = stableRoot(packageRoot);
  const built = join(root, "dist", "main.js");
  return existsSync(built) ? built : join(root, "src", "main.ts");
}

async function findRuntime(
  machine: Machine,
  { execPath, packageRoot }: ProgramSource,
  warnings: string[],
): Promise<string> {
  const pinned = pinnedRuntime(packageRoot, execPath);
  if (pinned !== undefined) return pinned;
  const layout = layouts.find(({ real }) => real.test(execPath));
  if (!layout) return execPath;
  const stable = layout.stable === undefined ? undefined : execPath.replace(layout.real, layout.stable);
  const system = systemNodes[machine.world.platform] ?? [];
  // Homebrew's own link follows its upgrades; for the others a Node of the system is the calmer choice.
  const candidates = layout.name === "Homebrew" ? [stable, ...system] : [...system, stable];
  let tooOld: string | undefined;
  for (const path of candidates) {
    if (path === undefined || !existsSync(machine.at(path))) continue;
    const version = await versionOf(machine.world, machine.at(path));
    if (version === undefined) continue;
    if (majorOf(version) >= leastNode) return path;
    if (system.includes(path)) tooOld ??= `System Node ${version} at ${path} is below the required Node ${leastNode}+.`;
  }
  const again = commandLine(machine.world, "gateway install --force");
  warnings.push(
    `${tooOld === undefined ? "" : `${tooOld} `}The service runs the Node of ${layout.name} (${execPath}), which is gone once you remove that version. ` +
      `Install Node ${leastNode} for the whole system, then run ${again}.`,
  );
  return execPath;
}

/** The Node that came with the package: the launcher prefers it too. */
function pinnedRuntime(packageRoot: string, execPath: string): string | undefined {
  for (let folder = packageRoot; ; folder = dirname(folder)) {
    const linked = join(folder, "node_modules", ".bin", "node");
    if (existsSync(linked) && execPath.startsWith(join(folder, "node_modules"))) return linked;
    if (folder === dirname(folder)) return undefined;
  }
}

/** pnpm keeps each version of a package in a folder of its own; the folder above links to the present one. */
function stableRoot(root: string): string {
  const linked = root.replace(/\/\.pnpm\/[^/]+\/node_modules\//u, "/");
  return linked !== root && existsSync(linked) ? linked : root;
}

export async function versionOf(world: World, path: string): Promise<string | undefined> {
  const ran = await runTool(world, path, ["--version"], { timeoutMs: 5_000 });
  return ran.code === 0 ? /^v?(\d+\.\d+\.\d+)/u.exec(ran.stdout.trim())?.[1] : undefined;
}

export const majorOf = (version: string): number => Number(version.split(".")[0]);
