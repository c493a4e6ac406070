/** A WebSocket that only ever tells: text frames out, pings, an orderly end. What clients send is bounded and ignored. Small enough
 *  to stand here, so that the canvas needs nothing from the server that owns the control protocol (RFC 6455). */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const maxMessageBytes = 1_024;
const maxUnsentBytes = 64 * 1_024;

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** The key of a proper upgrade request, else undefined. */
export function upgradeKey(req: IncomingMessage): string | undefined {
  const key = req.headers["sec-websocket-key"];
  const proper =
    req.method === "GET" &&
    req.headers.upgrade?.toLowerCase() === "websocket" &&
    req.headers["sec-websocket-version"] === "13" &&
    typeof key === "string" &&
    /^[A-Za-z0-9+/]{22}==$/.test(key);
  return proper ? key : undefined;
}

export class PushSocket {
  readonly #socket: Duplex;
  #received = Buffer.alloc(0);
  #message = 0;
  #heard = true;
  #open = true;

  /** Answers the upgrade. `closed` is called once. */
  constructor(socket: Duplex, key: string, head: Buffer, closed: () => void) {
    this.#socket = socket;
    const accept = createHash("sha1")
      .update(key + guid)
      .digest("base64");
    socket.on("error", () => socket.destroy());
    socket.once("end", () => socket.destroy());
    socket.once("close", () => {
      this.#open = false;
      closed();
    });
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    if (head.length > 0) this.#take(head);
  }

  send(text: string): void {
    this.#write(opcodes.text, Buffer.from(text));
  }

  /** Asks whether the other side is there; ends the socket that did not answer the last time, or does not leave. */
  ping(): void {
    if (!this.#heard || !this.#open) return void this.#socket.destroy();
    this.#heard = false;
    this.#write(opcodes.ping, Buffer.alloc(0));
  }

  close(code: number): void {
    if (!this.#open) return;
    const body = Buffer.alloc(2);
    body.writeUInt16BE(code);
    this.#write(opcodes.close, body);
    this.#open = false;
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #write(opcode: number, body: Buffer): void {
    if (!this.#open) return;
    if (this.#socket.writableLength > maxUnsentBytes) return void this.#socket.destroy();
    this.#socket.write(Buffer.concat([Buffer.from([0x80 | opcode, body.length]), body]));
  }

  /** Frames of a client are masked; their content does not matter, only that it stays small. */
  #take(bytes: Buffer): void {
    this.#heard = true;
    if (!this.#open) return;
    this.#received = Buffer.concat([this.#received, bytes]);
    for (;;) {
      const [first, second] = this.#received;
      if (first === undefined || second === undefined) return;
      const length = second & 0x7f;
      if ((second & 0x80) === 0 || (first & 0x70) !== 0) return this.close(1002);
      // Longer forms begin at 126 bytes; only the two-byte one can stay below the limit.
      if (length === 127) return this.close(1009);
      const headBytes = length === 126 ? 4 : 2;
      if (this.#received.length < headBytes) return;
      const size = length === 126 ? this.#received.readUInt16BE(2) : length;
      const opcode = first & 0x0f;
      const control = opcode >= 8;
      const whole = (opcode === 0 ? this.#message : 0) + size;
      if (whole > maxMessageBytes) return this.close(1009);
      if (control && size > 125) return this.close(1002);
      const total = headBytes + 4 + size;
      if (this.#received.length < total) return;
      const mask = this.#received.subarray(headBytes, headBytes + 4);
      const body = this.#received.subarray(headBytes + 4, total).map((byte, at) => byte ^ (mask[at % 4] ?? 0));
      this.#received = this.#received.subarray(total);
      if (!control) this.#message = whole;
      if (opcode === opcodes.close) return this.close(1000);
      if (opcode === opcodes.ping) this.#write(opcodes.pong, Buffer.from(body));
    }
  }
}
