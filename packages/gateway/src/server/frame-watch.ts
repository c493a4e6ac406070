/** Reads the headers of WebSocket frames as they pass, so that the small limit before the handshake holds on the declared
 *  length, before anything is stored (R-LIM-1). The library has one limit per server and no reason in its close frame. */
export class FrameWatch {
  readonly #maxBytes: number;
  /** Header bytes of the current frame, until complete. */
  #header: number[] = [];
  #payloadLeft = 0;
  /** Declared bytes of the current message over its fragments. */
  #messageBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether everything declared so far stays within the limit. After false the watch must not be fed again. */
  feed(chunk: Uint8Array): boolean {
    let i = 0;
    while (i < chunk.length) {
      if (this.#payloadLeft > 0) {
        const step = Math.min(this.#payloadLeft, chunk.length - i);
        this.#payloadLeft -= step;
        i += step;
        continue;
      }
      this.#header.push(chunk[i] ?? 0);
      i++;
      if (!this.#headerComplete()) continue;
      const [first = 0, second = 0] = this.#header;
      const length = this.#declaredLength(second & 0x7f);
      const isControl = (first & 0x08) !== 0;
      const isFinal = (first & 0x80) !== 0;
      this.#header = [];
      this.#payloadLeft = length;
      if (isControl) continue;
      this.#messageBytes += length;
      if (this.#messageBytes > this.#maxBytes) return false;
      if (isFinal) this.#messageBytes = 0;
    }
    return true;
  }

  #headerComplete(): boolean {
    const second = this.#header[1];
    if (second === undefined) return false;
    const short = second & 0x7f;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    return this.#header.length === 2 + extended + (second & 0x80 ? 4 : 0);
  }

  #declaredLength(short: number): number {
    if (short < 126) return short;
    const bytes = this.#header.slice(2, short === 126 ? 4 : 10);
    return bytes.reduce((length, byte) => length * 256 + byte, 0);
  }
}
