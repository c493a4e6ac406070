/** From an answer of the web to text a model can read: HTML to markdown, JSON laid out, other text as it is. */
import { plainHtml } from "./plain-html.ts";
import type { WebAnswer } from "./web-client.ts";

export type ExtractMode = "markdown" | "text";

export interface WebPage {
  text: string;
  title?: string;
  contentType: string;
  /** How the text was made. */
  extractor: "readability" | "html" | "json" | "raw";
}

/** Taking a page apart is synchronous and costs more than linear time: beyond this it would hold up everyone else, and the
 *  text is read in one pass instead. */
const maxHtmlChars = 1_000_000;
const maxTags = 3_000;
const maxDepth = 60;

/** Parts that are large or seldom needed, loaded when the first page arrives. */
const catalogue = {
  dom: { id: "dom", summary: "reads HTML", load: () => import("linkedom") },
  readability: {
    id: "readability",
    summary: "finds the article of a page",
    load: () => import("@mozilla/readability"),
  },
  turndown: { id: "turndown", summary: "writes HTML as markdown", load: () => import("turndown") },
} as const;

/** Throws for content that is not text. */
export async function readPage(answer: WebAnswer, mode: ExtractMode): Promise<WebPage> {
  const contentType = (answer.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const html = contentType === "text/html" || contentType === "application/xhtml+xml";
  if (!isText(contentType, answer.body)) {
    throw new Error(`the address answers with ${contentType || "binary content"}, which is not text`);
  }
  const text = decode(answer, html);
  if (html || (contentType === "" && /^\s*<(!doctype html|html)/iu.test(text)))
    return readHtml(text, mode, contentType);
  if (contentType === "application/json" || contentType.endsWith("+json")) {
    return { text: prettyJson(text), contentType, extractor: "json" };
  }
  return { text, contentType, extractor: "raw" };
}

function isText(contentType: string, body: Buffer): boolean {
  if (/^text\/|[/+](json|xml|yaml|javascript|x-ndjson|toml|x-sh|csv)$/u.test(contentType)) return true;
  if (contentType !== "" && contentType !== "application/octet-stream") return false;
  return !body.subarray(0, 8_192).includes(0);
}

function decode(answer: WebAnswer, html: boolean): string {
  const header = /charset=["']?([\w.:-]+)/iu.exec(answer.headers["content-type"] ?? "")?.[1];
  const head = html ? answer.body.subarray(0, 2_048).toString("latin1") : "";
  const charset = header ?? /<meta[^>]+charset=["']?([\w.:-]+)/iu.exec(head)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset).decode(answer.body);
  } catch {
    // A charset nobody knows: most such pages are readable as UTF-8.
    return new TextDecoder().decode(answer.body);
  }
}

function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    // Cut or malformed: shown as it came.
    return text;
  }
}

async function readHtml(html: string, mode: ExtractMode, contentType: string): Promise<WebPage> {
  if (html.length > maxHtmlChars || tooCostly(html)) {
    const title = /<title[^>]{0,200}>([^<]{1,300})/iu.exec(html.slice(0, 100_000))?.[1]?.trim();
    return { text: tidy(plainHtml(html)), ...(title ? { title } : {}), contentType, extractor: "html" };
  }
  const [{ parseHTML }, { Readability }, { default: Turndown }] = await Promise.all([
    catalogue.dom.load(),
    catalogue.readability.load(),
    catalogue.turndown.load(),
  ]);
  const { document } = parseHTML(/<html[\s>]/iu.test(html) ? html : `<html><body>${html}</body></html>`);
  const title = document.querySelector("title")?.textContent?.trim();
  const article = new Readability(document as never).parse();
  // Readability takes the document apart, so what it does not want is read from a fresh one.
  const body = article?.content ?? parseHTML(html).document.querySelector("body")?.innerHTML ?? html;
  const turndown = new Turndown({ headingStyle: "atx", codeBlockStyle: "fenced", bulletListMarker: "-" });
  turndown.remove(["script", "style", "noscript", "iframe", "template"] as never);
  const { document: clean } = parseHTML(`<html><body>${body}</body></html>`);
  const root = clean.querySelector("body");
  const markdown = root ? turndown.turndown(root as never) : "";
  const heading = article?.title?.trim() || title;
  return {
    text: mode === "markdown" ? tidy(markdown) : tidy(plainOf(markdown)),
    ...(heading ? { title: heading.slice(0, 300) } : {}),
    contentType,
    extractor: article?.content ? "readability" : "html",
  };
}

const withoutEnd = /^(area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)$/u;

/** Whether a page has too many tags or is nested too deeply to be taken apart in time. End tags that close nothing count
 *  for nothing, so they cannot hide the depth. */
function tooCostly(html: string): boolean {
  const open: string[] = [];
  let tags = 0;
  for (let at = html.indexOf("<"); at !== -1; at = html.indexOf("<", at + 1)) {
    if (++tags > maxTags || open.length > maxDepth) return true;
    const [, end, tag] = /^<(\/?)([a-z][a-z0-9-]*)/iu.exec(html.slice(at, at + 40)) ?? [];
    const name = tag?.toLowerCase();
    if (name === undefined || withoutEnd.test(name)) continue;
    if (end === "/") {
      const opened = open.lastIndexOf(name);
      if (opened !== -1) open.length = opened;
    } else if (!(/^(p|li|tr|td|th|dt|dd|option)$/u.test(name) && open.at(-1) === name)) open.push(name);
  }
  return false;
}

/** Markdown without its marks: links as their text, no emphasis, no headings. */
function plainOf(markdown: string): string {
  return markdown
    .replaceAll(/!\[([^\]]*)\]\([^)]*\)/gu, "$1")
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, "$1")
    .replaceAll(/^#{1,6}\s+/gmu, "")
    .replaceAll(/(\*\*|__|`)/gu, "")
    .replaceAll(/\\([\\`*_{}[\]()#+.!-])/gu, "$1");
}

const tidy = (text: string): string =>
  text
    .replaceAll(/[ \t]+$/gmu, "")
    .replaceAll(/\n{3,}/gu, "\n\n")
    .trim();
