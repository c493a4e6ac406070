/** The last events of the connection, kept while the view is open. Secrets in them are masked before they are kept. */
import { signal, type ReadonlySignal } from "@preact/signals";
import type { EventFrame } from "@openclaw/protocol";
import { isRecord, type GatewayLink } from "../../gateway/index.ts";

export interface SeenEvent {
  id: number;
  at: number;
  name: string;
  seq: number | undefined;
  /** Pretty JSON, clipped. */
  text: string;
}

export const keptEvents = 250;
const maxText = 20_000;

export class EventLog {
  readonly #link: GatewayLink;
  readonly #events = signal<readonly SeenEvent[]>([]);
  #lastId = 0;
  #paused = false;
  readonly #missed = signal(0);

  constructor(link: GatewayLink) {
    this.#link = link;
  }

  /** Newest first. */
  get events(): ReadonlySignal<readonly SeenEvent[]> {
    return this.#events;
  }

  /** Events that came while paused; they are not kept. */
  get missed(): ReadonlySignal<number> {
    return this.#missed;
  }

  open(): () => void {
    return this.#link.onAny("*", (frame) => this.#take(frame));
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#missed.value = 0;
  }

  clear(): void {
    this.#events.value = [];
  }

  #take({ event, payload, seq }: EventFrame): void {
    if (this.#paused) {
      this.#missed.value += 1;
      return;
    }
    this.#lastId += 1;
    const seen = { id: this.#lastId, at: Date.now(), name: event, seq, text: pretty(payload) };
    this.#events.value = [seen, ...this.#events.peek()].slice(0, keptEvents);
  }
}

/** JSON for a person: indented, secrets masked, clipped. */
export function pretty(value: unknown): string {
  const text = JSON.stringify(masked(value), null, 2) ?? "undefined";
  return text.length > maxText ? `${text.slice(0, maxText)}\n… ${text.length - maxText} more characters` : text;
}

const secretName = /token|password|secret|api_?key/i;

/** The same value with every text under a secret's name replaced. Counts of tokens are numbers and stay. */
export function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      typeof item === "string" && item !== "" && secretName.test(name) ? "••••••" : masked(item),
    ]),
  );
}
