/** Agents: admits messages, runs them, stops them. See `index.ts` for what the room guarantees. */
import { GatewayError, type MethodParams, type MethodResult, type ToolCallContent } from "@openclaw/protocol";
import type { Bus } from "../../kernel/bus.ts";
import type { Service } from "../../kernel/lifecycle.ts";
import type { Timer, World } from "../../kernel/world.ts";
import type { Tx } from "../../store/store.ts";
import type { ToolBox } from "../tools/index.ts";
import { admitAgent, admitChat, assertOwner, type Caller, isDirect, parseText } from "./admission.ts";
import { admitChannel, type ChannelMessage } from "./channel-admission.ts";
import { admitClient, type ClientMessage, pendingCalls } from "./client-admission.ts";
import { ContextCache } from "./context-cache.ts";
import { AgentDirectory } from "./directory.ts";
import type { ReplyRoute } from "./delivery.ts";
import type { Ending } from "./ending.ts";
import type { EndedRun, LiveRun, Steer } from "./live-run.ts";
import { runLoop } from "./loop.ts";
import { waitAnswer } from "./outcome.ts";
import { recoverRuns } from "./recovery.ts";
import type { RunRequest } from "./request.ts";
import { commandEnding } from "./run-commits.ts";
import { type Acceptance, Runs } from "./runs.ts";
import { type RunFamily, type RunRow, RunTable } from "./runs.store.ts";
import type { GatewayCare, GatewayFacts } from "./commands/command.ts";
import type { Parsed } from "./commands/parse.ts";
import { findCommand } from "./commands/table.ts";
import { speak } from "./steering.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { within } from "./within.ts";
import { Workspaces } from "./workspace.ts";

export interface AgentsOptions extends Pick<
  TurnDeps,
  "store" | "sessions" | "models" | "world" | "log" | "config" | "drainSystemEvents" | "queueSystemEvent"
> {
  bus: Bus;
  /** Read at use: the tools room is built after this one, because it offers this room's tools. */
  tools: () => ToolBox;
  skillsPrompt?: TurnDeps["skillsPrompt"];
  /** Ports of the channels room: who writes down what a run owes to a chat, and where `deliver` leads. */
  endings?: NonNullable<TurnDeps["endings"]>;
  routes?: NonNullable<TurnDeps["routes"]>;
  /** For /status. */
  version: string;
  /** For /restart and /config. */
  care?: GatewayCare;
  /** Without it the room makes its own from config and world. */
  directory?: AgentDirectory;
}

/** What a request met: a run that goes on, or the row of one that is over. */
export type Admitted =
  | { run: LiveRun; fresh: boolean }
  | { ended: RunRow & { outcome: NonNullable<RunRow["outcome"]> } };

export interface ActiveRun {
  runId: string;
  sessionKey: string;
  agentId: string;
  state: "accepted" | "running";
  acceptedAt: number;
  startedAt?: number;
}

const sweepEveryMs = 10 * 60_000;
const resumeAfterMs = 20;
const maxWaitMs = 24 * 3_600_000;
const stopSessionMs = 15_000;

export class Agents implements Service {
  readonly name = "agents";
  readonly directory: AgentDirectory;
  readonly runs: Runs;
  readonly #deps: TurnDeps;
  readonly #version: string;
  readonly #care: GatewayCare | undefined;
  readonly #world: World;
  #sweeper: Timer | undefined;

  constructor(options: AgentsOptions) {
    const { store, sessions, models, world, log, config, drainSystemEvents, queueSystemEvent, bus, tools, version } =
      options;
    this.directory = options.directory ?? new AgentDirectory(config, world);
    const workspaces = new Workspaces(world, log);
    const table = new RunTable(store);
    const skillsPrompt = options.skillsPrompt ?? (() => []);
    this.#deps = {
      store,
      sessions,
      models,
      toolBox: tools,
      skillsPrompt,
      world,
      log,
      config,
      directory: this.directory,
      workspaces,
      table,
      contexts: new ContextCache(sessions),
      drainSystemEvents,
      queueSystemEvent,
      ...(options.endings ? { endings: options.endings } : {}),
      ...(options.routes ? { routes: options.routes } : {}),
    };
    this.#version = version;
    this.#care = options.care;
    this.#world = world;
    this.runs = new Runs(this.#deps, bus, (run) => this.#execute(run));
  }

