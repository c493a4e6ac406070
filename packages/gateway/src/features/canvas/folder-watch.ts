/** Notices changes below a folder: one watcher per directory, within bounds, made anew as directories come and go. */
import { type FSWatcher, watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Timer, World } from "../../kernel/world.ts";

export const watchLimits = { directories: 1_000, depth: 16, settleMs: 75, longestMs: 1_000 } as const;

export interface FolderWatchOptions {
  root: string;
  world: World;
  /** Something changed and has been still for a moment. */
  changed: () => void;
  /** Watching is not possible and has ended. Called once. */
  failed: (error: Error) => void;
}

const ignored = (name: string): boolean => name.startsWith(".") || name === "node_modules";

export class FolderWatch {
  readonly #o: FolderWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: Timer | undefined;
  /** Of the changes that are waited for. */
  #firstAt: number | undefined;
  #stopped = false;
  /** What is there at first is no change. */
  #begun = false;
  #scanning = false;
  #scanAgain = false;

  constructor(options: FolderWatchOptions) {
    this.#o = options;
  }

  /** Resolves when everything that is there is watched; what is there already is no change. */
  start(): Promise<void> {
    return this.#scan();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  async #scan(): Promise<void> {
    if (this.#scanning) {
      this.#scanAgain = true;
      return;
    }
    this.#scanning = true;
    try {
      do {
        this.#scanAgain = false;
        await this.#walk();
      } while (this.#scanAgain && !this.#stopped);
      this.#begun = true;
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#scanning = false;
    }
  }

  /** Each folder is watched before it is read, so that nothing that appears in it is missed. */
  async #walk(): Promise<void> {
    const found = new Set<string>();
    const open: [path: string, depth: number][] = [[this.#o.root, 0]];
    let filled = false;
    for (let next = open.pop(); next && !this.#stopped; next = open.pop()) {
      const [path, depth] = next;
      found.add(path);
      if (found.size > watchLimits.directories)
        throw new Error(`there are more than ${watchLimits.directories} folders`);
      const fresh = !this.#watchers.has(path);
      if (fresh) this.#add(path);
      // A folder that has just gone has nothing in it.
      const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
      filled ||= fresh && entries.some(({ name }) => !ignored(name));
      if (depth >= watchLimits.depth) continue;
      for (const entry of entries)
        if (entry.isDirectory() && !ignored(entry.name)) open.push([join(path, entry.name), depth + 1]);
    }
    if (this.#stopped) return;
    for (const [path, watcher] of this.#watchers) {
      if (found.has(path)) continue;
      watcher.close();
      this.#watchers.delete(path);
    }
    // What came into a new folder before it was watched.
    if (this.#begun && filled) this.#noticed();
  }

  #add(path: string): void {
    let watcher: FSWatcher;
    try {
      watcher = watch(path, (_event, name) => {
        if (name === null || !ignored(name)) this.#noticed();
      });
    } catch (error) {
      // Gone again, unless the system allows no more of them.
      if ((error as NodeJS.ErrnoException).code === "ENOENT" && path !== this.#o.root) return;
      throw error;
    }
    this.#watchers.set(path, watcher);
    watcher.on("error", (error) => {
      watcher.close();
      this.#watchers.delete(path);
      // A folder that was removed is a change like any other; the root is needed.
      if (path === this.#o.root) this.#fail(error);
      else this.#noticed();
    });
  }

  /** Waits until nothing has happened for a moment, so that a file is whole when it is loaded; not for ever, since some are
   *  always written to. */
  #noticed(): void {
    if (this.#stopped) return;
    const { world } = this.#o;
    this.#firstAt ??= world.monotonic();
    if (world.monotonic() - this.#firstAt > watchLimits.longestMs - watchLimits.settleMs) return;
    this.#timer?.cancel();
    this.#timer = world.after(watchLimits.settleMs, () => {
      this.#firstAt = undefined;
      void this.#scan();
      this.#o.changed();
    });
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#o.failed(error instanceof Error ? error : new Error(String(error)));
  }
}
