/** The Gateway: one generation of all rooms, its start, reload and end. The Host owns what outlives it: lock, listener, signals,
 *  log. */
import { dirname, join } from "node:path";
import { documentSchema, secretsOf, type ConfigSnapshot, type ReloadPlan } from "../config/index.ts";
import type { Models } from "../features/models/index.ts";
import type { Bus } from "../kernel/bus.ts";
import type { Logger } from "../kernel/log.ts";
import { commandLine, stateDir } from "../kernel/paths.ts";
import type { Redactor } from "../kernel/redact.ts";
import { openStore, type SqliteStore } from "../store/index.ts";
import { recordApplied } from "./applied-config.ts";
import { storeMigrations } from "./migrations.ts";
import { hasUnreadOldState } from "./old-state.ts";
import type { Sentinel } from "./sentinel.ts";
import { declared, type EffectiveConfig } from "./sections.ts";
import { buildRooms, type GatewayOptions, type Problem, type Rooms } from "./rooms.ts";

export type { GatewayOptions, Problem, ProcessView } from "./rooms.ts";

/** How a generation ends. */
export interface Ending {
  reason: string;
  restartExpectedMs?: number;
  deadlineMs: number;
}

export class Gateway {
  readonly bus: Bus;
  readonly models: Models;
  readonly config: { readonly current: EffectiveConfig };
  readonly store: SqliteStore;
  readonly sentinel: Sentinel;
  readonly #rooms: Rooms;
  readonly #background = new AbortController();
  #draining = false;
  #stopping: Promise<void> | undefined;
  #durable: Promise<void> | undefined;

  private constructor(rooms: Rooms) {
    this.#rooms = rooms;
    this.bus = rooms.bus;
    this.models = rooms.models;
    this.config = rooms.config;
    this.store = rooms.store;
    this.sentinel = rooms.sentinel;
  }

  /** Opens the store, builds the rooms, resolves what a former process left open, then lets connections in. When it
   *  rejects, everything it opened is closed again. */
  static async start(options: GatewayOptions): Promise<Gateway> {
    const { world, log, redactor, snapshot } = options;
    learnSecrets(redactor, snapshot, log);
    const store = openStore({
      path: join(stateDir(world), "openclaw.db"),
      migrations: storeMigrations,
      world,
      log: log.child("store"),
    });
    try {
      const rooms = buildRooms(options, store);
      const gateway = new Gateway(rooms);
      await rooms.lifecycle.start();
      gateway.#runBackground();
      recordApplied(snapshot, world, log.child("config"));
      return gateway;
    } catch (error) {
      store.close();
      throw error;
    }
  }

  defaultAgentId(): string {
    return this.#rooms.directory.defaultId();
  }

  /** Empty once the generation stops: its parts are no longer there to be asked. */
  problems(): Problem[] {
    return this.#stopping ? [] : this.#rooms.problems();
  }

  /** Waits for running turns before a planned restart; new requests are refused meanwhile. */
  async drain(budgetMs: number): Promise<void> {
    this.#draining = true;
    this.#rooms.server.drain();
    await this.#rooms.agents.drain(budgetMs);
  }

  /** The restart was called off: as if `drain` had not been. */
  resume(): void {
    this.#draining = false;
    this.#rooms.server.resume();
    this.#rooms.agents.resume();
  }

  /** Takes a new config over while everything runs: services build their new parts, then all readers see the new values at
   *  once. Answers with the services that kept their old part (R-REL-4). */
  async reload(snapshot: ConfigSnapshot, plan: ReloadPlan): Promise<Problem[]> {
    const { config, lifecycle, redactor } = this.#rooms;
    learnSecrets(redactor, snapshot, this.#rooms.log);
    const next = snapshot.config as EffectiveConfig;
    const failed = await lifecycle.reload(plan.services.keys(), next);
    config.current = next;
    // More lanes count for runs that wait already (lifecycle.md §7.4).
    if (!this.#draining) this.#rooms.agents.resume();
    recordApplied(snapshot, this.#rooms.world, this.#rooms.log.child("config"));
    return failed;
  }

  /** The state of the process changed: one new health snapshot says so, and what safe mode held begins when it is over. */
  stateChanged(): void {
    this.#rooms.health.refreshSoon();
    if (!this.#stopping) this.#rooms.released();
  }

  /** The part of a stop that must survive SIGKILL: announce, admit nothing, write the end of every run (R-SHUT-4).
   *  Idempotent; `stop` begins with it. */
  durable(ending: Ending): Promise<void> {
    this.#durable ??= (async () => {
      const { server, agents } = this.#rooms;
      this.#background.abort();
      server.announceShutdown({
        reason: ending.reason,
        ...(ending.restartExpectedMs === undefined ? {} : { restartExpectedMs: ending.restartExpectedMs }),
      });
      server.drain();
      await agents.stop(Math.min(500, ending.deadlineMs));
    })();
    return this.#durable;
  }

  /** Durable part first, then services in reverse, sockets closed with 1012, store closed last. Idempotent. */
  stop(ending: Ending): Promise<void> {
    this.#stopping ??= (async () => {
      await this.durable(ending).catch((error: unknown) =>
        this.#rooms.log.error("the durable part of the stop failed", { error }),
      );
      await this.#rooms.lifecycle.stop(ending.deadlineMs);
      this.#rooms.store.close();
    })();
    return this.#stopping;
  }

  /** A channel's SDK let an error escape. */
  renewChannel(channel: string, error: unknown): void {
    if (!this.#stopping) this.#rooms.renewChannel(channel, error);
  }

  /** What may fail or need the network runs after ready and never stops the gateway (R-START-2). */
  #runBackground(): void {
    if (hasUnreadOldState(dirname(this.store.path))) {
      this.#rooms.log.info(
        `conversations or devices of an older OpenClaw are in the state directory; to take them over, stop the gateway and run: ${commandLine(this.#rooms.world, "sessions import")}`,
      );
    }
    this.#rooms.models
      .discoverLocal(this.#background.signal)
      .catch((error: unknown) => this.#rooms.log.debug("looking for local model servers failed", { error }));
  }
}

/** Before anything of the config can reach a log. */
function learnSecrets(redactor: Redactor, snapshot: ConfigSnapshot, log: Logger): void {
  const problems = redactor.usePatterns((snapshot.config as EffectiveConfig).logging);
  redactor.addEnvironment(snapshot.env);
  for (const secret of secretsOf(snapshot.config, documentSchema(declared))) redactor.add(secret);
  for (const problem of problems.slice(0, 10))
    log.warn("a pattern of logging.redactPatterns is not used", { pattern: problem });
}
