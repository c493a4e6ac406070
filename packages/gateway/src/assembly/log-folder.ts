/** Where log files go when the config names none (R-LOG-1). */
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../kernel/world.ts";

export interface LogFolder {
  folder: string;
  /** Why the folder in the temporary directory does not serve. */
  reason?: string;
}

/** `<tmp>/openclaw` when it is a folder of ours, otherwise `<state>/logs`. Nothing is made or changed. */
export function logFolder(world: Pick<World, "tmpdir">, state: string): LogFolder {
  const preferred = join(world.tmpdir(), "openclaw");
  const uid = process.getuid?.();
  const fallback = (reason: string): LogFolder => ({ folder: join(state, "logs"), reason });
  try {
    const found = lstatSync(preferred, { throwIfNoEntry: false });
    if (!found) return { folder: preferred };
    if (found.isSymbolicLink()) return fallback(`${preferred} is a link.`);
    if (!found.isDirectory()) return fallback(`${preferred} is not a folder.`);
    if (uid !== undefined && found.uid !== uid)
      return fallback(`${preferred} belongs to another user (uid ${found.uid}).`);
    return { folder: preferred };
  } catch (error) {
    return fallback(`${preferred} cannot be looked at (${(error as NodeJS.ErrnoException).code ?? "unknown error"}).`);
  }
}

/** The same, made and closed to others. What stood there and is not ours is left alone. */
export function ensureLogFolder(world: Pick<World, "tmpdir">, state: string): LogFolder {
  const chosen = logFolder(world, state);
  if (chosen.reason !== undefined) return chosen;
  try {
    mkdirSync(chosen.folder, { mode: 0o700 });
  } catch {
    // It exists, or cannot be made; what stands there now is judged below.
  }
  const made = logFolder(world, state);
  if (made.reason !== undefined) return made;
  try {
    const { mode } = lstatSync(made.folder);
    if ((mode & 0o077) !== 0) chmodSync(made.folder, 0o700);
    return made;
  } catch {
    return { folder: join(state, "logs"), reason: `${made.folder} cannot be made.` };
  }
}
