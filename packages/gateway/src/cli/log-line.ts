/** One line of the gateway's log file, read back (lifecycle.md §8.1). */
import { clean } from "./terminal/clean.ts";

/** Least first. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

export interface LogLine {
  time: string;
  level: string;
  subsystem?: string;
  module?: string;
  message: string;
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

function parsed(text: unknown): Record<string, unknown> {
  if (typeof text !== "string" || !text.startsWith("{")) return {};
  try {
    return record(JSON.parse(text));
  } catch {
    return {}; // A text that only looks like JSON is a message.
  }
}

/** Undefined for a line that is not a log object: print it as it is. */
export function parseLogLine(raw: string): LogLine | undefined {
  const line = parsed(raw);
  const meta = record(line._meta);
  const time = typeof line.time === "string" ? line.time : meta.date;
  if (typeof time !== "string") return undefined;
  const level = typeof meta.logLevelName === "string" ? meta.logLevelName.toLowerCase() : "info";
  const named = parsed(meta.name);
  const first = parsed(line["0"]);
  const hasBindings = Object.keys(first).length > 0;
  const bindings = Object.keys(named).length > 0 ? named : first;
  const parts = Object.keys(line)
    .filter((key) => /^\d{1,3}$/.test(key) && !(key === "0" && hasBindings))
    .sort((a, b) => Number(a) - Number(b))
    .map((key) => (typeof line[key] === "string" ? line[key] : JSON.stringify(line[key])));
  return {
    time,
    level,
    ...(typeof bindings.subsystem === "string" ? { subsystem: bindings.subsystem } : {}),
    ...(typeof bindings.module === "string" ? { module: bindings.module } : {}),
    message: parts.join(" "),
  };
}

/** `HH:MM:SS level subsystem message` for people, the ISO time when `plain`. */
export function formatLogLine(line: LogLine, plain: boolean, paint: (level: string, text: string) => string): string {
  const date = new Date(line.time);
  const valid = !Number.isNaN(date.getTime());
  const two = (value: number) => String(value).padStart(2, "0");
  const clock = valid ? `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}` : line.time;
  const parts = [plain ? line.time : clock, line.level, line.subsystem ?? line.module ?? "", line.message].map(clean);
  const [time = "", level = "", subsystem = "", message = ""] = parts;
  return [time, paint(line.level, level), subsystem, message].filter(Boolean).join(" ");
}
