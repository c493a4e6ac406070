/** The cuts and insertions of an edit, in the style the document is written in: its line ends, indentation, key quotes and
 *  trailing commas. */
import { isLineEnd, skipComment, skipTrivia, type MemberSpan, type ValueSpan } from "./spans.ts";
import { isObject } from "./validate.ts";

interface Style {
  newline: string;
  /** One step of indentation. */
  unit: string;
  quoteKeys: boolean;
  /** The whole document stands on one line. */
  compact: boolean;
}

interface Cut {
  start: number;
  end: number;
}

export function replaceValue(text: string, root: ValueSpan, node: ValueSpan, value: unknown): string {
  const written = write(value, indentAt(text, node.start), styleOf(text, root));
  return text.slice(0, node.start) + written + text.slice(node.end);
}

export function insertMember(text: string, root: ValueSpan, node: ValueSpan, key: string, value: unknown): string {
  const style = styleOf(text, root);
  const beside = node.members[0];
  const name = writeKey(key, beside ? { ...style, quoteKeys: beside.quoted } : style);
  const separator = style.compact && !/:\s/u.test(text) ? ":" : ": ";
  return insert(text, style, node, (indent) => name + separator + write(value, indent, style));
}

export function insertItem(text: string, root: ValueSpan, node: ValueSpan, value: unknown): string {
  const style = styleOf(text, root);
  return insert(text, style, node, (indent) => write(value, indent, style));
}

/** Removes every member of that name. Comments around it stay. */
export function removeMember(text: string, node: ValueSpan, key: string): string {
  const found = node.members.flatMap((member, i) => (member.key === key ? [i] : []));
  const children = node.members.map((member) => ({ start: member.start, end: member.value.end }));
  return cutOut(
    text,
    found.flatMap((i) => cutsOf(text, children, i, found)),
  );
}

export function removeItem(text: string, node: ValueSpan, index: number): string {
  return cutOut(text, cutsOf(text, node.items, index, [index]));
}

function insert(text: string, style: Style, node: ValueSpan, written: (indent: string) => string): string {
  const children: readonly (MemberSpan | ValueSpan)[] = node.kind === "array" ? node.items : node.members;
  const last = children.at(-1);
  const outer = indentAt(text, node.start);
  if (!last) {
    const inner = text.slice(node.start + 1, node.end - 1);
    const indent = outer + style.unit;
    if (/^[ \t]*$/u.test(inner)) {
      if (style.compact && outer === "" && node.start > 0 && text.slice(0, node.start).trim() !== "") {
        return put(text, node.start + 1, node.end - 1, written(outer));
      }
      return put(text, node.start + 1, node.end - 1, style.newline + indent + written(indent) + style.newline + outer);
    }
    const at = endOfTrivia(text, node.start + 1, node.end - 1);
    const closing = /[\r\n\u2028\u2029]/u.test(text.slice(at, node.end - 1)) ? "" : style.newline + outer;
    return put(text, at, at, style.newline + indent + written(indent) + closing);
  }
  const lastEnd = "value" in last ? last.value.end : last.end;
  const next = skipTrivia(text, lastEnd);
  const trailing = text[next] === ",";
  const afterLast = trailing ? next + 1 : lastEnd;
  const lineStart = startOfLine(text, last.start);
  if (/\S/u.test(text.slice(lineStart, last.start).replace("\uFEFF", ""))) {
    const gap = style.compact && !/[,:]\s/u.test(text) ? "" : " ";
    if (trailing) return put(text, afterLast, afterLast, `${gap}${written(outer)},`);
    return put(text, lastEnd, lastEnd, `,${gap}${written(outer)}`);
  }
  const indent = text.slice(lineStart, last.start).replace("\uFEFF", "");
  const at = endOfLineTrivia(text, afterLast, node.end - 1);
  const closing = /[\r\n\u2028\u2029]/u.test(text.slice(at, node.end - 1)) ? "" : style.newline + outer;
  const addition = style.newline + indent + written(indent) + (trailing ? "," : "") + closing;
  return text.slice(0, lastEnd) + (trailing ? "" : ",") + text.slice(lastEnd, at) + addition + text.slice(at);
}

const put = (text: string, start: number, end: number, addition: string): string =>
  text.slice(0, start) + addition + text.slice(end);

/** One past the last comment between two positions. */
function endOfTrivia(text: string, from: number, to: number): number {
  let end = from;
  for (let at = from; at < to;) {
    if (text[at] === "/") end = at = skipComment(text, at);
    else at++;
  }
  return end;
}

