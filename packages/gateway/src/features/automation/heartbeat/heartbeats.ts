/** The heartbeat: a turn of the agent at intervals, or when somebody wakes it, of which a person hears only what is due
 *  (agent.md §11.2). After a sleep or a changed clock a missed beat comes once. */
import { GatewayError, type EventPayload } from "@openclaw/protocol";
import type { Bus } from "../../../kernel/bus.ts";
import type { Service } from "../../../kernel/lifecycle.ts";
import type { Logger } from "../../../kernel/log.ts";
import type { Timer, World } from "../../../kernel/world.ts";
import type { Store } from "../../../store/store.ts";
import {
  type AgentDirectory,
  type Agents,
  type AgentsRoomConfig,
  normalizeAgentId,
  type ReplyRoute,
} from "../../agents/index.ts";
import type { Sessions } from "../../sessions/index.ts";
import { withinHours } from "./active-hours.ts";
import { hasEmptyChecklist } from "./checklist.ts";
import { noteRun, ranAt } from "./heartbeat.store.ts";
import { alertRoute, type RouteParts } from "./route.ts";
import { beating, type HeartbeatSettings, settingsOf } from "./settings.ts";
import { showsNothing, visibilityOf } from "./visibility.ts";

export type HeartbeatRecord = EventPayload<"heartbeat">;

export interface HeartbeatsOptions {
  world: World;
  log: Logger;
  store: Store;
  bus: Bus;
  config: { readonly current: AgentsRoomConfig };
  directory: Pick<AgentDirectory, "list" | "defaultId" | "workspace" | "exists">;
  agents: Pick<Agents, "submit" | "isBusy">;
  sessions: Pick<Sessions, "mainKey" | "canonicalKey" | "get">;
  routes: RouteParts;
  /** Why automation is held (safe mode). */
  held: () => string | undefined;
}

interface Beat {
  everyMs: number;
  dueWall: number;
  dueMono: number;
}

interface Request {
  reason: string;
  /** Somebody asked for it: an empty checklist or a missing target is no reason to leave it out. */
  woken: boolean;
}

/** What the end of a run has to know about its beginning. */
export interface Begun {
  agentId: string;
  at: number;
  settings: HeartbeatSettings;
  route: ReplyRoute | undefined;
  /** Why nobody would read an alert. */
  unseen: string | undefined;
  /** Age of the session before the run. */
  updatedAt: number | undefined;
}

const shortestMs = 1_000;
const firstMs = 60_000;
const lookEveryMs = 30_000;
const coalesceMs = 250;
const busyRetryMs = 1_000;
const waitMs = 60_000;
const maxBegun = 100;

export class Heartbeats implements Service {
  readonly name = "heartbeat";
  readonly #o: HeartbeatsOptions;
  readonly #beats = new Map<string, Beat>();
  readonly #asked = new Map<string, Request>();
  readonly #timers = new Map<string, Timer>();
  readonly #begun = new Map<string, Begun>();
  /** Agents whose beat is on its way to the disk: no lane shows it yet. */
  readonly #starting = new Set<string>();
  #look: Timer | undefined;
  #enabled = true;
  #last: HeartbeatRecord | undefined;
  #stopped = true;

  constructor(options: HeartbeatsOptions) {
    this.#o = options;
  }

  start(): void {
    this.#stopped = false;
    this.#align(this.#o.config.current);
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#look?.cancel();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#asked.clear();
  }

