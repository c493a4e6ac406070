/** A look at a store that nobody uses: whether its pages hold together, and which program can open it. Changes no byte. */
import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

export interface StoreReport {
  /** What `quick_check` found, at most ten lines; empty when the pages hold together. */
  damage: string[];
  /** Migrations applied; 0 for a store that was never opened by a gateway. */
  schemaVersion: number;
  /** Migrations this program does not know and cannot read past. */
  foreign: string[];
}

/** Reads the whole file, seconds per gigabyte; `deep` also compares the indexes with the rows. The caller holds the state lock. Never throws for what the file contains. */
export function inspectStore(path: string, known: readonly string[], deep = false): StoreReport {
  const url = pathToFileURL(path);
  // Without a log there is nothing to recover, and an immutable database gets no files beside it.
  if (sizeOf(`${path}-wal`) === 0) url.search = "?immutable=1";
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(url, { readOnly: true });
    const damage = database
      .prepare(deep ? "PRAGMA integrity_check(10)" : "PRAGMA quick_check(10)")
      .all()
      .map((row) => String(Object.values(row)[0]))
      .filter((line) => line !== "ok");
    const present = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'").get();
    const rows = present ? database.prepare("SELECT id, additive FROM migration ORDER BY rowid").all() : [];
    const foreign = rows
      .filter((row) => row.additive === 0 && !known.includes(String(row.id)))
      .map((row) => String(row.id));
    return { damage, schemaVersion: rows.length, foreign };
  } catch (error) {
    return { damage: [error instanceof Error ? error.message : String(error)], schemaVersion: 0, foreign: [] };
  } finally {
    database?.close();
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
