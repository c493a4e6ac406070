/** A file below the root, opened so that neither its path nor a link nor a swap at the wrong moment leads outside
 *  (canvas-browser-nodes.md §2.4, S10). */
import { constants } from "node:fs";
import { lstat, open, realpath, type FileHandle } from "node:fs/promises";
import { join, sep } from "node:path";

export interface OpenedFile {
  handle: FileHandle;
  name: string;
  bytes: number;
}

export type Opening = OpenedFile | "missing" | "directory";

/** `root` is a real path. The caller closes the handle. */
export async function openBelow(root: string, segments: readonly string[]): Promise<Opening> {
  const path = join(root, ...segments);
  let handle: FileHandle | undefined;
  try {
    const seen = await lstat(path);
    if (seen.isDirectory()) return "directory";
    if (!seen.isFile()) return "missing";
    // Not following a link that has just taken its place, nor waiting for a writer of a pipe that has.
    handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    const stat = await handle.stat();
    const real = await realpath(path);
    const there = await lstat(real);
    const inside = real.startsWith(root.endsWith(sep) ? root : root + sep);
    const same = stat.dev === seen.dev && stat.ino === seen.ino && stat.dev === there.dev && stat.ino === there.ino;
    if (!inside || !same || !stat.isFile()) return await refused(handle);
    return { handle, name: segments.at(-1) ?? "", bytes: stat.size };
  } catch {
    // Not there, not readable, or a name no file can have: for a browser all are the same.
    return handle ? refused(handle) : "missing";
  }
}

async function refused(handle: FileHandle): Promise<"missing"> {
  await handle.close();
  return "missing";
}
