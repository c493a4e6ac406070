/** Frames of RFC 6455, client side: what is sent is masked, what comes is not. */
import { isUtf8 } from "node:buffer";

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** One masked frame with FIN set. `mask` is four random bytes. */
export function encodeFrame(code: number, payload: Buffer, mask: Buffer): Buffer {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const start = 2 + lengthBytes + 4;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = 0x80 | code;
  if (lengthBytes === 0) frame[1] = 0x80 | length;
  else if (lengthBytes === 2) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  mask.copy(frame, start - 4);
  const [a = 0, b = 0, c = 0, d = 0] = mask;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    frame[start + i] = (payload[i] as number) ^ a;
    frame[start + i + 1] = (payload[i + 1] as number) ^ b;
    frame[start + i + 2] = (payload[i + 2] as number) ^ c;
    frame[start + i + 3] = (payload[i + 3] as number) ^ d;
  }
  for (; i < length; i += 1) frame[start + i] = (payload[i] as number) ^ (mask[i & 3] as number);
  return frame;
}

/** The other side broke the protocol; `code` is the close code to answer with. */
export class FrameError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface FrameSink {
  /** A whole text or binary message, decoded as UTF-8. */
  message(text: string): void;
  ping(payload: Buffer): void;
  /** 1005 when the frame carried no code. */
  close(code: number, reason: string): void;
}

interface Header {
  fin: boolean;
  code: number;
  length: number;
}

const legalCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999);

/** Turns bytes into messages. `push` throws FrameError; the reader is then spent. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #sink: FrameSink;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #header: Header | undefined;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #fragmented = false;

  constructor(maxBytes: number, sink: FrameSink) {
    this.#maxBytes = maxBytes;
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    for (;;) {
      this.#header ??= this.#readHeader();
      const header = this.#header;
      if (!header || this.#buffered < header.length) return;
      this.#header = undefined;
      this.#frame(header, this.#take(header.length));
    }
  }

  #readHeader(): Header | undefined {
    if (this.#buffered < 2) return undefined;
    const first = this.#peek(0);
    const second = this.#peek(1);
    const code = first & 0x0f;
    const fin = (first & 0x80) !== 0;
    if ((first & 0x70) !== 0) throw new FrameError(1002, "reserved bits are set");
    if ((second & 0x80) !== 0) throw new FrameError(1002, "a server must not mask");
    const short = second & 0x7f;
    const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
    const control = (code & 0x8) !== 0;
    if (control ? code > opcode.pong : code > opcode.binary) throw new FrameError(1002, `unknown opcode ${code}`);
    if (control && (!fin || lengthBytes > 0)) throw new FrameError(1002, "a control frame is fragmented or too long");
    if (this.#buffered < 2 + lengthBytes) return undefined;
    const head = this.#take(2 + lengthBytes);
    const length =
      lengthBytes === 0 ? short : lengthBytes === 2 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
    if (!control && this.#partBytes + length > this.#maxBytes) {
      throw new FrameError(1009, `a message is larger than ${this.#maxBytes} bytes`);
    }
    return { fin, code, length };
  }

  #frame({ fin, code }: Header, payload: Buffer): void {
    if (code === opcode.ping) return this.#sink.ping(payload);
    if (code === opcode.pong) return;
    if (code === opcode.close) return this.#close(payload);
    if ((code === opcode.continuation) !== this.#fragmented) {
      throw new FrameError(
        1002,
        this.#fragmented ? "a message starts inside another" : "a continuation without a start",
      );
    }
    this.#parts.push(payload);
    this.#partBytes += payload.length;
    this.#fragmented = !fin;
    if (!fin) return;
    const whole = this.#parts.length === 1 ? payload : Buffer.concat(this.#parts, this.#partBytes);
    this.#parts = [];
    this.#partBytes = 0;
    if (!isUtf8(whole)) throw new FrameError(1007, "a message is not UTF-8");
    this.#sink.message(whole.toString("utf8"));
  }

  #close(payload: Buffer): void {
    if (payload.length === 0) return this.#sink.close(1005, "");
    const code = payload.length === 1 ? 0 : payload.readUInt16BE(0);
    const reason = payload.subarray(2);
    if (!legalCloseCode(code) || !isUtf8(reason)) throw new FrameError(1002, "an illegal close frame");
    this.#sink.close(code, reason.toString("utf8"));
  }

  #peek(index: number): number {
    let left = index;
    for (const chunk of this.#chunks) {
      if (left < chunk.length) return chunk[left] as number;
      left -= chunk.length;
    }
    return 0;
  }

  /** The next `size` bytes; copies only when they span chunks. */
  #take(size: number): Buffer {
    this.#buffered -= size;
    const first = this.#chunks[0];
    if (size === 0 || !first) return Buffer.alloc(0);
    if (first.length > size) {
      this.#chunks[0] = first.subarray(size);
      return first.subarray(0, size);
    }
    if (first.length === size) {
      this.#chunks.shift();
      return first;
    }
    const all = Buffer.concat(this.#chunks);
    const rest = all.subarray(size);
    this.#chunks = rest.length > 0 ? [rest] : [];
    return all.subarray(0, size);
  }
}
