/** Watches the config file and what it includes (lifecycle.md §7.1): the folders, because editors rename, unlink and swap
 *  links; and every five seconds the files themselves, because events get lost. Reports a change once it has been still. */
import { lstatSync, readlinkSync, statSync, watch, type FSWatcher } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { Logger } from "../kernel/log.ts";
import type { Timer, World } from "../kernel/world.ts";

export const watchTimes = { stableMs: 200, stepMs: 50, pollMs: 5_000 } as const;
const maxLinks = 10;
/** Editing a config does not touch more folders than this; includes beyond it are seen by the poll. */
const maxFolders = 64;

export interface WatchOptions {
  world: World;
  log: Logger;
  /** Quiet time after the file is stable; read at use. */
  debounceMs: () => number;
  /** Called once per change, when it has been still for `stableMs` + debounce. Must not throw. */
  settled: () => void;
}

interface Folder {
  watcher: FSWatcher;
  /** Device and inode: a folder that was replaced is watched anew. */
  identity: string;
}

export class ConfigWatch {
  readonly #options: WatchOptions;
  readonly #folders = new Map<string, Folder>();
  #files: readonly string[] = [];
  /** Names whose `change` events count; any rename in the folder does, since links may lead elsewhere now. */
  #names = new Set<string>();
  #seen = "";
  #changedAt = 0;
  #step: Timer | undefined;
  #poll: Timer | undefined;
  #warned = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Watches these files from now on. A change since the last look is noticed. */
  watch(files: readonly string[]): void {
    const first = this.#poll === undefined;
    const same = !first && files.length === this.#files.length && files.every((file, i) => file === this.#files[i]);
    if (!same) {
      this.#files = [...files];
      // A new set of files is a new state to compare with, not a change.
      this.#seen = this.#signature();
    }
    this.#attach();
    this.#poll ??= this.#options.world.every(watchTimes.pollMs, () => {
      this.#attach();
      this.#look();
    });
  }

  /** As if something had changed: after a start somebody may have saved between the reading and the watching. */
  nudge(): void {
    this.#changedAt = this.#options.world.monotonic();
    this.#arm();
  }

  stop(): void {
    this.#poll?.cancel();
    this.#step?.cancel();
    this.#poll = this.#step = undefined;
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #look(): void {
    if (this.#step) return;
    const now = this.#signature();
    if (now === this.#seen) return;
    this.#seen = now;
    // The links may lead to another folder now.
    this.#attach();
    this.nudge();
  }

  /** Every 50 ms until nothing has changed for long enough. */
  #arm(): void {
    const { world, debounceMs, settled } = this.#options;
    this.#step ??= world.after(watchTimes.stepMs, () => {
      this.#step = undefined;
      const now = this.#signature();
      if (now !== this.#seen) {
        this.#seen = now;
        this.#changedAt = world.monotonic();
      }
      if (world.monotonic() - this.#changedAt < watchTimes.stableMs + debounceMs()) return this.#arm();
      this.#attach();
      settled();
    });
  }

  #signature(): string {
    return this.#files.map((file) => identityOf(file, true)).join("\n");
  }

  /** Watches every folder on the way to the files, and none besides. */
  #attach(): void {
    const wanted = new Set<string>();
    this.#names = new Set();
    for (const file of this.#files) {
      for (const step of linkChain(file)) {
        this.#names.add(basename(step));
        if (wanted.size < maxFolders) wanted.add(dirname(step));
      }
    }
    for (const [path, folder] of this.#folders) {
      if (wanted.has(path) && folder.identity === identityOf(path, false)) continue;
      folder.watcher.close();
      this.#folders.delete(path);
    }
    for (const path of wanted) if (!this.#folders.has(path)) this.#attachTo(path);
  }

  #attachTo(path: string): void {
    try {
      const watcher = watch(path, { persistent: false }, (event, name) => {
        if (event === "change" && name !== null && !this.#names.has(name)) return;
        this.#look();
      });
      watcher.on("error", (error) => this.#failed(path, error));
      this.#folders.set(path, { watcher, identity: identityOf(path, false) });
    } catch (error) {
      // A folder that is gone for a moment comes back with the next poll; anything else is worth one line.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#failed(path, error);
    }
  }

  #failed(path: string, error: unknown): void {
    this.#folders.get(path)?.watcher.close();
    this.#folders.delete(path);
    if (this.#warned) return;
    this.#warned = true;
    this.#options.log.warn(`config watcher failed; changes are looked for every ${watchTimes.pollMs / 1_000} s`, {
      path,
      error,
    });
  }
}

/** The path itself, and where its links lead one after another. */
function linkChain(path: string): string[] {
  const chain = [path];
  let at = path;
  for (let hops = 0; hops < maxLinks; hops++) {
    try {
      if (!lstatSync(at).isSymbolicLink()) break;
      at = resolve(dirname(at), readlinkSync(at));
    } catch {
      // The end of the chain is missing just now; its folder is watched all the same.
      break;
    }
    chain.push(at);
  }
  return chain;
}

/** What changes when the file does; `content`: also size and times. */
function identityOf(path: string, content: boolean): string {
  try {
    const found = statSync(path, { bigint: true });
    const identity = `${found.dev}:${found.ino}`;
    return content ? `${identity}:${found.size}:${found.mtimeNs}:${found.ctimeNs}` : identity;
  } catch {
    // Missing is a state like any other.
    return "absent";
  }
}
