/** The WebSocket under the library's socket: frames are taken from it on their way out, and it is ended for good. Reaches into
 *  the library's client, which offers no such hook; a version that is built differently is refused at once. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { EventEmitter } from "node:events";
import type { World } from "../../../kernel/world.ts";
import { platformIdOf } from "./arrivals.ts";
import { bareJid, isGroup } from "./jid.ts";
import type { SocketEvents } from "./socket.ts";

interface WebSocketLike {
  send(data: Uint8Array, done?: (error?: Error) => void): void;
  terminate(): void;
  readonly readyState: number;
  once(event: "close", listener: () => void): unknown;
}

const openState = 1;
const closedState = 3;
/** More than the platform keeps back for one account at a time. */
const maxAway = 20_000;
/** Messages of one connection whose repetitions are known without asking the store. */
const maxRead = 1_000;
/** What a terminated transport may take to say so. */
const endMs = 1_000;

export class Transport {
  readonly #client: EventEmitter;
  readonly #world: World;
  readonly #socket: WebSocketLike;
  readonly #send: WebSocketLike["send"];
  /** Ids of messages that were kept back while we were away and have not come out of the library yet. */
  readonly #away = new Set<string>();
  /** The message that is handled, wherever in the library that is. */
  readonly #inHand = new AsyncLocalStorage<{ key: string }>();
  /** Messages this connection could read, newest last. */
  readonly #read = new Set<string>();

  /** Throws when the library is not the one this was written for. */
  constructor(client: EventEmitter, events: SocketEvents, world: World) {
    const socket = "socket" in client ? client.socket : undefined;
    if (!isWebSocket(socket)) throw new Error("this version of baileys is not supported: its client has no WebSocket");
    this.#client = client;
    this.#world = world;
    this.#socket = socket;
    this.#send = socket.send.bind(socket);
    socket.send = (frame, done) => {
      events.send(frame);
      done?.();
    };
    this.#deliverInOrder();
    client.on("frame", (node: unknown) => events.frame(isNode(node) ? node : undefined));
    // Without a listener for it nothing would ever happen (channels.md §6.5).
    client.on("unexpected-response", (_request: unknown, response: { statusCode?: number }) =>
      events.closed({
        status: 408,
        message: `the server answered HTTP ${response.statusCode ?? "?"} instead of a WebSocket`,
      }),
    );
  }

  /** Whether the platform kept this message back while we were away. Asked once per message. */
  takeAway(id: string): boolean {
    return this.#away.delete(id);
  }

  /** The message in hand was read, all of its parts. */
  markRead(): void {
    const key = this.#inHand.getStore()?.key;
    if (key === undefined) return;
    this.#read.add(key);
    trim(this.#read, maxRead);
  }

  /** Whether the message in hand came before: to this connection, or by what `stored` knows of its platform id. */
  isRepeated(stored: (platformId: string) => boolean): boolean {
    const key = this.#inHand.getStore()?.key;
    return key !== undefined && (this.#read.has(key) || stored(key));
  }

  /** The library handles messages at once, and one that needs a look at its sender's addresses falls behind the next from the same
   *  person. So it gets the messages of a chat one after another. Those that were kept back while we were away it would put into a
   *  queue of its own, where a fresh one overtakes them: they are handed over like fresh ones, and remembered. */
  #deliverInOrder(): void {
    const client = this.#client;
    const emit = client.emit.bind(client);
    const chats = new Map<string, Promise<void>>();
    client.emit = (event, ...values: unknown[]) => {
      const [node] = values;
      if (event !== "CB:message" || !isNode(node)) return emit(event, ...values);
      const chat = chatOf(node.attrs);
      const { offline, id } = node.attrs;
      if (offline !== undefined && id !== undefined) {
        this.#away.add(id);
        trim(this.#away, maxAway);
        delete node.attrs["offline"];
      }
      const handlers = client.listeners(event);
      const done = (chats.get(chat) ?? Promise.resolve()).then(async () => {
        const handle = () => Promise.allSettled(handlers.map((handler) => handler.call(client, node)));
        await this.#inHand.run({ key: keyOf(node.attrs) }, handle);
        if (chats.get(chat) === done) chats.delete(chat);
      });
      chats.set(chat, done);
      return handlers.length > 0;
    };
  }

  /** A transport that is closing drops frames: its end is told by the library. */
  write(frame: Uint8Array): void {
    if (this.#socket.readyState === openState) this.#send(frame);
  }

  /** `end` tells the library. Resolves when the transport is closed. */
  async end(end: () => Promise<void>): Promise<void> {
    const socket = this.#socket;
    const gone = new Promise<void>((resolve) => {
      if (socket.readyState === closedState) return resolve();
      const patience = this.#world.after(endMs, resolve);
      socket.once("close", () => {
        patience.cancel();
        resolve();
      });
    });
    end().catch(() => {
      // It only fails on what is ended here anyway.
    });
    // A peer that does not answer the closing handshake would keep it for 30 s.
    socket.terminate();
    await gone;
    this.#client.removeAllListeners("frame");
  }
}

/** One name for a chat, by local id where the platform tells it. */
function chatOf({ from = "", sender_lid: lid }: Readonly<Record<string, string>>): string {
  return bareJid(lid ?? from);
}

/** As the inbox knows a message: its place on the wire, and its id there. */
function keyOf({ from = "", recipient, id = "" }: Readonly<Record<string, string>>): string {
  return platformIdOf(isGroup(from) ? from : (recipient ?? from), id);
}

/** Lets go of the oldest. */
function trim(set: Set<string>, most: number): void {
  for (const oldest of set) {
    if (set.size <= most) return;
    set.delete(oldest);
  }
}

function isWebSocket(value: unknown): value is WebSocketLike {
  return (
    typeof value === "object" &&
    value !== null &&
    "send" in value &&
    typeof value.send === "function" &&
    "terminate" in value &&
    typeof value.terminate === "function"
  );
}

function isNode(value: unknown): value is { tag: string; attrs: Record<string, string> } {
  return typeof value === "object" && value !== null && "tag" in value && "attrs" in value;
}
