/** The one way to a restart in process (lifecycle.md §6.2, R-OWN-2): the plan carries one
 *  authorisation, used once, and ends in the same signal an operator may send; what comes meanwhile joins it. */
import type { RestartAnswer, RestartPort, RestartRequest } from "../config/index.ts";
import type { Logger } from "../kernel/log.ts";
import type { Timer, World } from "../kernel/world.ts";

export const restartTimes = {
  defaultDelayMs: 2_000,
  maxDelayMs: 60_000,
  graceMs: 5_000,
  betweenReloadsMs: 10_000,
} as const;
const maxReasonChars = 200;

export interface RestartOptions {
  world: World;
  log: Logger;
  /** `commands.restart`: whether a signal without a grant counts. Read at use. */
  external: () => boolean;
  /** Drains, stops and starts again. `cancelled` fires when the reason for the restart is gone. Must not reject. */
  perform: (reason: string, cancelled: AbortSignal) => Promise<void>;
}

interface Planned {
  timer: Timer;
  dueAt: number;
  reason: string;
  /** Only the reloader wants it, so that it may also take it back. */
  byReload: boolean;
}

export class Restarts implements RestartPort {
  readonly #options: RestartOptions;
  /** Until when the planned restart is authorised, on the monotonic clock. */
  #grantedUntil = -Infinity;
  #planned: Planned | undefined;
  #running: { reason: string; byReload: boolean; abort: AbortController; done: Promise<void> } | undefined;
  #lastReloadAt = -Infinity;
  #stopped = false;

  constructor(options: RestartOptions) {
    this.#options = options;
  }

  /** Why a restart is planned or under way. */
  get pending(): string | undefined {
    return this.#running?.reason ?? this.#planned?.reason;
  }

  request(request: RestartRequest): RestartAnswer {
    const delayMs = Math.min(
      restartTimes.maxDelayMs,
      Math.max(0, Math.round(request.delayMs ?? restartTimes.defaultDelayMs)),
    );
    return this.#plan(delayMs, request.reason, false);
  }

  /** For the reloader: at least ten seconds lie between two restarts it causes (R-REL-3). */
  requestReload(reason: string): void {
    const since = this.#options.world.monotonic() - this.#lastReloadAt;
    this.#plan(Math.max(0, restartTimes.betweenReloadsMs - since), reason, true);
  }

  /** Takes back what only the reloader asked for. */
  cancelReload(): void {
    if (this.#planned?.byReload) {
      this.#planned.timer.cancel();
      this.#planned = undefined;
      this.#grantedUntil = -Infinity;
    }
    if (this.#running?.byReload) this.#running.abort.abort();
  }

  /** SIGUSR1 arrived, from outside or from a request above. */
  signal(): void {
    const { log, external, world } = this.#options;
    if (this.#stopped) return;
    log.info("signal SIGUSR1 received");
    if (!this.#takeGrant() && !external()) {
      log.warn("SIGUSR1 restart ignored (not authorized; enable commands.restart or use gateway tool).");
      return;
    }
    if (this.#running) {
      // An operator's wish outlives the reloader's reason.
      this.#running.byReload = false;
      log.info("received SIGUSR1 during a restart; joining it");
      return;
    }
    log.info("received SIGUSR1; restarting");
    const planned = this.#planned;
    planned?.timer.cancel();
    this.#planned = undefined;
    const byReload = planned?.byReload ?? false;
    if (byReload) this.#lastReloadAt = world.monotonic();
    const reason = planned?.reason ?? "SIGUSR1";
    const abort = new AbortController();
    const done = this.#options.perform(reason, abort.signal).finally(() => {
      this.#running = undefined;
    });
    this.#running = { reason, byReload, abort, done };
  }

  /** Nothing is begun any more; resolves when a restart under way has come to its end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#planned?.timer.cancel();
    this.#planned = undefined;
    this.#running?.abort.abort();
    await this.#running?.done;
  }

  #plan(delayMs: number, text: string, byReload: boolean): RestartAnswer {
    const { world, log } = this.#options;
    const reason = text.slice(0, maxReasonChars);
    const answer = { ok: true, pid: world.pid, signal: "SIGUSR1", reason, mode: "emit" } as const;
    if (this.#running) {
      if (!byReload) this.#running.byReload = false;
      return { ...answer, delayMs: 0, coalesced: true };
    }
    const now = world.monotonic();
    const former = this.#planned;
    if (former && (byReload || former.dueAt <= now + delayMs)) {
      if (!byReload) former.byReload = false;
      return { ...answer, delayMs: Math.max(0, Math.round(former.dueAt - now)), coalesced: true };
    }
    // A person who asks does not wait for the reloader's turn: the one plan is brought forward.
    former?.timer.cancel();
    this.#grantedUntil = now + delayMs + restartTimes.graceMs;
    log.debug(`restart planned in ${Math.round(delayMs)}ms: ${reason}`);
    this.#planned = { reason, byReload, dueAt: now + delayMs, timer: world.after(delayMs, () => this.signal()) };
    return { ...answer, delayMs: Math.round(delayMs), ...(former ? { coalesced: true } : {}) };
  }

  #takeGrant(): boolean {
    const granted = this.#options.world.monotonic() < this.#grantedUntil;
    this.#grantedUntil = -Infinity;
    return granted;
  }
}
