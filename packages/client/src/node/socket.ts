/** A WebSocket client on `node:net` and `node:tls`: a third of the start-up cost of Node's built-in one. No extensions. */
import { createHash, randomBytes } from "node:crypto";
import { connect as connectTcp } from "node:net";
import type { Socket as TcpSocket } from "node:net";
import { wireLimits } from "@openclaw/protocol";
import type { Socket, SocketEvents } from "../socket.ts";
import { encodeFrame, FrameError, FrameReader, opcode } from "./frames.ts";

export interface NodeSocketOptions {
  /** Added to the upgrade request. */
  headers?: Readonly<Record<string, string>>;
  /** SHA-256 of the server's certificate, 64 hex digits; colons and case do not matter. Replaces the check of its chain.
   *  A value of another form fits no certificate. */
  tlsFingerprint?: string;
  /** Default 25 MiB. */
  maxPayloadBytes?: number;
}

const maxHeadBytes = 16_384;
const closeWaitMs = 1_000;
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export function nodeSocket(url: string, events: SocketEvents, options: NodeSocketOptions = {}): Socket {
  return new NodeSocket(url, events, options);
}

class NodeSocket implements Socket {
  readonly #events: SocketEvents;
  readonly #options: NodeSocketOptions;
  readonly #key = randomBytes(16).toString("base64");
  readonly #reader: FrameReader;
  #tcp: TcpSocket | undefined;
  #phase: "opening" | "open" | "closing" | "closed" = "opening";
  #head: Buffer = Buffer.alloc(0);
  #end: { code: number; reason: string; error?: Error } | undefined;
  #closeTimer: NodeJS.Timeout | undefined;

