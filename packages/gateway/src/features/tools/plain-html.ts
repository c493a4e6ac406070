/** Text of HTML in one linear pass, without a document: for pages too large or too strange to be taken apart in time. */
const blocks = new Set(
  "p div section article main header footer h1 h2 h3 h4 h5 h6 ul ol li table tr pre blockquote br hr dt dd title".split(
    " ",
  ),
);
const silent = new Set(["script", "style", "noscript", "template", "svg", "iframe", "head"]);
const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

export function plainHtml(html: string): string {
  const parts: string[] = [];
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf("<", at);
    parts.push(html.slice(at, open === -1 ? html.length : open));
    if (open === -1) break;
    if (html.startsWith("<!--", open)) {
      const end = html.indexOf("-->", open + 4);
      at = end === -1 ? html.length : end + 3;
      continue;
    }
    const close = html.indexOf(">", open);
    if (close === -1) break;
    const name = /^\/?([a-z][a-z0-9]*)/iu.exec(html.slice(open + 1, open + 40))?.[1]?.toLowerCase() ?? "";
    at = close + 1;
    if (silent.has(name) && html[open + 1] !== "/") at = afterElement(html, name, at);
    else if (blocks.has(name)) parts.push("\n");
  }
  return parts
    .join("")
    .replaceAll(
      /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/giu,
      (whole, decimal?: string, hex?: string, name?: string) =>
        name === undefined
          ? character(Number.parseInt(decimal ?? hex ?? "", decimal === undefined ? 16 : 10))
          : (entities[name.toLowerCase()] ?? whole),
    )
    .replaceAll(/[ \t\r\f]+/gu, " ")
    .replaceAll(/ ?\n[ \n]*/gu, "\n");
}

/** Behind the end tag of an element whose text is not shown; the rest of the page when it has none. */
function afterElement(html: string, name: string, from: number): number {
  const end = new RegExp(`</${name}[\\s>]`, "giu");
  end.lastIndex = from;
  const found = end.exec(html);
  return found ? found.index : html.length;
}

const character = (code: number): string =>
  code > 0 && code <= 0x10ffff ? String.fromCodePoint(code).toWellFormed() : "";
