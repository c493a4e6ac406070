/** Files of messages, both ways: `media/inbound` and `media/outbound` below the state directory (agent.md §13.7). They are kept a
 *  week, which is longer than any message may wait. */
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../kernel/log.ts";
import type { Service } from "../../kernel/lifecycle.ts";
import type { Timer, World } from "../../kernel/world.ts";

export const keepMediaMs = 7 * 24 * 3_600_000;
const sweepEveryMs = 6 * 3_600_000;
const firstSweepMs = 60_000;
/** Looked at in one sweep. */
const maxFiles = 20_000;

export class MediaStore implements Service {
  readonly name = "media";
  readonly dir: string;
  readonly #world: World;
  readonly #log: Logger;
  #timers: Timer[] = [];

  constructor(options: { dir: string; world: World; log: Logger }) {
    this.dir = options.dir;
    this.#world = options.world;
    this.#log = options.log;
  }

  start(): void {
    this.#timers = [
      this.#world.after(firstSweepMs, () => void this.sweep()),
      this.#world.every(sweepEveryMs, () => void this.sweep()),
    ];
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) timer.cancel();
  }

  /** Deletes what is too old. Never rejects. Returns how many went. */
  async sweep(): Promise<number> {
    let went = 0;
    const before = this.#world.now() - keepMediaMs;
    for (const folder of ["inbound", "outbound"]) {
      const dir = join(this.dir, folder);
      // No folder: nothing came or went so far.
      const names = await readdir(dir).catch(() => []);
      for (const name of names.slice(0, maxFiles)) {
        try {
          const path = join(dir, name);
          const { mtimeMs, ctimeMs } = await stat(path);
          if (Math.max(mtimeMs, ctimeMs) >= before) continue;
          await unlink(path);
          went++;
        } catch (error) {
          this.#log.debug("a media file could not be swept", { error });
        }
      }
    }
    return went;
  }
}
