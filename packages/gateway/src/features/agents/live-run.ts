/** A run of this process: what is known of it beyond its row. It owns its abort signal, its timers and its voice. */
import type { AssistantMessage, ImageContent, ToolResultMessage } from "@openclaw/protocol";
import type { ToolDetail } from "../../kernel/bus.ts";
import type { Timer, World } from "../../kernel/world.ts";
import type { Tx } from "../../store/store.ts";
import type { Announcer } from "./announcer.ts";
import { type ReplyRoute, sameChat } from "./delivery.ts";
import type { Ending } from "./ending.ts";
import type { LaneClass } from "./lanes.ts";
import type { RunOutcome } from "./outcome.ts";
import type { RunRequest } from "./request.ts";
import type { RunFamily } from "./runs.store.ts";
import { isTerminal, moveTo, type RunState } from "./run-state.ts";

export interface EndedRun {
  runId: string;
  outcome: RunOutcome;
  /** Usage line below the reply, with its leading blank line; mostly empty. */
  footer: string;
  startedAt?: number;
  endedAt: number;
  /** How it ended, for a caller that waited; not stored. */
  ending?: Pick<
    Ending,
    "state" | "reason" | "error" | "errorKind" | "texts" | "usage" | "stopReason" | "clientCalls" | "command"
  >;
}

/** Text of the message the model is writing now. */
export interface Partial {
  text: string;
  api: string;
  provider: string;
  model: string;
}

/** A message with tool calls that is not in the transcript yet, and the results so far by call id. */
export interface ToolBatch {
  message: AssistantMessage;
  results: Map<string, ToolResultMessage>;
}

const maxSteers = 20;

/** A message that came while a run was active and is to become part of it (agent.md §8.2). */
export interface Steer {
  message: string;
  images: ImageContent[];
  /** Only a run with the same destination and the same rights may read it. */
  route: ReplyRoute;
  owner: boolean;
  /** Further writes of the commit that puts it into the transcript. Must not throw. */
  write(tx: Tx, runRowId: number): void;
  /** The run ended without it. */
  missed(): void;
}

export class LiveRun {
  /** Row id; 0 until the row is durable. */
  id = 0;
  readonly runId: string;
  readonly family: RunFamily;
  readonly principal: string;
  readonly acceptedAt: number;
  readonly sessionKey: string;
  readonly laneKey: string;
  readonly laneClass: LaneClass;
  /** Answered at once, beside the lane: commands that only show or set something. */
  readonly direct: boolean;
  /** The run that waits for this one, if any. */
  readonly parent: LiveRun | undefined;
  readonly announcer: Announcer;
  request: RunRequest;
  sessionId = "";
  userEntryId: string | undefined;
  startedAt: number | undefined;
  toolDetail: ToolDetail = "off";
  partial: Partial | undefined;
  batch: ToolBatch | undefined;
  /** Messages to take in after the present tool calls, oldest first. */
  readonly steers: Steer[] = [];
  /** Resolves when the row is durable; rejects when it could not be written. */
  readonly accepted = Promise.withResolvers<void>();
  /** Resolves when the terminal state is durable and announced. Never rejects. */
  readonly ended = Promise.withResolvers<EndedRun>();
  readonly #controller = new AbortController();
  readonly #world: World;
  readonly #timers = new Set<Timer>();
  #state: RunState = "accepted";
  #lastSign = 0;

  constructor(
    world: World,
    init: {
      runId: string;
      family: RunFamily;
      principal: string;
      acceptedAt: number;
      sessionKey: string;
      request: RunRequest;
      direct: boolean;
      parent?: LiveRun | undefined;
      announcer: (run: LiveRun) => Announcer;
    },
  ) {
    this.#world = world;
    this.runId = init.runId;
    this.family = init.family;
    this.principal = init.principal;
    this.acceptedAt = init.acceptedAt;
    this.sessionKey = init.sessionKey;
    this.laneKey = init.sessionKey || `run:${init.family}:${init.runId}`;
    this.laneClass = init.request.nested ? "nested" : "main";
    this.request = init.request;
    this.direct = init.direct;
    this.parent = init.parent;
    this.announcer = init.announcer(this);
    // Whoever asked for the run hears of a failed accept; nobody else has to.
    this.accepted.promise.catch(() => {});
  }

  get state(): RunState {
    return this.#state;
  }
  /** May still call a model or a tool, write and speak. */
  get live(): boolean {
    return this.#state === "running";
  }
  get over(): boolean {
    return isTerminal(this.#state);
  }
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  to(state: RunState): void {
    this.#state = moveTo(this.#state, state);
    if (!isTerminal(state)) return;
    this.leave();
    this.announcer.close();
    if (state !== "ok") this.#controller.abort();
  }

  /** Nobody waits for this run here any more: no timer of it keeps the generation alive. */
  leave(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  /** Calls `run` after `ms` unless the run is over by then. */
  after(ms: number, run: () => void): Timer {
    const timer = this.#world.after(ms, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        timer.cancel();
        this.#timers.delete(timer);
      },
    };
  }

  /** Whether a message may still become part of this run. */
  takes({ route, owner }: Pick<Steer, "route" | "owner">): boolean {
    const { request } = this;
    const same = request.route !== undefined && sameChat(request.route, route) && request.owner === owner;
    return this.live && same && request.command === undefined && this.steers.length < maxSteers;
  }

  /** The model or a tool showed a sign of life. */
  alive(): void {
    this.#lastSign = this.#world.monotonic();
  }

  /** Calls `run` once no sign of life came for `ms`. */
  whenIdle(ms: number, run: () => void): void {
    this.alive();
    const check = () => {
      const quietMs = this.#world.monotonic() - this.#lastSign;
      if (quietMs >= ms) run();
      else this.after(ms - quietMs, check);
    };
    this.after(ms, check);
  }

  /** Whether this run, or one that waits for it, belongs to the session. */
  holds(sessionKey: string): boolean {
    return this.sessionKey === sessionKey || (this.parent?.holds(sessionKey) ?? false);
  }
}