  reload(next: unknown): void {
    this.#align(next as AgentsRoomConfig);
    if (!this.#stopped) this.#schedule();
  }

  // ---- what others ask

  get last(): HeartbeatRecord | undefined {
    return this.#last;
  }

  /** Until the next restart. */
  setEnabled(enabled: boolean): void {
    this.#enabled = enabled;
  }

  /** For `health` and `status`. */
  facts(agentId: string) {
    const settings = this.settings(agentId);
    const { every, everyMs, prompt, target, ackMaxChars, model } = settings;
    const enabled = this.#enabled && everyMs > 0 && this.#ids(this.#o.config.current).includes(agentId);
    return {
      enabled,
      every: enabled ? every : "0m",
      everyMs: enabled ? everyMs : null,
      prompt,
      target,
      ackMaxChars,
      ...(model ? { model } : {}),
    };
  }

  settings(agentId: string): HeartbeatSettings {
    return settingsOf(this.#o.config.current, agentId, normalizeAgentId);
  }

  /** Asks for a beat soon; what is asked within a short time is one. Never throws. */
  wake(reason: string, agentId: string = this.#o.directory.defaultId()): void {
    if (this.#stopped) return;
    this.#ask(agentId, { reason, woken: true }, coalesceMs);
  }

  /** What is known of the beginning of a run of this process. */
  taken(runId: string): Begun | undefined {
    const begun = this.#begun.get(runId);
    this.#begun.delete(runId);
    return begun;
  }

  announce(record: Omit<HeartbeatRecord, "ts">): void {
    const told = { ts: this.#o.world.now(), ...record };
    this.#last = told;
    this.#o.bus.publish("heartbeat", told);
  }

  // ---- when

  #ids(config: AgentsRoomConfig): string[] {
    return beating(config, this.#o.directory, normalizeAgentId);
  }

  /** Agents that are new or beat at another pace get their next time; the others keep theirs. */
  #align(config: AgentsRoomConfig): void {
    const { world, store } = this.#o;
    const ids = this.#ids(config);
    for (const id of this.#beats.keys()) if (!ids.includes(id)) this.#beats.delete(id);
    for (const id of ids) {
      const { everyMs: asked } = settingsOf(config, id, normalizeAgentId);
      if (asked <= 0) this.#beats.delete(id);
      else {
        const everyMs = Math.max(shortestMs, asked);
        if (this.#beats.get(id)?.everyMs === everyMs) continue;
        const now = world.now();
        const since = Math.max(0, now - Math.min(now, ranAt(store, id) ?? now));
        // After a start nothing is due at once: others come first.
        const inMs = Math.max(Math.min(firstMs, everyMs), everyMs - since);
        this.#beats.set(id, { everyMs, dueWall: now + inMs, dueMono: world.monotonic() + inMs });
      }
    }
  }

  #schedule(): void {
    const { world } = this.#o;
    this.#look?.cancel();
    const waits = [...this.#beats.values()].map(({ dueWall, dueMono }) =>
      Math.min(dueWall - world.now(), dueMono - world.monotonic()),
    );
    // A timer does not count while the machine sleeps, so the clocks are looked at from time to time.
    if (waits.length > 0)
      this.#look = world.after(Math.max(1, Math.min(lookEveryMs, ...waits)), () => this.#lookAround());
  }

  #lookAround(): void {
    if (this.#stopped) return;
    const { world, config } = this.#o;
    this.#align(config.current);
    for (const [id, beat] of this.#beats) {
      if (world.now() < beat.dueWall && world.monotonic() < beat.dueMono) continue;
      this.#nextTime(beat);
      this.#ask(id, { reason: "interval", woken: false }, 0);
    }
    this.#schedule();
  }

  #nextTime(beat: Beat | undefined): void {
    if (!beat) return;
    beat.dueWall = this.#o.world.now() + beat.everyMs;
    beat.dueMono = this.#o.world.monotonic() + beat.everyMs;
  }

  #ask(agentId: string, request: Request, inMs: number): void {
    if (this.#stopped) return;
    const known = this.#asked.get(agentId);
    this.#asked.set(agentId, known?.woken ? known : request);
    if (this.#timers.has(agentId)) return;
    this.#timers.set(
      agentId,
      this.#o.world.after(inMs, () => {
        this.#timers.delete(agentId);
        const due = this.#asked.get(agentId);
        this.#asked.delete(agentId);
        if (due) void this.#beat(agentId, due);
      }),
    );
  }

  // ---- one beat

  async #beat(agentId: string, request: Request): Promise<void> {
    const { log } = this.#o;
    try {
      const settings = this.settings(agentId);
      const skipped = this.#reasonToSkip(agentId, settings, request);
      if (skipped === "requests-in-flight") {
        if (this.#last?.reason !== skipped) this.announce({ status: "skipped", reason: skipped });
        return this.#ask(agentId, request, busyRetryMs);
      }
      if (skipped !== undefined) {
        log.debug("heartbeat skipped", { agentId, reason: skipped });
        return this.announce({ status: "skipped", reason: skipped });
      }
      this.#starting.add(agentId);
      await this.#run(agentId, settings, request).finally(() => this.#starting.delete(agentId));
    } catch (error) {
      const reason = error instanceof GatewayError ? error.message : "the heartbeat could not be started";
      log.warn("a heartbeat could not be started", { agentId, error });
      this.announce({ status: "failed", reason, indicatorType: "error" });
    }
  }

  #reasonToSkip(agentId: string, settings: HeartbeatSettings, { woken }: Request): string | undefined {
    const { world, config, directory, held, agents } = this.#o;
    if (!this.#enabled || settings.everyMs <= 0 || !directory.exists(agentId)) return "disabled";
    if (held() !== undefined) return "safe-mode";
    const { userTimezone } = config.current.agents.defaults;
    if (!withinHours(settings.activeHours, world.now(), userTimezone)) return "quiet-hours";
    if (!woken) {
      if (hasEmptyChecklist(directory.workspace(agentId))) return "empty-heartbeat-file";
      const found = alertRoute(settings, this.#keyOf(agentId, settings), this.#o.routes);
      if ("reason" in found && found.reason !== "target-none") return found.reason;
      if ("route" in found && showsNothing(visibilityOf(config.current, found.route.channel, found.route.accountId)))
        return "alerts-disabled";
    }
    const busy = this.#starting.has(agentId) || agents.isBusy(this.#keyOf(agentId, settings));
    return busy ? "requests-in-flight" : undefined;
  }

  async #run(agentId: string, settings: HeartbeatSettings, { reason }: Request): Promise<void> {
    const { world, agents, sessions, config, log } = this.#o;
    const sessionKey = this.#keyOf(agentId, settings);
    const found = alertRoute(settings, sessionKey, this.#o.routes);
    const route = "route" in found ? found.route : undefined;
    const runId = world.uuid();
    const now = world.now();
    this.#nextTime(this.#beats.get(agentId));
    const oldest = this.#begun.keys().next();
    if (this.#begun.size >= maxBegun && !oldest.done) this.#begun.delete(oldest.value);
    this.#begun.set(runId, {
      agentId,
      at: now,
      settings,
      route,
      unseen: "reason" in found ? found.reason : undefined,
      updatedAt: sessions.get(sessionKey)?.updatedAt,
    });
    log.debug("heartbeat begins", { agentId, reason });
    await agents.submit({
      family: "heartbeat",
      runId,
      principal: "gateway",
      sessionKey,
      request: {
        message: settings.prompt,
        images: [],
        agentId,
        origin: "cron",
        owner: false,
        sender: "heartbeat",
        background: true,
        timeoutMs: config.current.agents.defaults.timeoutSeconds * 1_000,
        waitMs,
        ...(route ? { route } : {}),
        ...(settings.model ? { model: settings.model } : {}),
      },
      write: (tx) => noteRun(tx, agentId, now),
    });
  }

  #keyOf(agentId: string, { session }: HeartbeatSettings): string {
    const { sessions } = this.#o;
    return session ? sessions.canonicalKey(session, agentId) : sessions.mainKey(agentId);
  }
}
