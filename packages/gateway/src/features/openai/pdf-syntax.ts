/** The syntax of PDF: numbers, names, strings, arrays, dictionaries, references, operators. Reads any bytes as latin1 without
 *  throwing; what makes no sense ends or is skipped. */

export type PdfValue = number | boolean | null | PdfName | PdfString | PdfRef | PdfDict | PdfValue[] | PdfOperator;

export interface PdfName {
  name: string;
}
export interface PdfString {
  /** One character per byte. */
  bytes: string;
}
export interface PdfRef {
  ref: number;
}
export interface PdfOperator {
  operator: string;
}
export interface PdfDict {
  dict: Map<string, PdfValue>;
}

const maxDepth = 32;
const maxItems = 50_000;

const isSpace = (code: number): boolean =>
  code === 32 || code === 10 || code === 13 || code === 9 || code === 12 || code === 0;
const isDelimiter = (char: string): boolean => "()<>[]{}/%".includes(char);

export const isDict = (value: PdfValue | undefined): value is PdfDict =>
  typeof value === "object" && value !== null && "dict" in value;
export const nameOf = (value: PdfValue | undefined): string | undefined =>
  typeof value === "object" && value !== null && "name" in value ? value.name : undefined;
export const stringOf = (value: PdfValue | undefined): string | undefined =>
  typeof value === "object" && value !== null && "bytes" in value ? value.bytes : undefined;
export const operatorOf = (value: PdfValue | undefined): string | undefined =>
  typeof value === "object" && value !== null && "operator" in value ? value.operator : undefined;

const end = Symbol("end");
const close = Symbol("close");

export class PdfReader {
  readonly #text: string;
  at: number;

  constructor(text: string, at = 0) {
    this.#text = text;
    this.at = at;
  }

  /** The next value or operator; undefined at the end. */
  next(): PdfValue | undefined {
    for (;;) {
      const value = this.#value(0);
      if (value === end) return undefined;
      if (value !== close) return value;
    }
  }

  #skip(): void {
    const text = this.#text;
    for (; this.at < text.length; this.at++) {
      const code = text.charCodeAt(this.at);
      if (code === 37) {
        while (this.at < text.length && text.charCodeAt(this.at) !== 10 && text.charCodeAt(this.at) !== 13) this.at++;
      } else if (!isSpace(code)) return;
    }
  }

  #value(depth: number): PdfValue | typeof end | typeof close {
    this.#skip();
    const text = this.#text;
    const char = text[this.at];
    if (char === undefined || depth > maxDepth) {
      this.at = text.length;
      return end;
    }
    if (char === "/") return this.#name();
    if (char === "(") return this.#literal();
    if (char === "<") return text[this.at + 1] === "<" ? this.#dict(depth) : this.#hex();
    if (char === "[") return this.#array(depth);
    if (char === "]" || char === "}" || char === ")" || char === "{") {
      this.at++;
      return close;
    }
    if (char === ">") {
      this.at += text[this.at + 1] === ">" ? 2 : 1;
      return close;
    }
    return this.#word();
  }

  #word(): PdfValue {
    const from = this.at;
    const text = this.#text;
    while (this.at < text.length && !isSpace(text.charCodeAt(this.at)) && !isDelimiter(text[this.at] ?? "")) this.at++;
    const word = text.slice(from, this.at);
    if (/^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(word)) {
      const reference = /^\d+$/.test(word)
        ? /^\s{1,9}\d{1,5}\s{1,9}R(?![\w.])/.exec(text.slice(this.at, this.at + 32))
        : null;
      if (!reference) return Number(word);
      this.at += reference[0].length;
      return { ref: Number(word) };
    }
    if (word === "true" || word === "false") return word === "true";
    return word === "null" ? null : { operator: word };
  }

  #name(): PdfName {
    const from = ++this.at;
    const text = this.#text;
    while (this.at < text.length && !isSpace(text.charCodeAt(this.at)) && !isDelimiter(text[this.at] ?? "")) this.at++;
    const raw = text.slice(from, this.at);
    return {
      name: raw.replace(/#([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
    };
  }

  #literal(): PdfString {
    const text = this.#text;
    const parts: string[] = [];
    let open = 1;
    for (this.at++; this.at < text.length; this.at++) {
      const char = text[this.at] ?? "";
      if (char === "\\") {
        const octal = /^[0-7]{1,3}/.exec(text.slice(this.at + 1, this.at + 4));
        if (octal) {
          parts.push(String.fromCharCode(Number.parseInt(octal[0], 8) & 255));
          this.at += octal[0].length;
        } else {
          const next = text[++this.at] ?? "";
          if (next === "\r" && text[this.at + 1] === "\n") this.at++;
          else if (next !== "\n" && next !== "\r") parts.push(escapes[next] ?? next);
        }
        continue;
      }
      if (char === "(") open++;
      if (char === ")" && --open === 0) break;
      parts.push(char);
    }
    this.at++;
    return { bytes: parts.join("") };
  }

  #hex(): PdfString {
    const stop = this.#text.indexOf(">", this.at);
    const digits = this.#text.slice(this.at + 1, stop === -1 ? undefined : stop).replace(/[^0-9a-f]/gi, "");
    this.at = stop === -1 ? this.#text.length : stop + 1;
    return { bytes: Buffer.from(digits.length % 2 ? `${digits}0` : digits, "hex").toString("latin1") };
  }

  #array(depth: number): PdfValue[] {
    this.at++;
    const items: PdfValue[] = [];
    for (;;) {
      const value = this.#value(depth + 1);
      if (value === end || value === close) return items;
      if (items.length < maxItems) items.push(value);
    }
  }

  #dict(depth: number): PdfDict {
    this.at += 2;
    const dict = new Map<string, PdfValue>();
    for (;;) {
      const key = this.#value(depth + 1);
      if (key === end || key === close) return { dict };
      const name = nameOf(key);
      if (name === undefined) continue;
      const value = this.#value(depth + 1);
      if (value === end || value === close) return { dict };
      if (dict.size < maxItems) dict.set(name, value);
    }
  }
}

const escapes: Readonly<Record<string, string>> = {
  __proto__: null as never,
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  f: "\f",
};
