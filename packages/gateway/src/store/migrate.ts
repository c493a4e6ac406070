/** Schema versions of the store (R-UPG-2). All pending migrations run in one transaction, so a store is never half upgraded. */
import { rmSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { World } from "../kernel/world.ts";
import { StoreTooNewError } from "./errors.ts";
import { createPrivately } from "./files.ts";
import type { Migration } from "./store.ts";

export interface Schema {
  /** Migrations applied to the store. */
  schemaVersion: number;
  /** A program must know at least this many migrations to open it. */
  minReader: number;
  /** Ids applied now. */
  applied: string[];
}

const bookkeeping = `
  CREATE TABLE IF NOT EXISTS migration (id TEXT PRIMARY KEY, at INTEGER NOT NULL, additive INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;`;

/** Brings the store up to `migrations`. A store that already held data is copied to `<path>.before-<version>` first; the copy
 *  goes at the next open that has nothing to migrate. Throws StoreTooNewError and changes nothing when the store knows
 *  migrations this program does not, unless all of them are additive. */
export function migrate(
  database: DatabaseSync,
  path: string,
  migrations: readonly Migration[],
  world: Pick<World, "now" | "mark">,
): Schema {
  const present =
    database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'").get() !== undefined;
  const rows = present ? database.prepare("SELECT id, additive FROM migration ORDER BY rowid").all() : [];
  const known = new Set(migrations.map((migration) => migration.id));
  if (known.size !== migrations.length) throw new Error("two migrations have the same id");
  const foreign = rows.findLast((row) => !known.has(String(row.id)) && row.additive === 0);
  const before = versions(rows);
  if (foreign) throw new StoreTooNewError({ path, ...before, known: migrations.length });
  const done = new Set(rows.map((row) => String(row.id)));
  const pending = migrations.filter((migration) => !done.has(migration.id));
  if (pending.length === 0) {
    dropCopy(database, present);
    return { ...before, applied: [] };
  }
  const copy = rows.length > 0 && path !== ":memory:" ? `${path}.before-${rows.length}` : undefined;
  if (copy) {
    rmSync(copy, { force: true });
    createPrivately(copy);
    database.prepare("VACUUM INTO ?").run(copy);
    world.mark("store.migrate.copied");
  }
  database.exec("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE");
  try {
    database.exec(bookkeeping);
    const record = database.prepare("INSERT INTO migration (id, at, additive) VALUES (?, ?, ?)");
    for (const { id, sql, additive } of pending) {
      database.exec(sql);
      record.run(id, world.now(), additive ? 1 : 0);
      rows.push({ id, additive: additive ? 1 : 0 });
      world.mark(`store.migrate.${id}`);
    }
    const after = versions(rows);
    const set = database.prepare("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
    set.run("schemaVersion", String(after.schemaVersion));
    set.run("minReader", String(after.minReader));
    if (copy) set.run("copyBeforeMigration", copy);
    if (database.prepare("PRAGMA foreign_key_check").get())
      throw new Error("a migration left a row without its parent");
    database.exec("COMMIT");
    return { ...after, applied: pending.map((migration) => migration.id) };
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function versions(rows: readonly Record<string, unknown>[]): { schemaVersion: number; minReader: number } {
  return { schemaVersion: rows.length, minReader: rows.findLastIndex((row) => row.additive === 0) + 1 };
}

function dropCopy(database: DatabaseSync, present: boolean): void {
  if (!present) return;
  const row = database.prepare("SELECT value FROM meta WHERE name = 'copyBeforeMigration'").get();
  if (typeof row?.value !== "string") return;
  rmSync(row.value, { force: true });
  database.exec("DELETE FROM meta WHERE name = 'copyBeforeMigration'");
}