  constructor(url: string, events: SocketEvents, options: NodeSocketOptions) {
    this.#events = events;
    this.#options = options;
    this.#reader = new FrameReader(options.maxPayloadBytes ?? wireLimits.maxPayloadBytes, {
      message: (text) => {
        if (this.#phase === "open") events.message(text);
      },
      ping: (payload) => this.#write(opcode.pong, payload),
      close: (code, reason) => this.#closedByPeer(code, reason),
    });
    const target = URL.canParse(url) ? new URL(url) : undefined;
    if (!target || (target.protocol !== "ws:" && target.protocol !== "wss:")) {
      this.#failLater(new Error("the gateway address must start with ws:// or wss://"));
    } else if (target.protocol === "wss:") void this.#openTls(target);
    else this.#openTcp(target);
  }

  get bufferedBytes(): number {
    return this.#tcp?.writableLength ?? 0;
  }

  send(text: string): void {
    if (this.#phase === "open") this.#write(opcode.text, Buffer.from(text, "utf8"));
  }

  close(code: number, reason: string): void {
    if (this.#phase === "closing" || this.#phase === "closed") return;
    const wasOpen = this.#phase === "open";
    this.#phase = "closing";
    if (!wasOpen) return this.#destroy({ code: 1006, reason: "" });
    this.#end ??= { code, reason };
    this.#writeClose(code, reason);
    this.#closeTimer = setTimeout(() => this.#destroy({ code: 1006, reason: "" }), closeWaitMs);
  }

  #failLater(error: Error): void {
    queueMicrotask(() => this.#destroy({ code: 1006, reason: "", error }));
  }

  #openTcp(target: URL): void {
    const tcp = connectTcp({ host: hostOf(target), port: Number(target.port || 80) });
    this.#attach(tcp);
    tcp.once("connect", () => this.#upgrade(target));
  }

  async #openTls(target: URL): Promise<void> {
    // Loaded on demand: most connections go to loopback without TLS.
    const { connect: connectTls } = await import("node:tls");
    if (this.#phase !== "opening") return;
    const host = hostOf(target);
    const pinned = this.#options.tlsFingerprint;
    const wanted = pinned === undefined ? undefined : plainFingerprint(pinned);
    if (wanted !== undefined && !/^[0-9a-f]{64}$/.test(wanted)) {
      return this.#failLater(new Error("the TLS fingerprint to compare with is not a SHA-256 in hex (64 digits)"));
    }
    const named = /[a-z]/i.test(host) && !host.includes(":");
    const tls = connectTls({
      host,
      port: Number(target.port || 443),
      ...(named ? { servername: host } : {}),
      rejectUnauthorized: wanted === undefined,
    });
    this.#attach(tls);
    tls.once("secureConnect", () => {
      const found = tls.getPeerCertificate().fingerprint256 ?? "";
      if (wanted === undefined || plainFingerprint(found) === wanted) return this.#upgrade(target);
      // Nothing was sent yet: no credential reaches a server that only says it is the gateway.
      const error = new Error(`the gateway's TLS certificate is not the pinned one: it is ${found || "unknown"}`);
      this.#destroy({ code: 1006, reason: "", error });
    });
  }

  #attach(tcp: TcpSocket): void {
    this.#tcp = tcp;
    tcp.setNoDelay(true);
    tcp.on("data", (chunk: Buffer) => this.#receive(chunk));
    tcp.on("error", (error) => this.#destroy({ code: 1006, reason: "", error: plainError(error) }));
    tcp.on("close", () => this.#destroy({ code: 1006, reason: "" }));
  }

  #upgrade(target: URL): void {
    const lines = [
      `GET ${target.pathname}${target.search} HTTP/1.1`,
      `Host: ${target.host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Key: ${this.#key}`,
      "Sec-WebSocket-Version: 13",
    ];
    for (const [name, value] of Object.entries(this.#options.headers ?? {})) {
      if (/[\r\n]/.test(name + value)) {
        return this.#destroy({ code: 1006, reason: "", error: new Error("a header contains a line break") });
      }
      lines.push(`${name}: ${value}`);
    }
    this.#tcp?.write(`${lines.join("\r\n")}\r\n\r\n`);
  }

  #receive(chunk: Buffer): void {
    if (this.#phase === "closed") return;
    try {
      if (this.#phase === "opening") this.#receiveHead(chunk);
      else this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#writeClose(error.code, error.message);
      this.#destroy({ code: error.code, reason: error.message, error });
    }
  }

  #receiveHead(chunk: Buffer): void {
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf("\r\n\r\n");
    if (end < 0) {
      if (this.#head.length > maxHeadBytes) this.#badHandshake("its answer has no end");
      return;
    }
    const head = this.#head.toString("latin1", 0, end);
    const rest = this.#head.subarray(end + 4);
    this.#head = Buffer.alloc(0);
    const [status = "", ...lines] = head.split("\r\n");
    const match = /^HTTP\/1\.[01] (\d{3})/.exec(status);
    if (!match) return this.#badHandshake("the answer is not HTTP");
    if (match[1] !== "101") return this.#badHandshake(`the answer to the upgrade was HTTP ${match[1]}`);
    const header = (name: string) =>
      lines
        .find((line) => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim();
    const accept = createHash("sha1")
      .update(this.#key + guid)
      .digest("base64");
    if (header("upgrade")?.toLowerCase() !== "websocket" || header("sec-websocket-accept") !== accept) {
      return this.#badHandshake("the upgrade was not confirmed");
    }
    if (header("sec-websocket-extensions")) return this.#badHandshake("it insists on an extension");
    this.#phase = "open";
    this.#events.open();
    if (rest.length > 0) this.#reader.push(rest);
  }

  #badHandshake(why: string): void {
    const error = new Error(`the other side is not a gateway: ${why}`);
    this.#destroy({ code: 1006, reason: "", error });
  }

  #closedByPeer(code: number, reason: string): void {
    if (this.#phase === "open") this.#writeClose(code === 1005 ? 1000 : code, "");
    // When this side closed first, its own code stands: that is what was decided.
    this.#end ??= { code, reason };
    this.#destroy(this.#end);
  }

  #writeClose(code: number, reason: string): void {
    const text = Buffer.from(reason, "utf8").subarray(0, 123);
    const payload = Buffer.allocUnsafe(2 + text.length);
    payload.writeUInt16BE(code, 0);
    text.copy(payload, 2);
    this.#write(opcode.close, payload);
  }

  #write(code: number, payload: Buffer): void {
    if (this.#tcp?.writable) this.#tcp.write(encodeFrame(code, payload, randomBytes(4)));
  }

  #destroy(end: { code: number; reason: string; error?: Error }): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    clearTimeout(this.#closeTimer);
    const tcp = this.#tcp;
    // The last frame still leaves, but a peer that does not read is not waited for.
    tcp?.setTimeout(closeWaitMs, () => tcp.destroy());
    tcp?.destroySoon();
    const { code, reason, error } = this.#end ?? end;
    this.#events.close(code, reason, error);
  }
}

/** `SHA256:` before it, colons inside and case are how tools differ in printing the same digest. */
const plainFingerprint = (text: string): string =>
  text
    .trim()
    .replace(/^sha-?256[:=]/i, "")
    .replaceAll(":", "")
    .toLowerCase();

const hostOf = (target: URL): string => target.hostname.replace(/^\[|\]$/g, "");

/** Happy-eyeballs failures arrive as one error with an empty text. */
function plainError(error: Error): Error {
  if (!(error instanceof AggregateError) || error.message) return error;
  const first: unknown = error.errors[0];
  return first instanceof Error ? first : error;
}
