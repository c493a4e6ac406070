/** One process of a simulation: sessions and agents over the disk that outlives it, on a clock of its own. Once it was killed
 *  nothing of it is written, heard or believed any more. */
import { type GatewayError } from "@openclaw/protocol";
import { makeBench, mortal, type Bench } from "../../packages/gateway/src/features/agents/agents.fixture.ts";
import type { Call } from "../../packages/gateway/src/kernel/call.ts";
import { fakeWorld, type FakeWorld } from "../../packages/gateway/src/kernel/fake-world.ts";
import { silentLogger } from "../../packages/gateway/src/kernel/log.ts";
import type { Store } from "../../packages/gateway/src/store/index.ts";
import type { Message } from "./sim-actions.ts";
import type { Judge, Present } from "./sim-judge.ts";
import { scriptOf, toolsOf, type Ground } from "./sim-script.ts";

export const maxConcurrent = 2;

export interface ProcessParts {
  id: number;
  seed: number;
  disk: Store;
  judge: Judge;
  startAt: number;
  uuid: () => string;
  mark: (name: string) => void;
  asked: Map<string, number>;
  note: (line: string) => void;
}

export class SimProcess implements Present, Ground {
  readonly id: number;
  readonly world: FakeWorld;
  readonly bench: Bench;
  /** Requests that were not answered yet. */
  openCalls = 0;
  readonly #judge: Judge;
  readonly #note: (line: string) => void;
  readonly #kill: () => void;
  readonly #gone = new AbortController();
  #dead = false;
  /** Timers of the scripted model and tools, which are no part of the gateway. */
  #sleeping = 0;

