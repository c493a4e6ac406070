/** How promptly this process reacts: delay, share of time busy and CPU since the reading before (protocol.md §13.1). */
import { monitorEventLoopDelay, performance, type EventLoopUtilization, type IntervalHistogram } from "node:perf_hooks";
import type { EventPayload } from "@openclaw/protocol";
import type { World } from "../../kernel/world.ts";

export type EventLoopReading = NonNullable<EventPayload<"health">["eventLoop"]>;

const resolutionMs = 10;
/** Above these a person notices: a delayed answer, a process that has no time left. */
const delayLimitMs = 500;
const utilizationLimit = 0.95;
/** A shorter interval says nothing about load: start and a burst of calls look busy. */
const settledAfterMs = 1_000;

export class EventLoopWatch {
  readonly #world: Pick<World, "now" | "monotonic">;
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  #since: number;
  #busy: EventLoopUtilization = performance.eventLoopUtilization();
  #cpu = process.cpuUsage();
  #degradedSinceMs: number | null = null;

  constructor(world: Pick<World, "now" | "monotonic">) {
    this.#world = world;
    this.#since = world.monotonic();
    this.#delay.enable();
  }

  /** Ends the current interval and begins the next. */
  read(): EventLoopReading {
    const intervalMs = Math.max(1, this.#world.monotonic() - this.#since);
    const busy = performance.eventLoopUtilization();
    const used = process.cpuUsage(this.#cpu);
    const utilization = performance.eventLoopUtilization(busy, this.#busy).utilization;
    const delayP99Ms = inMs(this.#delay.percentile(99));
    const reasons = degradedBy({ intervalMs, delayP99Ms, utilization });
    this.#degradedSinceMs = reasons.length === 0 ? null : (this.#degradedSinceMs ?? this.#world.now());
    const reading: EventLoopReading = {
      degraded: reasons.length > 0,
      degradedSinceMs: this.#degradedSinceMs,
      reasons,
      intervalMs: Math.round(intervalMs),
      delayP99Ms,
      delayMaxMs: inMs(this.#delay.max),
      utilization: ratio(utilization),
      cpuCoreRatio: ratio((used.user + used.system) / 1_000 / intervalMs),
    };
    this.#since += intervalMs;
    this.#busy = busy;
    this.#cpu = process.cpuUsage();
    this.#delay.reset();
    return reading;
  }

  stop(): void {
    this.#delay.disable();
  }
}

/** Why a reading counts as degraded; empty when it does not. */
export function degradedBy(reading: Pick<EventLoopReading, "intervalMs" | "delayP99Ms" | "utilization">): string[] {
  if (reading.intervalMs < settledAfterMs) return [];
  const reasons: string[] = [];
  if (reading.delayP99Ms > delayLimitMs) reasons.push("event_loop_delay");
  if (reading.utilization > utilizationLimit) reasons.push("event_loop_utilization");
  return reasons;
}

const inMs = (nanoseconds: number): number => Math.round(nanoseconds / 1e5) / 10;
const ratio = (value: number): number => (Number.isFinite(value) ? Math.round(value * 1_000) / 1_000 : 0);
