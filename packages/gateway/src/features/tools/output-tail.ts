/** The last part of a stream of text, with a bound on its size. */
const pieceChars = 8_192;

export class OutputTail {
  readonly #maxChars: number;
  #pieces: string[] = [];
  #chars = 0;
  #dropped = 0;

  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  /** Characters kept. */
  get chars(): number {
    return this.#chars;
  }
  /** Characters given up at the front since the last `take` or `clear`. */
  get dropped(): number {
    return this.#dropped;
  }

  push(text: string): void {
    if (text === "") return;
    const last = this.#pieces.length - 1;
    const end = this.#pieces[last];
    if (end !== undefined && end.length + text.length <= pieceChars) this.#pieces[last] = end + text;
    else this.#pieces.push(text);
    this.#chars += text.length;
    let over = this.#chars - this.#maxChars;
    let whole = 0;
    for (const piece of this.#pieces) {
      if (piece.length > over) break;
      over -= piece.length;
      whole++;
    }
    if (over <= 0 && whole === 0) return;
    for (const piece of this.#pieces.splice(0, whole)) this.#forget(piece.length);
    const first = this.#pieces[0];
    if (over > 0 && first !== undefined) {
      this.#pieces[0] = first.slice(over);
      this.#forget(over);
    }
  }

  #forget(chars: number): void {
    this.#chars -= chars;
    this.#dropped += chars;
  }

  text(): string {
    return this.#pieces.join("").toWellFormed();
  }

  /** The last `chars` characters. */
  tail(chars: number): string {
    let text = "";
    for (let i = this.#pieces.length - 1; i >= 0 && text.length < chars; i--) text = (this.#pieces[i] ?? "") + text;
    return text.slice(-chars).toWellFormed();
  }

  /** Hands over everything and starts anew. */
  take(): { text: string; dropped: number } {
    const result = { text: this.text(), dropped: this.#dropped };
    this.clear();
    return result;
  }

  clear(): void {
    this.#pieces = [];
    this.#chars = 0;
    this.#dropped = 0;
  }
}

const controls =
  /\u001B\[[0-?]*[ -/]*[@-~]|\u001B[\]PX^_][^\u0007\u001B]*(?:\u0007|\u001B\\)?|\u001B[ -/]*[0-~]|[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\u0080-\u009F]/gu;

/** What a person would read: escape sequences gone, overwritten progress lines reduced to their last state. */
export function plainText(raw: string): string {
  const text = raw.replace(controls, "").replaceAll("\r\n", "\n");
  if (!text.includes("\r")) return text;
  return text
    .split("\n")
    .map((line) => line.split("\r").findLast((part) => part !== "") ?? "")
    .join("\n");
}
