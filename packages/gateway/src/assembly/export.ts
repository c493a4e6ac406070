/** Sessions as files: the layout of OpenClaw 2026.2 (agent.md §6.4, §6.5), which `sessions import` reads back. Runs while no
 *  gateway does. */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import { exportables, exportTranscript, writtenEntry, type Exportable } from "../features/sessions/index.ts";
import { expandHome } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import type { SqliteStore } from "../store/index.ts";
import { offlineSettings, withOfflineStore, type OfflineSettings } from "./offline-store.ts";

export interface ExportOptions {
  /** Session keys or ids; `all` takes also what ended and what is in no list. */
  keys: readonly string[] | "all";
  /** A folder that does not exist yet or is empty. */
  out: string;
}

export interface ExportReport {
  out: string;
  sessions: number;
  earlier: number;
  entries: number;
  durationMs: number;
}

/** Writes `<out>/agents/<id>/sessions/`: one transcript per conversation, then `sessions.json`. Throws GatewayError:
 *  "not-found" for an unknown key, "conflict" when the folder is in use or a gateway runs. */
export async function exportSessions(options: ExportOptions, world: World): Promise<ExportReport> {
  const began = world.monotonic();
  const settings = offlineSettings(world);
  const out = resolve(world.cwd(), expandHome(options.out, world));
  return withOfflineStore(world, async (store) => {
    // Everything asked for is looked up before the first file is made.
    if (options.keys !== "all") for (const _known of exportables(store, options.keys, settings.keys)) continue;
    mkdirSync(out, { recursive: true, mode: 0o700 });
    if (readdirSync(out).length > 0) throw new GatewayError("conflict", `${out} is not empty. Choose a new folder.`);
    const report: ExportReport = { out, sessions: 0, earlier: 0, entries: 0, durationMs: 0 };
    const indexes = new Map<string, Index>();
    try {
      for (const item of exportables(store, options.keys, settings.keys)) {
        const index = indexes.get(item.agentId) ?? new Index(join(out, "agents", item.agentId, "sessions"));
        indexes.set(item.agentId, index);
        if (index.has(item.sessionId)) continue;
        report.entries += writeTranscript(index.folder, item, store, settings);
        index.add(item);
        if (item.entry) report.sessions++;
        else report.earlier++;
      }
    } finally {
      for (const index of indexes.values()) index.close();
    }
    return { ...report, durationMs: Math.round(world.monotonic() - began) };
  });
}

/** The lines of one transcript, for standard output. Throws as `exportSessions`. */
export async function exportOne(key: string, world: World, write: (line: string) => void): Promise<void> {
  const settings = offlineSettings(world);
  await withOfflineStore(world, async (store) => {
    for (const { sessionId, agentId } of exportables(store, [key], settings.keys)) {
      const cwd = settings.directory.workspace(agentId);
      for (const line of exportTranscript(store, sessionId, { cwd })) write(line);
    }
  });
}

/** Number of entries. */
function writeTranscript(folder: string, item: Exportable, store: SqliteStore, { directory }: OfflineSettings): number {
  const file = new NewFile(join(folder, `${item.sessionId.replaceAll(":", "_")}.jsonl`));
  try {
    let lines = -1;
    for (const line of exportTranscript(store, item.sessionId, { cwd: directory.workspace(item.agentId) })) {
      file.write(`${line}\n`);
      lines++;
    }
    return lines;
  } finally {
    file.close();
  }
}

/** `sessions.json` of one agent, written entry by entry. */
class Index {
  readonly folder: string;
  readonly #file: NewFile;
  readonly #ids = new Set<string>();
  #entries = 0;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.folder = folder;
    this.#file = new NewFile(join(folder, "sessions.json"));
    this.#file.write("{");
  }

  has(sessionId: string): boolean {
    return this.#ids.has(sessionId);
  }

  add(item: Exportable): void {
    this.#ids.add(item.sessionId);
    if (!item.entry) return;
    const entry = { ...writtenEntry(item.entry), sessionFile: `${item.sessionId.replaceAll(":", "_")}.jsonl` };
    this.#file.write(`${this.#entries++ > 0 ? "," : ""}\n  ${JSON.stringify(item.key)}: ${JSON.stringify(entry)}`);
  }

  close(): void {
    this.#file.write("\n}\n");
    this.#file.close();
  }
}

const blockChars = 256 * 1024;

/** A file of mode 0600 that must not exist yet; on the disk when it is closed. */
class NewFile {
  readonly #descriptor: number;
  #waiting = "";

  constructor(path: string) {
    this.#descriptor = openSync(path, "wx", 0o600);
  }

  write(text: string): void {
    this.#waiting += text;
    if (this.#waiting.length >= blockChars) this.#flush();
  }

  close(): void {
    try {
      this.#flush();
      fsyncSync(this.#descriptor);
    } finally {
      closeSync(this.#descriptor);
    }
  }

  #flush(): void {
    const bytes = Buffer.from(this.#waiting, "utf8");
    this.#waiting = "";
    for (let written = 0; written < bytes.length;) written += writeSync(this.#descriptor, bytes, written);
  }
}
