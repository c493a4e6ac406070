/** Hot reload (lifecycle.md §7): one evaluation at a time turns the file as it is into an applied generation, a planned restart,
 *  or a refusal that leaves everything as it was (reliability.md §3.5). */
import { diffConfig, reloadPlan, type ConfigSnapshot, type Declared, type ReloadPlan } from "../config/index.ts";
import type { Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";
import type { EffectiveConfig } from "./sections.ts";
import { ConfigWatch } from "./watch.ts";

export interface Failure {
  part: string;
  message: string;
}

/** Part of `health` and `status`: which generation runs, and why the file on disk is not the one (R-REL-1). */
export interface ConfigState {
  /** Grows with every applied content. */
  generation: number;
  hash: string;
  appliedAt: number;
  lastReloadError?: { at: number; message: string };
  /** Paths changed in the file that this mode does not apply, or that wait for the restart. */
  needsRestart?: string[];
  /** Services that kept their old part of the running generation. */
  failed?: Failure[];
}

export interface ReloadOptions {
  world: World;
  log: Logger;
  declared: Declared;
  /** The file as it is now. */
  read: () => ConfigSnapshot;
  /** The start-up checks, run dry: why a restart on this config would fail, or undefined (R-REL-5). */
  refusal: (snapshot: ConfigSnapshot) => Promise<string | undefined>;
  /** Swaps the running config and lets the named services follow. Answers with those that kept their old part. */
  apply: (snapshot: ConfigSnapshot, plan: ReloadPlan) => Promise<Failure[]>;
  restart: (reason: string) => void;
  cancelRestart: () => void;
  /** The state below changed. */
  changed: () => void;
}

/** Paths named in one log line or state. */
const maxPaths = 50;
const maxMessageChars = 2_000;

export class Reloader {
  readonly #options: ReloadOptions;
  readonly #watch: ConfigWatch;
  #active: ConfigSnapshot;
  #state: ConfigState;
  /** `gateway.reload` of the newest valid file, which counts at once. */
  #settings: EffectiveConfig["gateway"]["reload"];
  #evaluating = false;
  #again = false;
  /** What was refused last, so that one content is warned about once. */
  #refused = "";
  #stopped = false;

  constructor(options: ReloadOptions, active: ConfigSnapshot) {
    this.#options = options;
    this.#active = active;
    this.#state = { generation: 1, hash: active.hash, appliedAt: options.world.now() };
    this.#settings = settingsOf(active);
    this.#watch = new ConfigWatch({
      world: options.world,
      log: options.log,
      debounceMs: () => this.#settings.debounceMs,
      settled: () => void this.evaluate(),
    });
  }

  start(): void {
    this.#watch.watch(filesOf(this.#active));
    this.#watch.nudge();
  }

  stop(): void {
    this.#stopped = true;
    this.#watch.stop();
  }

  get state(): ConfigState {
    return this.#state;
  }

  /** A restart has begun a generation on this snapshot. */
  adopt(snapshot: ConfigSnapshot): void {
    const same = snapshot.hash === this.#state.hash && diffConfig(this.#active.config, snapshot.config).length === 0;
    this.#active = snapshot;
    this.#settings = settingsOf(snapshot);
    this.#refused = "";
    if (same) {
      const { generation, hash, appliedAt } = this.#state;
      this.#state = { generation, hash, appliedAt };
    } else this.#became(snapshot, {});
    if (this.#stopped) return;
    this.#watch.watch(filesOf(snapshot));
    this.#watch.nudge();
  }

  /** The candidate cannot be used; the running config stays. */
  refuse(text: string): void {
    const message = text.slice(0, maxMessageChars);
    this.#state = { ...this.#state, lastReloadError: { at: this.#options.world.now(), message } };
    this.#options.changed();
  }

  /** Reads the file and acts on it. A call during an evaluation causes one more. Never rejects. */
  async evaluate(): Promise<void> {
    if (this.#evaluating) {
      this.#again = true;
      return;
    }
    this.#evaluating = true;
    try {
      do {
        this.#again = false;
        await this.#evaluateOnce();
      } while (this.#again && !this.#stopped);
    } catch (error) {
      this.#options.log.error("config reload failed; the running config stays", { error });
      this.refuse(`config reload failed: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#evaluating = false;
    }
  }

  async #evaluateOnce(): Promise<void> {
    const { log, read, declared } = this.#options;
    if (this.#stopped) return;
    const next = read();
    // Between unlink and create of an editor; the file comes back or the restart says that it is missing.
    if (next.verdict === "missing") return;
    this.#watch.watch([...new Set([...filesOf(next), ...filesOf(this.#active)])]);
    if (next.verdict !== "ok" || !next.config) return this.#invalid(next);
    this.#refused = "";
    this.#settings = settingsOf(next);
    const paths = diffConfig(this.#active.config, next.config);
    const plan = reloadPlan(paths, declared);
    if (paths.length === plan.ignored.length) return this.#unchanged(next);
    const named = list(paths);
    log.info(`config change detected; evaluating reload (${named})`);
    const { mode } = this.#settings;
    if (mode === "off") {
      log.info("config reload disabled (gateway.reload.mode=off)");
      return this.#waiting(paths);
    }
    if (mode === "restart") return this.#restart(next, paths);
    if (plan.restart.length > 0) {
      if (mode === "hybrid") return this.#restart(next, plan.restart);
      log.warn(`config reload requires gateway restart; hot mode ignoring (${list(plan.restart)})`);
      return this.#waiting(plan.restart);
    }
    await this.#apply(next, plan, named);
  }

  #invalid(next: ConfigSnapshot): void {
    const issues = next.issues.map((issue) => `${issue.path || "<root>"}: ${issue.message}`).join(", ");
    const content = `${next.hash} ${issues}`;
    if (content === this.#refused) return;
    this.#refused = content;
    this.#options.cancelRestart();
    this.#options.log.warn(`config reload skipped (invalid config): ${issues.slice(0, maxMessageChars)}`);
    this.refuse(`invalid config: ${issues}`);
  }

  /** Nothing that matters differs from what runs: comments, bookkeeping, or an edit that was taken back. */
  #unchanged(next: ConfigSnapshot): void {
    this.#options.cancelRestart();
    const { lastReloadError, needsRestart, hash } = this.#state;
    if (next.hash === hash && !lastReloadError && !needsRestart) return;
    const { failed } = this.#state;
    if (next.hash !== hash) {
      this.#active = next;
      this.#became(next, failed ? { failed } : {});
    } else {
      const { generation, appliedAt } = this.#state;
      this.#state = { generation, hash, appliedAt, ...(failed ? { failed } : {}) };
      this.#options.changed();
    }
  }

  /** The file is valid and differs, but this mode leaves it for the next start. */
  #waiting(paths: readonly string[]): void {
    this.#options.cancelRestart();
    this.#waits(paths);
  }

  #waits(paths: readonly string[]): void {
    const { lastReloadError: _, ...state } = this.#state;
    this.#state = { ...state, needsRestart: paths.slice(0, maxPaths) };
    this.#options.changed();
  }

  async #restart(next: ConfigSnapshot, paths: readonly string[]): Promise<void> {
    const { log, refusal, restart, cancelRestart } = this.#options;
    const reason = await refusal(next);
    if (reason !== undefined) {
      cancelRestart();
      const text = reason.replaceAll("\n", " ");
      log.error(`config change needs a restart that would fail; the running config stays: ${text}`, {
        paths: list(paths),
      });
      return this.refuse(`restart refused: ${text}`);
    }
    const already = this.#state.needsRestart !== undefined;
    this.#waits(paths);
    if (!already) log.info(`config change requires gateway restart (${list(paths)})`);
    restart(`config change (${list(paths)})`);
  }

  async #apply(next: ConfigSnapshot, plan: ReloadPlan, named: string): Promise<void> {
    const { log, apply, cancelRestart } = this.#options;
    cancelRestart();
    const failed = await apply(next, plan);
    this.#active = next;
    for (const { part, message } of failed)
      log.error(`${part} could not take over the new config and keeps the old: ${message}`);
    this.#became(next, failed.length > 0 ? { failed } : {});
    if (plan.services.size > 0) log.info(`config hot reload applied (${named})`);
    else log.info(`config change applied (dynamic reads: ${named})`);
  }

  #became(snapshot: ConfigSnapshot, more: { failed?: Failure[] }): void {
    const { generation } = this.#state;
    this.#state = { generation: generation + 1, hash: snapshot.hash, appliedAt: this.#options.world.now(), ...more };
    this.#options.changed();
  }
}

const filesOf = (snapshot: ConfigSnapshot): string[] => [...new Set([snapshot.path, ...snapshot.files])];

const settingsOf = (snapshot: ConfigSnapshot) => (snapshot.config as EffectiveConfig).gateway.reload;

function list(paths: readonly string[]): string {
  const rest = paths.length - maxPaths;
  return paths.slice(0, maxPaths).join(", ") + (rest > 0 ? `, and ${rest} more` : "");
}
