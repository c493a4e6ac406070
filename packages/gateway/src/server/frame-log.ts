/** `--ws-log full`: one debug line per frame (lifecycle.md §8.2). Values are cut, ids shortened, and what a field's name marks
 *  as secret is never written; known secrets are masked by the log itself. Costs a parse per frame, so it is only made on
 *  request. */
import type { Logger } from "../kernel/log.ts";

const maxValueChars = 240;
const maxParsedBytes = 65_536;
const maxItems = 20;
const maxDepth = 5;

const uuid = /\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{8}([0-9a-f]{4})\b/giu;
const secretName = /token|secret|password|passwd|api_?key|authorization|cookie|signature/iu;

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
      // What a person types into the wizard may be a key, and has no name that says so.
      params: shown(method === "wizard.next" ? { ...(params as object), answer: "…" } : params),
      payload: shown(payload),
      error: shown(error),
    });
  }
}

const shortIds = (text: string): string => text.replace(uuid, "$1…$2");
const cut = (text: string): string => {
  const short = shortIds(text);
  return short.length > maxValueChars ? `${short.slice(0, maxValueChars)}…` : short;
};

function shown(value: unknown, name = "", depth = 0): unknown {
  if (typeof value === "string") {
    if (value !== "" && secretName.test(name)) return "***";
    // The text of a config file; its secrets have no names of their own here.
    return name === "raw" ? `[${value.length} characters]` : cut(value);
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth >= maxDepth) return Array.isArray(value) ? `[${value.length} items]` : "{…}";
  if (Array.isArray(value)) {
    const items = value.slice(0, maxItems).map((item) => shown(item, name, depth + 1));
    return value.length > maxItems ? [...items, `… ${value.length - maxItems} more`] : items;
  }
  const entries = Object.entries(value);
  const fields = entries.slice(0, maxItems).map(([key, item]) => [cut(key), shown(item, key, depth + 1)] as const);
  if (entries.length > maxItems) fields.push(["…", `${entries.length - maxItems} more`]);
  return Object.fromEntries(fields);
}
