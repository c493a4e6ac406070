/** What an import reads is copied first, to `<state>/backups/import-<time>/`, and read from there: the originals are opened once
 *  and never written. A copy that was not finished is thrown away by the next import. */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { OldFile } from "./old-state.ts";

export interface SavedFile {
  path: string;
  /** The copy. */
  file: string;
  /** SHA-256, hexadecimal. */
  hash: string;
}

export interface Backup {
  /** The folder with the newest copies; undefined when there was nothing to copy. */
  folder: string | undefined;
  files: ReadonlyMap<string, SavedFile>;
  /** Files that could not be copied. */
  failed: { path: string; reason: string }[];
}

interface Manifest {
  source: string;
  files: Record<string, string>;
}

const blockBytes = 1024 * 1024;
const manifestName = "manifest.json";
const partial = ".partial";

/** Copies what no former import of the same folder copied in the same form. `time` becomes part of a name. Throws what the file
 *  system says when the backup cannot be written; nothing was imported then. */
export function saveOldFiles(source: string, files: readonly OldFile[], state: string, time: string): Backup {
  const backups = join(state, "backups");
  mkdirSync(backups, { recursive: true, mode: 0o700 });
  const former = formerBackups(backups, source);
  const saved = new Map<string, SavedFile>();
  const failed: Backup["failed"] = [];
  const fresh: Record<string, string> = {};
  const name = freeName(backups, `import-${time}`);
  const growing = join(backups, name + partial);
  let latest: string | undefined;
  for (const { path, file } of files) {
    const known = former.get(path);
    try {
      const before = known && hashFile(file);
      const copy = before === undefined ? undefined : known?.get(before);
      if (before !== undefined && copy !== undefined && isCopy(join(backups, copy, path), before)) {
        saved.set(path, { path, file: join(backups, copy, path), hash: before });
        if (latest === undefined || copy > latest) latest = copy;
        continue;
      }
      const hash = copyFile(file, join(growing, path));
      fresh[path] = hash;
      saved.set(path, { path, file: join(backups, name, path), hash });
    } catch (error) {
      if (isOurs(error, growing)) throw error;
      rmSync(join(growing, path), { force: true });
      failed.push({ path, reason: `cannot be read (${codeOf(error)})` });
    }
  }
  if (Object.keys(fresh).length === 0) {
    rmSync(growing, { recursive: true, force: true });
    return { folder: latest && join(backups, latest), files: saved, failed };
  }
  writeFileSync(join(growing, manifestName), `${JSON.stringify({ source, files: fresh }, null, 2)}\n`, {
    mode: 0o600,
    flush: true,
  });
  renameSync(growing, join(backups, name));
  return { folder: join(backups, name), files: saved, failed };
}

/** Path → hash → folder, of the backups of `source` that were finished. Unfinished ones are removed. */
function formerBackups(backups: string, source: string): Map<string, Map<string, string>> {
  const known = new Map<string, Map<string, string>>();
  for (const name of readdirSync(backups).sort()) {
    if (!name.startsWith("import-")) continue;
    if (name.endsWith(partial)) {
      rmSync(join(backups, name), { recursive: true, force: true });
      continue;
    }
    const manifest = readManifest(join(backups, name, manifestName));
    if (manifest?.source !== source) continue;
    for (const [path, hash] of Object.entries(manifest.files)) {
      const hashes = known.get(path) ?? new Map<string, string>();
      known.set(path, hashes.set(hash, name));
    }
  }
  return known;
}

function readManifest(path: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Manifest;
  } catch {
    // Not a backup of ours, or damaged: its files are copied again.
    return undefined;
  }
}

/** A copy that was cut short by a power failure is made again: copies are not flushed one by one, which would cost more than
 *  the import, while their originals stand beside them. */
function isCopy(path: string, hash: string): boolean {
  try {
    return hashFile(path) === hash;
  } catch {
    // Gone or not readable: no copy.
    return false;
  }
}

function freeName(folder: string, wished: string): string {
  const taken = new Set(readdirSync(folder));
  let name = wished;
  for (let count = 2; taken.has(name); count++) name = `${wished}-${count}`;
  return name;
}

/** Opens a regular file for reading without following a link or waiting for a pipe. */
export function openPlain(path: string): number {
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new Error(`${path} is no regular file`);
}

function* blocksOf(path: string): Generator<Buffer> {
  const descriptor = openPlain(path);
  try {
    // Most transcripts are small, and there may be thousands of them.
    const block = Buffer.allocUnsafe(Math.min(blockBytes, fstatSync(descriptor).size + 1));
    for (;;) {
      const size = readSync(descriptor, block, 0, block.length, null);
      if (size === 0) return;
      yield block.subarray(0, size);
    }
  } finally {
    closeSync(descriptor);
  }
}

function hashFile(path: string): string {
  const hash = createHash("sha256");
  for (const block of blocksOf(path)) hash.update(block);
  return hash.digest("hex");
}

function copyFile(from: string, to: string): string {
  const hash = createHash("sha256");
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  const target = openSync(to, "wx", 0o600);
  try {
    for (const block of blocksOf(from)) {
      hash.update(block);
      for (let written = 0; written < block.length;) written += writeSync(target, block, written);
    }
  } finally {
    closeSync(target);
  }
  return hash.digest("hex");
}

/** Lines of a file, without their ends. Of a line beyond `maxBytes` only the start is kept. */
export function* linesOf(path: string, maxBytes: number): Generator<string> {
  let rest: Buffer[] = [];
  let size = 0;
  const keep = (part: Buffer) => {
    // The block is reused, so what outlives it is copied.
    if (size <= maxBytes) rest.push(Buffer.from(part));
    size += part.length;
  };
  const line = () => {
    const text = Buffer.concat(rest).toString("utf8");
    rest = [];
    size = 0;
    return text.endsWith("\r") ? text.slice(0, -1) : text;
  };
  for (const block of blocksOf(path)) {
    let start = 0;
    for (let end = block.indexOf(10); end >= 0; end = block.indexOf(10, start)) {
      keep(block.subarray(start, end));
      yield line();
      start = end + 1;
    }
    if (start < block.length) keep(block.subarray(start));
  }
  if (size > 0) yield line();
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "not a regular file";

/** Whether the copy could not be written, as opposed to the original not being read. */
function isOurs(error: unknown, growing: string): boolean {
  if (!(error instanceof Error)) return true;
  if (["ENOSPC", "EDQUOT", "EROFS", "EFBIG"].includes(codeOf(error))) return true;
  return "path" in error && typeof error.path === "string" && error.path.startsWith(growing);
}
