/** The console: pretty, compact or JSON lines (lifecycle.md §8.2). Warnings and errors go to stderr. */
import { coalesce, levelIds, type Level, type Line, type Sink } from "../kernel/log.ts";
import type { Redactor } from "../kernel/redact.ts";
import {
  escapeControls,
  fieldText,
  jsonLine,
  maxLineChars,
  passes,
  tidy,
  type Threshold,
  type TidyLine,
} from "./log-text.ts";

export interface ConsoleOptions {
  /** Read for each line, so that a reload counts at once. */
  threshold: () => Threshold;
  style: () => "pretty" | "compact" | "json";
  color: boolean;
  redactor: Redactor;
  write: (stream: "stdout" | "stderr", text: string) => void;
  /** Which lines are shown; default all. */
  shows?: (line: Line) => boolean;
}

const levelColors: Partial<Record<Level, string>> = { error: "31", fatal: "31", warn: "33", debug: "90", trace: "90" };
/** Cyan, green, magenta, blue, yellow and bright cyan: never the colours of the levels alone. */
const subsystemColors = ["36", "32", "35", "34", "33", "96"] as const;

export function consoleSink(options: ConsoleOptions): Sink {
  const calm = coalesce((line) => {
    const stream = levelIds[line.level] >= levelIds.warn ? "stderr" : "stdout";
    options.write(stream, `${format(tidy(line, options.redactor), options)}\n`);
  });
  return (line) => {
    if (passes(line.level, options.threshold()) && options.shows?.(line) !== false) calm.sink(line);
  };
}

/** Drops leading `gateway`, `channels`, `providers` segments; a channel stands for itself; at most the last two are kept. */
export function shortSubsystem(subsystem: string): string {
  const parts = subsystem.split("/");
  while (parts.length > 1 && /^(gateway|providers|features)$/u.test(parts[0] ?? "")) parts.shift();
  if (parts.length > 1 && parts[0] === "channels") return parts[1] ?? "";
  return parts.slice(-2).join("/");
}

function format(line: TidyLine, options: ConsoleOptions): string {
  if (options.style() === "json") return jsonConsole(line);
  const pretty = options.style() === "pretty";
  const fields = Object.entries(line.fields ?? {}).map(([name, value]) => ` ${name}=${fieldText(value)}`);
  const body = `${escapeControls(line.message)}${fields.join("")}`.slice(0, maxLineChars);
  const paint = (code: string | undefined, text: string) =>
    options.color && code ? `\u001b[${code}m${text}\u001b[0m` : text;
  const name = shortSubsystem(line.subsystem);
  const label = paint(subsystemColor(name), `[${name}]`);
  return `${paint("90", pretty ? clockOf(line.time) : line.time)} ${label} ${paint(levelColors[line.level], body)}`;
}

/** Fields may not take the place of what every line has; a line that is too long gives up its fields first. */
function jsonConsole({ time, level, subsystem, message, fields }: TidyLine): string {
  const text = jsonLine({ ...fields, time, level, subsystem, message });
  if (text.length <= maxLineChars) return text;
  return jsonLine({ time, level, subsystem, message: message.slice(0, maxLineChars / 4), cut: true });
}

/** Local `HH:MM:SS`. */
function clockOf(time: string): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

function subsystemColor(name: string): string {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
  return subsystemColors[hash % subsystemColors.length] ?? "36";
}
