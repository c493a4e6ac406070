/** How the file tools reach files: paths relative to the workspace, regular files only, confinement without a gap for links
 *  (R-SEC-7 in spirit; agents may name absolute paths unless confined). */
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readlink, realpath, rename, unlink } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, resolve, sep } from "node:path";
import { expandHome } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";
import type { ToolContext } from "./tool.ts";

export interface FileScope {
  /** Absolute. */
  workspace: string;
  /** Nothing outside the workspace may be read or written, by whatever link. */
  confined: boolean;
}

export const fileScope = (context: ToolContext, workspaceOnly: boolean): FileScope => ({
  workspace: context.workspace,
  confined: workspaceOnly || !context.owner,
});

/** Absolute path that `path` means. Throws when it cannot be a path. */
export function resolvePath(path: string, scope: FileScope, world: Pick<World, "homedir">): string {
  if (path.trim() === "") throw new Error("path is empty");
  if (path.includes("\0")) throw new Error("path contains a NUL character");
  return resolve(scope.workspace, expandHome(path, world));
}

/** The real path of an existing file. Throws with a text for the model when it does not exist or lies outside. */
async function realFile(absolute: string, scope: FileScope): Promise<string> {
  const real = await realpath(absolute).catch((error: unknown) => {
    throw readable(error, absolute);
  });
  if (scope.confined) await assertInside(real, absolute, scope);
  return real;
}

async function assertInside(real: string, asked: string, scope: FileScope): Promise<void> {
  const root = await realpath(scope.workspace);
  if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw new Error(`${asked} is outside the workspace ${scope.workspace}, and this run is confined to it`);
  }
}

/** Opens a regular file for reading. The caller closes it. */
export async function openForReading(
  absolute: string,
  scope: FileScope,
): Promise<{ handle: FileHandle; real: string }> {
  const real = await realFile(absolute, scope);
  // Not blocking, so that a pipe named like a file cannot hold the run.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
  const handle = await open(real, flags).catch((error: unknown) => {
    throw readable(error, absolute);
  });
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new Error(`${absolute} is a directory. Use exec with ls to list it.`);
    if (!stat.isFile()) throw new Error(`${absolute} is not a regular file`);
    if (scope.confined) await assertHandleInside(handle, absolute, scope);
    return { handle, real };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Where the kernel says an open file is, so that a directory swapped for a link after the check changes nothing. */
async function assertHandleInside(handle: FileHandle, asked: string, scope: FileScope): Promise<void> {
  const real = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined);
  // Systems without /proc keep the check by path made before the open.
  if (real !== undefined) await assertInside(real, asked, scope);
}

/** Replaces a file as a whole: a temporary file beside it, flushed, then renamed. Parents are made; the mode and, where
 *  permitted, the owner of an existing file stay. A link is followed, so its target is what changes. */
export async function replaceFile(absolute: string, content: string, scope: FileScope, world: World): Promise<void> {
  const target = await writeTarget(absolute, scope);
  const before = await lstat(target).catch(() => undefined);
  if (before && !before.isFile()) throw new Error(`${absolute} exists and is not a regular file`);
  const temporary = join(dirname(target), `.${basename(target).slice(0, 100)}.${world.uuid().slice(0, 8)}.tmp`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
  const handle = await open(temporary, flags, before ? 0o600 : 0o666).catch((error: unknown) => {
    throw readable(error, absolute);
  });
  try {
    try {
      if (scope.confined) await assertHandleInside(handle, absolute, scope);
      await handle.writeFile(content, "utf8");
      if (before) {
        // Another owner can only be kept by root; for everyone else the file becomes their own, as with most editors.
        await handle.chown(before.uid, before.gid).catch(() => {});
        await handle.chmod(before.mode & 0o7777);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(() => {}); // Already renamed or never there.
    throw readable(error, absolute);
  }
}

/** The path to write: of an existing file its real path, of a new one the real path of its nearest existing parent. */
async function writeTarget(absolute: string, scope: FileScope): Promise<string> {
  const link = await lstat(absolute).catch(() => undefined);
  if (link) {
    const real = await realpath(absolute).catch(() => undefined);
    if (real === undefined) throw new Error(`${absolute} is a link to something that does not exist`);
    if (scope.confined) await assertInside(real, absolute, scope);
    return real;
  }
  let existing = dirname(absolute);
  let rest = basename(absolute);
  let realParent: string | undefined;
  while ((realParent = await realpath(existing).catch(() => undefined)) === undefined) {
    if (dirname(existing) === existing) throw new Error(`${absolute} cannot be written: no parent directory exists`);
    rest = join(basename(existing), rest);
    existing = dirname(existing);
  }
  if (scope.confined) await assertInside(realParent, absolute, scope);
  const target = join(realParent, rest);
  await mkdir(dirname(target), { recursive: true }).catch((error: unknown) => {
    throw readable(error, absolute);
  });
  return target;
}

/** Path for people and models: relative inside the workspace. */
export function shownPath(absolute: string, scope: FileScope): string {
  const prefix = scope.workspace.endsWith(sep) ? scope.workspace : scope.workspace + sep;
  return isAbsolute(absolute) && absolute.startsWith(prefix) ? absolute.slice(prefix.length) : absolute;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist: a part of its path is a file",
  EACCES: "may not be accessed: permission denied",
  EPERM: "may not be accessed: operation not permitted",
  EISDIR: "is a directory",
  ELOOP: "is a link that leads in circles or was swapped",
  ENAMETOOLONG: "has too long a name",
  ENOSPC: "cannot be written: the disk is full",
  EROFS: "cannot be written: the file system is read-only",
  EDQUOT: "cannot be written: the quota is used up",
};

function readable(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const reason = code === undefined ? undefined : reasons[code];
  return reason === undefined ? error : new Error(`${path} ${reason}`, { cause: error });
}

/** Changes of one file happen one after the other, so that parallel edits of it do not undo each other. */
export class FileTurns {
  readonly #last = new Map<string, Promise<void>>();

  async take<T>(absolute: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(absolute);
    const { promise, resolve: done } = Promise.withResolvers<void>();
    this.#last.set(absolute, promise);
    await before;
    try {
      return await work();
    } finally {
      done();
      if (this.#last.get(absolute) === promise) this.#last.delete(absolute);
    }
  }
}
