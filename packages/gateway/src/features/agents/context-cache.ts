/** The entries of recently used contexts, so that a turn in a long conversation reads what is new and not everything again.
 *  What is kept is checked against the transcript at each use and never trusted beyond it. */
import type { EntryBody, SessionLedger, TranscriptEntry } from "../sessions/index.ts";

const maxSessions = 16;
/** Characters over all sessions, and of one. */
const maxChars = 8_000_000;
const maxSessionChars = 2_000_000;
const maxEntries = 2_000;
/** A context at its limit may grow by this before it is read again: its beginning then stays the same for a while, which
 *  providers' prompt caches reward. */
const slack = 500;
/** New entries since the last turn that are worth adding instead of reading all. */
const maxAdded = 64;

interface Kept {
  entries: TranscriptEntry[];
  /** The newest entry. A compaction stands first in a context, wherever it was written. */
  leafId: string | undefined;
  chars: number;
}

export class ContextCache {
  readonly #sessions: Pick<SessionLedger, "contextEntries" | "entries">;
  /** The session used longest ago comes first. */
  readonly #kept = new Map<string, Kept>();
  #chars = 0;

  constructor(sessions: Pick<SessionLedger, "contextEntries" | "entries">) {
    this.#sessions = sessions;
  }

  /** `contextEntries` of the ledger; at its limit up to 500 older entries may still be there. */
  read(sessionId: string): readonly TranscriptEntry[] {
    const known = this.#kept.get(sessionId);
    const entries =
      (known && this.#continued(sessionId, known)) ?? this.#sessions.contextEntries(sessionId, maxEntries);
    this.#keep(sessionId, entries);
    return entries;
  }

  /** The kept entries and those added since; undefined when the transcript no longer continues them. */
  #continued(sessionId: string, { entries: kept, leafId }: Kept): TranscriptEntry[] | undefined {
    const newest = this.#sessions.entries(sessionId, { limit: maxAdded });
    const at = newest.findIndex((entry) => entry.id === leafId);
    const added = newest.slice(at + 1);
    if (at < 0 || added.some((entry) => entry.body.type === "compaction") || !this.#headStands(sessionId, kept))
      return undefined;
    return kept.length + added.length > maxEntries + slack ? undefined : [...kept, ...added];
  }

  /** Whether the oldest kept entry is still part of the transcript: its head may have been cut off. */
  #headStands(sessionId: string, kept: readonly TranscriptEntry[]): boolean {
    const [first, second] = kept[0]?.body.type === "compaction" ? kept.slice(1) : kept;
    if (!first || !second) return false;
    return this.#sessions.entries(sessionId, { limit: 1, before: second.id })[0]?.id === first.id;
  }

  #keep(sessionId: string, entries: TranscriptEntry[]): void {
    this.#forget(sessionId);
    const chars = entries.reduce((sum, entry) => sum + sizeOf(entry.body), 0);
    if (chars > maxSessionChars) return;
    const [first, last] = [entries[0], entries.at(-1)];
    const leafId = (first && last && first.seq > last.seq ? first : last)?.id;
    this.#kept.set(sessionId, { entries, leafId, chars });
    this.#chars += chars;
    for (const oldest of this.#kept.keys()) {
      if (this.#chars <= maxChars && this.#kept.size <= maxSessions) return;
      this.#forget(oldest);
    }
  }

  #forget(sessionId: string): void {
    this.#chars -= this.#kept.get(sessionId)?.chars ?? 0;
    this.#kept.delete(sessionId);
  }
}

/** Rough size in characters. */
function sizeOf(body: EntryBody): number {
  const overhead = 200;
  if (body.type === "compaction") return overhead + body.summary.length;
  if (body.type === "custom_message") return overhead + body.content.length;
  if (body.type !== "message") return overhead;
  if (typeof body.message.content === "string") return overhead + body.message.content.length;
  let size = overhead;
  for (const part of body.message.content) {
    if (part.type === "text") size += part.text.length;
    else if (part.type === "image") size += part.data.length;
    else if (part.type === "thinking") size += part.thinking.length;
    else size += 500;
  }
  return size;
}
