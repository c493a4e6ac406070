/** Opens the store of a profile. */
import { DatabaseSync } from "node:sqlite";
import type { Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";
import { isCorruption, isDiskFull, StoreCorruptError, StoreFullError } from "./errors.ts";
import { createPrivately } from "./files.ts";
import { migrate } from "./migrate.ts";
import { SqliteStore } from "./sqlite-store.ts";
import type { Migration } from "./store.ts";

export interface OpenStoreOptions {
  /** `<state>/openclaw.db`, or `:memory:` in tests. */
  path: string;
  /** Of all rooms, in a fixed order; new ones are appended to their room's list. */
  migrations: readonly Migration[];
  world: Pick<World, "now" | "monotonic" | "mark" | "env">;
  log: Logger;
}

const busyTimeoutMs = 2_000;

/** `wal_autocheckpoint` bounds the log to about 4 MB of pages between checkpoints, `journal_size_limit` what stays of it
 *  after a burst. `cell_size_check` finds damaged pages when they are read. */
const settings = `
  PRAGMA synchronous = FULL;
  PRAGMA cell_size_check = ON;
  PRAGMA trusted_schema = OFF;
  PRAGMA wal_autocheckpoint = 1000;
  PRAGMA journal_size_limit = 16777216;
  PRAGMA cache_size = -8000;
  PRAGMA temp_store = MEMORY;`;

/** Creates or opens, checks the settings, migrates. The caller holds the state lock. Throws StoreCorruptError,
 *  StoreFullError, StoreTooNewError, or what the file system says; the file is then unchanged and closed.
 *
 *  Damage is looked for where it is cheap: header, schema and the bookkeeping rows are read here, every page is checked
 *  when it is used, and the first error at run time turns `health` red. `quick_check` reads the whole file (seconds per
 *  gigabyte), so it belongs to `doctor`, not to every start. */
export function openStore(options: OpenStoreOptions): SqliteStore {
  const { path, world, log } = options;
  const told = (error: unknown) =>
    isCorruption(error)
      ? new StoreCorruptError(path, error, world)
      : isDiskFull(error)
        ? new StoreFullError(path, error)
        : error;
  let database: DatabaseSync;
  try {
    if (path !== ":memory:") createPrivately(path);
    database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  } catch (error) {
    throw told(error);
  }
  try {
    const wanted = path === ":memory:" ? "memory" : "wal";
    const journal = database.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
    if (journal !== wanted)
      throw new Error(`The file system of ${path} cannot keep a write-ahead log. Use a local disk.`);
    database.exec(settings);
    if (database.prepare("PRAGMA synchronous").get()?.synchronous !== 2)
      throw new Error("SQLite refused synchronous=FULL");
    const schema = migrate(database, path, options.migrations, world);
    if (schema.applied.length > 0)
      log.info("store migrated", { schemaVersion: schema.schemaVersion, applied: schema.applied });
    database.exec("PRAGMA foreign_keys = ON");
    return new SqliteStore({ path, database, world, log });
  } catch (error) {
    database.close();
    throw told(error);
  }
}
