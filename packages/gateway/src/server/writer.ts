/** Everything that leaves one socket, in order. Writes straight through while the peer keeps up; otherwise frames wait in a
 *  queue counted in bytes, events and answers apart, so that a slow client costs a bounded amount and nobody else waits
 *  for it (protocol.md §11.3, R-WS-1, R-WS-2). */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";

/** Answers waiting above this stop the reading of requests. */
export const maxAnswerBytes = 27_262_976;
/** Over all connections together; the largest queue goes first. */
export const maxQueuedBytesInAll = 268_435_456;

/** An event encoded once for many connections. The frame is `head` + `,"seq":n` + `tail`. */
export interface Outgoing {
  head: Buffer;
  tail: Buffer;
  droppable: boolean;
  /** While a frame of the same key still waits, this one replaces it and takes over its number. */
  coalesce?: string;
  /** Makes the replacement from the waiting frame and this one; without it this one replaces as it is. */
  join?(waiting: Outgoing): Outgoing;
}

export type Delivery = "sent" | "dropped" | "closed";

export interface WriterOwner {
  maxBufferedBytes(): number;
  /** The event queue is full and the event may not be dropped. */
  slow(): void;
  /** Too many answers wait (true), or no longer (false). */
  answersFull(full: boolean): void;
  /** The queue changed by so many bytes. */
  queued(bytes: number): void;
}

interface Waiting {
  bytes: Buffer;
  event: Outgoing | undefined;
  seq: number | undefined;
}

const asText = { binary: false } as const;

export class Writer {
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #owner: WriterOwner;
  #queue: Waiting[] = [];
  #head = 0;
  readonly #replaceable = new Map<string, Waiting>();
  #eventBytes = 0;
  #answerBytes = 0;
  #answersFull = false;
  #seq = 0;
  #corked = false;
  #ended = false;
  #dropped = 0;

  constructor(ws: WebSocket, socket: Socket, owner: WriterOwner) {
    this.#ws = ws;
    this.#socket = socket;
    this.#owner = owner;
    socket.on("drain", () => this.#flush());
  }

  get queuedBytes(): number {
    return this.#eventBytes + this.#answerBytes;
  }
  /** Bytes of events that wait. */
  get eventBytes(): number {
    return this.#eventBytes;
  }
  /** Events skipped because the client was slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** An answer or another frame without number; never dropped. */
  answer(text: string): void {
    if (this.#ended) return;
    if (this.#open()) {
      this.#cork();
      this.#ws.send(text);
      return;
    }
    const bytes = Buffer.from(text);
    this.#queue.push({ bytes, event: undefined, seq: undefined });
    this.#answerBytes += bytes.length;
    this.#owner.queued(bytes.length);
    if (!this.#answersFull && this.#answerBytes > maxAnswerBytes) {
      this.#answersFull = true;
      this.#owner.answersFull(true);
    }
  }

  /** An event; with a number of its own when `sequenced`. */
  event(out: Outgoing, sequenced: boolean): Delivery {
    if (this.#ended) return "closed";
    if (this.#open()) {
      this.#cork();
      this.#ws.send(this.#frame(out, sequenced ? ++this.#seq : undefined), asText);
      return "sent";
    }
    const waiting = sequenced && out.coalesce !== undefined ? this.#replaceable.get(out.coalesce) : undefined;
    if (waiting?.event) {
      this.#replace(waiting, out.join?.(waiting.event) ?? out);
      return "sent";
    }
    if (this.#eventBytes > this.#owner.maxBufferedBytes()) {
      if (!out.droppable) {
        this.#owner.slow();
        return "closed";
      }
      if (sequenced) this.#seq++;
      this.#dropped++;
      return "dropped";
    }
    const seq = sequenced ? ++this.#seq : undefined;
    const entry: Waiting = { bytes: this.#frame(out, seq), event: out, seq };
    this.#queue.push(entry);
    if (sequenced && out.coalesce !== undefined) this.#replaceable.set(out.coalesce, entry);
    this.#eventBytes += entry.bytes.length;
    this.#owner.queued(entry.bytes.length);
    return "sent";
  }

  /** Forgets what waits; nothing is written afterwards. Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#owner.queued(-this.queuedBytes);
    this.#queue = [];
    this.#head = 0;
    this.#eventBytes = 0;
    this.#answerBytes = 0;
    this.#replaceable.clear();
  }

  #open(): boolean {
    return this.#head === this.#queue.length && !this.#socket.writableNeedDrain;
  }

  /** Writes of one turn leave in one system call. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #frame(out: Outgoing, seq: number | undefined): Buffer {
    const number = seq === undefined ? "" : `,"seq":${seq}`;
    const frame = Buffer.allocUnsafe(out.head.length + number.length + out.tail.length);
    out.head.copy(frame, 0);
    frame.write(number, out.head.length, "latin1");
    out.tail.copy(frame, out.head.length + number.length);
    return frame;
  }

  #replace(waiting: Waiting, out: Outgoing): void {
    const bytes = this.#frame(out, waiting.seq);
    const change = bytes.length - waiting.bytes.length;
    waiting.bytes = bytes;
    waiting.event = out;
    this.#eventBytes += change;
    this.#owner.queued(change);
  }

  #flush(): void {
    while (this.#head < this.#queue.length && !this.#socket.writableNeedDrain) {
      const next = this.#queue[this.#head++];
      if (!next) break;
      this.#cork();
      this.#ws.send(next.bytes, asText);
      if (next.event) {
        this.#eventBytes -= next.bytes.length;
        const key = next.event.coalesce;
        if (key !== undefined && this.#replaceable.get(key) === next) this.#replaceable.delete(key);
      } else this.#answerBytes -= next.bytes.length;
      this.#owner.queued(-next.bytes.length);
    }
    // Compacted now and then, so that a queue that never empties does not keep what it sent.
    if (this.#head === this.#queue.length || this.#head > 1_024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    if (this.#answersFull && this.#answerBytes <= maxAnswerBytes / 2) {
      this.#answersFull = false;
      this.#owner.answersFull(false);
    }
  }
}