  constructor(parts: ProcessParts) {
    const { id, seed, disk, judge, asked } = parts;
    this.id = id;
    this.#judge = judge;
    this.#note = parts.note;
    this.world = fakeWorld({ startAt: parts.startAt, uuid: parts.uuid, mark: parts.mark });
    const { store, kill } = mortal(disk);
    this.#kill = kill;
    const observer = {
      modelAsked: (sessionKey: string, lastUserKey: string | undefined) => {
        const key = this.lane(sessionKey).at(0);
        if (!this.#dead && key !== undefined) judge.modelAsked(key, lastUserKey, this);
        return key;
      },
      sign: (key: string) => {
        const entry = judge.entries.get(key);
        if (!this.#dead && entry) entry.lastSign = this.now;
      },
      toolStarted: (key: string, call: string, effects: boolean) => judge.toolStarted(key, call, effects, this),
    };
    this.bench = makeBench({
      world: this.world,
      store,
      script: scriptOf(seed, this, observer, asked),
      tools: toolsOf(seed, this, observer),
      config: { agents: { defaults: { maxConcurrent } } },
    });
    // Workspaces are real files, whose reads come back when the disk likes: here they are empty and instant.
    this.bench.agents.deps.workspaces = { ensure: async () => {}, read: async () => [] } as never;
    this.bench.bus.subscribe(({ event, payload }) => {
      if (this.#dead) return;
      if (event === "agent") this.#judge.agentEvent(payload as never, this);
      if (event === "chat") this.#judge.chatEvent(payload as never, this);
      if (event === "agent" || event === "chat") this.#heard(event, payload as never);
    });
  }

  get dead(): boolean {
    return this.#dead;
  }
  get now(): number {
    return this.world.now();
  }
  get running(): number {
    return this.bench.agents.status().running;
  }
  get maxConcurrent(): number {
    return maxConcurrent;
  }
  /** Timers of the gateway. */
  get timers(): number {
    return this.world.clock.pending() - this.#sleeping;
  }

  kill(): void {
    this.#dead = true;
    this.#kill();
  }

  knows(family: string, key: string): boolean {
    const run = this.bench.agents.runs.live(family as "agent", key);
    return run !== undefined && !run.over;
  }

  isDirect(family: string, key: string): boolean {
    return this.bench.agents.runs.live(family as "agent", key)?.direct ?? false;
  }

  lane(sessionKey: string): string[] {
    return this.bench.agents.runs.lanes.of(sessionKey).map((run) => run.runId);
  }

  sleep(ms: number): Promise<void> {
    if (this.#dead) return new Promise(() => {});
    this.#sleeping++;
    return new Promise((resolve) =>
      this.world.after(ms, () => {
        this.#sleeping--;
        resolve();
      }),
    );
  }

  // ---- clients

  /** Sends a message, or one that was sent before. */
  send(message: Message): void {
    const { key, family, session, text, timeoutMs } = message;
    this.#judge.entry(message);
    const params = { message: text, sessionKey: sessionKeyOf(session), idempotencyKey: key };
    const acknowledge = () => {
      if (!this.#dead) this.#judge.acknowledged(key);
    };
    const answer =
      family === "agent"
        ? this.bench.handlers.agent({ ...params, timeout: timeoutMs / 1_000 }, this.#call(acknowledge))
        : this.bench.handlers["chat.send"]({ ...params, timeoutMs }, this.#call(acknowledge));
    this.#watch(
      answer,
      (payload) => {
        const { status } = payload as { status: string };
        if (status === "started" || status === "in_flight") acknowledge();
        else this.#judge.final(key, JSON.stringify(payload));
      },
      (error) => {
        // Refused for now, or the run's own failure, which is an outcome.
        if (error.payload === undefined) return;
        this.#judge.final(key, JSON.stringify({ message: error.message, payload: error.payload }));
      },
    );
  }

  /** Stops a session by a stop word or by `chat.abort`; with a run id only that run. */
  stop(session: string, options: { word?: boolean; runId?: string } = {}): void {
    const sessionKey = sessionKeyOf(session);
    const covered =
      options.runId === undefined
        ? [...this.#judge.entries.values()]
            .filter((entry) => entry.acknowledged && entry.message.session === session)
            .map((entry) => entry.message.key)
        : [];
    const answer = options.word
      ? this.bench.handlers["chat.send"](
          { sessionKey, message: "stop", idempotencyKey: `stop-${this.id}-${this.now}` },
          this.#call(() => {}),
        )
      : this.bench.handlers["chat.abort"]({
          sessionKey,
          ...(options.runId === undefined ? {} : { runId: options.runId }),
        });
    this.#watch(answer, (payload) => {
      const { runIds = [] } = payload as { runIds?: string[] };
      this.#judge.stopAcknowledged(runIds, covered);
    });
  }

  wait(key: string, timeoutMs: number): void {
    this.#watch(this.bench.agents.wait({ runId: key, timeoutMs }, this.#gone.signal), () => {});
  }

  #watch(
    answer: unknown,
    answered: (payload: unknown) => void,
    refused: (error: GatewayError) => void = () => {},
  ): void {
    this.openCalls++;
    Promise.resolve(answer).then(
      (payload) => {
        this.openCalls--;
        if (!this.#dead) answered(payload);
      },
      (error: unknown) => {
        this.openCalls--;
        if (this.#dead) return;
        if (!(error instanceof Error) || error.name !== "GatewayError") this.#judge.complain("error", String(error));
        else refused(error as GatewayError);
      },
    );
  }

  #call(ack: () => void): Call<never> {
    return {
      identity: {
        connId: "c",
        role: "operator",
        scopes: ["operator.admin"],
        principal: "shared",
        protocol: 4,
        caps: [],
        local: true,
        can: () => true,
        client: { id: "cli", mode: "cli", version: "1", platform: "linux" },
      },
      requestId: "r",
      signal: this.#gone.signal,
      followRun: () => {},
      log: silentLogger,
      ack: (payload: { runId?: string }) => {
        this.#note(`ack ${payload.runId}`);
        ack();
      },
    } as unknown as Call<never>;
  }

  #heard(event: string, payload: { runId: string; state?: string; stream?: string; seq: number }): void {
    this.#note(`${event} ${payload.runId} ${payload.state ?? payload.stream} ${payload.seq} ${this.now}`);
  }
}

export const sessionKeyOf = (session: string): string => `agent:main:${session}`;
