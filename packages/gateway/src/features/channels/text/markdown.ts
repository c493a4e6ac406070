/** Markdown as models write it, read into a styled text (channels.md §7.8). Never throws: what cannot be read stays as it is. */
import { lexer, type MarkedToken, type Token, type Tokens } from "marked";
import { type Styled, StyledBuilder, showsAddress } from "./styled.ts";
import { writeTable } from "./table.ts";

export interface MarkdownOptions {
  tables: "off" | "bullets" | "code";
}

/** Longer texts, texts nested deeper, and blanks without end are not worth the time of the parser and are sent as they are. Each
 *  blank belongs to one place of the pattern only: otherwise a short line of quote marks would take for ever. */
const maxChars = 200_000;
const tooMuch = /(?:^|\n)(?:[ \t]*(?:>|[-*+]|\d+[.)])){40}|[[*_~]{200}|[ \t]{500}/u;

export function parseMarkdown(markdown: string, options: MarkdownOptions): Styled {
  const source = markdown.replaceAll("\r\n", "\n").replaceAll("\u0000", "");
  if (source.length > maxChars || tooMuch.test(source) || isDense(source)) return { text: source.trim(), spans: [] };
  try {
    const out = new StyledBuilder();
    new Writer(out, options).blocks(lexer(source, { gfm: true }), "");
    out.trimEnd(0);
    // Marks around nothing: better shown than lost.
    return out.length === 0 ? { text: source.trim(), spans: [] } : out.build();
  } catch (error) {
    // The parser recurses: what still nests too deep for it runs out of stack.
    if (error instanceof RangeError) return { text: source.trim(), spans: [] };
    throw error;
  }
}

/** The parser's time grows with the square of the marks in one paragraph; so many are no prose. Code has no marks. */
const maxMarks = 3_000;

function isDense(source: string): boolean {
  let marks = 0;
  let fence: string | undefined;
  for (const line of source.split("\n")) {
    const edge = /^\s{0,3}(`{3,}|~{3,})/u.exec(line)?.[1]?.slice(0, 3);
    if (edge !== undefined && (fence === undefined || fence === edge)) fence = fence === undefined ? edge : undefined;
    if (fence !== undefined) continue;
    marks = line.trim() === "" ? 0 : marks + (line.match(/[*_~`[<!]/gu)?.length ?? 0);
    if (marks > maxMarks) return true;
  }
  return false;
}

export class Writer {
  readonly #out: StyledBuilder;
  readonly #options: MarkdownOptions;

  constructor(out: StyledBuilder, options: MarkdownOptions) {
    this.#out = out;
    this.#options = options;
  }

  /** `indent` stands before every line but the first. */
  blocks(tokens: readonly Token[], indent: string): void {
    const out = this.#out;
    const start = out.length;
    let gap = "";
    let previous = "";
    for (const token of tokens as readonly MarkedToken[]) {
      if (token.type === "space" || token.type === "def") {
        gap = "\n\n";
        continue;
      }
      // The box of a task and its text are tokens beside each other.
      if (out.length > start && previous !== "checkbox") out.add(`${gap === "" ? "\n" : gap}${indent}`);
      gap = /\n[ \t]*\n\s*$/u.test(token.raw) ? "\n\n" : "";
      this.#block(token, indent);
      previous = token.type;
    }
  }

  inline(tokens: readonly Token[] | undefined, indent: string): void {
    for (const token of (tokens ?? []) as readonly MarkedToken[]) this.#inline(token, indent);
  }

  #block(token: MarkedToken, indent: string): void {
    const out = this.#out;
    switch (token.type) {
      case "heading":
        return out.styled({ style: "bold" }, () => this.inline(token.tokens, indent));
      case "paragraph":
        this.inline(token.tokens, indent);
        return;
      case "code":
        return this.#code(token);
      case "blockquote":
        return out.styled({ style: "quote" }, () => {
          const from = out.length;
          this.blocks(token.tokens, indent);
          out.trimEnd(from);
        });
      case "list":
        return this.#list(token, indent);
      case "table":
        return writeTable(out, token, this.#options.tables, this);
      case "hr":
        return out.add("———");
      case "html":
        return out.add(token.text.trimEnd().replace(/<br\s*\/?>/giu, ""));
      default:
        this.#inline(token, indent);
    }
  }

  #code(token: Tokens.Code): void {
    const text = token.text.replace(/^\n+|\s+$/gu, "");
    if (text.trim() === "") return;
    const language = /^[\w+#.-]{1,32}/u.exec(token.lang ?? "")?.[0];
    this.#out.styled({ style: "pre", ...(language === undefined ? {} : { language }) }, () => this.#out.add(text));
  }

  #list(token: Tokens.List, indent: string): void {
    const out = this.#out;
    let number = typeof token.start === "number" ? token.start : 1;
    token.items.forEach((item, index) => {
      if (index > 0) out.add(`\n${indent}`);
      const marker = token.ordered ? `${number++}. ` : "• ";
      out.add(marker);
      const from = out.length;
      this.blocks(item.tokens, `${indent}${" ".repeat(marker.length)}`);
      out.trimEnd(from);
    });
  }

  #inline(token: MarkedToken, indent: string): void {
    const out = this.#out;
    const lines = (text: string) => out.add(decode(text).replace(/[ \t]*\n[ \t]*/gu, `\n${indent}`));
    switch (token.type) {
      case "text":
        return token.tokens ? this.inline(token.tokens, indent) : lines(token.text);
      case "escape":
        return out.add(token.text);
      case "strong":
        return out.styled({ style: "bold" }, () => this.inline(token.tokens, indent));
      case "em":
        return out.styled({ style: "italic" }, () => this.inline(token.tokens, indent));
      case "del":
        return out.styled({ style: "strike" }, () => this.inline(token.tokens, indent));
      case "codespan":
        return out.styled({ style: "code" }, () => out.add(token.text));
      case "br":
        return out.add(`\n${indent}`);
      case "link":
      case "image":
        return this.#link(token, indent);
      case "checkbox":
        return out.add(token.checked ? "☑ " : "☐ ");
      case "html":
        return /^<br\s*\/?>$/iu.test(token.text) ? out.add(`\n${indent}`) : lines(token.text);
      default:
        return out.add(token.raw);
    }
  }

  #link(token: Tokens.Link | Tokens.Image, indent: string): void {
    const out = this.#out;
    const write = () => {
      if (token.type === "link") this.inline(token.tokens, indent);
      else out.add(token.text === "" ? token.href : decode(token.text));
    };
    const label = token.text;
    if (/^(?:https?|tg):\/\//iu.test(token.href)) return out.styled({ style: "link", href: token.href }, write);
    write();
    // An address that no messenger opens is still worth reading.
    if (token.href !== "" && !showsAddress(decode(label), token.href)) out.add(` (${token.href})`);
  }
}

const named: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  hellip: "…",
  mdash: "—",
  ndash: "–",
  rarr: "→",
  larr: "←",
};

/** The references models use; any other stays as it was typed. */
function decode(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/giu,
    (all, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return named[name] ?? all;
      const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      return code > 0x1f && code <= 0x10_ff_ff && !(code >= 0xd8_00 && code <= 0xdf_ff)
        ? String.fromCodePoint(code)
        : all;
    },
  );
}
