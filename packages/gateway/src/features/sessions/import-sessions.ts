/** The conversations of one agent of an older installation (agent.md §6.4, §6.5): `sessions.json` and the transcripts beside it.
 *  A file is taken once: what a person deleted or continued here since is left alone, whatever is imported again. */
import type { World } from "../../kernel/world.ts";
import type { Store, Tx } from "../../store/index.ts";
import { isSessionId, readEntry } from "./import-entry.ts";
import { isObject, parseLine } from "./import-line.ts";
import type { Scan } from "./import-scan.ts";
import { Batch, takeConversation, type Keep, type Place } from "./import-transcript.ts";
import { isImported, markImported, storedTranscript } from "./import.store.ts";
import { canonicalKey, type KeyRules } from "./keys.ts";
import { readSession, readSessionById, readSessionByLabel, writeSession } from "./sessions.store.ts";
import { lastEntry } from "./transcripts.store.ts";
import type { SessionEntry } from "./types.ts";

/** A file as it was saved before the import. */
export interface SourceFile {
  /** Its place in the old state directory, with slashes. */
  path: string;
  name: string;
  /** Of the content. */
  hash: string;
  /** Without line ends; a line that is far too long may be cut. Each call reads from the start. */
  lines(): Iterable<string>;
}

export interface AgentFolder {
  agentId: string;
  /** Path and text of `sessions.json`, when there is one. */
  index: { path: string; hash: string; text: string } | undefined;
  transcripts: readonly SourceFile[];
}

export interface ImportParts {
  store: Store;
  world: Pick<World, "now">;
  scope: KeyRules["scope"];
  keep?: Keep;
}

/** What an import did, for a person to read. */
export interface ImportLog {
  /** Sessions now in the list. */
  sessions: number;
  /** Conversations kept beside them: ended before the move, or without a session. */
  earlier: number;
  entries: number;
  /** Conversations that were imported before. */
  before: number;
  skip(path: string, reason: string): void;
  warn(text: string): void;
}

export async function importSessions(parts: ImportParts, folder: AgentFolder, log: ImportLog): Promise<void> {
  const { index } = folder;
  const named = index === undefined ? {} : parseIndex(index.text);
  if (typeof named === "string") {
    log.skip(index?.path ?? folder.agentId, `${named}; its transcripts wait until it is repaired`);
    return;
  }
  await new FolderImport(parts, folder, log).run(named);
}

function parseIndex(text: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : "not an object";
  } catch {
    // The text of a JSON error quotes the file; that it is none is enough.
    return "not JSON";
  }
}

class FolderImport {
  readonly #parts: ImportParts;
  readonly #folder: AgentFolder;
  readonly #log: ImportLog;
  readonly #batch: Batch;
  readonly #rules: KeyRules;

  constructor(parts: ImportParts, folder: AgentFolder, log: ImportLog) {
    this.#parts = parts;
    this.#folder = folder;
    this.#log = log;
    this.#batch = new Batch(parts.store);
    this.#rules = { defaultAgent: folder.agentId, scope: parts.scope, exists: () => true };
  }

