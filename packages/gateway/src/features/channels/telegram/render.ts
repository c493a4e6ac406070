/** Markdown as Telegram messages: HTML, cut by the characters a reader sees (channels.md §7.8). Pure. */
import type { RenderOptions } from "../channel.ts";
import type { RenderedText } from "../outbound.ts";
import { chunk } from "../text/chunk.ts";
import { renderHtml } from "../text/html.ts";
import { parseMarkdown } from "../text/markdown.ts";
import { spellLinks } from "../text/styled.ts";

/** What the platform takes after it read the tags. */
export const maxTextChars = 4_096;
/** Further styles of one message are ignored by the platform. */
const maxSpans = 100;

export function renderTelegram(markdown: string, options: RenderOptions): RenderedText[] {
  const limit = Math.min(maxTextChars, options.limit);
  const styled = parseMarkdown(markdown, { tables: options.tables });
  return chunk(styled, { limit, mode: options.chunkMode, maxSpans }).map((piece) => {
    const spelled = spellLinks(piece).text;
    return { text: renderHtml(piece), plain: spelled.length <= maxTextChars ? spelled : piece.text };
  });
}
