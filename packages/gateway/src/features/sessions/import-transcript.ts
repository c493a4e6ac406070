/** One conversation into the store, in units of bounded size. An import that is killed goes on where it stopped: entries carry
 *  their number, and what is stored already is compared, not written again. */
import { messageText, type Message } from "@openclaw/protocol";
import type { Store, Tx } from "../../store/index.ts";
import { scanLines, type Scan } from "./import-scan.ts";
import { livePage, setLive } from "./import.store.ts";
import { readSession, writeSession } from "./sessions.store.ts";
import { previewOf, titleOf } from "./text.ts";
import { endTranscript, insertEntry, lastEntry, openTranscript } from "./transcripts.store.ts";
import type { SessionEntry, TranscriptEntry } from "./types.ts";
import { recordUsage } from "./usage.store.ts";

const unitEntries = 256;
const unitChars = 1024 * 1024;
const batchUnits = 96;
const batchChars = 4 * 1024 * 1024;

/** Units that share transactions: many small conversations cost one flush of the disk. */
export class Batch {
  readonly store: Store;
  #waiting: Promise<unknown>[] = [];
  #chars = 0;

  constructor(store: Store) {
    this.store = store;
  }

  /** Queues a unit; waits for the disk when enough has gathered. Units run in the order of the calls. */
  async add(chars: number, unit: (tx: Tx) => void): Promise<void> {
    this.#waiting.push(this.store.commit(unit));
    this.#chars += chars;
    if (this.#waiting.length >= batchUnits || this.#chars >= batchChars) await this.flush();
  }

  /** Resolves when everything queued is durable. Rejects with the first error. */
  async flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#chars = 0;
    await Promise.all(waiting);
  }
}

/** Where a conversation goes: into the session it was (`current`), or beside it as one that has ended. */
export type Place =
  | { session: SessionEntry; current: boolean; endedAt?: number | undefined; endReason?: string | undefined }
  | { leave: string };

export interface Conversation {
  sessionId: string;
  lines(): Iterable<string>;
  /** Why it is left out whatever is stored. In the first unit, before `place`. */
  refuse?(tx: Tx): string | undefined;
  /** Decides inside the first unit; may write the session. Called after it is sure that the stored entries, if any, are the
   *  first ones of the file. */
  place(tx: Tx, scan: Scan): Place;
  /** In the last unit. Not called when the conversation is left out. */
  done?(tx: Tx, scan: Scan): void;
}

/** Where the texts for lists come from. */
interface Shown {
  title: string | undefined;
  last: Message | undefined;
}

export interface Taken {
  scan: Scan;
  /** Valid once the batch was flushed. */
  result(): Place;
}

/** Reads everything and stores nothing. */
export type Keep = "entries" | "nothing";

export async function takeConversation(batch: Batch, given: Conversation, keep: Keep = "entries"): Promise<Taken> {
  const { sessionId } = given;
  const scan = scanLines(() => given.lines(), sessionId);
  const storedBefore = lastEntry(batch.store, sessionId)?.seq ?? 0;
  let place: Place = { leave: "not reached" };
  let stored = 0;
  const shown: Shown = { title: undefined, last: undefined };
  await batch.add(0, (tx) => {
    const last = lastEntry(tx, sessionId);
    stored = last?.seq ?? 0;
    const refused = given.refuse?.(tx);
    if (refused !== undefined) {
      place = { leave: refused };
      return;
    }
    if (last && scan.ids[last.seq - 1] !== last.id) {
      place = { leave: "the conversation went on here, or another file was imported under its id" };
      return;
    }
    place = given.place(tx, scan);
    if ("leave" in place) return;
    const startedAt = scan.header?.startedAt ?? scan.firstAt ?? place.session.sessionStartedAt;
    openTranscript(tx, { sessionId, key: place.session.key, startedAt });
  });

  const insert = (page: readonly TranscriptEntry[]) => (tx: Tx) => {
    if ("leave" in place || keep === "nothing") return;
    for (const entry of page) {
      const live = scan.live.has(entry.id);
      const message = entry.body.type === "message" ? entry.body.message : undefined;
      if (live && message) {
        shown.title ??= titleOf(message);
        if (message.role !== "toolResult" && messageText(message).trim() !== "") shown.last = message;
      }
      if (entry.seq <= stored) continue;
      insertEntry(tx, entry, live);
      if (message) recordUsage(tx, { ...place.session, sessionId }, message, entry.timestamp);
    }
  };
  let page: TranscriptEntry[] = [];
  let chars = 0;
  for (const read of scan.entries()) {
    page.push(read.entry);
    chars += read.chars;
    if (page.length < unitEntries && chars < unitChars) continue;
    await batch.add(chars, insert(page));
    page = [];
    chars = 0;
  }
  if (page.length > 0) await batch.add(chars, insert(page));
  // A file that grew since its last import may have left a branch that was live.
  for (let seq = 1; seq <= storedBefore; seq += livePage) {
    await batch.add(0, (tx) => {
      if (!("leave" in place)) setLive(tx, sessionId, scan.live, seq);
    });
  }
  await batch.add(0, (tx) => {
    if ("leave" in place) return;
    if (place.current) summarise(tx, place.session.key, sessionId, shown);
    else if (place.endedAt !== undefined) endTranscript(tx, sessionId, place.endedAt, place.endReason ?? "imported");
    given.done?.(tx, scan);
  });
  return { scan, result: () => place };
}

function summarise(tx: Tx, key: string, sessionId: string, shown: Shown): void {
  const session = readSession(tx, key);
  if (session?.sessionId !== sessionId) return;
  const { title, last } = shown;
  const preview = last && previewOf(last);
  if (title === undefined && preview === undefined) return;
  writeSession(tx, {
    ...session,
    ...(title === undefined ? {} : { derivedTitle: title }),
    ...(preview === undefined ? {} : { lastMessagePreview: preview }),
  });
}
