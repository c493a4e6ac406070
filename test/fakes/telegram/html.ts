/** `parse_mode: "HTML"` as the Bot API reads it: text and entities, or the refusal it gives. */
import { ApiError, type SentMessage } from "./types.ts";

const types: Readonly<Record<string, string>> = {
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  u: "underline",
  ins: "underline",
  s: "strikethrough",
  strike: "strikethrough",
  del: "strikethrough",
  code: "code",
  pre: "pre",
  a: "text_link",
  blockquote: "blockquote",
  "tg-spoiler": "spoiler",
};

interface Open {
  tag: string;
  offset: number;
  attributes: string;
}

export function parseHtml(source: string): { text: string; entities: SentMessage["entities"] } {
  let text = "";
  const entities: SentMessage["entities"] = [];
  const open: Open[] = [];
  const refuse = (what: string) => new ApiError(400, `Bad Request: can't parse entities: ${what}`);
  for (let at = 0; at < source.length;) {
    const char = source[at] ?? "";
    if (char === "&") {
      const reference = /^&(?:lt|gt|amp|quot|#\d+|#x[0-9a-f]+);/iu.exec(source.slice(at, at + 12))?.[0];
      text += reference === undefined ? char : decode(reference);
      at += reference?.length ?? 1;
      continue;
    }
    if (char !== "<") {
      text += char;
      at++;
      continue;
    }
    const tag = /^<(\/?)([a-z][a-z-]*)((?:\s[^<>]*)?)>/iu.exec(source.slice(at, at + 4_096));
    const name = tag?.[2]?.toLowerCase() ?? "";
    if (!tag || types[name] === undefined)
      throw refuse(`Unsupported start tag "${name}" at byte offset ${Buffer.byteLength(source.slice(0, at))}`);
    at += tag[0].length;
    if (tag[1] === "") {
      open.push({ tag: name, offset: text.length, attributes: tag[3] ?? "" });
      continue;
    }
    const last = open.pop();
    if (!last || last.tag !== name)
      throw refuse(
        `Unexpected end tag at byte offset ${Buffer.byteLength(source.slice(0, at))}, expected "</${last?.tag ?? ""}>"`,
      );
    const length = text.length - last.offset;
    const inner = entities.at(-1);
    // A block and the code inside it are one.
    if (name === "pre" && inner?.type === "code" && inner.offset === last.offset && inner.length === length)
      inner.type = "pre";
    else if (length > 0) entities.push({ type: types[name], offset: last.offset, length, ...more(last) });
  }
  const left = open.pop();
  if (left) throw refuse(`Can't find end tag corresponding to start tag "${left.tag}"`);
  return { text, entities: entities.sort((a, b) => a.offset - b.offset || b.length - a.length) };
}

function more({ tag, attributes }: Open): Record<string, string> {
  const value = /=\s*"([^"]*)"/u.exec(attributes)?.[1];
  if (value === undefined) return {};
  if (tag === "a") return { url: value.replace(/&(?:lt|gt|amp|quot);/gu, decode) };
  return tag === "code" ? { language: value.replace(/^language-/u, "") } : {};
}

function decode(reference: string): string {
  const names: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"' };
  const number = /^&#(x?)([0-9a-f]+);$/iu.exec(reference);
  if (number) return String.fromCodePoint(Number.parseInt(number[2] ?? "", number[1] === "" ? 10 : 16));
  return names[reference] ?? reference;
}
