/** What the gateway says about itself, sampled while somebody looks: from each `health` event, and from the time a call takes. */
import { signal, type ReadonlySignal } from "@preact/signals";
import type { EventPayload } from "@openclaw/protocol";
import type { GatewayLink } from "../../gateway/index.ts";

export interface Sample {
  /** ms since the epoch, of this browser's clock. */
  at: number;
  value: number;
}

export interface Series {
  name: "delay" | "busy" | "memory" | "answer";
  samples: readonly Sample[];
}

/** At one sample per 5 s, a quarter of an hour. */
export const keptSamples = 180;
const everyMs = 5_000;
/** The first figures come faster, so that there is a line soon. */
const firstMs = [1_500, 3_000];

type Names = Series["name"];
type Health = EventPayload<"health">;

export function withSample(samples: readonly Sample[], sample: Sample, kept = keptSamples): readonly Sample[] {
  return [...samples, sample].slice(-kept);
}

/** The figures of one snapshot. Memory only from gateways that tell it. */
export function figuresOf(health: Pick<Health, "eventLoop" | "memory">): Partial<Record<Names, number>> {
  const { eventLoop, memory } = health;
  return {
    ...(eventLoop ? { delay: eventLoop.delayP99Ms, busy: eventLoop.utilization * 100 } : {}),
    ...(memory ? { memory: memory.rssBytes } : {}),
  };
}

export class Vitals {
  readonly #link: GatewayLink;
  readonly #series = signal<Readonly<Record<Names, readonly Sample[]>>>({
    delay: [],
    busy: [],
    memory: [],
    answer: [],
  });
  readonly #health = signal<{ value: Health; at: number } | undefined>(undefined);

  constructor(link: GatewayLink) {
    this.#link = link;
  }

  get series(): ReadonlySignal<Readonly<Record<Names, readonly Sample[]>>> {
    return this.#series;
  }

  /** The last snapshot and when it came. */
  get health(): ReadonlySignal<{ value: Health; at: number } | undefined> {
    return this.#health;
  }

  /** Begins sampling; returns what ends it. */
  open(): () => void {
    const ends = [
      this.#link.on("health", (health) => this.#take(health)),
      this.#link.onRefresh(() => void this.#ask()),
    ];
    const timer = setInterval(() => void this.#ask(), everyMs);
    const soon = firstMs.map((ms) => setTimeout(() => void this.#ask(), ms));
    void this.#ask();
    return () => {
      clearInterval(timer);
      for (const one of soon) clearTimeout(one);
      for (const end of ends) end();
    };
  }

  /** The answer may be a minute old; asking makes the gateway look anew and tell everyone by event. */
  async #ask(): Promise<void> {
    if (document.visibilityState !== "visible" || !this.#link.connected.peek()) return;
    const began = performance.now();
    try {
      const health = await this.#link.call("health", {}, { timeoutMs: 10_000 });
      this.#add({ answer: performance.now() - began });
      if (this.#health.peek() === undefined) this.#health.value = { value: health, at: Date.now() };
    } catch {
      // The connection's state is told by the shell; a missing sample leaves a hole.
    }
  }

  #take(health: Health): void {
    this.#health.value = { value: health, at: Date.now() };
    this.#add(figuresOf(health));
  }

  #add(figures: Partial<Record<Names, number>>): void {
    const at = Date.now();
    const next = { ...this.#series.peek() };
    for (const name of ["delay", "busy", "memory", "answer"] as const) {
      const value = figures[name];
      if (value !== undefined) next[name] = withSample(next[name], { at, value });
    }
    this.#series.value = next;
  }
}
