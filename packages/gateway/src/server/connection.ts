/** One socket from accept to close (reliability.md §3.7): limits, turns, liveness, the ledger of open calls. What a frame
 *  means is decided elsewhere (`handshake.ts`, `dispatch.ts`); here it is only taken in order and in turn. */
import type { Socket } from "node:net";
import { closeRules, wireLimits, type ResponseFrame, type WireError } from "@openclaw/protocol";
import type { RawData, WebSocket } from "ws";
import type { Identity } from "../kernel/call.ts";
import type { Logger } from "../kernel/log.ts";
import type { Timer, World } from "../kernel/world.ts";
import type { FrameLog } from "./frame-log.ts";
import { FrameWatch } from "./frame-watch.ts";
import type { Location } from "./locality.ts";
import type { TailnetClaim } from "./tailnet.ts";
import type { Place } from "./unauthenticated.ts";
import { Writer, type Delivery, type Outgoing } from "./writer.ts";

/** Frames taken from one connection before the others have their turn. */
export const framesPerTurn = 32;
const closeGraceMs = 2_000;

export type ConnectionState = "challenged" | "checking" | "open" | "closing" | "closed";

export interface CloseRule {
  readonly code: number;
  readonly reason: string;
}

/** Headers and address as they were at the upgrade. */
export interface Entrance {
  location: Location;
  host: string | undefined;
  origin: string | undefined;
  /** Who the Tailscale proxy says it is. */
  tailnet: TailnetClaim;
  place: Place;
}

/** What a connection needs from the server that owns it. None of these may throw. */
export interface ConnectionOwner {
  readonly world: World;
  readonly log: Logger;
  /** Absent unless every frame is logged. */
  readonly frames?: FrameLog | undefined;
  maxBufferedBytes(): number;
  /** One whole message, in order. */
  frame(connection: Connection, bytes: Buffer): void;
  queued(bytes: number): void;
  /** The socket is gone. Called once. */
  closed(connection: Connection, code: number, reason: string): void;
}

/** A call that has not been answered; aborted when the socket closes. */
export interface OpenCall {
  abort(): void;
}

export class Connection {
  readonly connId: string;
  readonly nonce: string;
  readonly entrance: Entrance;
  readonly openedAt: number;
  state: ConnectionState = "challenged";
  /** Set at hello-ok, never changed. */
  identity: Identity | undefined;
  /** Frames that arrived while the handshake is checked. */
  readonly held: Buffer[] = [];
  readonly calls = new Set<OpenCall>();
  /** Calls without a first answer, and calls that wait long by nature. */
  inFlight = 0;
  longWaits = 0;
  /** Unauthorised calls in a row, and when calls were refused lately. */
  unauthorised = 0;
  refusedAt: number[] = [];
  /** Number of the last chat delta that this connection got of a run; see `chat-delta.ts`. */
  readonly chatDeltas = new Map<string, number>();
  lastSeen: number;
  /** Since when the event queue is over its limit. */
  slowSince: number | undefined;

  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #writer: Writer;
  #deadline: Timer | undefined;
  #inbox: Buffer[] = [];
  #taken = 0;
  #turnPlanned = false;
  #answersFull = false;
  #closeCode: number | undefined;
  #closeReason = "";
  #finishing: CloseRule | undefined;