  async run(named: Record<string, unknown>): Promise<void> {
    const { store, world } = this.#parts;
    const { index, transcripts } = this.#folder;
    const files = new Map(transcripts.map((file) => [file.name, file]));
    const indexDone = index !== undefined && isImported(store, index.path, index.hash);
    for (const [written, value] of Object.entries(named)) {
      const place = `${index?.path} "${written.slice(0, 120)}"`;
      const key = this.#key(written);
      const read =
        key === undefined
          ? "not a session key"
          : readEntry(value, key, agentIn(key, this.#folder.agentId), world.now());
      if (typeof read === "string") {
        if (!indexDone) this.#log.skip(place, read);
        continue;
      }
      const file = claim(files, read.entry, read.file);
      if (file) files.delete(file.name);
      if (file ? isImported(store, file.path, file.hash) : indexDone) {
        this.#log.before++;
        continue;
      }
      if (read.left.length > 0) this.#log.warn(`${read.entry.key}: not taken: ${read.left.join(", ")}`);
      await this.#session(read.entry, file, place);
    }
    for (const name of [...files.keys()].sort()) {
      const file = files.get(name);
      if (file) await this.#orphan(file);
    }
    if (index && !indexDone) {
      await this.#batch.add(0, (tx) => markImported(tx, index.path, index.hash, world.now()));
    }
    await this.#batch.flush();
  }

  /** A session with its transcript, if it has one. */
  async #session(entry: SessionEntry, file: SourceFile | undefined, place: string): Promise<void> {
    const taken = await takeConversation(
      this.#batch,
      {
        sessionId: entry.sessionId,
        lines: () => file?.lines() ?? [],
        refuse: (tx) => {
          const owner = readSessionById(tx, entry.sessionId);
          return owner && owner.key !== entry.key ? `its session id belongs to ${owner.key}` : undefined;
        },
        place: (tx) => this.#placeSession(tx, entry),
        done: (tx) => file && markImported(tx, file.path, file.hash, this.#parts.world.now()),
      },
      this.#parts.keep,
    );
    await this.#report(taken.scan, taken.result, file?.path ?? place);
  }

  #placeSession(tx: Tx, entry: SessionEntry): Place {
    const present = readSession(tx, entry.key);
    if (present && present.sessionId === entry.sessionId) {
      // Imported before, perhaps only in part; the file knows more when it is younger.
      if (entry.updatedAt > present.updatedAt)
        writeSession(tx, { ...this.#labelled(tx, entry), createdAt: present.createdAt });
      return { session: present, current: true };
    }
    const known = storedTranscript(tx, entry.sessionId);
    // A transcript that has not ended here belongs to a broken-off import of a conversation that lost its key to another.
    if (known && known.endReason !== null && known.endReason !== "imported")
      return { leave: "it was reset or deleted here" };
    if (present && lastEntry(tx, present.sessionId)) {
      this.#log.warn(
        `${entry.key}: a conversation with this key was there already; the imported one is kept beside it`,
      );
      return { session: entry, current: false, endedAt: entry.updatedAt };
    }
    if (known) return { leave: "it was reset or deleted here" };
    writeSession(tx, this.#labelled(tx, entry));
    return { session: entry, current: true };
  }

  #labelled(tx: Tx, entry: SessionEntry): SessionEntry {
    const owner = entry.label === undefined ? undefined : readSessionByLabel(tx, entry.label);
    if (!owner || owner.key === entry.key) return entry;
    this.#log.warn(`${entry.key}: its label "${entry.label}" belongs to ${owner.key} and was not taken`);
    const { label: _taken, ...rest } = entry;
    return rest;
  }

  /** A transcript no session names: one that a reset left behind, or of a session that is gone. */
  async #orphan(file: SourceFile): Promise<void> {
    const { store, world } = this.#parts;
    const name = transcriptName(file.name);
    if (typeof name === "string") return this.#log.skip(file.path, name);
    if (isImported(store, file.path, file.hash)) {
      this.#log.before++;
      return;
    }
    const sessionId = headerId(file, name.sessionId);
    const taken = await takeConversation(
      this.#batch,
      {
        sessionId,
        lines: () => file.lines(),
        place: (tx, scan) => this.#placeOrphan(tx, sessionId, name.endReason, scan),
        done: (tx) => markImported(tx, file.path, file.hash, world.now()),
      },
      this.#parts.keep,
    );
    await this.#report(taken.scan, taken.result, file.path);
  }

  #placeOrphan(tx: Tx, sessionId: string, endReason: string | undefined, scan: Scan): Place {
    if (scan.count === 0) return { leave: "nothing in it" };
    const owner = readSessionById(tx, sessionId);
    if (owner) return { session: owner, current: true };
    const known = storedTranscript(tx, sessionId);
    const { header } = scan;
    const key = (header?.sessionKey && this.#key(header.sessionKey)) ?? canonicalKey("main", this.#rules);
    const at = scan.lastAt ?? header?.startedAt ?? 0;
    const session: SessionEntry = {
      key: known?.key ?? key,
      agentId: this.#folder.agentId,
      sessionId,
      createdAt: at,
      updatedAt: at,
      sessionStartedAt: header?.startedAt ?? at,
      lastInteractionAt: at,
      hidden: false,
    };
    const endedAt = header?.endedAt ?? at;
    return { session, current: false, endedAt, endReason: header?.endReason ?? endReason ?? "imported" };
  }

  async #report(scan: Scan, result: () => Place, path: string): Promise<void> {
    for (const { line, reason } of scan.bad) this.#log.warn(`${path} line ${line}: ${reason}`);
    if (scan.moreBad > 0) this.#log.warn(`${path}: ${scan.moreBad} more lines could not be read`);
    // The outcome is known when its unit has run; what is counted here is added at the end of the same order.
    await this.#batch.add(0, () => {
      const place = result();
      if ("leave" in place) return this.#log.skip(path, place.leave);
      if (place.current) this.#log.sessions++;
      else this.#log.earlier++;
      this.#log.entries += scan.count;
    });
  }

  #key(written: string): string | undefined {
    try {
      return canonicalKey(written, this.#rules);
    } catch {
      // The caller reports that this is no key.
      return undefined;
    }
  }
}

/** The transcript of a session: the one it names, else the one with its id, else a topic file with its id. */
function claim(
  files: ReadonlyMap<string, SourceFile>,
  entry: SessionEntry,
  named: string | undefined,
): SourceFile | undefined {
  const { sessionId } = entry;
  const topic = /:(?:topic|thread):([^:]+)$/u.exec(entry.key)?.[1] ?? entry.lastThreadId;
  for (const name of [named, topic && `${sessionId}-topic-${topic}.jsonl`, `${sessionId}.jsonl`]) {
    const file = name ? files.get(name) : undefined;
    if (file) return file;
  }
  return undefined;
}

/** Session id in the name of a transcript nobody claimed, or why it is left out. */
function transcriptName(name: string): { sessionId: string; endReason: string | undefined } | string {
  const found = /^(.+)\.jsonl(?:\.(reset|deleted)\..+)?$/u.exec(name);
  if (!found) return "not a transcript";
  if (found[2] === "deleted") return "deleted before the move";
  const sessionId = found[1];
  return isSessionId(sessionId) ? { sessionId, endReason: found[2] } : "no usable session id in its name";
}

/** Our export writes colons as underscores in names; the header says the id as it is. */
function headerId(file: SourceFile, stem: string): string {
  if (!stem.includes("_")) return stem;
  for (const line of file.lines()) {
    const read = parseLine(line);
    const id = read.kind === "header" ? read.header.id : stem;
    return isSessionId(id) && id.replaceAll(":", "_") === stem ? id : stem;
  }
  return stem;
}

const agentIn = (key: string, folder: string): string => /^agent:([^:]+):/u.exec(key)?.[1] ?? folder;
