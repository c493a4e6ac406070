/** Notes for the next prompt of a session (agent.md §11.1): in memory, first in first out, lost at a restart. */
import type { World } from "../../kernel/world.ts";

export interface SystemEvent {
  /** ms since the epoch */
  ts: number;
  text: string;
}

const maxPerSession = 20;
const maxSessions = 1_000;
const maxChars = 2_000;

export class SystemEvents {
  readonly #world: Pick<World, "now">;
  /** In order of the first waiting note; the session that waits longest is dropped first. */
  readonly #byKey = new Map<string, SystemEvent[]>();

  constructor(options: { world: Pick<World, "now"> }) {
    this.#world = options.world;
  }

  /** False when the text is empty or repeats the newest note. The oldest of more than 20 is dropped. */
  enqueue(key: string, text: string): boolean {
    const line = asNote(text);
    if (line === "") return false;
    let events = this.#byKey.get(key);
    if (!events) {
      const oldest = this.#byKey.keys().next();
      if (this.#byKey.size >= maxSessions && !oldest.done) this.#byKey.delete(oldest.value);
      events = [];
      this.#byKey.set(key, events);
    }
    if (events.at(-1)?.text === line) return false;
    events.push({ ts: this.#world.now(), text: line });
    if (events.length > maxPerSession) events.shift();
    return true;
  }

  /** Takes what waits, oldest first. */
  drain(key: string): SystemEvent[] {
    const events = this.#byKey.get(key) ?? [];
    this.#byKey.delete(key);
    return events;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Everything that waits, by session key; nothing is taken. */
  peekAll(): ReadonlyMap<string, readonly SystemEvent[]> {
    return this.#byKey;
  }
}

/** One line that cannot pass for a note of its own: text from outside must not fake a `System:` line. */
function asNote(text: string): string {
  const line = text
    .slice(0, maxChars)
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029\s]+/gu, " ")
    .trim();
  return line
    .replace(/\bsystem(\s*(?:\([^)]*\)|\[[^\]]*\])?\s*[:：])/giu, "(system)$1")
    .replace(/^\[System/iu, "[(system)");
}
