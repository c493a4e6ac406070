/** Puts built files where they are used, never leaving a half-written one. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Content by path relative to the output folder. */
export type Output = ReadonlyMap<string, string | Uint8Array>;

/** Each file is written beside its place and renamed. Order of the map is kept: put an entry after what it imports. */
export function publish(folder: string, output: Output): void {
  for (const [name, content] of output) {
    const path = join(folder, name);
    if (same(path, content)) {
      const now = new Date();
      utimesSync(path, now, now);
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    const temporary = `${path}.${process.pid}.tmp`;
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  }
}

/** Removes files that are not in `output` and are older than `ageMs`. */
export function prune(folder: string, output: Output, ageMs: number): void {
  const limit = Date.now() - ageMs;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const age = statSync(path, { throwIfNoEntry: false });
    if (age && !output.has(relative(folder, path)) && age.mtimeMs <= limit) rmSync(path, { force: true });
  }
}

function same(path: string, content: string | Uint8Array): boolean {
  try {
    return readFileSync(path).equals(Buffer.from(content as string));
  } catch {
    // Not there yet.
    return false;
  }
}
