/** Skills: folders with a SKILL.md that agents read when a task asks for it (agent.md §2.4). */
import { constants, accessSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { delimiter, join, sep } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import type { ConfigSource } from "../../config/section.ts";
import type { Logger } from "../../kernel/log.ts";
import type { World } from "../../kernel/world.ts";
import { parseSkillFile, type Requirements, type SkillFile } from "./skill-file.ts";
import type { SkillsConfig } from "./skills.config.ts";

const maxSkillsPerDirectory = 300;
const maxFileBytes = 256 * 1024;
const maxCachedFiles = 2_000;
const maxCachedLists = 64;
const maxCachedBins = 500;
const binCacheMs = 30_000;

export type SkillSource = "openclaw-workspace" | "openclaw-managed" | "openclaw-extra";

export interface Skill extends SkillFile {
  source: SkillSource;
  filePath: string;
  baseDir: string;
  disabled: boolean;
  eligible: boolean;
  missing: Requirements;
  configChecks: { path: string; satisfied: boolean }[];
}

export interface SkillsOptions {
  world: World;
  log: Logger;
  config: ConfigSource<{ skills: SkillsConfig }>;
  /** `<state>/skills`. */
  managedDir: string;
  /** Workspace of an agent, of the default agent without id; undefined when there is no such agent. */
  workspaceOf: (agentId?: string) => string | undefined;
  agentIds: () => readonly string[];
}

type Cached = { mtimeMs: number; size: number } & ({ file: SkillFile } | { problem: string });

export class Skills {
  readonly #options: SkillsOptions;
  /** By path, valid while the file's time and size are the same. */
  readonly #files = new Map<string, Cached>();
  readonly #lists = new Map<string, { at: number; config: SkillsConfig; skills: Skill[] }>();
  readonly #bins = new Map<string, { at: number; found: boolean }>();

  constructor(options: SkillsOptions) {
    this.#options = options;
  }

  /** All skills an agent could have, by name. Of two with the same name the workspace wins, then managed, then extra
   *  directories. Reads the disk at most every `skills.load.watchDebounceMs`. Throws when there is no such agent. */
  list(agentId?: string): Skill[] {
    const workspace = this.workspaceDir(agentId);
    const { config, world, managedDir } = this.#options;
    const { skills } = config.current;
    const known = this.#lists.get(workspace);
    const age = known ? world.monotonic() - known.at : Number.POSITIVE_INFINITY;
    if (known?.config === skills && (!skills.load.watch || age < skills.load.watchDebounceMs)) return known.skills;
    const byName = new Map<string, Skill>();
    const places: [string, SkillSource][] = [
      ...skills.load.extraDirs.map((path): [string, SkillSource] => [path, "openclaw-extra"]),
      [managedDir, "openclaw-managed"],
      [join(workspace, "skills"), "openclaw-workspace"],
    ];
    for (const [path, source] of places) {
      for (const skill of this.#readDirectory(path, source)) byName.set(skill.name, skill);
    }
    const list = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    keepBelow(this.#lists, maxCachedLists);
    this.#lists.set(workspace, { at: world.monotonic(), config: skills, skills: list });
    return list;
  }

  workspaceDir(agentId?: string): string {
    const workspace = this.#options.workspaceOf(agentId);
    if (workspace === undefined) throw new GatewayError("invalid", `unknown agent id "${agentId ?? ""}"`);
    return workspace;
  }

  get managedDir(): string {
    return this.#options.managedDir;
  }

  /** What the system prompt names: eligible skills, in a stable order. */
  promptList(agentId: string): { name: string; description: string; path: string }[] {
    return this.list(agentId)
      .filter((skill) => skill.eligible)
      .map(({ name, description, filePath }) => ({ name, description, path: filePath }));
  }

  /** Names of all programs the skills of all agents use, sorted. */
  bins(): string[] {
    const names = new Set<string>();
    for (const agentId of this.#options.agentIds()) {
      for (const { requires, install } of this.list(agentId)) {
        for (const bin of [...requires.bins, ...requires.anyBins, ...install.flatMap((one) => one.bins)])
          names.add(bin);
      }
    }
    return [...names].sort();
  }

  #readDirectory(path: string, source: SkillSource): Skill[] {
    const skills: Skill[] = [];
    const root = existing(() => realpathSync(path));
    if (root === undefined) return skills;
    const names = existing(() => readdirSync(root)) ?? [];
    for (const name of names
      .filter((one) => !one.startsWith("."))
      .sort()
      .slice(0, maxSkillsPerDirectory)) {
      const baseDir = join(path, name);
      const filePath = join(baseDir, "SKILL.md");
      const real = existing(() => realpathSync(filePath));
      // A link that leaves its directory could put any file of the machine into the prompt.
      if (real === undefined || !real.startsWith(root + sep)) continue;
      const file = this.#readFile(real, name);
      if (file) skills.push({ ...file, source, filePath, baseDir, ...this.#gate(file) });
    }
    return skills;
  }

  #readFile(path: string, directoryName: string): SkillFile | undefined {
    const stat = existing(() => statSync(path));
    if (!stat?.isFile() || stat.size > maxFileBytes) return undefined;
    const known = this.#files.get(path);
    if (known?.mtimeMs === stat.mtimeMs && known.size === stat.size) return "file" in known ? known.file : undefined;
    const facts = { mtimeMs: stat.mtimeMs, size: stat.size };
    keepBelow(this.#files, maxCachedFiles);
    try {
      const file = parseSkillFile(readFileSync(path, "utf8"), directoryName);
      this.#files.set(path, { ...facts, file });
      return file;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#files.set(path, { ...facts, problem });
      this.#options.log.warn(`skill ${directoryName} is not used: ${problem}`);
      return undefined;
    }
  }

  #gate(file: SkillFile): Pick<Skill, "disabled" | "eligible" | "missing" | "configChecks"> {
    const { config, world } = this.#options;
    const entries = config.current.skills.entries;
    const entry = Object.hasOwn(entries, file.skillKey) ? entries[file.skillKey] : undefined;
    const { requires } = file;
    const hasEnv = (name: string) =>
      Boolean(world.env[name]) || Boolean(entry?.env?.[name]) || (name === file.primaryEnv && Boolean(entry?.apiKey));
    const configChecks = requires.config.map((path) => ({ path, satisfied: truthyAt(config.current, path) }));
    const missing: Requirements = {
      bins: requires.bins.filter((bin) => !this.#hasBin(bin)),
      anyBins: requires.anyBins.some((bin) => this.#hasBin(bin)) ? [] : requires.anyBins,
      env: requires.env.filter((name) => !hasEnv(name)),
      config: configChecks.filter((check) => !check.satisfied).map((check) => check.path),
      os: requires.os.length === 0 || requires.os.some((os) => osNames(world.platform).includes(os)) ? [] : requires.os,
    };
    const disabled = entry?.enabled === false;
    // `always` waives programs, variables and settings, but not the system a skill is made for.
    const complete =
      missing.os.length === 0 && (file.always || Object.values(missing).every((list) => list.length === 0));
    return { disabled, eligible: !disabled && complete, missing, configChecks };
  }

  #hasBin(name: string): boolean {
    const { world } = this.#options;
    const known = this.#bins.get(name);
    if (known && world.monotonic() - known.at < binCacheMs) return known.found;
    const found = /^[\w.+-]+$/u.test(name) && onPath(name, world);
    this.#bins.delete(name);
    keepBelow(this.#bins, maxCachedBins);
    this.#bins.set(name, { at: world.monotonic(), found });
    return found;
  }
}

function onPath(name: string, world: Pick<World, "env" | "platform">): boolean {
  const endings = world.platform === "win32" ? ["", ".exe", ".cmd", ".bat"] : [""];
  for (const directory of (world.env.PATH ?? "").split(delimiter)) {
    if (directory === "") continue;
    for (const ending of endings) {
      const path = join(directory, name + ending);
      const usable = existing(() => {
        accessSync(path, constants.X_OK);
        return statSync(path).isFile();
      });
      if (usable) return true;
    }
  }
  return false;
}

const osNames = (platform: NodeJS.Platform): string[] =>
  platform === "darwin" ? ["darwin", "macos"] : platform === "win32" ? ["win32", "windows"] : [platform];

function truthyAt(config: unknown, path: string): boolean {
  let value: unknown = config;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return Boolean(value);
}

/** Undefined when the thing on disk is not there or may not be read: for skills that is the same. */
function existing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // Missing or unreadable.
    return undefined;
  }
}

function keepBelow<V>(map: Map<string, V>, max: number): void {
  for (const key of map.keys()) {
    if (map.size < max) return;
    map.delete(key);
  }
}
