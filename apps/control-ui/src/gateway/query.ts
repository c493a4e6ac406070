/** What a view shows of the gateway: read when the view opens, after every hello and gap, on the events it names, and on a
 *  timer while the page is visible. Old data stays on screen while new data is read; late answers are dropped. */
import { signal, type ReadonlySignal } from "@preact/signals";
import type { EventFrame } from "@openclaw/protocol";
import { useEffect, useMemo } from "preact/hooks";
import type { GatewayLink } from "./link.ts";
import { isUnknownMethod, plainError } from "./refusal.ts";

export interface QueryState<T> {
  data: T | undefined;
  /** When `data` was read; ms since the epoch. */
  readAt: number | undefined;
  loading: boolean;
  /** Why the last reading failed; `data` may still be there, older. */
  error: string | undefined;
  /** The gateway does not know the method: show that instead of an error. */
  notOffered: boolean;
}

export interface QueryOptions<T> {
  /** Must pass `signal` on, or at least tolerate that its answer is dropped. */
  load: (link: GatewayLink, signal: AbortSignal) => Promise<T>;
  /** Events after which the data is read again, at most once per 300 ms. */
  on?: readonly string[];
  /** Events that carry the change itself. Undefined when it cannot be applied: then the data is read again. */
  apply?: Readonly<Record<string, (data: T, frame: EventFrame) => T | undefined>>;
  /** The counter by which late events are known: one that is older than the last is ignored. */
  stateVersion?: "presence" | "health";
  /** ms between readings while the page is visible. */
  everyMs?: number;
}

const settleMs = 300;

export class Query<T> {
  readonly #link: GatewayLink;
  readonly #options: QueryOptions<T>;
  readonly #state = signal<QueryState<T>>({
    data: undefined,
    readAt: undefined,
    loading: false,
    error: undefined,
    notOffered: false,
  });
  readonly #ends: (() => void)[] = [];
  #reading: AbortController | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #again = false;
  #version = 0;

  constructor(link: GatewayLink, options: QueryOptions<T>) {
    this.#link = link;
    this.#options = options;
  }

  get state(): ReadonlySignal<QueryState<T>> {
    return this.#state;
  }

  /** Begins reading; returns what ends it. */
  open(): () => void {
    const { on = [], apply = {}, everyMs } = this.#options;
    this.#countFromHello();
    this.#ends.push(
      this.#link.onRefresh((why) => {
        if (why === "hello") this.#countFromHello();
        void this.refresh();
      }),
    );
    for (const event of Object.keys(apply)) this.#ends.push(this.#link.onAny(event, (frame) => this.#take(frame)));
    for (const event of on) this.#ends.push(this.#link.onAny(event, () => this.#refreshSoon()));
    if (everyMs !== undefined) {
      const timer = setInterval(() => {
        if (document.visibilityState === "visible" && this.#link.connected.peek()) void this.refresh();
      }, everyMs);
      this.#ends.push(() => clearInterval(timer));
    }
    if (this.#link.connected.peek()) void this.refresh();
    return () => this.close();
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#reading?.abort();
    this.#reading = undefined;
  }

  /** Reads now; while a reading is under way, once more after it. Never rejects: failure is in the state. */
  async refresh(): Promise<void> {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    const reading = new AbortController();
    this.#reading = reading;
    this.#set({ loading: true });
    try {
      const data = await this.#options.load(this.#link, reading.signal);
      if (!reading.signal.aborted)
        this.#set({ data, readAt: Date.now(), loading: false, error: undefined, notOffered: false });
    } catch (error) {
      if (!reading.signal.aborted)
        this.#set({ loading: false, error: plainError(error), notOffered: isUnknownMethod(error) });
    }
    if (this.#reading !== reading) return;
    this.#reading = undefined;
    if (this.#again) {
      this.#again = false;
      await this.refresh();
    }
  }

  /** Shows a change before the gateway confirmed it; the next reading replaces it. */
  assume(change: (data: T) => T): void {
    const { data } = this.#state.peek();
    if (data !== undefined) this.#set({ data: change(data) });
  }

  /** What is read from now on is at least as new as what hello told. */
  #countFromHello(): void {
    const { stateVersion } = this.#options;
    const told = this.#link.hello.peek()?.snapshot.stateVersion;
    this.#version = stateVersion === undefined ? 0 : (told?.[stateVersion] ?? 0);
  }

  #take(frame: EventFrame): void {
    const { apply = {}, stateVersion } = this.#options;
    const version = stateVersion === undefined ? undefined : frame.stateVersion?.[stateVersion];
    if (version !== undefined) {
      if (version < this.#version) return;
      this.#version = version;
    }
    const { data } = this.#state.peek();
    // A reading under way was answered before this event was sent.
    const next = data === undefined ? undefined : apply[frame.event]?.(data, frame);
    if (next === undefined) this.#refreshSoon();
    else this.#set({ data: next, readAt: Date.now() });
  }

  #refreshSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.refresh();
    }, settleMs);
  }

  #set(changes: Partial<QueryState<T>>): void {
    this.#state.value = { ...this.#state.peek(), ...changes };
  }
}

/** A query that lives as long as the component. `key` names what is read: another key is another query. */
export function useQuery<T>(link: GatewayLink, key: string, options: QueryOptions<T>): Query<T> {
  const query = useMemo(() => new Query(link, options), [link, key]);
  useEffect(() => query.open(), [query]);
  return query;
}
