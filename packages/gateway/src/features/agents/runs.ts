/** The life of runs: accepted (durable), waiting in a lane, running, ended exactly once (reliability.md §3.3). What a run does
 *  while it runs is the caller's `execute`. */
import { GatewayError } from "@openclaw/protocol";
import type { Bus } from "../../kernel/bus.ts";
import { Announcer } from "./announcer.ts";
import type { Ending } from "./ending.ts";
import { thrownText } from "./failure-text.ts";
import { Lanes } from "./lanes.ts";
import { type EndedRun, LiveRun } from "./live-run.ts";
import type { RunRequest } from "./request.ts";
import type { RunFamily, RunRow } from "./runs.store.ts";
import { openRun, prepareEnding, storeEnding } from "./run-commits.ts";
import type { Tx } from "../../store/store.ts";
import type { SessionEntry } from "../sessions/index.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { tellEnding } from "./tell-ending.ts";

export const maxWaitingRuns = 1_000;
/** Silence of model and tools after which a run is given up. */
export const runIdleMs = 120_000;
const nestedSlots = 8;
const retryStoreMs = [200, 1_000, 5_000];
const lastRetryStoreMs = 30_000;

export interface Acceptance {
  family: RunFamily;
  runId: string;
  principal: string;
  /** Canonical; empty when none could be derived. */
  sessionKey: string;
  /** Fields of a session that does not exist yet. */
  seed?: Partial<SessionEntry>;
  request: RunRequest;
  /** Answered at once, beside the lane. */
  direct?: boolean;
  /** The run that waits for this one. */
  parent?: LiveRun | undefined;
  /** Further writes of the commit that stores the row; gets its id. Must not throw. */
  write?: (tx: Tx, runRowId: number) => void;
}

export class Runs {
  readonly lanes: Lanes<LiveRun>;
  /** Late output that was dropped, over all runs. */
  dropped = 0;
  readonly #deps: TurnDeps;
  readonly #bus: Bus;
  readonly #execute: (run: LiveRun) => Promise<Ending | undefined>;
  /** Runs that are not over, by family and id. */
  readonly #live = new Map<string, LiveRun>();
  readonly #endListeners = new Map<string, Set<() => void>>();
  readonly #idleListeners = new Set<(sessionKey: string) => void>();
  readonly #stopListeners = new Set<(sessionKey: string) => void>();
  /** Runs whose end was told and could not be written so far, with what writes it. They stay among the live ones. */
  readonly #unstored = new Map<LiveRun, () => Promise<void>>();
  #accepting = 0;
  #stopped = false;

  constructor(deps: TurnDeps, bus: Bus, execute: (run: LiveRun) => Promise<Ending | undefined>) {
    this.#deps = deps;
    this.#bus = bus;
    this.#execute = execute;
    this.lanes = new Lanes({
      caps: () => ({ main: deps.config.current.agents.defaults.maxConcurrent, nested: nestedSlots }),
      start: (run) => void this.#run(run),
    });
  }

