/** The text of a PDF, page by page (http.md §9.4): what its fonts say the codes mean, in the order in which it is drawn. Pages
 *  that are pictures have none. Bounded in pages, characters and unpacked size. */
import { PdfDocument, PdfRefused } from "./pdf-document.ts";
import { PdfFonts, type PdfFont } from "./pdf-fonts.ts";
import { operatorOf, nameOf, type PdfDict, PdfReader, stringOf, type PdfValue } from "./pdf-syntax.ts";

export interface PdfOptions {
  maxPages: number;
  maxChars: number;
}

/** Operators of one document: a page that draws more than this has said what it says. */
const maxOperators = 1_000_000;
const maxFormDepth = 4;
/** A gap wider than this, in thousandths of the font size, is a space. */
const spaceGap = 180;

/** `refused`: why it cannot be read, for the client. Never throws for what a file may contain. */
export async function readPdf(bytes: Buffer, options: PdfOptions): Promise<{ text: string } | { refused: string }> {
  try {
    const document = new PdfDocument(bytes);
    const pages = document.pages(options.maxPages);
    if (pages.length === 0) return { refused: "The PDF is damaged: it has no pages." };
    const writer = new PageText(document, options.maxChars);
    const texts: string[] = [];
    for (const page of pages) {
      texts.push(writer.read(page));
      // Other requests come in between pages.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return { text: texts.join("\n\n") };
  } catch (error) {
    if (error instanceof PdfRefused) return { refused: error.message };
    throw error;
  }
}

class PageText {
  readonly #document: PdfDocument;
  readonly #fonts: PdfFonts;
  #operators = maxOperators;
  #chars: number;
  #parts: string[] = [];

  constructor(document: PdfDocument, maxChars: number) {
    this.#document = document;
    this.#fonts = new PdfFonts(document);
    this.#chars = maxChars;
  }

  read(page: PdfDict["dict"]): string {
    this.#parts = [];
    const contents = page.get("Contents");
    const list = this.#document.resolve(contents);
    const streams = Array.isArray(list) ? list : [contents];
    const text = streams.map((one) => this.#document.stream(one) ?? "").join("\n");
    this.#draw(text, this.#document.dict(page.get("Resources")), 0);
    return this.#parts
      .join("")
      .replace(/[ \t]+\n/g, "\n")
      .replace(/\n{3,}/g, "\n\n")
      .trim();
  }

  #draw(text: string, resources: PdfDict["dict"] | undefined, depth: number): void {
    const reader = new PdfReader(text);
    let operands: PdfValue[] = [];
    let font: PdfFont | undefined;
    let line: number | undefined;
    for (let value = reader.next(); value !== undefined; value = reader.next()) {
      const operator = operatorOf(value);
      if (operator === undefined) {
        if (operands.length < 64) operands.push(value);
        continue;
      }
      if (--this.#operators < 0 || this.#chars <= 0) return;
      const [first, second] = operands;
      if (operator === "Tf") font = this.#fonts.find(resources, nameOf(first) ?? "");
      else if (operator === "Tj") this.#show(first, font);
      else if (operator === "TJ") this.#showAll(first, font);
      else if (operator === "'" || operator === '"') {
        this.#say("\n");
        this.#show(operands.at(-1), font);
      } else if (operator === "T*" || operator === "ET") this.#say("\n");
      else if (operator === "Td" || operator === "TD") this.#say(second === 0 ? " " : "\n");
      else if (operator === "Tm") {
        const y = operands[5];
        if (typeof y === "number" && line !== undefined) this.#say(Math.abs(y - line) > 1 ? "\n" : " ");
        line = typeof y === "number" ? y : undefined;
      } else if (operator === "Do" && depth < maxFormDepth) this.#form(resources, nameOf(first) ?? "", depth);
      else if (operator === "BI") skipImage(reader, text);
      operands = [];
    }
  }

  #form(resources: PdfDict["dict"] | undefined, name: string, depth: number): void {
    const reference = this.#document.dict(resources?.get("XObject"))?.get(name);
    const dict = this.#document.dict(reference);
    if (nameOf(dict?.get("Subtype")) !== "Form") return;
    const text = this.#document.stream(reference);
    if (text !== undefined) this.#draw(text, this.#document.dict(dict?.get("Resources")) ?? resources, depth + 1);
  }

  #show(value: PdfValue | undefined, font: PdfFont | undefined): void {
    const bytes = stringOf(value);
    if (bytes !== undefined) this.#say(font ? font.text(bytes) : bytes);
  }

  #showAll(value: PdfValue | undefined, font: PdfFont | undefined): void {
    if (!Array.isArray(value)) return;
    for (const part of value) {
      if (typeof part === "number") {
        if (part < -spaceGap) this.#say(" ");
      } else this.#show(part, font);
    }
  }

  #say(text: string): void {
    if (
      (text === "\n" || text === " ") &&
      (this.#parts.length === 0 || (/\s$/.test(this.#parts.at(-1) ?? "") && text === " "))
    )
      return;
    this.#parts.push(text);
    this.#chars -= text.length;
  }
}

/** An inline image is bytes, not syntax. */
function skipImage(reader: PdfReader, text: string): void {
  const stop = text.slice(reader.at, reader.at + 1_000_000).search(/\sEI\s/);
  if (stop >= 0) reader.at += stop + 3;
}
