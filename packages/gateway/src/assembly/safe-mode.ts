/** Crash-loop breaker (R-SVC-6): boots that ended without a stop are counted in `<state>/boots.json`; too many within the window
 *  and the next one comes up in safe mode. It holds channels and automation, never operator runs (settled.md 9). */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../kernel/log.ts";
import type { Timer, World } from "../kernel/world.ts";

const firstQuietMs = 10 * 60_000;
const longestQuietMs = 6 * 3_600_000;
const keptBoots = 100;

export interface SafeState {
  reason: string;
  since: number;
}

interface Boots {
  /** Starts of the boots that ended unclean, oldest first. */
  unclean: number[];
  /** Start of the boot that runs; null after a clean stop. */
  runningSince: number | null;
  /** Times in a row that safe mode was entered; each doubles the quiet time. */
  entered: number;
}

export interface SafeModeOptions {
  state: string;
  world: World;
  log: Logger;
  limits: { maxUncleanBoots: number; windowMs: number };
  /** Safe mode was left. */
  changed: () => void;
}

export class SafeMode {
  readonly #options: SafeModeOptions;
  readonly #path: string;
  #boots: Boots;
  #safe: SafeState | undefined;
  #quiet: Timer | undefined;

  /** Records this boot. Call it once lock and port are held: a refused start changes nothing on disk. */
  constructor(options: SafeModeOptions) {
    const { state, world, log, limits } = options;
    this.#options = options;
    this.#path = join(state, "boots.json");
    const former = readBoots(this.#path);
    const now = world.now();
    const unclean = former.runningSince === null ? former.unclean : [...former.unclean, former.runningSince];
    const recent = unclean.filter((at) => at <= now && now - at <= limits.windowMs);
    const safe = recent.length >= limits.maxUncleanBoots;
    this.#boots = {
      unclean: recent.slice(-keptBoots),
      runningSince: now,
      entered: safe ? former.entered + 1 : former.entered,
    };
    if (safe) {
      const reason = `crash-loop: ${recent.length} unclean ends within ${Math.round(limits.windowMs / 1_000)} s`;
      this.#safe = { reason, since: now };
      log.error(`safe mode (${reason}); channels and automation are held. Restart, or change the config, to leave it.`);
      const quietMs = Math.min(longestQuietMs, firstQuietMs * 2 ** (this.#boots.entered - 1));
      this.#quiet = world.after(quietMs, () => this.#end("quiet time"));
    }
    this.#write();
  }

  /** Why channels and automation are held, or undefined. */
  get state(): SafeState | undefined {
    return this.#safe;
  }

  /** An operator restarted or changed the config: what crashed before may be mended. */
  leave(why: string): void {
    if (!this.#safe) return;
    this.#boots.entered = 0;
    this.#end(why);
  }

  /** A clean stop: the next boot starts from nothing. */
  stop(): void {
    this.#quiet?.cancel();
    this.#boots = { unclean: [], runningSince: null, entered: 0 };
    this.#write();
  }

  #end(why: string): void {
    if (!this.#safe) return;
    this.#quiet?.cancel();
    this.#safe = undefined;
    this.#boots.unclean = [];
    this.#write();
    this.#options.log.info(`safe mode left (${why})`);
    this.#options.changed();
  }

  #write(): void {
    try {
      const temp = `${this.#path}.tmp`;
      writeFileSync(temp, `${JSON.stringify(this.#boots)}\n`, { mode: 0o600 });
      renameSync(temp, this.#path);
    } catch (error) {
      this.#options.log.warn("boots.json not written; crashes are not counted", { error });
    }
  }
}

function readBoots(path: string): Boots {
  const none: Boots = { unclean: [], runningSince: null, entered: 0 };
  try {
    const read = JSON.parse(readFileSync(path, "utf8")) as Partial<Boots>;
    const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
    return {
      unclean: Array.isArray(read.unclean) ? read.unclean.filter(isTime) : [],
      runningSince: isTime(read.runningSince) ? read.runningSince : null,
      entered: isTime(read.entered) ? Math.max(0, Math.min(20, read.entered)) : 0,
    };
  } catch {
    // The first boot, or a file that cannot be read: nothing is known, so nothing is held.
    return none;
  }
}
