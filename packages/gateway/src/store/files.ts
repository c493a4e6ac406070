/** Private files for databases. */
import { chmodSync, closeSync, lstatSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/** Makes sure that `path` is a regular file only its owner can read (0600); missing directories are made with 0700, an
 *  existing one keeps its mode. An existing file is never opened: closing a descriptor of a database drops the locks this
 *  process holds on it. SQLite gives `-wal` and `-shm` the mode of the database. Throws when `path` is a link or no file. */
export function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    try {
      closeSync(openSync(path, "wx", 0o600));
      return;
    } catch (error) {
      // Another process was faster; its file is treated like one that stood there before.
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  }
  const mode = lstatSync(path);
  if (!mode.isFile())
    throw new Error(`${path} is not a regular file, and the store does not follow links. Move it away.`);
  if (mode.mode & 0o077) chmodSync(path, 0o600);
}
