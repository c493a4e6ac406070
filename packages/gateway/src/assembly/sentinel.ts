/** The note left before a restart and shown after it (lifecycle.md §7.6): one row of the store, read once. */
import type { RestartSentinel, SentinelPort } from "../config/index.ts";
import type { Logger } from "../kernel/log.ts";
import type { Service } from "../kernel/lifecycle.ts";
import type { Migration, SqliteStore } from "../store/index.ts";

export const sentinelMigrations: readonly Migration[] = [
  {
    id: "restart-note-1",
    additive: true,
    sql: "CREATE TABLE restart_note (id INTEGER PRIMARY KEY CHECK (id = 1), note TEXT NOT NULL) STRICT",
  },
];

const maxNoteChars = 16_000;
const maxMessageChars = 8_000;

export interface SentinelOptions {
  store: SqliteStore;
  log: Logger;
  /** Leaves the text for the next prompt of the session, or of the main session. */
  show: (sessionKey: string | undefined, text: string) => void;
}

export class Sentinel implements SentinelPort, Service {
  readonly name = "restart-note";
  readonly #options: SentinelOptions;

  constructor(options: SentinelOptions) {
    this.#options = options;
  }

  async write(sentinel: RestartSentinel): Promise<{ path: string; payload: RestartSentinel }> {
    const { store } = this.#options;
    const payload: RestartSentinel = { ...sentinel };
    if (typeof payload.message === "string") payload.message = payload.message.slice(0, maxMessageChars);
    if (JSON.stringify(payload).length > maxNoteChars) delete payload.stats;
    const note = JSON.stringify(payload);
    await store.commit((tx) =>
      tx.run(
        "INSERT INTO restart_note (id, note) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET note = excluded.note",
        note,
      ),
    );
    return { path: store.path, payload };
  }

  /** Shows what the former generation left, and removes it. */
  async start(): Promise<void> {
    const { store, log, show } = this.#options;
    const row = store.get<{ note: string }>("SELECT note FROM restart_note WHERE id = 1");
    if (!row) return;
    await store.commit((tx) => tx.run("DELETE FROM restart_note WHERE id = 1"));
    let payload: RestartSentinel;
    try {
      payload = JSON.parse(row.note) as RestartSentinel;
    } catch (error) {
      return log.warn("the note of the last restart cannot be read and was dropped", { error });
    }
    const mode = (payload.stats as { mode?: unknown } | undefined)?.mode;
    log.info(`Gateway restart ${payload.kind} ${payload.status}${typeof mode === "string" ? ` (${mode})` : ""}`);
    show(payload.sessionKey, `GatewayRestart:\n${row.note}`);
  }
}
