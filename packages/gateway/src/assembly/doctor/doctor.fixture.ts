/** For tests: an installation in a temporary home, and the doctor on it. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { silentLogger } from "../../kernel/log.ts";
import { systemWorld, type World } from "../../kernel/world.ts";
import { openStateLock, openStore } from "../../store/index.ts";
import { storeMigrations } from "../migrations.ts";
import { runSetup } from "../setup.ts";
import { writeStatusFile, type StatusFile } from "../status-file.ts";
import { runDoctor, type DoctorOptions, type DoctorReport } from "./index.ts";

export interface Installation {
  home: string;
  state: string;
  config: string;
  workspace: string;
  world: World;
  read(): string;
  write(text: string): void;
  /** Changes the config document. */
  change(edit: (document: Document) => void): void;
  status(more: Partial<StatusFile>): Promise<void>;
  doctor(options?: Partial<DoctorOptions>): Promise<DoctorReport>;
  /** Path, mode and hash of everything below the home. */
  print(): Record<string, string>;
  remove(): void;
}

export type Document = Record<string, Record<string, Record<string, unknown> | unknown>>;

export const version = "1.0.0";

/** A home as a first clean run leaves it; `healthyInstallation` makes copies. */
export async function template(): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), "openclaw-doctor-"));
  const world = systemWorld({ HOME: home });
  const state = join(home, ".openclaw");
  mkdirSync(join(home, "tmp"));
  await runSetup({}, world);
  const lock = openStateLock(state);
  openStore({ path: join(state, "openclaw.db"), migrations: storeMigrations, world, log: silentLogger }).close();
  lock.release();
  return home;
}

/** Set up, with a store, as after a first clean run. */
export async function healthyInstallation(from: string): Promise<Installation> {
  const home = mkdtempSync(join(tmpdir(), "openclaw-doctor-"));
  const temp = join(home, "tmp");
  cpSync(from, home, { recursive: true });
  // The copy of a folder has the mode of new folders.
  for (const path of walk(from)) chmodSync(join(home, relative(from, path)), lstatSync(path).mode & 0o777);
  // A port where nothing listens.
  const world: World = { ...systemWorld({ HOME: home, OPENCLAW_GATEWAY_PORT: "1" }), tmpdir: () => temp };
  const state = join(home, ".openclaw");
  const config = join(state, "openclaw.json");
  const workspace = join(state, "workspace");
  const base: StatusFile = {
    pid: 1,
    version,
    port: 1,
    host: "127.0.0.1",
    startedAt: world.now(),
    writtenAt: world.now(),
    state: "stopped",
    configPath: config,
    logFile: join(temp, "openclaw.log"),
    problems: [],
  };
  await writeStatusFile(state, base);
  const read = () => readFileSync(config, "utf8");
  const write = (text: string) => writeFileSync(config, text);
  return {
    home,
    state,
    config,
    workspace,
    world,
    read,
    write,
    change(edit) {
      const document = JSON.parse(read()) as Document;
      edit(document);
      write(JSON.stringify(document, null, 2));
    },
    status: (more) => writeStatusFile(state, { ...base, ...more }),
    doctor: (options = {}) =>
      runDoctor({ world, version, fix: false, force: false, generateToken: false, deep: false, ...options }),
    print: () => Object.fromEntries(walk(home).map((path) => [relative(home, path), describe(path)])),
    remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }),
  };
}

const walk = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return lstatSync(path).isDirectory() ? [path, ...walk(path)] : [path];
  });

function describe(path: string): string {
  const found = lstatSync(path);
  const mode = (found.mode & 0o7777).toString(8);
  return found.isFile()
    ? `${mode} ${found.mtimeMs} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`
    : mode;
}
