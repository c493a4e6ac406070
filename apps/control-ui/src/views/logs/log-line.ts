/** Lines of the gateway's log: JSON objects or plain text, as something that can be filtered and shown. Pure. */
import { isRecord } from "../../gateway/index.ts";

export const levels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type Level = (typeof levels)[number];

export interface LogLine {
  /** Grows with every line read; a key that stays. */
  id: number;
  raw: string;
  at: number | undefined;
  level: Level | undefined;
  subsystem: string;
  message: string;
  /** What was logged beside the message, as JSON. Empty when nothing. */
  fields: string;
}

/** Terminal colours: ESC, bracket, numbers, a letter. */
const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, "g");

export function parseLine(raw: string, id: number): LogLine {
  const text = raw.replace(colours, "");
  const plain: LogLine = { id, raw: text, at: undefined, level: undefined, subsystem: "", message: text, fields: "" };
  if (!text.startsWith("{")) return plain;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return plain; // Half a line, or a text that only looks like one.
  }
  if (!isRecord(value)) return plain;
  const meta = isRecord(value._meta) ? value._meta : {};
  const parts = Object.keys(value)
    .filter((key) => /^\d+$/.test(key))
    .sort((a, b) => Number(a) - Number(b))
    .map((key) => value[key]);
  const subsystem = subsystemOf(meta.name) || subsystemOf(parts[0]);
  const rest = subsystemOf(parts[0]) === "" ? parts : parts.slice(1);
  const words = rest.filter((part) => !isRecord(part) && !Array.isArray(part)).map(String);
  const objects = rest.filter((part) => typeof part === "object" && part !== null);
  const time = typeof value.time === "string" ? value.time : meta.date;
  const at = typeof time === "string" ? Date.parse(time) : Number.NaN;
  const name = typeof meta.logLevelName === "string" ? meta.logLevelName.toLowerCase() : "";
  return {
    ...plain,
    at: Number.isNaN(at) ? undefined : at,
    level: levels.find((level) => level === name),
    subsystem,
    message: words.join(" ").replace(colours, ""),
    fields: objects.map((part) => JSON.stringify(part)).join(" "),
  };
}

/** `{"subsystem":"gateway/ws"}` → `gateway/ws`. */
function subsystemOf(part: unknown): string {
  if (typeof part !== "string" || !part.startsWith("{")) return "";
  try {
    const value: unknown = JSON.parse(part);
    return isRecord(value) && typeof value.subsystem === "string" ? value.subsystem : "";
  } catch {
    return ""; // A message that begins with a brace.
  }
}

export interface LogFilter {
  levels: ReadonlySet<Level>;
  text: string;
}

/** A line without a level always passes the level filter: it cannot be judged. */
export function passes(line: LogLine, { levels: wanted, text }: LogFilter): boolean {
  if (line.level !== undefined && !wanted.has(line.level)) return false;
  if (text === "") return true;
  return line.raw.toLowerCase().includes(text.toLowerCase());
}
