/** Front matter of SKILL.md: the small part of YAML such files use. Mappings, lists, plain and quoted scalars, block text,
 *  and inline JSON-like values over one or several lines. */

export type Yaml = string | number | boolean | null | Yaml[] | { [key: string]: Yaml };

interface Line {
  indent: number;
  text: string;
  number: number;
}

const maxChars = 64 * 1024;
const maxDepth = 16;

/** Undefined when the file has no front matter. Throws with the line when it cannot be read. */
export function parseFrontMatter(file: string): { [key: string]: Yaml } | undefined {
  const found = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/u.exec(file.slice(0, maxChars));
  if (!found) return undefined;
  const lines = (found[1] ?? "").split(/\r?\n/u).map((text, at) => ({
    indent: text.length - text.trimStart().length,
    text: text.trim(),
    number: at + 2,
  }));
  const reader = new Reader(lines);
  const value = reader.block(0, 0);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error("front matter must be key: value lines");
  return value;
}

class Reader {
  readonly #lines: readonly Line[];
  #at = 0;

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  #next(): Line | undefined {
    for (;;) {
      const line = this.#lines[this.#at];
      if (!line || (line.text !== "" && !line.text.startsWith("#"))) return line;
      this.#at++;
    }
  }

  /** Everything indented by at least `indent`. */
  block(indent: number, depth: number): Yaml {
    if (depth > maxDepth) throw new Error("front matter is nested too deeply");
    const first = this.#next();
    if (!first || first.indent < indent) return null;
    return /^-(\s|$)/u.test(first.text) ? this.#list(first.indent, depth) : this.#mapping(first.indent, depth);
  }

  #list(indent: number, depth: number): Yaml[] {
    const items: Yaml[] = [];
    for (let line = this.#next(); line?.indent === indent && /^-(\s|$)/u.test(line.text); line = this.#next()) {
      this.#at++;
      const rest = line.text.slice(1).trim();
      if (rest === "") items.push(this.block(indent + 1, depth + 1));
      else items.push(this.#value(rest, indent, line.number, depth));
    }
    return items;
  }

  #mapping(indent: number, depth: number): { [key: string]: Yaml } {
    const result: { [key: string]: Yaml } = {};
    for (let line = this.#next(); line && line.indent >= indent; line = this.#next()) {
      if (line.indent > indent) throw new Error(`line ${line.number} of the front matter is indented too far`);
      const pair = /^("[^"]*"|'[^']*'|[^\s:#{[][^:]*?)\s*:(?:\s+(.*))?$/u.exec(line.text);
      if (!pair) throw new Error(`line ${line.number} of the front matter is not "key: value"`);
      const key = (pair[1] ?? "").replace(/^(["'])(.*)\1$/u, "$2");
      this.#at++;
      const value = this.#value((pair[2] ?? "").trim(), indent, line.number, depth);
      Object.defineProperty(result, key, { value, writable: true, enumerable: true, configurable: true });
    }
    return result;
  }

  #value(text: string, indent: number, number: number, depth: number): Yaml {
    if (text === "" || text.startsWith("#")) {
      const next = this.#next();
      // A list may stand at the indentation of its key.
      if (next?.indent === indent && /^-(\s|$)/u.test(next.text)) return this.#list(indent, depth + 1);
      if (next && next.indent > indent && /^[{[]/u.test(next.text)) return this.#inline("", indent, number);
      return this.block(indent + 1, depth + 1);
    }
    if (/^[|>][+-]?$/u.test(text)) return this.#text(text, indent);
    if (/^[{[]/u.test(text)) return this.#inline(text, indent, number);
    return scalar(this.#folded(text, indent));
  }

  /** A plain scalar may go on in lines indented further. */
  #folded(text: string, indent: number): string {
    let whole = text;
    for (
      let line = this.#lines[this.#at];
      line && line.text !== "" && line.indent > indent;
      line = this.#lines[this.#at]
    ) {
      whole += ` ${line.text}`;
      this.#at++;
    }
    return whole;
  }

  #text(mark: string, indent: number): string {
    const parts: string[] = [];
    for (
      let line = this.#lines[this.#at];
      line && (line.text === "" || line.indent > indent);
      line = this.#lines[this.#at]
    ) {
      parts.push(line.text);
      this.#at++;
    }
    return parts.join(mark.startsWith("|") ? "\n" : " ").trim();
  }

  /** JSON, also with trailing commas, on this line and the following ones. */
  #inline(text: string, indent: number, number: number): Yaml {
    let whole = text;
    for (;;) {
      const value = parseJson(whole);
      if (value !== undefined) return value;
      const line = this.#lines[this.#at];
      // The closing bracket may stand at the indentation of the key.
      if (!line || (line.indent <= indent && !/^[}\]]/u.test(line.text))) break;
      whole += `\n${line.text}`;
      this.#at++;
    }
    const list = /^\[([^[\]{}]*)\]$/u.exec(whole.trim())?.[1];
    if (list !== undefined) return list.trim() === "" ? [] : list.split(",").map((item) => scalar(item.trim()));
    throw new Error(`line ${number} of the front matter has a value in brackets that is not JSON`);
  }
}

function parseJson(text: string): Yaml | undefined {
  if (!/[}\]]\s*$/u.test(text)) return undefined;
  // Trailing commas outside of strings.
  const strict = text.replaceAll(
    /("(?:[^"\\]|\\.)*")|,(\s*[}\]])/gu,
    (_whole, quoted?: string, close?: string) => quoted ?? close ?? "",
  );
  try {
    return JSON.parse(strict) as Yaml;
  } catch {
    // Not complete yet, or not JSON: the caller decides.
    return undefined;
  }
}

function scalar(text: string): Yaml {
  const quoted = /^"((?:[^"\\]|\\.)*)"(\s+#.*)?$/u.exec(text);
  if (quoted) return (parseJsonString(`"${quoted[1] ?? ""}"`) ?? quoted[1]) as string;
  const single = /^'((?:[^']|'')*)'(\s+#.*)?$/u.exec(text);
  if (single) return (single[1] ?? "").replaceAll("''", "'");
  const plain = text.replace(/\s+#.*$/u, "");
  if (plain === "true" || plain === "false") return plain === "true";
  if (plain === "null" || plain === "~") return null;
  return /^-?\d+(\.\d+)?$/u.test(plain) ? Number(plain) : plain;
}

function parseJsonString(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    // An escape JSON does not know: the text stays as written.
    return undefined;
  }
}
