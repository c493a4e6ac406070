/** Notes for the next prompt of a session (agent.md §11.1): first in first out. Most are in memory and lost at a restart; those that
 *  were acknowledged to somebody are rows too, until a transcript has them (R-HOOK-1). */
import type { World } from "../../kernel/world.ts";
import type { Reader, Row, Tx } from "../../store/index.ts";

export interface SystemEvent {
  /** ms since the epoch */
  ts: number;
  text: string;
  /** Of a note that was drained and is a row. */
  kept?: KeptNote;
}

export interface KeptNote {
  /** In the commit that tells the note: it is not told again after a restart. */
  told(tx: Tx): void;
  /** That commit failed: the note waits again. */
  back(): void;
}

/** A note as it waits. */
interface Waiting {
  ts: number;
  text: string;
  /** Of its row. */
  id?: number;
}

const maxPerSession = 20;
const maxSessions = 1_000;
const maxChars = 2_000;

export class SystemEvents {
  readonly #world: Pick<World, "now">;
  /** In order of the first waiting note; the session that waits longest is dropped first. */
  readonly #byKey = new Map<string, Waiting[]>();

  constructor(options: { world: Pick<World, "now"> }) {
    this.#world = options.world;
  }

  /** What a former process acknowledged and did not tell. */
  load(reader: Reader): void {
    for (const row of reader.all<Row>(
      "SELECT id, session_key, ts, text FROM system_note ORDER BY id LIMIT ?",
      maxSessions * maxPerSession,
    ))
      this.#add(row["session_key"] as string, {
        ts: row["ts"] as number,
        text: row["text"] as string,
        id: row["id"] as number,
      });
  }

  /** Sessions in which somebody waits for a kept note to be told. */
  waking(reader: Reader): string[] {
    const rows = reader.all<Row>("SELECT DISTINCT session_key FROM system_note WHERE wake = 1 LIMIT ?", maxSessions);
    return rows.map((row) => row["session_key"] as string);
  }

  /** False when the text is empty or repeats the newest note. The oldest of more than 20 is dropped. */
  enqueue(key: string, text: string): boolean {
    const line = asNote(text);
    if (line === "" || this.#byKey.get(key)?.at(-1)?.text === line) return false;
    this.#add(key, { ts: this.#world.now(), text: line });
    return true;
  }

  /** As `enqueue`, and not lost once `tx` is durable. `wake`: `waking` names the session. */
  keep(tx: Tx, key: string, text: string, wake: boolean): void {
    const line = asNote(text);
    const newest = this.#byKey.get(key)?.at(-1);
    if (line === "") return;
    if (newest?.text === line && newest.id !== undefined) {
      if (wake) tx.run("UPDATE system_note SET wake = 1 WHERE id = ?", newest.id);
      return;
    }
    const ts = this.#world.now();
    const { lastInsertRowid } = tx.run(
      "INSERT INTO system_note (session_key, ts, text, wake) VALUES (?, ?, ?, ?)",
      key,
      ts,
      line,
      wake ? 1 : 0,
    );
    tx.run(
      `DELETE FROM system_note WHERE session_key = ? AND id <=
       (SELECT id FROM system_note WHERE session_key = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
      key,
      key,
      maxPerSession,
    );
    tx.afterCommit(() => {
      const last = this.#byKey.get(key)?.at(-1);
      if (last?.text === line) last.id = Number(lastInsertRowid);
      else this.#add(key, { ts, text: line, id: Number(lastInsertRowid) });
    });
  }

  /** Takes what waits, oldest first. Kept notes stay rows until they are told. */
  drain(key: string): SystemEvent[] {
    const events = this.#byKey.get(key) ?? [];
    this.#byKey.delete(key);
    return events.map(({ id, ...event }) =>
      id === undefined ? event : { ...event, kept: this.#kept(key, event, id) },
    );
  }

  /** Forgets what waits once `tx` is durable. */
  drop(tx: Tx, key: string): void {
    tx.run("DELETE FROM system_note WHERE session_key = ?", key);
    tx.afterCommit(() => void this.#byKey.delete(key));
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Everything that waits, by session key; nothing is taken. */
  peekAll(): ReadonlyMap<string, readonly SystemEvent[]> {
    return this.#byKey;
  }

  #kept(key: string, event: SystemEvent, id: number): KeptNote {
    return {
      // Older ones were crowded out of memory, or told with it.
      told: (tx) => void tx.run("DELETE FROM system_note WHERE session_key = ? AND id <= ?", key, id),
      back: () => this.#add(key, { ...event, id }),
    };
  }

  #add(key: string, event: Waiting): void {
    let events = this.#byKey.get(key);
    if (!events) {
      const oldest = this.#byKey.keys().next();
      if (this.#byKey.size >= maxSessions && !oldest.done) this.#byKey.delete(oldest.value);
      events = [];
      this.#byKey.set(key, events);
    }
    events.push(event);
    if (events.length > maxPerSession) events.shift();
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
