/** Moving in: the state directory of OpenClaw 2026.1 and 2026.2 becomes rows of this gateway's store. Copied first, taken once,
 *  in units that survive a kill; the originals are only read. Runs while no gateway does. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import { importDevices, importNodes } from "../features/devices/index.ts";
import {
  importSessions,
  importTranscript,
  type SourceFile,
  type TranscriptReport,
} from "../features/sessions/index.ts";
import { silentLogger } from "../kernel/log.ts";
import { expandHome, stateDir } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import { openStore, type SqliteStore } from "../store/index.ts";
import { linesOf, saveOldFiles, type Backup } from "./import-backup.ts";
import { storeMigrations } from "./migrations.ts";
import { offlineSettings, withOfflineStore, type OfflineSettings } from "./offline-store.ts";
import { readOldState, type OldFile, type OldState } from "./old-state.ts";

export interface ImportOptions {
  /** A state directory, or one transcript; the present state directory without. */
  from?: string | undefined;
  /** Key of the session a single transcript becomes. */
  key?: string | undefined;
  /** Reads and reports, and changes nothing. */
  dryRun?: boolean;
}

export interface ImportReport {
  source: string;
  dryRun: boolean;
  /** Folder with the copies of what was read. */
  backup?: string;
  taken: { sessions: number; earlier: number; entries: number; devices: number; tokens: number; nodes: number };
  /** Conversations, devices and nodes that a former import took. */
  before: number;
  skipped: { path: string; reason: string }[];
  warnings: string[];
  /** Lines of the two lists above that were too many to keep. */
  more: number;
  durationMs: number;
}

const maxListed = 1_000;
/** `sessions.json` grew to about 10 KB per session. */
const maxJsonBytes = 512 * 1024 * 1024;
/** A line of a transcript that is longer is reported and left out. */
const maxLineBytes = 32 * 1024 * 1024 + 1;

/** Throws GatewayError: "not-found" and "invalid" for what is no old state, "conflict" while a gateway runs. */
export async function importState(options: ImportOptions, world: World): Promise<ImportReport> {
  const from = resolve(world.cwd(), options.from === undefined ? stateDir(world) : expandHome(options.from, world));
  const settings = offlineSettings(world);
  const log = new Log(world, from, options.dryRun === true);
  if (isFile(from)) {
    await oneTranscript(from, options, settings, world, log);
    return log.report();
  }
  if (options.key !== undefined) throw new GatewayError("invalid", "--key is for the import of a single transcript.");
  const old = readOldState(from);
  if (log.dryRun) {
    await withScratchStore(world, (store) => take(old, undefined, store, settings, world, log));
    return log.report();
  }
  return withOfflineStore(world, (store) => importInto(store, old, settings, world, log));
}

async function importInto(
  store: SqliteStore,
  old: OldState,
  settings: OfflineSettings,
  world: World,
  log: Log,
): Promise<ImportReport> {
  const wanted = [old.devices, old.nodes, ...old.agents.flatMap((agent) => [agent.index, ...agent.transcripts])];
  const files = wanted.filter((file) => file !== undefined);
  const time = new Date(world.now()).toISOString().replace(/[-:]|\.\d+/gu, "");
  const backup = saveOldFiles(old.root, files, stateDir(world), time);
  for (const { path, reason } of backup.failed) log.skip(path, reason);
  if (backup.folder !== undefined) log.backup = backup.folder;
  await take(old, backup, store, settings, world, log);
  const report = log.report();
  if (backup.folder !== undefined) {
    // Tells the next start that nothing waits any more.
    const text = `${JSON.stringify(report, null, 2)}\n`;
    writeFileSync(join(backup.folder, "report.json"), text, { mode: 0o600, flush: true });
  }
  return report;
}

