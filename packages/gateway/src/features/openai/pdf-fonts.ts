/** What the codes of a font mean: its own table of Unicode texts where it has one, else its encoding. */
import type { PdfDocument } from "./pdf-document.ts";
import { nameOf, operatorOf, type PdfDict, PdfReader, stringOf, type PdfValue } from "./pdf-syntax.ts";

export interface PdfFont {
  text(bytes: string): string;
}

const maxCodes = 65_536;
const maxFonts = 256;

/** Names of glyphs that are not their own letter. */
const glyphs: Readonly<Record<string, string>> = {
  __proto__: null as never,
  space: " ",
  period: ".",
  comma: ",",
  colon: ":",
  semicolon: ";",
  exclam: "!",
  question: "?",
  hyphen: "-",
  endash: "–",
  emdash: "—",
  parenleft: "(",
  parenright: ")",
  bracketleft: "[",
  bracketright: "]",
  slash: "/",
  quoteright: "’",
  quoteleft: "‘",
  quotedblleft: "“",
  quotedblright: "”",
  quotesingle: "'",
  quotedbl: '"',
  zero: "0",
  one: "1",
  two: "2",
  three: "3",
  four: "4",
  five: "5",
  six: "6",
  seven: "7",
  eight: "8",
  nine: "9",
  plus: "+",
  equal: "=",
  percent: "%",
  ampersand: "&",
  at: "@",
  numbersign: "#",
  dollar: "$",
  asterisk: "*",
  underscore: "_",
  less: "<",
  greater: ">",
  bullet: "•",
  ellipsis: "…",
  fi: "fi",
  fl: "fl",
  ff: "ff",
  ffi: "ffi",
  ffl: "ffl",
  germandbls: "ß",
  Adieresis: "Ä",
  Odieresis: "Ö",
  Udieresis: "Ü",
  adieresis: "ä",
  odieresis: "ö",
  udieresis: "ü",
  eacute: "é",
  egrave: "è",
  agrave: "à",
  ccedilla: "ç",
  ntilde: "ñ",
  Euro: "€",
};

export class PdfFonts {
  readonly #document: PdfDocument;
  readonly #read = new Map<PdfDict["dict"], PdfFont>();

  constructor(document: PdfDocument) {
    this.#document = document;
  }

  find(resources: PdfDict["dict"] | undefined, name: string): PdfFont | undefined {
    const dict = this.#document.dict(this.#document.dict(resources?.get("Font"))?.get(name));
    if (!dict) return undefined;
    let font = this.#read.get(dict);
    if (!font && this.#read.size < maxFonts) {
      font = this.#make(dict);
      this.#read.set(dict, font);
    }
    return font;
  }

  #make(dict: PdfDict["dict"]): PdfFont {
    const wide = nameOf(dict.get("Subtype")) === "Type0";
    const table = this.#document.stream(dict.get("ToUnicode"));
    const codes = table === undefined ? new Map<string, string>() : unicodeTable(table);
    if (wide) return { text: (bytes) => widely(bytes, codes) };
    const differences = this.#differences(dict);
    const decoder = new TextDecoder("windows-1252");
    const plain = (char: string): string =>
      codes.get(char) ?? differences.get(char.charCodeAt(0)) ?? decoder.decode(Uint8Array.of(char.charCodeAt(0)));
    return { text: (bytes) => Array.from(bytes, plain).join("") };
  }

  #differences(dict: PdfDict["dict"]): Map<number, string> {
    const list = this.#document.resolve(this.#document.dict(dict.get("Encoding"))?.get("Differences"));
    const found = new Map<number, string>();
    let code = 0;
    for (const item of Array.isArray(list) ? list : []) {
      if (typeof item === "number") code = item;
      else {
        const text = glyphText(nameOf(item) ?? "");
        if (text !== undefined) found.set(code, text);
        code++;
      }
    }
    return found;
  }
}

function glyphText(name: string): string | undefined {
  const uni = /^uni([0-9A-F]{4})/.exec(name)?.[1];
  if (uni !== undefined) return String.fromCharCode(Number.parseInt(uni, 16));
  return glyphs[name] ?? (name.length === 1 ? name : undefined);
}

/** Codes of two bytes, which mean nothing without a table. */
function widely(bytes: string, codes: ReadonlyMap<string, string>): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) text += codes.get(bytes.slice(at, at + 2)) ?? "";
  return text;
}

/** A CMap: single codes and ranges, each with its text in UTF-16. */
function unicodeTable(cmap: string): Map<string, string> {
  const codes = new Map<string, string>();
  const reader = new PdfReader(cmap);
  let operands: PdfValue[] = [];
  for (let value = reader.next(); value !== undefined && codes.size < maxCodes; value = reader.next()) {
    const operator = operatorOf(value);
    if (operator === undefined) {
      if (operands.length < maxCodes) operands.push(value);
      continue;
    }
    if (operator === "endbfchar") {
      for (let at = 0; at + 1 < operands.length; at += 2) {
        const code = stringOf(operands[at]);
        const text = stringOf(operands[at + 1]);
        if (code !== undefined && text !== undefined) codes.set(code, utf16(text));
      }
    } else if (operator === "endbfrange") {
      for (let at = 0; at + 2 < operands.length; at += 3) range(codes, operands.slice(at, at + 3));
    }
    operands = [];
  }
  return codes;
}

function range(codes: Map<string, string>, [first, last, target]: PdfValue[]): void {
  const from = stringOf(first);
  const to = stringOf(last);
  if (from === undefined || to === undefined || from.length !== to.length || from.length > 2) return;
  const low = numberOf(from);
  const high = Math.min(numberOf(to), low + maxCodes);
  const base = stringOf(target);
  for (let code = low; code <= high && codes.size < maxCodes; code++) {
    const key = from.length === 1 ? String.fromCharCode(code) : String.fromCharCode(code >> 8, code & 255);
    if (Array.isArray(target)) {
      const text = stringOf(target[code - low]);
      if (text !== undefined) codes.set(key, utf16(text));
    } else if (base !== undefined) {
      const text = utf16(base);
      const tail = text.charCodeAt(text.length - 1) + (code - low);
      codes.set(key, text.slice(0, -1) + String.fromCharCode(tail));
    }
  }
}

const numberOf = (bytes: string): number => Array.from(bytes).reduce((sum, char) => sum * 256 + char.charCodeAt(0), 0);

const utf16 = (bytes: string): string =>
  bytes.length < 2
    ? bytes
    : Buffer.from(bytes, "latin1")
        .subarray(0, bytes.length & ~1)
        .swap16()
        .toString("utf16le");
