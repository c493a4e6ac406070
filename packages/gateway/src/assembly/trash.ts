/** Moving things out of the way without destroying them: the desktop's trash, or a folder of our own. */
import { cpSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import type { World } from "../kernel/world.ts";

type Outside = Pick<World, "env" | "homedir" | "now" | "platform">;

interface Trash {
  folder: string;
  /** Of the XDG layout: where the note about each item goes, so that a desktop can put it back. */
  notes?: string;
}

/** `~/.Trash`, else the XDG trash when the desktop has one, else `~/.openclaw-trash`. */
function trashOf(world: Outside): Trash {
  const home = world.homedir();
  const mac = join(home, ".Trash");
  if (existsSync(mac)) return { folder: mac };
  const xdg = join(world.env.XDG_DATA_HOME || join(home, ".local", "share"), "Trash");
  if (world.platform === "linux" && existsSync(xdg)) return { folder: join(xdg, "files"), notes: join(xdg, "info") };
  return { folder: join(home, ".openclaw-trash") };
}

/** Moves a file or folder and returns where it went; undefined when there is none. Nothing in the trash is overwritten. Throws
 *  GatewayError when it cannot be moved; then all of it is still where it was. */
export function moveToTrash(path: string, world: Outside): string | undefined {
  if (!existsSync(path)) return undefined;
  const { folder, notes } = trashOf(world);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stamp = new Date(world.now()).toISOString().replace(/[:.]/gu, "-");
  const plain = `${basename(path).replace(/^\.+/u, "")}-${stamp}`;
  let name = plain;
  for (let n = 2; existsSync(join(folder, name)); n++) name = `${plain}-${n}`;
  const target = join(folder, name);
  const note = notes === undefined ? undefined : join(notes, `${name}.trashinfo`);
  let copied: boolean;
  try {
    if (notes !== undefined && note !== undefined) {
      mkdirSync(notes, { recursive: true, mode: 0o700 });
      const when = new Date(world.now()).toISOString().slice(0, 19);
      writeFileSync(note, `[Trash Info]\nPath=${encodeURI(path)}\nDeletionDate=${when}\n`, { mode: 0o600 });
    }
    copied = moveOrCopy(path, target);
  } catch (error) {
    for (const half of [target, note]) if (half) rmSync(half, { recursive: true, force: true });
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new GatewayError("unavailable", `${path} cannot be moved to ${folder} (${code}). Nothing was removed.`, {
      cause: error,
    });
  }
  // The copy is complete before the original goes.
  if (copied) rmSync(path, { recursive: true, force: true });
  return target;
}

/** Whether the original is still there. Throws when the target is not complete; the original is whole then. */
function moveOrCopy(path: string, target: string): boolean {
  try {
    renameSync(path, target);
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
  }
  // Another file system. What a program listened on holds nothing to keep.
  const filter = (source: string) => {
    const found = lstatSync(source);
    return !found.isSocket() && !found.isFIFO();
  };
  cpSync(path, target, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true, filter });
  return true;
}
