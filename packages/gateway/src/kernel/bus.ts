/** Bus: typed events named in the protocol. It announces what happened and never steers: a subscriber that throws is
 *  logged and the others still hear. Delivery is synchronous, in order of subscription. */
import type { EventName, EventPayload } from "@openclaw/protocol";
import type { Logger } from "./log.ts";

/** How much of a tool event may be shown (protocol.md §10.3). */
export type ToolDetail = "off" | "on" | "full";

/** Routing hints of the publisher; they never reach the wire. */
export interface Routing {
  /** Only these connections; the frame then carries no `seq`. Needed for events whose audience is `targeted`. */
  connIds?: readonly string[];
  /** For `agent` events of stream `tool`: sent only to connections that registered for the run, cut to this detail. */
  toolDetail?: ToolDetail;
  /** For `chat` deltas: only connections that negotiated this protocol or a later one. */
  since?: 4;
}

export interface Announcement<N extends EventName = EventName> {
  event: N;
  payload: EventPayload<N>;
  routing: Routing;
}

type Listener = (announcement: Announcement) => void;

export class Bus {
  readonly #listeners = new Set<Listener>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  publish<N extends EventName>(event: N, payload: EventPayload<N>, routing: Routing = {}): void {
    for (const listener of this.#listeners) {
      try {
        listener({ event, payload, routing } as Announcement);
      } catch (error) {
        this.#log.error(`a listener of ${event} threw`, { error });
      }
    }
  }

  /** Hears every event. Returns the function that ends the subscription. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Hears one event. */
  on<N extends EventName>(event: N, listener: (payload: EventPayload<N>, routing: Routing) => void): () => void {
    return this.subscribe((a) => {
      if (a.event === event) listener(a.payload as EventPayload<N>, a.routing);
    });
  }
}
