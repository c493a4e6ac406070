/** A text with styles beside it: the form between markdown and a platform's markup. Offsets are UTF-16 units. Cutting happens
 *  here, where no tag can break. Pure. */

export type Style = "bold" | "italic" | "strike" | "code" | "pre" | "quote" | "link";

export interface Span {
  from: number;
  to: number;
  style: Style;
  /** Of a link: an http, https or tg address. */
  href?: string;
  /** Of a `pre`: the first word of its info string. */
  language?: string;
}

/** Spans are never empty, always nested, ordered from the outside in and from left to right. `code` and `pre` hold no span;
 *  `quote` and `link` hold no other of their kind. */
export interface Styled {
  readonly text: string;
  readonly spans: readonly Span[];
}

/** The piece from `from` to `to`, with what reaches into it. */
export function slice(styled: Styled, from: number, to: number): Styled {
  const spans: Span[] = [];
  for (const span of styled.spans) {
    if (span.to <= from || span.from >= to) continue;
    spans.push({ ...span, from: Math.max(span.from, from) - from, to: Math.min(span.to, to) - from });
  }
  return { text: styled.text.slice(from, to), spans };
}

/** Links become text: an address that its label does not show follows in parentheses. The other styles stay. */
export function spellLinks(styled: Styled): Styled {
  const out: string[] = [];
  let at = 0;
  /** Where text was put in, and how much. */
  const added: { at: number; length: number }[] = [];
  for (const link of styled.spans.filter((span) => span.style === "link")) {
    out.push(styled.text.slice(at, link.to));
    at = link.to;
    if (link.href === undefined || showsAddress(styled.text.slice(link.from, link.to), link.href)) continue;
    const address = ` (${link.href})`;
    out.push(address);
    added.push({ at: link.to, length: address.length });
  }
  out.push(styled.text.slice(at));
  const shift = (offset: number, inclusive: boolean) =>
    added.reduce((sum, gap) => sum + (gap.at < offset || (inclusive && gap.at === offset) ? gap.length : 0), offset);
  return {
    text: out.join(""),
    spans: styled.spans
      .filter((span) => span.style !== "link")
      .map((span) => ({ ...span, from: shift(span.from, true), to: shift(span.to, false) })),
  };
}

/** Whether a reader of the label knows the address. */
export function showsAddress(label: string, href: string): boolean {
  const bare = (text: string) =>
    text
      .trim()
      .replace(/^(?:https?:\/\/|mailto:|tel:)/u, "")
      .replace(/\/$/u, "");
  return bare(label) === bare(href);
}

/** Calls `visit` for each start and end in the order markup needs, with the text between them. */
export function walk(
  styled: Styled,
  visit: { text(text: string): void; open(span: Span): void; close(span: Span): void },
): void {
  const open: Span[] = [];
  let at = 0;
  const advance = (to: number) => {
    if (to > at) visit.text(styled.text.slice(at, to));
    at = Math.max(at, to);
  };
  const closeUntil = (position: number) => {
    for (let last = open.at(-1); last && last.to <= position; last = open.at(-1)) {
      advance(last.to);
      visit.close(last);
      open.pop();
    }
  };
  for (const span of styled.spans) {
    closeUntil(span.from);
    advance(span.from);
    visit.open(span);
    open.push(span);
  }
  closeUntil(styled.text.length);
  advance(styled.text.length);
}

const emphasis: ReadonlySet<Style> = new Set(["bold", "italic", "strike"]);

/** Builds a Styled from left to right; nesting follows from the calls. */
export class StyledBuilder {
  #text = "";
  readonly #spans: (Span & { depth: number })[] = [];
  readonly #open: { style: Style; from: number; rest: Omit<Span, "from" | "to"> }[] = [];

  get length(): number {
    return this.#text.length;
  }

  add(text: string): void {
    this.#text += text;
  }

  /** Removes white space at the end, but nothing before `from`. */
  trimEnd(from: number): void {
    this.#text = this.#text.slice(0, from) + this.#text.slice(from).trimEnd();
  }

  /** What `write` adds gets the style, unless that style cannot stand here: then the text alone is kept. */
  styled(rest: Omit<Span, "from" | "to">, write: () => void): void {
    const { style } = rest;
    const within = (name: Style) => this.#open.some((open) => open.style === name);
    const isCode = style === "code" || style === "pre";
    if (within(style) || within("code") || within("pre") || (isCode && within("link"))) return write();
    // Platforms show code or emphasis, never both: the emphasis pauses.
    if (isCode) for (const open of this.#open) if (emphasis.has(open.style)) this.#emit(open);
    const entry = { style, from: this.#text.length, rest };
    this.#open.push(entry);
    write();
    this.#emit(entry);
    this.#open.pop();
    if (isCode) for (const open of this.#open) if (emphasis.has(open.style)) open.from = this.#text.length;
  }

  build(): Styled {
    const end = this.#text.length;
    const spans = this.#spans
      .map((span) => ({ ...span, to: Math.min(span.to, end) }))
      .filter((span) => span.to > span.from)
      .sort((a, b) => a.from - b.from || b.to - a.to || a.depth - b.depth)
      .map(({ depth: _depth, ...span }) => span);
    return { text: this.#text, spans };
  }

  #emit(open: { from: number; rest: Omit<Span, "from" | "to"> }): void {
    const to = this.#text.length;
    const depth = this.#open.findIndex((other) => other === open);
    if (to > open.from) this.#spans.push({ ...open.rest, from: open.from, to, depth });
  }
}
