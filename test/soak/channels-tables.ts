/** The gateway's own ledgers, read from a copy of its database while no gateway runs. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { answered, numbersOf } from "./channels-crowd.ts";

export interface InboundFact {
  id: number;
  platform: string;
  state: string;
  run: number | null;
}

export interface OutboxFact {
  platform: string;
  chat: string;
  kind: string;
  state: string;
  run: number | null;
  text: string;
}

export interface Tables {
  /** Stored messages by their number. */
  inbound: Map<number, InboundFact[]>;
  /** Rows whose text is no numbered message. */
  strays: number;
  outbox: OutboxFact[];
  /** Answers by the number of the message they answer. */
  answers: Map<number, OutboxFact[]>;
  runs: Map<number, { state: string; attempts: number }>;
  integrity: string;
}

/** Reads without touching what the next process will find. */
export function readTables(state: string): Tables {
  const folder = mkdtempSync(join(tmpdir(), "openclaw-tables-"));
  try {
    for (const suffix of ["", "-wal"]) {
      const from = join(state, `openclaw.db${suffix}`);
      if (existsSync(from)) copyFileSync(from, join(folder, `copy.db${suffix}`));
    }
    const database = new DatabaseSync(join(folder, "copy.db"));
    try {
      return read(database);
    } finally {
      database.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(database: DatabaseSync): Tables {
  const all = (sql: string) => database.prepare(sql).all();
  const tables: Tables = {
    inbound: new Map(),
    strays: 0,
    outbox: [],
    answers: new Map(),
    runs: new Map(),
    integrity: String(all("PRAGMA integrity_check")[0]?.["integrity_check"]),
  };
  for (const row of all("SELECT id, channel, state, run_row_id, message FROM inbound ORDER BY id")) {
    const { text } = JSON.parse(String(row["message"])) as { text: string };
    const [n] = numbersOf(text);
    if (n === undefined) tables.strays++;
    else
      add(tables.inbound, n, {
        id: Number(row["id"]),
        platform: String(row["channel"]),
        state: String(row["state"]),
        run: rowId(row["run_row_id"]),
      });
  }
  for (const row of all("SELECT channel, chat_id, kind, state, run_row_id, payload FROM outbox ORDER BY id")) {
    const { content } = JSON.parse(String(row["payload"])) as { content: { body?: { plain: string } } };
    const fact = {
      platform: String(row["channel"]),
      chat: String(row["chat_id"]),
      kind: String(row["kind"]),
      state: String(row["state"]),
      run: rowId(row["run_row_id"]),
      text: content.body?.plain ?? "",
    };
    tables.outbox.push(fact);
    const n = answered(fact.text);
    if (n !== undefined) add(tables.answers, n, fact);
  }
  for (const row of all("SELECT id, state, attempts FROM run"))
    tables.runs.set(Number(row["id"]), { state: String(row["state"]), attempts: Number(row["attempts"]) });
  return tables;
}

const rowId = (value: unknown): number | null => (value === null ? null : Number(value));

function add<T>(map: Map<number, T[]>, n: number, value: T): void {
  const known = map.get(n);
  if (known) known.push(value);
  else map.set(n, [value]);
}
