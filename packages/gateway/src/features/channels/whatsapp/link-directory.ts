/** The directory in which other programs keep a link, one file per key (channels.md §6.2). Read once, never written: its keys become
 *  rows. A `creds.json` that was cut off by a crash is read from its backup. */
import { readFile } from "node:fs/promises";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../../../kernel/log.ts";
import { expandHome, stateDir } from "../../../kernel/paths.ts";
import type { World } from "../../../kernel/world.ts";
import { type AuthStore, credsKind, type KeyWrite } from "./auth.store.ts";
import { decodeKey, encodeKey } from "./key-codec.ts";
import { isLinked } from "./link.ts";

/** Kinds of keys, as the files are named. Longer names first: one is the beginning of another. */
const kinds = [
  "sender-key-memory",
  "sender-key",
  "app-state-sync-version",
  "app-state-sync-key",
  "pre-key",
  "session",
  "lid-mapping",
  "device-list",
  "identity-key",
  "tctoken",
] as const;

const maxFiles = 200_000;
const maxFileBytes = 4 * 1024 * 1024;

export interface LinkDirectoryOptions {
  world: World;
  log: Logger;
  accountId: string;
  auth: AuthStore;
}

export class LinkDirectory {
  readonly #o: LinkDirectoryOptions;

  constructor(options: LinkDirectoryOptions) {
    this.#o = options;
  }

  /** The directory of this account; `configured` as typed. */
  path(configured: string | undefined): string {
    const { world, accountId } = this.#o;
    if (configured) return expandHome(configured, world);
    return join(stateDir(world), "credentials", "whatsapp", accountId);
  }

  /** Whether there is a link that was not imported yet. */
  holdsLink(configured: string | undefined): boolean {
    const dir = this.path(configured);
    if (this.#o.auth.meta()?.dir === dir) return false;
    return this.#candidates(dir).some(
      (candidate) => existsSync(join(candidate, "creds.json")) || existsSync(join(candidate, "creds.json.bak")),
    );
  }

  /** Imports the link in the directory unless that was done. Another directory than the last time means another device: the link in
   *  use is set aside. Answers the directory. */
  async ensureImported(configured: string | undefined): Promise<string> {
    const { auth, world, log } = this.#o;
    const dir = this.path(configured);
    const meta = auth.meta();
    if (meta?.dir === dir) return dir;
    if (meta && auth.creds()) {
      await auth.setAside(world.now());
      log.warn("authDir has changed: the link in use was set aside", { dir });
    }
    for (const candidate of auth.creds() ? [] : this.#candidates(dir)) {
      const creds = await this.#readCreds(candidate);
      if (!creds) continue;
      const keys = await this.#readKeys(candidate);
      const savedAt = world.now();
      await auth.write([{ kind: credsKind, id: "", value: encodeKey(creds) }, ...keys], { dir, savedAt });
      log.info("imported the WhatsApp link; its files were left as they are", { dir: candidate, keys: keys.length });
      return dir;
    }
    await auth.write([], { ...auth.meta(), dir });
    return dir;
  }

  /** Old versions kept the files of the first account directly in `credentials`. */
  #candidates(dir: string): string[] {
    const { world, accountId } = this.#o;
    return accountId === "default" ? [dir, join(stateDir(world), "credentials")] : [dir];
  }

  async #readCreds(dir: string): Promise<object | undefined> {
    for (const name of ["creds.json", "creds.json.bak"]) {
      const value = await readKey(join(dir, name));
      if (typeof value !== "object" || value === null) continue;
      if (name.endsWith(".bak")) this.#o.log.warn("creds.json cannot be read: its backup was used", { dir });
      return isLinked(value) ? value : undefined;
    }
    return undefined;
  }

  async #readKeys(dir: string): Promise<KeyWrite[]> {
    const writes: KeyWrite[] = [];
    const files = readdirSync(dir).slice(0, maxFiles);
    for (const name of files) {
      const named = keyOfFile(name);
      if (!named) continue;
      const value = await readKey(join(dir, name));
      if (value !== undefined && value !== null) writes.push({ ...named, value: encodeKey(value) });
    }
    return writes;
  }
}

/** Kind and id of a key's file; undefined for other files. `/` and `:` cannot stand in file names and were replaced. */
export function keyOfFile(name: string): { kind: string; id: string } | undefined {
  const kind = kinds.find((candidate) => name.startsWith(`${candidate}-`));
  if (!kind || !name.endsWith(".json")) return undefined;
  const id = name.slice(kind.length + 1, -".json".length);
  if (id === "") return undefined;
  if (kind === "app-state-sync-key") return { kind, id: id.replaceAll("__", "/") };
  if (kind === "sender-key") return { kind, id: id.replace(/^(.+@g\.us|.+@broadcast)--(.+)--(\d+)$/u, "$1::$2::$3") };
  if (kind === "tctoken" && id !== "__index") return { kind, id: id.replaceAll("__", "/") };
  return { kind, id };
}

/** Undefined when it is missing, empty, too large or no JSON. */
async function readKey(path: string): Promise<unknown> {
  try {
    if (statSync(path).size > maxFileBytes) return undefined;
    return decodeKey(await readFile(path));
  } catch {
    // Cut off or gone: there is a backup, or the key is made anew.
    return undefined;
  }
}
