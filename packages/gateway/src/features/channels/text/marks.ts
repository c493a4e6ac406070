/** A styled text with the marks of WhatsApp: *bold*, _italic_, ~strike~, `code`, ```blocks``` and "> " before quotes. Marks do
 *  not reach over line ends there and touch no white space, so every line carries its own. Pure. */
import type { RenderOptions } from "../channel.ts";
import type { RenderedText } from "../outbound.ts";
import { chunk } from "./chunk.ts";
import { parseMarkdown } from "./markdown.ts";
import { type Span, type Styled, slice, spellLinks, walk } from "./styled.ts";

/** Markdown as WhatsApp messages of at most `limit` characters, marks included. */
export function renderWhatsApp(markdown: string, options: RenderOptions): RenderedText[] {
  const styled = spellLinks(parseMarkdown(markdown, { tables: options.tables }));
  const measure = (piece: Styled) => renderMarks(piece).length;
  return chunk(styled, { limit: options.limit, mode: options.chunkMode, measure }).map((piece) => ({
    text: renderMarks(piece),
    plain: piece.text,
  }));
}

export function renderMarks(styled: Styled): string {
  const lines: string[] = [];
  let from = 0;
  for (const line of styled.text.split("\n")) {
    lines.push(renderLine(styled, from, from + line.length));
    from += line.length + 1;
  }
  return lines.join("\n");
}

const marks = { bold: "*", italic: "_", strike: "~", code: "`", pre: "", quote: "", link: "" } as const;
const fence = "```";

function renderLine(styled: Styled, from: number, to: number): string {
  const piece = slice(styled, from, to);
  // A blank line inside a span has no text to show that by.
  const here = (style: Span["style"]) =>
    styled.spans.find((span) => span.style === style && span.from <= from && to <= span.to && span.to > from);
  const block = here("pre");
  let line = "";
  if (block) {
    const code = piece.text.replaceAll(fence, "'''");
    line = `${block.from >= from ? fence : ""}${code}${block.to <= to ? fence : ""}`;
  } else {
    walk(
      { text: piece.text, spans: piece.spans.flatMap((span) => touching(piece.text, span)) },
      {
        text: (text) => (line += text),
        open: (span) => (line += marks[span.style]),
        close: (span) => (line += marks[span.style]),
      },
    );
  }
  return here("quote") ? `> ${line}` : line;
}

/** The span without white space at its ends; nothing if that is all it has. */
function touching(text: string, span: Span): Span[] {
  const inner = text.slice(span.from, span.to);
  const from = span.from + (inner.length - inner.trimStart().length);
  const to = span.to - (inner.length - inner.trimEnd().length);
  return to > from ? [{ ...span, from, to }] : [];
}
