/** What the gateway says about itself, kept from the `health` events it sends anyhow: asking for health would make it tell
 *  everybody. Listens from the first visit on, so that there is a line when somebody comes back. */
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

/** Three hours of what comes each minute. */
export const keptSamples = 180;
/** How often the gateway tells its health when nothing happens. */
export const healthEveryMs = 60_000;
/** How often this page measures how long an answer takes, while somebody looks. */
export const answerEveryMs = 10_000;

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
    link.on("health", (health) => {
      this.#health.value = { value: health, at: Date.now() };
      this.#add(figuresOf(health));
    });
  }

  get series(): ReadonlySignal<Readonly<Record<Names, readonly Sample[]>>> {
    return this.#series;
  }

  /** The last snapshot and when it came. */
  get health(): ReadonlySignal<{ value: Health; at: number } | undefined> {
    return this.#health;
  }

  /** Asks once where nothing was heard of late: on a first visit, after a new connection. The answer may be a minute old, an
   *  event with a fresh one follows. Never rejects: the connection's state is told by the shell. */
  async ask(): Promise<void> {
    const heard = this.#health.peek();
    if (!this.#link.connected.peek() || (heard && Date.now() - heard.at < healthEveryMs)) return;
    const health = await this.#link.call("health", {}, { timeoutMs: 10_000 }).catch(() => undefined);
    if (health && this.#health.peek() === heard) this.#health.value = { value: health, at: health.ts };
  }

  /** Measures how long a call takes that is made anyhow. */
  async timed<T>(call: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const answer = await call();
    this.#add({ answer: performance.now() - began });
    return answer;
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

const kept = new WeakMap<GatewayLink, Vitals>();

/** One for the life of the page. */
export function vitalsOf(link: GatewayLink): Vitals {
  const vitals = kept.get(link) ?? new Vitals(link);
  kept.set(link, vitals);
  return vitals;
}
