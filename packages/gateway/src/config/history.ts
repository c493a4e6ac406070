/** The last 20 texts the config file had, in `<state>/config-history/` (R-CFG-7): what a writer replaced, what it wrote, and
 *  what the gateway applied. Works without a gateway. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../kernel/world.ts";
import { stateDir } from "../kernel/paths.ts";

const kept = 20;
const fileName = /^(\d{8}T\d{9}Z)-([0-9a-f]{12})\.json5$/u;

export interface HistoryEntry {
  /** `20261121T142210123Z-0a1b2c3d4e5f` */
  id: string;
  /** ms since the epoch. */
  at: number;
  /** First twelve digits of the text's SHA-256. */
  hash: string;
  path: string;
}

type HistoryWorld = Pick<World, "env" | "homedir" | "now" | "uuid">;

export const hashOf = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");

export const historyFolder = (world: Pick<World, "env" | "homedir">): string => join(stateDir(world), "config-history");

/** Newest first; empty when there is none. */
export function listHistory(world: Pick<World, "env" | "homedir">): HistoryEntry[] {
  const folder = historyFolder(world);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    // Nothing was ever written.
    return [];
  }
  return names
    .flatMap((name) => {
      const match = fileName.exec(name);
      if (!match) return [];
      const [, stamp = "", hash = ""] = match;
      return [
        {
          id: `${stamp}-${hash}`,
          at: Date.parse(stamp.replace(/^(.{4})(..)(..)T(..)(..)(..)(...)Z$/u, "$1-$2-$3T$4:$5:$6.$7Z")),
          hash,
          path: join(folder, name),
        },
      ];
    })
    .sort((a, b) => (a.id < b.id ? 1 : -1));
}

export const readHistory = (entry: HistoryEntry): string => readFileSync(entry.path, "utf8");

/** Keeps a text unless the newest entry is the same. Mode 0600. Returns the path of the copy. Throws when the folder cannot be
 *  written. */
export function keepInHistory(text: string, world: HistoryWorld): string {
  const hash = hashOf(text).slice(0, 12);
  const entries = listHistory(world);
  const newest = entries[0];
  if (newest?.hash === hash) return newest.path;
  const folder = historyFolder(world);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Never older than what is there: a clock that was set back must not change the order.
  const at = Math.max(world.now(), (newest?.at ?? 0) + 1);
  const stamp = new Date(at).toISOString().replace(/[-:.]/gu, "");
  const path = join(folder, `${stamp}-${hash}.json5`);
  const temp = join(folder, `.${world.uuid()}.tmp`);
  try {
    writeFileSync(temp, text, { flag: "wx", mode: 0o600 });
    renameSync(temp, path);
  } finally {
    rmSync(temp, { force: true });
  }
  for (const old of entries.slice(kept - 1)) rmSync(old.path, { force: true });
  return path;
}