  get deps(): TurnDeps {
    return this.#deps;
  }

  /** Resolves what a former process left open; when it resolves no row of it is `running`. Its runs start shortly after. */
  async start(): Promise<void> {
    const { again } = await this.recover();
    this.#sweeper = this.#world.every(sweepEveryMs, () => void this.#sweep());
    // Restored runs leave the first moments to whoever is waiting for the gateway to be ready (R-START-2).
    if (again === 0) this.resume();
    else this.#world.after(resumeAfterMs, () => this.resume());
  }

  /** Like `start` without the timers: nothing runs before `resume`. */
  async recover(): Promise<{ again: number; interrupted: number }> {
    this.runs.lanes.hold();
    const { again, interrupted } = await recoverRuns(this.#deps);
    const restored = again.map((row) => this.runs.restore(row, isDirect(row.request)));
    for (const run of restored) this.runs.begin(run);
    if (again.length + interrupted > 0)
      this.#deps.log.info("runs of the last process were resolved", { again: again.length, interrupted });
    return { again: again.length, interrupted };
  }

  resume(): void {
    if (!this.runs.stopped) this.runs.lanes.resume();
  }

  /** The durable part of a stop (R-SHUT-4): admits nothing, ends active runs in one commit; waiting runs stay as rows and start
   *  again with the next process. */
  async stop(deadlineMs: number): Promise<void> {
    this.runs.close();
    this.#sweeper?.cancel();
    const active = this.runs.all().filter((run) => run.state === "running");
    const error = "The gateway was stopped while this run was active.";
    const ends = Promise.all(
      active.map((run) =>
        this.#resumable(run)
          ? this.runs.suspend(run)
          : this.runs.end(run, { state: "aborted", reason: "shutdown", error, errorKind: "unknown" }),
      ),
    );
    await within(this.#world, deadlineMs, Promise.all([ends, this.runs.storeRest()]));
  }

  /** What was accepted for good is not asked again by its sender: without effects so far its run goes on after the restart. */
  #resumable(run: LiveRun): boolean {
    return (run.family === "channel" || run.family === "hook") && this.#deps.table.byId(run.id)?.effects === false;
  }

  /** For a planned restart: nothing new starts, active runs may finish, and what they ask other sessions for still runs, since
   *  they wait for it. Resolves with the number still active. */
  async drain(budgetMs: number): Promise<number> {
    this.runs.lanes.hold({ nested: false });
    const active = () => this.runs.all().filter((run) => run.state === "running" || this.runs.lanes.started(run));
    const until = this.#world.monotonic() + budgetMs;
    for (let left = active(); left.length > 0; left = active()) {
      const ms = until - this.#world.monotonic();
      if (ms <= 0 || !(await within(this.#world, ms, Promise.all(left.map((run) => run.ended.promise))))) break;
    }
    return active().length;
  }

  // ---- requests

  /** `agent`. A repeated key finds the run it named before (protocol.md §9.5). Throws GatewayError for what cannot be run. */
  agent(params: MethodParams<"agent">, caller: Caller): Promise<Admitted> {
    return this.#admit("agent", params.idempotencyKey, caller, () => admitAgent(params, caller, this.#deps));
  }

  /** `chat.send`, stop words excepted. */
  chat(params: MethodParams<"chat.send">, caller: Caller): Promise<Admitted> {
    return this.#admit("chat", params.idempotencyKey, caller, () => admitChat(params, caller, this.#deps));
  }

  /** For rooms that start runs themselves. The run is durable when it resolves and begins at once. */
  async submit(acceptance: Acceptance): Promise<{ runId: string; acceptedAt: number; ended: Promise<EndedRun> }> {
    const run = await this.runs.accept(acceptance);
    this.runs.begin(run);
    return { runId: run.runId, acceptedAt: run.acceptedAt, ended: run.ended.promise };
  }

  /** What a text of a chat asks for: a command, directives, or plain words (agent.md §9.1). */
  parse(text: string): Parsed {
    return parseText(text, this.#deps);
  }

  /** The acceptance of a message of a chat, for `submit`. */
  fromChannel(message: ChannelMessage): Acceptance {
    return admitChannel(message, this.#deps);
  }

  /** The acceptance of a request of the HTTP APIs, for `submit`. Throws GatewayError("invalid"). */
  fromClient(message: ClientMessage): Acceptance {
    return admitClient(message, this.#deps);
  }

  /** Calls with which the last run of a session handed over to its client, and that have no result yet. */
  pendingCalls(sessionKey: string): ToolCallContent[] {
    return pendingCalls(sessionKey, this.#deps);
  }

  /** Gives a message to the run that is active in a session, to be read after its present tool calls. False when there is none
   *  that may take it. */
  steer(sessionKey: string, steer: Steer): boolean {
    const [run] = this.runs.lanes.of(sessionKey);
    if (!run?.takes(steer)) return false;
    run.steers.push(steer);
    return true;
  }

  /** What the run that is active in a session was asked to do. */
  activeRequest(sessionKey: string): RunRequest | undefined {
    return this.runs.lanes.of(sessionKey)[0]?.request;
  }

  /** Where the answer of a run that is not over goes. */
  routeOf(runId: string): ReplyRoute | undefined {
    return this.runs.find(runId)?.request.route;
  }

  /** The chat a run works for: its own, or that of the run it was started from. */
  chatOf(runId: string): ReplyRoute | undefined {
    const request = this.runs.find(runId)?.request;
    return request?.route ?? request?.behalf?.route;
  }

  /** Writes down what a run says before its end; from then on it is not repeated after a crash. False when it is over. */
  async speak(runId: string, write: (tx: Tx, runRowId: number) => void): Promise<boolean> {
    const run = this.runs.find(runId);
    return run ? await speak(run, write, this.#deps) : false;
  }

  /** Whether something runs or waits in the lane of a session. */
  isBusy(sessionKey: string): boolean {
    return this.runs.lanes.of(sessionKey).length > 0;
  }

  async #admit(family: RunFamily, runId: string, caller: Caller, read: () => Acceptance): Promise<Admitted> {
    const known = this.runs.live(family, runId);
    if (known) {
      assertOwner(known.principal, caller, runId);
      await known.accepted.promise;
      return { run: known, fresh: false };
    }
    const row = this.#deps.table.byKey(family, runId);
    if (row) {
      assertOwner(row.principal, caller, runId);
      if (!row.outcome)
        throw new GatewayError("unavailable", `The run ${runId} is being ended. Try again.`, { retryAfterMs: 1_000 });
      return { ended: { ...row, outcome: row.outcome } };
    }
    return { run: await this.runs.accept(read()), fresh: true };
  }

  /** `agent.wait`. */
  async wait(params: MethodParams<"agent.wait">, signal: AbortSignal): Promise<MethodResult<"agent.wait">> {
    const { runId, timeoutMs = 30_000 } = params;
    const look = () => {
      const row = this.#deps.table.byRunId(runId);
      return row?.outcome ? waitAnswer({ ...row, outcome: row.outcome }) : undefined;
    };
    const already = look();
    if (already || timeoutMs === 0) return already ?? { runId, status: "timeout" };
    const woken = Promise.withResolvers<void>();
    const forget = this.runs.onEnd(runId, woken.resolve);
    const timer = this.#world.after(Math.min(timeoutMs, maxWaitMs), woken.resolve);
    const left = () => woken.resolve();
    signal.addEventListener("abort", left, { once: true });
    try {
      if (!signal.aborted) await woken.promise;
      return look() ?? { runId, status: "timeout" };
    } finally {
      forget();
      timer.cancel();
      signal.removeEventListener("abort", left);
    }
  }

  /** Ends runs of a session: one, or all, waiting ones included. Durable when it resolves. Throws GatewayError: "invalid" when
   *  the run belongs to another session, "unavailable" when a stop could not be written; what it stopped has ended all the
   *  same. */
  async abort(
    sessionKey: string,
    options: { runId?: string; reason: "rpc" | "stop"; except?: LiveRun },
  ): Promise<string[]> {
    const found = this.runs
      .all()
      .filter(
        (run) =>
          run !== options.except &&
          (options.runId === undefined ? run.sessionKey === sessionKey : run.runId === options.runId),
      );
    if (options.runId !== undefined && found.length > 0 && found.every((run) => run.sessionKey !== sessionKey)) {
      throw new GatewayError("invalid", "runId does not match sessionKey");
    }
    if (options.runId === undefined) this.runs.tellStop(sessionKey);
    const mine = found.filter((run) => run.sessionKey === sessionKey);
    // One that is over already may still be on its way to the disk, and this answer says that it is there.
    const ended = await Promise.all(
      mine.map((run) =>
        run.over
          ? run.ended.promise.then(() => false)
          : this.runs.end(run, { state: "aborted", reason: options.reason }),
      ),
    );
    if (mine.some((run) => this.runs.isUnstored(run))) {
      throw new GatewayError(
        "unavailable",
        "The run was stopped, but that could not be stored: after a restart it may begin again. Check the disk of the gateway and stop it again.",
        { retryAfterMs: 5_000 },
      );
    }
    return mine.filter((_, index) => ended[index]).map((run) => run.runId);
  }

  /** Ends all runs of a session. False when one was still active after 15 s. */
  async stopSession(sessionKey: string): Promise<boolean> {
    const done = await within(this.#world, stopSessionMs, this.abort(sessionKey, { reason: "stop" }));
    return done && this.runs.lanes.of(sessionKey).length === 0;
  }

  // ---- what others may ask

  activeRuns(): ActiveRun[] {
    return this.runs.all().flatMap((run) => {
      const { runId, sessionKey, acceptedAt, startedAt, state } = run;
      if (state !== "accepted" && state !== "running") return [];
      return [
        {
          runId,
          sessionKey,
          agentId: run.request.agentId,
          state,
          acceptedAt,
          ...(startedAt === undefined ? {} : { startedAt }),
        },
      ];
    });
  }

  status(): { running: number; waiting: number; lanes: number; maxConcurrent: number; lateDropped: number } {
    const { lanes, dropped } = this.runs;
    return {
      running: lanes.running,
      waiting: lanes.waiting,
      lanes: lanes.size,
      maxConcurrent: this.#deps.config.current.agents.defaults.maxConcurrent,
      lateDropped: dropped,
    };
  }

  get gateway(): GatewayFacts {
    const { lanes } = this.runs;
    return {
      version: this.#version,
      running: () => lanes.running,
      waiting: () => lanes.waiting,
      ...(this.#care ? { care: this.#care } : {}),
    };
  }

  async #execute(run: LiveRun): Promise<Ending | undefined> {
    if (run.sessionKey === "") {
      return {
        state: "error",
        error: "Error: Pass --to <E.164>, --session-id, or --agent to choose a session",
        errorKind: "unknown",
      };
    }
    const { command } = run.request;
    const found = command && findCommand(command.name);
    if (!command || !found) return runLoop(run, this.#deps);
    const session = this.#deps.sessions.get(run.sessionKey);
    const abortSession = (key: string) => this.abort(key, { reason: "stop", except: run });
    const reply = await found.run({
      run,
      args: command.args,
      deps: this.#deps,
      session,
      abortSession,
      gateway: this.gateway,
    });
    return { ...commandEnding(reply.text, this.#world.now()), ...(reply.write ? { write: reply.write } : {}) };
  }

  async #sweep(): Promise<void> {
    try {
      for (let went = 1; went > 0;)
        went = await this.#deps.store.commit((tx) => this.#deps.table.sweep(tx, this.#world.now()));
    } catch (error) {
      this.#deps.log.warn("old runs could not be swept", { error });
    }
  }
}