/** One past the comments that stand on the same line. */
function endOfLineTrivia(text: string, from: number, to: number): number {
  let end = from;
  for (let at = from; at < to && !isLineEnd(text.charCodeAt(at));) {
    if (text[at] === "/") end = at = skipComment(text, at);
    else at++;
  }
  return end;
}

/** What goes with child `i`: itself, and one comma. `gone` are all that leave. */
function cutsOf(text: string, children: readonly Cut[], i: number, gone: readonly number[]): Cut[] {
  const child = children[i];
  if (!child) return [];
  const comma = skipTrivia(text, child.end);
  if (text[comma] === ",") {
    const apart = /\S/u.test(text.slice(child.end, comma));
    return apart ? [child, { start: comma, end: comma + 1 }] : [{ start: child.start, end: comma + 1 }];
  }
  // The last one without a comma of its own: the comma of the last that stays becomes superfluous.
  const before = children.findLast((_, other) => other < i && !gone.includes(other));
  if (!before) return [child];
  const start = skipTrivia(text, before.end);
  return [{ start, end: start + 1 }, child];
}

/** The text without the cuts; a line that becomes empty goes with its line break. */
function cutOut(text: string, cuts: readonly Cut[]): string {
  let result = text;
  for (const cut of [...cuts].sort((a, b) => b.start - a.start)) result = cutOne(result, cut);
  return result;
}

function cutOne(text: string, { start, end }: Cut): string {
  const lineStart = startOfLine(text, start);
  let after = end;
  while (text[after] === " " || text[after] === "\t") after++;
  const leads = !/\S/u.test(text.slice(lineStart, start)) && lineStart > 0;
  const ends = after >= text.length || isLineEnd(text.charCodeAt(after));
  if (leads && ends) return text.slice(0, lineStart) + text.slice(skipLineEnd(text, after));
  if (ends) {
    let before = start;
    while (text[before - 1] === " " || text[before - 1] === "\t") before--;
    return text.slice(0, before) + text.slice(end);
  }
  if (text[after] === "}" || text[after] === "]") return text.slice(0, start).replace(/[ \t]+$/u, "") + text.slice(end);
  // A lone comma keeps the blanks around it; a member takes those that follow.
  return text.slice(0, start) + text.slice(end - start === 1 ? end : after);
}

function skipLineEnd(text: string, at: number): number {
  if (text[at] === "\r" && text[at + 1] === "\n") return at + 2;
  return Math.min(text.length, at + 1);
}

function startOfLine(text: string, at: number): number {
  while (at > 0 && !isLineEnd(text.charCodeAt(at - 1))) at--;
  return at;
}

/** White space at the start of the line of a position. */
function indentAt(text: string, at: number): string {
  return /^\uFEFF?([ \t]*)/u.exec(text.slice(startOfLine(text, at), at))?.[1] ?? "";
}

function styleOf(text: string, root: ValueSpan): Style {
  const first = root.members[0];
  const indent = first ? indentAt(text, first.start) : "";
  const lineEnd = /\r\n|\n|\r/u.exec(text)?.[0];
  return {
    newline: lineEnd ?? "\n",
    unit: indent.startsWith("\t") ? "\t" : indent.length > 0 && indent.length <= 8 ? indent : "  ",
    quoteKeys: first?.quoted ?? true,
    compact: first !== undefined && !/[\r\n\u2028\u2029]/u.test(text.slice(root.start, root.end)),
  };
}

const plainName = /^[A-Za-z_$][\w$]*$/u;

const writeKey = (key: string, style: Style): string =>
  !style.quoteKeys && plainName.test(key) ? key : writeText(key);

/** Line separators are escaped: they are legal in JSON, but a JSON5 parser warns about them. */
const writeText = (text: string): string =>
  JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");

function write(value: unknown, indent: string, style: Style): string {
  if (typeof value === "string") return writeText(value);
  const inner = indent + style.unit;
  const lines = Array.isArray(value)
    ? value.map((item) => write(item, inner, style))
    : isObject(value)
      ? Object.entries(value).flatMap(([key, item]) =>
          item === undefined ? [] : [`${writeKey(key, style)}: ${write(item, inner, style)}`],
        )
      : undefined;
  if (!lines) return JSON.stringify(value);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (lines.length === 0) return open + close;
  if (style.compact) return `${open}${lines.join(", ")}${close}`;
  return (
    open + style.newline + lines.map((line) => inner + line).join(`,${style.newline}`) + style.newline + indent + close
  );
}
