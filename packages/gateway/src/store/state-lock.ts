/** The lock of a state directory (R-OWN-1): an exclusive transaction on `<state>/gateway.lock.db`, held for life and
 *  released by the kernel when the process dies. Nothing else may open that file: closing any descriptor of it in this
 *  process would drop the lock. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isBusy, StateLockedError } from "./errors.ts";
import { createPrivately } from "./files.ts";

export interface StateLock {
  readonly path: string;
  /** Idempotent. */
  release(): void;
}

/** Takes the lock at once or throws StateLockedError. Creates the directory (0700) and the file (0600) when missing. */
export function openStateLock(stateDir: string): StateLock {
  const path = join(stateDir, "gateway.lock.db");
  createPrivately(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // A rollback journal, so that EXCLUSIVE locks the file itself; in memory, so that nothing is written beside it.
    database.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    throw isBusy(error) ? new StateLockedError(path) : error;
  }
  let held = true;
  return {
    path,
    release() {
      if (!held) return;
      held = false;
      database.exec("ROLLBACK");
      database.close();
    },
  };
}
