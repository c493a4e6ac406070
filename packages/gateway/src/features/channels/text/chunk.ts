/** Cuts a styled text into messages (channels.md §4.3). Works on text without markup, so that nothing can break; what is over
 *  at a cut reaches into both pieces: a code block is closed and opened again with its language. Pure. */
import { slice, type Styled } from "./styled.ts";

export interface ChunkOptions {
  /** Most characters of a message as the platform counts them, at least 32. */
  limit: number;
  /** `length`: as few messages as possible. `newline`: one per paragraph. */
  mode: "length" | "newline";
  /** Characters of a piece as the platform counts them, where that is more than its text. */
  measure?: (piece: Styled) => number;
  /** Most styles in one message. */
  maxSpans?: number;
}

export function chunk(styled: Styled, options: ChunkOptions): Styled[] {
  const limit = Math.max(32, options.limit);
  const { measure, maxSpans = Infinity } = options;
  const fits = (piece: Styled) =>
    piece.text.length <= limit && piece.spans.length <= maxSpans && (measure === undefined || measure(piece) <= limit);
  const pieces: Styled[] = [];
  for (const [from, to] of options.mode === "newline" ? paragraphs(styled) : [[0, styled.text.length] as const]) {
    let at = from;
    while (at < to) {
      at = skipBlank(styled, at, to);
      const end = endOfPiece(styled, at, to, limit, fits);
      const trimmed = at + styled.text.slice(at, end).trimEnd().length;
      if (trimmed > at) pieces.push(slice(styled, at, trimmed));
      at = Math.max(end, at + 1);
      // The white space the cut stands in belongs to neither piece.
      while (at < to && (styled.text[at] === " " || styled.text[at] === "\t")) at++;
    }
  }
  return pieces;
}

/** Ends before blank lines outside code. */
function paragraphs(styled: Styled): (readonly [number, number])[] {
  const result: (readonly [number, number])[] = [];
  let from = 0;
  for (const { index, 0: gap } of styled.text.matchAll(/\n[ \t]*\n\s*/gu)) {
    if (inCode(styled, index)) continue;
    result.push([from, index]);
    from = index + gap.length;
  }
  result.push([from, styled.text.length]);
  return result;
}

function inCode(styled: Styled, at: number): boolean {
  return styled.spans.some((span) => span.style === "pre" && span.from <= at && at < span.to);
}

/** A piece starts with text: blank lines go, indentation of the first line that has text stays. */
function skipBlank(styled: Styled, from: number, to: number): number {
  const blank = /^(?:[^\S\n]*\n)+/u.exec(styled.text.slice(from, to));
  return from + (blank?.[0].length ?? 0);
}

/** Where the piece that starts at `from` ends, by the best cut that fits. At least one character. */
function endOfPiece(styled: Styled, from: number, to: number, limit: number, fits: (piece: Styled) => boolean): number {
  if (to - from <= limit && fits(slice(styled, from, to))) return to;
  // The longest piece that fits: text grows with its end, and so does its markup.
  let low = from + 1;
  let high = Math.min(to, from + limit);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (fits(slice(styled, from, middle))) low = middle;
    else high = middle - 1;
  }
  for (let end = low; ;) {
    const cut = goodCut(styled.text, from, end);
    if (cut <= from + 1 || fits(slice(styled, from, cut))) return Math.max(cut, from + 1);
    end = cut - 1;
  }
}

/** The last newline up to `end`, else the last white space outside parentheses, else `end` itself between whole characters. */
function goodCut(text: string, from: number, end: number): number {
  const window = text.slice(from, end);
  const atEnd = text[end];
  if (atEnd === undefined || atEnd === "\n") return end;
  const newline = window.lastIndexOf("\n");
  if (newline > 0 && window.slice(0, newline).trim() !== "") return from + newline;
  const space = lastSpaceOutsideParentheses(text.slice(from, end + 1));
  if (space > 0) return from + space;
  let cut = end;
  for (let steps = 0; cut > from + 1 && steps < 64 && joins(text, cut); steps++) cut--;
  if (joins(text, cut)) cut = isLow(text, end) ? end - 1 : end;
  return cut > from ? cut : end;
}

/** What a line of a list begins with: it stays with its text. */
const lead = /^\s*(?:(?:•|\d{1,9}\.)[ \t]+)?(?:[☐☑][ \t]+)?/u;

function lastSpaceOutsideParentheses(window: string): number {
  let depth = 0;
  let last = -1;
  let anywhere = -1;
  for (let i = lead.exec(window)?.[0].length ?? 0; i < window.length; i++) {
    const char = window[i];
    if (char === "(") depth++;
    else if (char === ")") depth = Math.max(0, depth - 1);
    else if (char === " " || char === "\t") {
      anywhere = i;
      if (depth === 0) last = i;
    }
  }
  return last > 0 ? last : anywhere;
}

const isLow = (text: string, at: number) => {
  const code = text.charCodeAt(at);
  return code >= 0xdc_00 && code <= 0xdf_ff;
};

/** Whether a cut at `at` would tear a character: a surrogate pair, an emoji sequence, a letter from its accent. */
function joins(text: string, at: number): boolean {
  return (
    isLow(text, at) ||
    text[at - 1] === "\u200d" ||
    /^(?:\p{M}|\u{200d}|\u{fe0f}|\p{Emoji_Modifier})/u.test(text.slice(at, at + 2))
  );
}
