/** Gathers what the checks look at. Reads only. */
import { chmodSync, constants, copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { readConfig } from "../../config/index.ts";
import { commandLine, configPath, displayPath, stateDir } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";
import { openStateLock, StateLockedError } from "../../store/index.ts";
import { declared, type EffectiveConfig } from "../sections.ts";
import { readStatusFile } from "../status-file.ts";
import type { DoctorContext } from "./check.ts";

/** Copies of what a repair replaces: `<state>/backups/doctor-<time>/`, made at the first copy. */
export class Keeper {
  readonly #state: string;
  readonly #world: Pick<World, "now">;
  #folder: string | undefined;
  #count = 0;

  constructor(state: string, world: Pick<World, "now">) {
    this.#state = state;
    this.#world = world;
  }

  /** Undefined while nothing was kept. */
  get folder(): string | undefined {
    return this.#folder;
  }

  copy(path: string): string {
    const target = this.#place(path);
    copyFileSync(path, target, constants.COPYFILE_EXCL);
    chmodSync(target, 0o600);
    return target;
  }

  move(path: string): string {
    const target = this.#place(path);
    renameSync(path, target);
    return target;
  }

  #place(path: string): string {
    if (this.#folder === undefined) {
      const stamp = new Date(this.#world.now()).toISOString().replaceAll(":", "-").replace(/\..*$/u, "");
      let folder = join(this.#state, "backups", `doctor-${stamp}`);
      for (let n = 2; existsSync(folder); n++) folder = join(this.#state, "backups", `doctor-${stamp}-${n}`);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#folder = folder;
    }
    const name = basename(path);
    const target = join(this.#folder, name);
    return existsSync(target) ? join(this.#folder, `${name}.${++this.#count}`) : target;
  }
}

export interface ContextOptions {
  world: World;
  version: string;
  deep: boolean;
  machine?: DoctorContext["machine"];
  keeper: Keeper;
  skip: (reason: string) => void;
}

export function readContext({ world, version, deep, machine, keeper, skip }: ContextOptions): DoctorContext {
  const state = stateDir(world);
  const path = configPath(world);
  const snapshot = readConfig(path, world, declared);
  const status = readStatusFile(state);
  const document =
    typeof snapshot.parsed === "object" && snapshot.parsed !== null ? (snapshot.parsed as Record<string, unknown>) : {};
  return {
    world,
    version,
    state,
    configPath: path,
    snapshot,
    document,
    ...(snapshot.config ? { config: snapshot.config as EffectiveConfig } : {}),
    ...(status ? { status } : {}),
    running: isLocked(state),
    deep,
    ...(machine ? { machine } : {}),
    uid: process.getuid?.(),
    show: (file) => displayPath(file, world),
    command: (words) => commandLine(world, words),
    keep: (file) => keeper.copy(file),
    setAside: (file) => keeper.move(file),
    skip,
  };
}

/** Whether a gateway owns the state directory. A directory that never had one is not given a lock file. */
function isLocked(state: string): boolean {
  if (!existsSync(join(state, "gateway.lock.db"))) return false;
  try {
    openStateLock(state).release();
    return false;
  } catch (error) {
    // Any other failure is a fault of the files, and has a check of its own.
    return error instanceof StateLockedError;
  }
}
