/** Markdown to blocks that can be drawn one by one, so that a streaming text redraws its last block only. Markup passes an
 *  allow-list: nothing that runs, nothing that is fetched (control-ui.md §4.7). */
import DOMPurify from "dompurify";
import { Marked, type Token, type Tokens } from "marked";

export type Block =
  | { kind: "code"; language: string; text: string }
  | { kind: "html"; html: string; wide: boolean }
  | { kind: "plain"; text: string };

/** Above this, text is shown as it is; parsing it would block the page. */
export const plainAbove = 40_000;
export const cutAbove = 140_000;

const tags =
  "a b blockquote br code del em h1 h2 h3 h4 hr i li ol p pre s span strong table tbody td th thead tr ul img".split(
    " ",
  );
const attributes = ["href", "title", "target", "rel", "src", "alt", "start", "align"];
const safeLink = /^(https?:\/\/|mailto:)/i;
const safeImage = /^data:image\/(png|jpeg|gif|webp);base64,[a-z0-9+/=\s]+$/i;

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

let parser: Marked | undefined;
const rendered = new Map<string, string>();
const maxRendered = 3_000;

function marked(): Marked {
  parser ??= new Marked({
    gfm: true,
    breaks: true,
    renderer: {
      html: ({ text }) => escape(text),
      link({ href, tokens }) {
        const inner = this.parser.parseInline(tokens);
        return safeLink.test(href)
          ? `<a href="${escape(href)}" target="_blank" rel="noreferrer noopener">${inner}</a>`
          : inner;
      },
      // A picture elsewhere is offered as a link: fetching it would tell its owner who reads this.
      image({ href, text }) {
        const name = escape(text === "" ? "image" : text);
        if (safeImage.test(href)) return `<img src="${escape(href)}" alt="${name}">`;
        return safeLink.test(href)
          ? `<a href="${escape(href)}" target="_blank" rel="noreferrer noopener">${name}</a>`
          : name;
      },
      heading({ tokens, depth }) {
        const level = Math.min(4, depth + 1);
        return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
      },
      checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    },
  });
  return parser;
}

export function toBlocks(source: string): Block[] {
  if (source.length > cutAbove)
    return [
      { kind: "plain", text: `${source.slice(0, cutAbove)}\n… cut: ${source.length - cutAbove} more characters.` },
    ];
  if (source.length > plainAbove) return [{ kind: "plain", text: source }];
  return marked()
    .lexer(source)
    .filter((token) => token.type !== "space" && token.type !== "def")
    .map(toBlock);
}

function toBlock(token: Token): Block {
  if (token.type === "code") {
    const { text, lang = "" } = token as Tokens.Code;
    return { kind: "code", language: (lang.split(/[\s{,]/)[0] ?? "").toLowerCase(), text };
  }
  return { kind: "html", html: render(token), wide: token.type === "table" };
}

function render(token: Token): string {
  // Reference links make the same source mean different things; they are rare, and then nothing is remembered.
  const key = /\]\[|\]:/.test(token.raw) ? "" : token.raw;
  const known = key === "" ? undefined : rendered.get(key);
  if (known !== undefined) return known;
  const html = sanitize(marked().parser([token]));
  if (key !== "" && key.length < 8_000) {
    if (rendered.size >= maxRendered) rendered.clear();
    rendered.set(key, html);
  }
  return html;
}

export const sanitize = (html: string): string =>
  DOMPurify.sanitize(html, {
    ALLOWED_TAGS: tags,
    ALLOWED_ATTR: attributes,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    // No addresses: the pattern below is not about them, and without this they would be taken away.
    ADD_URI_SAFE_ATTR: ["align", "rel", "start", "target"],
    ALLOWED_URI_REGEXP: /^(https?:\/\/|mailto:|data:image\/)/i,
  });
