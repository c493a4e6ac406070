/** A log line as text: cleaned of secrets and control characters, never longer than 16 KB (R-LOG-1, S23). */
import { levelIds, type Level, type Line } from "../kernel/log.ts";
import type { Redactor } from "../kernel/redact.ts";

export type Threshold = Level | "silent";

export const passes = (level: Level, threshold: Threshold): boolean =>
  threshold !== "silent" && levelIds[level] >= levelIds[threshold];

export const maxLineChars = 16_384;
/** Of one message or field. */
const maxTextChars = 8_192;

const controls = /\p{Cc}/gu;
/** One line per message keeps terminals and log readers honest: control characters are escaped. */
export const escapeControls = (text: string): string =>
  text.replace(controls, (c) =>
    c === "\n" ? "\\n" : c === "\t" ? "\\t" : `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );

/** JSON whose control characters are all escaped, also those JSON itself lets pass. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replace(/[\u007f-\u009f]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

export interface TidyLine {
  time: string;
  level: Level;
  subsystem: string;
  message: string;
  /** Fit for JSON; absent when there are none. */
  fields?: Record<string, unknown>;
}

/** Secrets go first and texts are cut after that: half a secret would not be recognised. */
export function tidy(line: Line, redactor: Redactor): TidyLine {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(line.fields ?? {})) {
    if (value !== undefined) fields[name] = bounded(redactor.cleanValue(value, name));
  }
  return {
    time: new Date(line.time).toISOString(),
    level: line.level,
    subsystem: line.subsystem,
    message: cut(String(redactor.cleanValue(line.message))),
    ...(Object.keys(fields).length > 0 ? { fields } : {}),
  };
}

const cut = (text: string): string => (text.length <= maxTextChars ? text : `${text.slice(0, maxTextChars)}…`);

function bounded(value: unknown): unknown {
  if (typeof value === "string") return cut(value);
  const text = JSON.stringify(value);
  return text !== undefined && text.length > maxTextChars ? cut(text) : value;
}

/** A field after `name=`. */
export const fieldText = (value: unknown): string =>
  escapeControls(typeof value === "string" ? value : (JSON.stringify(value) ?? String(value)));