async function take(
  old: OldState,
  backup: Backup | undefined,
  store: SqliteStore,
  { directory, keys }: OfflineSettings,
  world: World,
  log: Log,
): Promise<void> {
  /** The copy, or in a dry run the original. Undefined for a file that could not be read. */
  const saved = (file: OldFile | undefined) => file && (backup ? backup.files.get(file.path) : { ...file, hash: "" });
  for (const agent of old.agents) {
    if (!directory.exists(agent.agentId)) {
      log.warn(`agent ${agent.agentId} is not in the config: its sessions are kept and can be read, but not continued`);
    }
    const index = saved(agent.index);
    const text = index && readJson(index, log);
    // Without its index a folder says nothing about whose conversations these are.
    if (agent.index && text === undefined) continue;
    const transcripts = agent.transcripts.flatMap((file): SourceFile[] => {
      const copy = saved(file);
      return copy
        ? [
            {
              path: file.path,
              name: basename(file.path),
              hash: copy.hash,
              lines: () => linesOf(copy.file, maxLineBytes),
            },
          ]
        : [];
    });
    const folder = {
      agentId: agent.agentId,
      index: index && text !== undefined ? { path: index.path, hash: index.hash, text } : undefined,
      transcripts,
    };
    await importSessions({ store, world, scope: keys.scope, keep: log.dryRun ? "nothing" : "entries" }, folder, log);
  }
  for (const [file, into] of [
    [saved(old.devices), importDevices],
    [saved(old.nodes), importNodes],
  ] as const) {
    const text = file && readJson(file, log);
    if (file === undefined || text === undefined) continue;
    const paired = parsed(text);
    if (paired === undefined) log.skip(file.path, "not JSON");
    else await into(store, world, paired, file.path, log);
  }
  for (const { path, reason } of old.left) log.skip(path, reason);
}

async function oneTranscript(
  file: string,
  options: ImportOptions,
  settings: OfflineSettings,
  world: World,
  log: Log,
): Promise<void> {
  const { scope, defaultAgent } = settings.keys;
  const name = basename(file).replace(/\.jsonl$/u, "");
  const read = (store: SqliteStore): Promise<TranscriptReport> =>
    importTranscript(
      { store, world, scope, keep: log.dryRun ? "nothing" : "entries" },
      { key: options.key, defaultAgent, name, lines: () => linesOf(file, maxLineBytes) },
    );
  const report = log.dryRun ? await withScratchStore(world, read) : await withOfflineStore(world, read);
  log.sessions = 1;
  log.entries = report.imported;
  for (const { line, reason } of report.bad) log.warn(`line ${line}: ${reason}`);
  log.more += report.moreBad;
}

/** A store in memory: what a dry run writes to. */
async function withScratchStore<T>(world: World, work: (store: SqliteStore) => Promise<T>): Promise<T> {
  const store = openStore({ path: ":memory:", migrations: storeMigrations, world, log: silentLogger });
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

class Log {
  sessions = 0;
  earlier = 0;
  entries = 0;
  devices = 0;
  tokens = 0;
  nodes = 0;
  before = 0;
  more = 0;
  backup: string | undefined;
  readonly dryRun: boolean;
  readonly #skipped: ImportReport["skipped"] = [];
  readonly #warnings: string[] = [];
  readonly #source: string;
  readonly #world: World;
  readonly #began: number;

  constructor(world: World, source: string, dryRun: boolean) {
    this.#world = world;
    this.#source = source;
    this.dryRun = dryRun;
    this.#began = world.monotonic();
  }

  skip(path: string, reason: string): void {
    if (this.#skipped.length < maxListed) this.#skipped.push({ path, reason });
    else this.more++;
  }

  warn(text: string): void {
    if (this.#warnings.length < maxListed) this.#warnings.push(text);
    else this.more++;
  }

  report(): ImportReport {
    const { sessions, earlier, entries, devices, tokens, nodes, before, more, backup, dryRun } = this;
    return {
      source: this.#source,
      dryRun,
      ...(backup === undefined ? {} : { backup }),
      taken: { sessions, earlier, entries, devices, tokens, nodes },
      before,
      skipped: this.#skipped,
      warnings: this.#warnings,
      more,
      durationMs: Math.round(this.#world.monotonic() - this.#began),
    };
  }
}

function readJson(file: { path: string; file: string }, log: Log): string | undefined {
  try {
    if (statSync(file.file).size <= maxJsonBytes) return readFileSync(file.file, "utf8").replace(/^\ufeff/u, "");
    log.skip(file.path, "larger than 512 MiB");
  } catch (error) {
    log.skip(file.path, `cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`);
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller reports it; the text of the error would quote the file.
    return undefined;
  }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
