/** JSON5 with places: the value of a text, and where in the text each part of it stands. Errors name line and column.
 *  Comments, trailing commas, bare keys, single quotes, hexadecimal numbers and signs are understood. Pure. */

export interface Place {
  /** Offset of the value's first character. */
  start: number;
  /** Offset behind its last. */
  end: number;
  /** Offset of the key, for members of objects. */
  key?: number;
}

export interface Parsed {
  value: unknown;
  /** By path, as `pathKey` writes it. The whole document is the empty path. */
  places: ReadonlyMap<string, Place>;
}

export class Json5Error extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = "Json5Error";
    this.offset = offset;
  }
}

/** One text per path; names may hold dots, so they are not joined by them. */
export const pathKey = (path: readonly (string | number)[]): string => path.map(String).join("\u0000");

/** Line and column of an offset, both from 1. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

/** Throws Json5Error at the first mistake. */
export function parseJson5(text: string): Parsed {
  return new Reader(text).document();
}

const maxDepth = 100;
const identifier = /[\p{L}\p{Nl}$_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}$_\u200c\u200d]*/uy;
const number = /[+-]?(?:0[xX][0-9a-fA-F]+|Infinity|NaN|(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)/y;
const escapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", "0": "\0" };

class Reader {
  readonly #text: string;
  readonly #places = new Map<string, Place>();
  readonly #path: (string | number)[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    if (text.startsWith("\uFEFF")) this.#at = 1;
  }

  document(): Parsed {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail("nothing may follow the closing bracket");
    return { value, places: this.#places };
  }

  #value(key?: number): unknown {
    this.#space();
    if (this.#path.length > maxDepth) this.#fail("nested too deeply");
    const start = this.#at;
    const value = this.#bare();
    this.#places.set(pathKey(this.#path), { start, end: this.#at, ...(key === undefined ? {} : { key }) });
    return value;
  }

  #bare(): unknown {
    const first = this.#text[this.#at];
    if (first === undefined) this.#fail("the text ends where a value should stand");
    if (first === "{") return this.#object();
    if (first === "[") return this.#array();
    if (first === '"' || first === "'") return this.#string(first);
    const digits = this.#match(number);
    if (digits !== undefined) return this.#number(digits);
    const word = this.#match(identifier);
    if (word === "true") return true;
    if (word === "false") return false;
    if (word === "null") return null;
    if (word !== undefined) {
      this.#at -= word.length;
      return this.#fail(`${word} must stand in quotes`);
    }
    return this.#fail(`a value cannot begin with ${first}`);
  }

  #number(digits: string): number {
    const sign = digits.startsWith("-") ? -1 : 1;
    return sign * Number(digits.replace(/^[+-]/, ""));
  }

  #object(): Record<string, unknown> {
    const opened = this.#at;
    const object: Record<string, unknown> = {};
    this.#at += 1;
    for (;;) {
      this.#space();
      if (this.#take("}")) return object;
      const keyAt = this.#at;
      const key = this.#key(opened);
      this.#space();
      if (!this.#take(":")) this.#fail(`a colon must follow ${key}`);
      this.#path.push(key);
      // A plain assignment of `__proto__` would change the object instead of filling it.
      Object.defineProperty(object, key, {
        value: this.#value(keyAt),
        enumerable: true,
        configurable: true,
        writable: true,
      });
      this.#path.pop();
      this.#space();
      if (this.#take("}")) return object;
      if (!this.#take(",")) this.#expected("}", opened);
    }
  }

  #key(opened: number): string {
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") return this.#string(first);
    const word = this.#match(identifier);
    if (word !== undefined) return word;
    if (first === undefined) return this.#expected("}", opened);
    return this.#fail(`a key cannot begin with ${first}`);
  }

  #array(): unknown[] {
    const opened = this.#at;
    const array: unknown[] = [];
    this.#at += 1;
    for (;;) {
      this.#space();
      if (this.#take("]")) return array;
      if (this.#at >= this.#text.length) this.#expected("]", opened);
      this.#path.push(array.length);
      array.push(this.#value());
      this.#path.pop();
      this.#space();
      if (this.#take("]")) return array;
      if (!this.#take(",")) this.#expected("]", opened);
    }
  }

  #string(quote: string): string {
    const opened = this.#at;
    this.#at += 1;
    let out = "";
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined || next === "\n" || next === "\r")
        this.#fail("the quote that opens here is not closed", opened);
      this.#at += 1;
      if (next === quote) return out;
      out += next === "\\" ? this.#escape() : next;
    }
  }

  #escape(): string {
    const next = this.#text[this.#at] ?? this.#fail("the text ends within an escape");
    this.#at += 1;
    if (next === "\r" && this.#text[this.#at] === "\n") this.#at += 1;
    if (next === "\n" || next === "\r" || next === "\u2028" || next === "\u2029") return "";
    if (next !== "x" && next !== "u") return escapes[next] ?? next;
    const length = next === "x" ? 2 : 4;
    const digits = this.#text.slice(this.#at, this.#at + length);
    if (!new RegExp(`^[0-9a-fA-F]{${length}}$`).test(digits))
      this.#fail(`\\${next} needs ${length} hexadecimal digits`);
    this.#at += length;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  /** White space and comments. */
  #space(): void {
    for (;;) {
      while (/[\s\uFEFF]/.test(this.#text[this.#at] ?? "")) this.#at += 1;
      if (this.#text.startsWith("//", this.#at)) {
        const end = this.#text.indexOf("\n", this.#at);
        this.#at = end === -1 ? this.#text.length : end;
      } else if (this.#text.startsWith("/*", this.#at)) {
        const end = this.#text.indexOf("*/", this.#at + 2);
        if (end === -1) this.#fail("the comment that opens here is not closed");
        this.#at = end + 2;
      } else return;
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined || found === "") return undefined;
    this.#at += found.length;
    return found;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #expected(bracket: string, opened: number): never {
    const { line } = lineAndColumn(this.#text, opened);
    const found = this.#text[this.#at];
    if (found === undefined) return this.#fail(`the bracket of line ${line} is not closed by ${bracket}`);
    return this.#fail(`a comma or ${bracket} must stand before ${found}`);
  }

  #fail(message: string, offset = this.#at): never {
    throw new Json5Error(message, offset);
  }
}
