/** Server-sent events (http.md §2.6): one write per event, a comment after silence, a bounded buffer. */
import type { ServerResponse } from "node:http";
import type { EventStream } from "../kernel/http.ts";
import type { Timer, World } from "../kernel/world.ts";

export const eventStreamLimits = {
  pingAfterMs: 15_000,
  /** Bytes that may wait for a client; one event more than that at most. */
  maxBufferedBytes: 4 * 1024 * 1024,
  /** Events of the largest size beside them: a response begins with two that repeat the request, in one breath. */
  largestMayWait: 2,
  /** How long the rest may take once the stream has ended. */
  flushMs: 30_000,
} as const;

export const eventStreamHeaders = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-cache, no-transform",
  Connection: "keep-alive",
  "X-Accel-Buffering": "no",
} as const;

export class HttpEventStream implements EventStream {
  readonly #res: ServerResponse;
  readonly #world: World;
  #timer: Timer;
  #lastWrite: number;
  /** Bytes. */
  #largest = 0;
  #open = true;

  /** Sends the headers at once. */
  constructor(res: ServerResponse, world: World, headers: Readonly<Record<string, string>> = {}) {
    this.#res = res;
    this.#world = world;
    res.socket?.setNoDelay(true);
    res.writeHead(200, { ...eventStreamHeaders, ...headers });
    res.flushHeaders();
    res.once("close", () => this.#closed());
    this.#lastWrite = world.monotonic();
    this.#timer = world.after(eventStreamLimits.pingAfterMs, () => this.#ping());
  }

  get open(): boolean {
    return this.#open;
  }

  send(data: string, event?: string): void {
    if (!this.#open) return;
    const { maxBufferedBytes, largestMayWait } = eventStreamLimits;
    if (this.#res.writableLength > maxBufferedBytes + largestMayWait * this.#largest) {
      // A client that does not read: the close that follows aborts what works for it.
      this.#closed();
      this.#res.destroy();
      return;
    }
    const text = `${event === undefined ? "" : `event: ${event}\n`}data: ${data}\n\n`;
    this.#largest = Math.max(this.#largest, Buffer.byteLength(text));
    this.#write(text);
  }

  end(): void {
    if (!this.#open) return;
    this.#closed();
    const timer = this.#world.after(eventStreamLimits.flushMs, () => this.#res.destroy());
    this.#res.once("close", () => timer.cancel());
    this.#res.end();
  }

  #write(text: string): void {
    this.#lastWrite = this.#world.monotonic();
    this.#res.write(text);
  }

  #ping(): void {
    const quietMs = this.#world.monotonic() - this.#lastWrite;
    if (quietMs >= eventStreamLimits.pingAfterMs && this.#res.writableLength === 0) this.#write(": ping\n\n");
    const nextMs = Math.max(1_000, eventStreamLimits.pingAfterMs - (this.#world.monotonic() - this.#lastWrite));
    this.#timer = this.#world.after(nextMs, () => this.#ping());
  }

  #closed(): void {
    this.#open = false;
    this.#timer.cancel();
  }
}
