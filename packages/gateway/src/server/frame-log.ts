/** `--ws-log full`: one debug line per frame (lifecycle.md §8.2). Values are cut, ids shortened, and neither what a field's name
 *  marks as secret nor the words of a conversation are written: nobody knows what a tool printed. Known secrets are masked by
 *  the log itself. Costs a parse per frame, so it is only made on request. */
import type { Logger } from "../kernel/log.ts";

const maxValueChars = 240;
const maxParsedBytes = 65_536;
const maxItems = 20;
const maxDepth = 5;

const uuid = /\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{8}([0-9a-f]{4})\b/giu;
const secretName = /token|secret|password|passwd|api_?key|authorization|cookie|signature/iu;
/** A config, the text of a person, and what tools are given and print: its secrets have no names of their own. */
const wordsName =
  /^(?:raw|parsed|config|text|delta|content|args|arguments|input|result|partialResult|output|thinking|note|summary|systemPrompt|extraSystemPrompt|lastMessage|lastMessagePreview|title|derivedTitle)$/u;

export class FrameLog {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  received(connId: string, bytes: Buffer): void {
    this.#line("←", connId, bytes.length, () => bytes.toString("utf8"));
  }

  sent(connId: string, text: string): void {
    this.#line("→", connId, text.length, () => text);
  }

  #line(arrow: string, connId: string, size: number, text: () => string): void {
    const where = `conn=${shortIds(connId)}`;
    if (size > maxParsedBytes) return this.#log.debug(`${arrow} frame ${where} bytes=${size}`);
    let frame: unknown;
    try {
      frame = JSON.parse(text());
    } catch {
      return this.#log.debug(`${arrow} frame ${where} bytes=${size}, not JSON`);
    }
    const { type, id, method, event, ok, params, payload, error } = (frame ?? {}) as Record<string, unknown>;
    const mark = ok === undefined ? "" : ok === true ? " ✓" : " ✗";
    const name = [type, method ?? event].filter((part) => typeof part === "string").map((part) => cut(part as string));
    const number = typeof id === "string" ? ` id=${cut(id)}` : "";
    this.#log.debug(`${arrow} ${name.join(" ") || "frame"}${mark} ${where}${number}`, {
      params: shown(withoutWords(params)),
      payload: shown(payload),
      error: shown(error),
    });
  }
}

/** UUIDs in a text as their first eight and last four characters. */
/** What a person says to an agent, and what is typed into the wizard; elsewhere `message` is the text of an error. */
function withoutWords(params: unknown): unknown {
  if (typeof params !== "object" || params === null) return params;
  const { message, answer } = params as Record<string, unknown>;
  return {
    ...params,
    ...(typeof message === "string" ? { message: lengthOf(message) } : {}),
    ...(answer === undefined ? {} : { answer: "…" }),
  };
}

const lengthOf = (text: string): string => `[${text.length} characters]`;
export const shortIds = (text: string): string => text.replace(uuid, "$1…$2");
const cut = (text: string): string => {
  const short = shortIds(text);
  return short.length > maxValueChars ? `${short.slice(0, maxValueChars)}…` : short;
};

function shown(value: unknown, name = "", depth = 0): unknown {
  if (typeof value === "string") {
    if (value !== "" && secretName.test(name)) return "***";
    return wordsName.test(name) ? lengthOf(value) : cut(value);
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth >= maxDepth) return Array.isArray(value) ? `[${value.length} items]` : "{…}";
  if (Array.isArray(value)) {
    const items = value.slice(0, maxItems).map((item) => shown(item, name, depth + 1));
    return value.length > maxItems ? [...items, `… ${value.length - maxItems} more`] : items;
  }
  const entries = Object.entries(value);
  const below = (key: string) => (wordsName.test(name) ? name : key);
  const fields = entries
    .slice(0, maxItems)
    .map(([key, item]) => [cut(key), shown(item, below(key), depth + 1)] as const);
  if (entries.length > maxItems) fields.push(["…", `${entries.length - maxItems} more`]);
  return Object.fromEntries(fields);
}
