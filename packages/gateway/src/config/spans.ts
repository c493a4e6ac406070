/** Where the values of a JSON5 document stand in its text. For text that a parser has accepted already: it finds places, and
 *  does not judge. Keeps what a parser throws away, so that an edit can leave every other byte alone. */
import JSON5 from "json5";

export interface ValueSpan {
  kind: "object" | "array" | "scalar";
  start: number;
  /** One past the last character. */
  end: number;
  /** In order; a key that stands twice is listed twice. Empty for lists and scalars. */
  members: MemberSpan[];
  /** Empty for objects and scalars. */
  items: ValueSpan[];
}

export interface MemberSpan {
  key: string;
  /** Of the key. */
  start: number;
  quoted: boolean;
  value: ValueSpan;
}

/** The root value. */
export function findSpans(text: string): ValueSpan {
  return new Scanner(text).value();
}

/** The first position from `at` on that is neither white space nor inside a comment. */
export function skipTrivia(text: string, at: number): number {
  for (;;) {
    while (at < text.length && isSpace(text.charCodeAt(at))) at++;
    if (text[at] !== "/") return at;
    at = skipComment(text, at);
  }
}

/** One past a comment that begins at `at`; the line break that ends a line comment is not part of it. */
export function skipComment(text: string, at: number): number {
  if (text[at + 1] === "*") {
    const end = text.indexOf("*/", at + 2);
    return end < 0 ? text.length : end + 2;
  }
  while (at < text.length && !isLineEnd(text.charCodeAt(at))) at++;
  return at;
}

export const isLineEnd = (code: number): boolean => code === 10 || code === 13 || code === 0x2028 || code === 0x2029;

export function isSpace(code: number): boolean {
  if (code <= 32) return code === 32 || (code >= 9 && code <= 13);
  return (
    code === 0xa0 || code === 0xfeff || isLineEnd(code) || (code > 0x167f && /\p{Zs}/u.test(String.fromCharCode(code)))
  );
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): ValueSpan {
    this.#skip();
    const start = this.#at;
    const opening = this.#text[start];
    const span: ValueSpan = { kind: "scalar", start, end: start, members: [], items: [] };
    if (opening === "{") this.#object(span);
    else if (opening === "[") this.#array(span);
    else if (opening === '"' || opening === "'") this.#string(opening);
    else this.#word();
    span.end = this.#at;
    return span;
  }

  #object(span: ValueSpan): void {
    span.kind = "object";
    for (this.#open(); !this.#closes("}"); this.#comma()) {
      const start = this.#at;
      const quote = this.#text[start];
      const quoted = quote === '"' || quote === "'";
      if (quoted) this.#string(quote);
      else this.#word();
      const written = this.#text.slice(start, this.#at);
      this.#skip();
      this.#at++;
      span.members.push({ key: readKey(written, quoted), start, quoted, value: this.value() });
    }
  }

  #array(span: ValueSpan): void {
    span.kind = "array";
    for (this.#open(); !this.#closes("]"); this.#comma()) span.items.push(this.value());
  }

  #open(): void {
    this.#at++;
    this.#skip();
  }

  #closes(bracket: string): boolean {
    if (this.#at < this.#text.length && this.#text[this.#at] !== bracket) return false;
    this.#at++;
    return true;
  }

  #comma(): void {
    this.#skip();
    if (this.#text[this.#at] === ",") this.#open();
  }

  #string(quote: string): void {
    for (this.#at++; this.#at < this.#text.length && this.#text[this.#at] !== quote; this.#at++) {
      if (this.#text[this.#at] === "\\") this.#at++;
    }
    this.#at++;
  }

  #word(): void {
    const start = this.#at;
    while (
      this.#at < this.#text.length &&
      !/[,:{}[\]/]/u.test(this.#text[this.#at] ?? "") &&
      !isSpace(this.#text.charCodeAt(this.#at))
    ) {
      this.#at++;
    }
    // Text no parser would have accepted; without progress the caller would not end.
    if (this.#at === start) this.#at++;
  }

  #skip(): void {
    this.#at = skipTrivia(this.#text, this.#at);
  }
}

function readKey(written: string, quoted: boolean): string {
  if (!written.includes("\\")) return quoted ? written.slice(1, -1) : written;
  return quoted ? (JSON5.parse(written) as string) : (Object.keys(JSON5.parse(`{${written}:0}`) as object)[0] ?? "");
}