  constructor(ws: WebSocket, socket: Socket, entrance: Entrance, owner: ConnectionOwner, handshakeTimeoutMs: number) {
    this.#ws = ws;
    this.#socket = socket;
    this.#owner = owner;
    this.entrance = entrance;
    this.connId = owner.world.uuid();
    this.nonce = owner.world.uuid();
    this.openedAt = owner.world.monotonic();
    this.lastSeen = this.openedAt;
    this.#writer = new Writer(ws, socket, {
      maxBufferedBytes: () => owner.maxBufferedBytes(),
      slow: () => this.close(closeRules.slowConsumer),
      answersFull: (full) => this.#pauseFor(full),
      queued: (bytes) => {
        owner.queued(bytes);
        if (this.#finishing && this.#writer.queuedBytes === 0) this.close(this.#finishing);
      },
    });
    this.#deadline = owner.world.after(handshakeTimeoutMs, () => this.close(closeRules.malformed));
    this.#listen();
    this.#watchPreauth();
    this.#write(
      JSON.stringify({
        type: "event",
        event: "connect.challenge",
        payload: { nonce: this.nonce, ts: owner.world.now() },
      }),
    );
  }

  get queuedBytes(): number {
    return this.#writer.queuedBytes;
  }
  get eventBytes(): number {
    return this.#writer.eventBytes;
  }
  get droppedEvents(): number {
    return this.#writer.dropped;
  }

  /** The handshake succeeded: the small limits end. */
  opened(identity: Identity): void {
    this.identity = identity;
    this.state = "open";
    this.#deadline?.cancel();
    this.entrance.place.release();
  }

  answer(id: string, payload: unknown): void {
    this.#send({ type: "res", id, ok: true, payload });
  }

  fail(id: string, error: WireError, payload?: unknown): void {
    this.#send(
      payload === undefined ? { type: "res", id, ok: false, error } : { type: "res", id, ok: false, error, payload },
    );
  }

  deliver(out: Outgoing, sequenced: boolean): Delivery {
    if (this.state !== "open") return "closed";
    this.#owner.frames?.sent(this.connId, `${out.head.toString("utf8")}${out.tail.toString("utf8")}`);
    return this.#writer.event(out, sequenced);
  }

  ping(): void {
    if (this.state === "open") this.#ws.ping();
  }

  /** Sends the close frame behind what was written; the socket is destroyed after 2 s at the latest. Idempotent. */
  close(rule: CloseRule): void {
    if (this.state === "closing" || this.state === "closed") return;
    this.state = "closing";
    this.#closeCode = rule.code;
    this.#closeReason = rule.reason;
    this.#deadline?.cancel();
    this.#writer.end();
    this.#inbox = [];
    this.held.length = 0;
    this.entrance.place.release();
    this.#abortCalls();
    this.#ws.resume();
    this.#ws.close(rule.code, rule.reason);
    this.#deadline = this.#owner.world.after(closeGraceMs, () => this.terminate());
  }

  /** Like `close`, but first lets out what waits, for at most `flushMs`. */
  finish(rule: CloseRule, flushMs: number): void {
    if (this.state !== "open" || this.#writer.queuedBytes === 0) return this.close(rule);
    this.#finishing = rule;
    this.#deadline?.cancel();
    this.#deadline = this.#owner.world.after(flushMs, () => this.close(rule));
  }

  /** Destroys the socket at once. */
  terminate(): void {
    this.#ws.terminate();
  }

  #send(frame: ResponseFrame): void {
    if (this.state === "closing" || this.state === "closed") return;
    const text = JSON.stringify(frame);
    // Clients refuse larger frames, which would hang the call: it is answered with the reason instead.
    if (text.length * 3 > wireLimits.maxPayloadBytes && Buffer.byteLength(text) > wireLimits.maxPayloadBytes) {
      const error = {
        code: "UNAVAILABLE",
        message: "the answer is larger than 25 MiB; ask for less at once",
        retryable: false,
      };
      this.#write(JSON.stringify({ type: "res", id: frame.id, ok: false, error } satisfies ResponseFrame));
      return;
    }
    this.#write(text);
  }

  #write(text: string): void {
    this.#owner.frames?.sent(this.connId, text);
    this.#writer.answer(text);
  }

  #listen(): void {
    this.#ws.on("message", (data: RawData) => this.#receive(Buffer.isBuffer(data) ? data : joined(data)));
    const seen = () => void (this.lastSeen = this.#owner.world.monotonic());
    this.#ws.on("pong", seen);
    this.#ws.on("ping", seen);
    // Protocol violations end in a close by the library; network errors end in "close" too.
    this.#ws.on("error", (error) =>
      this.#owner.log.debug(`socket error conn=${this.connId}`, { error: error.message }),
    );
    this.#ws.on("close", (code, reason) => this.#gone(code, reason.toString("utf8")));
  }

  /** The limit before hello-ok holds on declared lengths. Runs before the library sees the chunk. */
  #watchPreauth(): void {
    const watch = new FrameWatch(wireLimits.maxPreauthPayloadBytes);
    const look = (chunk: Buffer) => {
      if (this.state === "open") {
        this.#socket.removeListener("data", look);
        return;
      }
      if (this.state === "closing" || this.state === "closed" || watch.feed(chunk)) return;
      // Nothing that follows is stored: the bytes are read and forgotten, so that the close frame gets through.
      this.#socket.removeAllListeners("data");
      this.close(closeRules.tooLargePreauth);
      this.#socket.resume();
    };
    this.#socket.prependListener("data", look);
  }

  #receive(bytes: Buffer): void {
    this.lastSeen = this.#owner.world.monotonic();
    if (this.state === "closing" || this.state === "closed") return;
    this.#owner.frames?.received(this.connId, bytes);
    this.#planTurn();
    if (this.#taken >= framesPerTurn || this.#inbox.length > 0) {
      if (this.#inbox.length === 0) this.#ws.pause();
      this.#inbox.push(bytes);
      return;
    }
    this.#taken++;
    this.#owner.frame(this, bytes);
  }

  #planTurn(): void {
    if (this.#turnPlanned) return;
    this.#turnPlanned = true;
    setImmediate(() => {
      this.#turnPlanned = false;
      this.#taken = 0;
      this.#takeInbox();
    });
  }

  #takeInbox(): void {
    if (this.#inbox.length === 0) return;
    const batch = this.#inbox;
    let i = 0;
    while (
      i < batch.length &&
      this.#taken < framesPerTurn &&
      !this.#answersFull &&
      this.state !== "closing" &&
      this.state !== "closed"
    ) {
      const bytes = batch[i++];
      this.#taken++;
      if (bytes) this.#owner.frame(this, bytes);
    }
    if (this.state === "closing" || this.state === "closed") return;
    this.#inbox = batch.slice(i);
    if (this.#inbox.length > 0) {
      if (!this.#answersFull) this.#planTurn();
    } else if (!this.#answersFull) this.#ws.resume();
  }

  #pauseFor(answersFull: boolean): void {
    this.#answersFull = answersFull;
    if (this.state !== "open") return;
    if (answersFull) this.#ws.pause();
    else if (this.#inbox.length > 0) this.#planTurn();
    else this.#ws.resume();
  }

  #abortCalls(): void {
    for (const call of this.calls) call.abort();
    this.calls.clear();
  }

  #gone(code: number, reason: string): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#deadline?.cancel();
    this.#writer.end();
    this.#inbox = [];
    this.held.length = 0;
    this.chatDeltas.clear();
    this.entrance.place.release();
    this.#abortCalls();
    this.#owner.closed(this, this.#closeCode ?? code, this.#closeCode === undefined ? reason : this.#closeReason);
  }
}

function joined(data: ArrayBuffer | Buffer[]): Buffer {
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
