/** A styled text in the HTML of Telegram's Bot API (channels.md §7.8). Pure. */
import { type Span, type Styled, walk } from "./styled.ts";

export function renderHtml(styled: Styled): string {
  let html = "";
  walk(styled, {
    text: (text) => (html += escapeHtml(text)),
    open: (span) => (html += openTag(span)),
    close: (span) => (html += closeTag(span)),
  });
  return html;
}

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const tags = { bold: "b", italic: "i", strike: "s", code: "code", quote: "blockquote" } as const;

function openTag(span: Span): string {
  switch (span.style) {
    case "pre":
      return span.language === undefined ? "<pre>" : `<pre><code class="language-${escapeHtml(span.language)}">`;
    case "link":
      return `<a href="${escapeHtml(span.href ?? "").replaceAll('"', "&quot;")}">`;
    default:
      return `<${tags[span.style]}>`;
  }
}

function closeTag(span: Span): string {
  switch (span.style) {
    case "pre":
      return span.language === undefined ? "</pre>" : "</code></pre>";
    case "link":
      return "</a>";
    default:
      return `</${tags[span.style]}>`;
  }
}
