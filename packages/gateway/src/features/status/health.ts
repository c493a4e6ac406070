/** The health snapshot (protocol.md §13.1): computed at most once a second, announced when it was computed anew. */
import type { EventPayload } from "@openclaw/protocol";
import type { Bus } from "../../kernel/bus.ts";
import type { Service } from "../../kernel/lifecycle.ts";
import type { Timer } from "../../kernel/world.ts";
import type { SessionEntry } from "../sessions/index.ts";
import { EventLoopWatch } from "./event-loop.ts";
import type { AgentHeartbeat, StatusSources } from "./sources.ts";

export type HealthSnapshot = EventPayload<"health">;

const refreshEveryMs = 60_000;
const settleMs = 1_000;

/** Where nothing beats, no schedule is reported that never fires. */
const still: AgentHeartbeat = {
  enabled: false,
  every: "0m",
  everyMs: null,
  prompt: "",
  target: "last",
  ackMaxChars: 300,
};

export const heartbeatOf = (s: StatusSources, agentId: string): AgentHeartbeat => s.heartbeat?.(agentId) ?? still;

export class Health implements Service {
  readonly name = "health";
  readonly #sources: StatusSources;
  readonly #bus: Bus;
  #version = 1;
  #snapshot: HealthSnapshot | undefined;
  #computedAt = 0;
  #periodic: Timer | undefined;
  #pending: Timer | undefined;
  #loop: EventLoopWatch | undefined;

  constructor(sources: StatusSources, bus: Bus) {
    this.#sources = sources;
    this.#bus = bus;
  }

  /** Grows with every new snapshot; starts at 1. */
  get version(): number {
    return this.#version;
  }

  start(): void {
    this.#loop = new EventLoopWatch(this.#sources.world);
    this.#periodic = this.#sources.world.every(refreshEveryMs, () => this.refresh());
  }

  stop(): void {
    this.#periodic?.cancel();
    this.#pending?.cancel();
    this.#loop?.stop();
  }

  /** The last snapshot, or `{}` when none was computed yet (hello-ok). */
  cached(): HealthSnapshot | Record<string, never> {
    return this.#snapshot ?? {};
  }

  /** The snapshot for a `health` call: a minute old at most, or fresh when asked for. A refresh follows in the background. */
  read(probe: boolean): HealthSnapshot {
    const age = this.#sources.world.monotonic() - this.#computedAt;
    if (this.#snapshot && !probe && age < refreshEveryMs) {
      this.refreshSoon();
      return this.#snapshot;
    }
    return this.refresh();
  }

  /** Coalesces the many reasons to refresh (each connect, each call) into one per second. */
  refreshSoon(): void {
    this.#pending ??= this.#sources.world.after(settleMs, () => this.refresh());
  }

  refresh(): HealthSnapshot {
    this.#pending?.cancel();
    this.#pending = undefined;
    const began = this.#sources.world.monotonic();
    const snapshot = this.#compute();
    this.#computedAt = this.#sources.world.monotonic();
    snapshot.durationMs = Math.round(this.#computedAt - began);
    this.#snapshot = snapshot;
    this.#version++;
    this.#bus.publish("health", snapshot);
    return snapshot;
  }

  #compute(): HealthSnapshot {
    const s = this.#sources;
    const now = s.world.now();
    const sessions = (agentId?: string) => ({
      path: s.storePath,
      count: s.sessionCount(agentId),
      recent: s.recentSessions(5, agentId).map((entry) => recentRow(entry, now)),
    });
    const model = s.model();
    return {
      ok: true,
      ts: now,
      durationMs: 0,
      ...(s.channels?.() ?? { channels: {}, channelOrder: [], channelLabels: {} }),
      heartbeatSeconds: Math.round((heartbeatOf(s, s.defaultAgentId()).everyMs ?? 0) / 1_000),
      defaultAgentId: s.defaultAgentId(),
      agents: s.agents().map((agent) => ({
        agentId: agent.id,
        ...(agent.name ? { name: agent.name } : {}),
        isDefault: agent.id === s.defaultAgentId(),
        heartbeat: heartbeatOf(s, agent.id),
        sessions: sessions(agent.id),
      })),
      sessions: sessions(),
      model: { ref: model.ref, configured: model.configured, auth: model.auth },
      problems: s.problems(),
      ...stateOf(s),
      ...(this.#loop ? { eventLoop: this.#loop.read() } : {}),
      memory: memoryInUse(),
    };
  }
}

function memoryInUse(): NonNullable<HealthSnapshot["memory"]> {
  const { rss, heapUsed } = process.memoryUsage();
  return { rssBytes: rss, heapUsedBytes: heapUsed };
}

/** Which config runs, and whether the gateway is in safe mode. */
export function stateOf(s: StatusSources) {
  const config = s.configState?.();
  const safe = s.safe?.();
  return { ...(config ? { config } : {}), ...(safe ? { safe } : {}) };
}

export const recentRow = (entry: SessionEntry, now: number) => ({
  key: entry.key,
  updatedAt: entry.updatedAt,
  age: Math.max(0, now - entry.updatedAt),
});