  get stopped(): boolean {
    return this.#stopped;
  }
  all(): LiveRun[] {
    return [...this.#live.values()];
  }
  /** The run with this id on the wire that is not over, whichever family it belongs to. */
  find(runId: string): LiveRun | undefined {
    for (const run of this.#live.values()) if (run.runId === runId && !run.over) return run;
    return undefined;
  }
  live(family: RunFamily, runId: string): LiveRun | undefined {
    return this.#live.get(`${family} ${runId}`);
  }

  /** Writes the run's row and its session; durable when it resolves. Nothing starts before `begin`. Throws
   *  GatewayError("unavailable") when too many wait or the gateway stops. The key must not be in use. */
  async accept(given: Acceptance): Promise<LiveRun> {
    const { store, sessions, table, world } = this.#deps;
    if (this.#stopped)
      throw new GatewayError("unavailable", "The gateway is stopping. Try again in a moment.", { retryAfterMs: 2_000 });
    if (this.lanes.waiting + this.#accepting >= maxWaitingRuns) {
      throw new GatewayError("unavailable", `Too many runs are waiting (${maxWaitingRuns}). Try again later.`, {
        retryAfterMs: 5_000,
      });
    }
    const run = this.#make({ ...given, acceptedAt: world.now() });
    this.#live.set(`${run.family} ${run.runId}`, run);
    this.#accepting++;
    try {
      await store.commit((tx) => {
        const { runId, family, principal, sessionKey, request, acceptedAt } = run;
        run.sessionId = sessionKey ? sessions.ensure(tx, sessionKey, given.seed).sessionId : "";
        run.id = table.insert(tx, {
          runId,
          family,
          principal,
          sessionKey,
          sessionId: run.sessionId,
          request,
          acceptedAt,
        });
        given.write?.(tx, run.id);
      });
    } catch (error) {
      this.#live.delete(`${run.family} ${run.runId}`);
      run.accepted.reject(error);
      throw error;
    } finally {
      this.#accepting--;
    }
    world.mark("run.after-accept");
    run.accepted.resolve();
    return run;
  }

  /** Lets an accepted run take its turn. Its first event follows a commit, so an answer written in this tick precedes it. */
  begin(run: LiveRun): void {
    if (run.over || this.#stopped) return;
    if (run.direct) {
      void this.#run(run);
      return;
    }
    run.after(run.request.waitMs, () => {
      if (run.state === "accepted" && !this.#stopped)
        void this.end(run, { state: "expired", error: "The run waited too long for its turn.", reason: "timeout" });
    });
    this.lanes.add(run);
  }

  /** A run of a former process takes its place again; its row is `accepted`. */
  restore(row: RunRow, direct: boolean): LiveRun {
    const run = this.#make({ ...row, direct });
    run.id = row.id;
    run.sessionId = row.sessionId;
    run.userEntryId = row.userEntryId;
    run.accepted.resolve();
    this.#live.set(`${run.family} ${run.runId}`, run);
    return run;
  }

  /** Ends a run. The state changes at once; what the run does afterwards is dropped. Resolves when the end is durable and
   *  announced. False when the run was over already. */
  async end(run: LiveRun, ending: Ending): Promise<boolean> {
    if (run.over) return false;
    if (run.state === "accepted" && ending.state !== "aborted" && ending.state !== "expired") run.to("running");
    run.to(ending.state);
    this.#deps.world.mark("run.before-final");
    const endedAt = this.#deps.world.now();
    const stored = this.#store(run, ending, endedAt);
    // A run that was cut off gives its lane away in this tick; one that finished, once its end was told.
    if (ending.state !== "ok" && ending.state !== "error") this.lanes.release(run);
    const ended = await stored;
    tellEnding(run, ending, ended);
    if (!this.#unstored.has(run)) this.#live.delete(`${run.family} ${run.runId}`);
    this.lanes.release(run);
    this.dropped += run.announcer.dropped;
    run.ended.resolve(ended);
    for (const listener of this.#endListeners.get(run.runId) ?? []) listener();
    for (const steer of run.steers.splice(0)) steer.missed();
    if (this.lanes.of(run.laneKey).length === 0) for (const idle of this.#idleListeners) idle(run.sessionKey);
    return true;
  }

  /** Gives a running run back to its row: the next process takes it up where it was asked. Not for runs whose tools had
   *  effects. Nothing is announced: for everybody outside the run is cut off with the process. */
  async suspend(run: LiveRun): Promise<void> {
    if (run.over) return;
    run.to("aborted");
    await this.#deps.store.commit((tx) => this.#deps.table.requeue(tx, run.id));
    this.#live.delete(`${run.family} ${run.runId}`);
    this.lanes.release(run);
    run.ended.resolve({ runId: run.runId, endedAt: this.#deps.world.now(), footer: "", outcome: suspended(run) });
  }

  /** Calls `listener` whenever a session has nothing left to run. Returns the function that ends the subscription. */
  onIdle(listener: (sessionKey: string) => void): () => void {
    this.#idleListeners.add(listener);
    return () => void this.#idleListeners.delete(listener);
  }

  /** Calls `listener` when a run with this id on the wire ends. Returns the function that ends the subscription. */
  onEnd(runId: string, listener: () => void): () => void {
    const listeners = this.#endListeners.get(runId) ?? new Set();
    this.#endListeners.set(runId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#endListeners.delete(runId);
    };
  }

  /** Calls `listener` when somebody stops everything in a session, before its runs end. Returns the function that ends the
   *  subscription. */
  onStop(listener: (sessionKey: string) => void): () => void {
    this.#stopListeners.add(listener);
    return () => void this.#stopListeners.delete(listener);
  }

  tellStop(sessionKey: string): void {
    for (const listener of this.#stopListeners) listener(sessionKey);
  }

  /** Whether the end of a run that is over has yet to reach the disk: after a crash it would begin again. */
  isUnstored(run: LiveRun): boolean {
    return this.#unstored.has(run);
  }

  /** Tries once more to write the ends that a full disk refused. Never rejects. */
  async storeRest(): Promise<void> {
    await Promise.allSettled([...this.#unstored.values()].map((store) => store()));
  }

  /** No new runs, no run starts any more. Those that wait stay open rows for the next generation or process. */
  close(): void {
    this.#stopped = true;
    this.lanes.hold();
    for (const run of this.#live.values()) if (run.state === "accepted") run.leave();
  }

  async #run(run: LiveRun): Promise<void> {
    try {
      const startedAt = this.#deps.world.now();
      const opened = await openRun(run, startedAt, this.#deps);
      // A run that a stop caught here stays an open row, and the next process takes it up.
      if (run.over || this.#stopped) return;
      run.to("running");
      Object.assign(run, opened);
      this.#arm(run);
      if (!run.request.command) run.announcer.started(startedAt);
      const ending = await this.#execute(run);
      if (ending) await this.end(run, await prepareEnding(run, ending, this.#deps));
    } catch (error) {
      if (!run.over && !(error instanceof GatewayError))
        this.#deps.log.error("a run failed", { runId: run.runId, error });
      await this.end(run, { state: "error", error: thrownText(error), errorKind: "unknown" });
    }
  }

  #arm(run: LiveRun): void {
    const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;
    const timeOut = (error: string) =>
      void this.end(run, { state: "timeout", error, errorKind: "timeout", reason: "timeout" });
    const { timeoutMs } = run.request;
    run.after(timeoutMs, () =>
      timeOut(`The run was stopped after ${seconds(timeoutMs)}, its time limit (agents.defaults.timeoutSeconds).`),
    );
    run.whenIdle(runIdleMs, () =>
      timeOut(`The run was stopped: nothing came from model or tools for ${seconds(runIdleMs)}.`),
    );
  }

  /** A disk that cannot write now must not leave the caller waiting: the end is told, and written as soon as possible. */
  async #store(run: LiveRun, ending: Ending, endedAt: number): Promise<EndedRun> {
    try {
      return await storeEnding(run, ending, endedAt, this.#deps);
    } catch (error) {
      this.#deps.log.error("the end of a run could not be stored; trying again", { runId: run.runId, error });
      const failed: Ending = {
        state: ending.state,
        error: "The reply could not be stored. Check the disk of the gateway.",
        errorKind: "unknown",
      };
      // A chat was told nothing yet: it gets the answer once the disk takes it.
      this.#storeLater(run, run.family === "channel" ? ending : failed, endedAt);
      return {
        runId: run.runId,
        endedAt,
        footer: "",
        outcome: {
          status: "error",
          summary: failed.error ?? "",
          payloads: [],
          meta: { durationMs: 0, agentMeta: { sessionId: run.sessionId, provider: "", model: "" }, aborted: false },
        },
      };
    }
  }

  #storeLater(run: LiveRun, ending: Ending, endedAt: number): void {
    const store = async () => {
      await storeEnding(run, ending, endedAt, this.#deps);
      this.#unstored.delete(run);
      this.#live.delete(`${run.family} ${run.runId}`);
    };
    const again = (attempt: number): void => {
      this.#deps.world.after(retryStoreMs[attempt] ?? lastRetryStoreMs, () => {
        if (this.#unstored.has(run) && !this.#stopped) store().catch(() => again(attempt + 1));
      });
    };
    this.#unstored.set(run, store);
    again(0);
  }

  #make(given: Omit<Acceptance, "seed"> & { acceptedAt: number }): LiveRun {
    const { runId, family, principal, acceptedAt, sessionKey, request, direct = false, parent } = given;
    const announcer = (run: LiveRun) =>
      new Announcer(this.#bus, this.#deps.world, {
        runId,
        sessionKey,
        agentId: request.agentId,
        toolDetail: () => run.toolDetail,
      });
    return new LiveRun(this.#deps.world, {
      runId,
      family,
      principal,
      acceptedAt,
      sessionKey,
      request,
      direct,
      parent,
      announcer,
    });
  }
}

const suspended = (run: LiveRun): EndedRun["outcome"] => ({
  status: "error",
  summary: "The gateway was stopped while this run was active. It begins again with the next start.",
  payloads: [],
  meta: { durationMs: 0, agentMeta: { sessionId: run.sessionId, provider: "", model: "" }, aborted: true },
});
