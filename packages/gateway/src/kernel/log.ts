/** Log: levelled lines with a subsystem, to console and file sinks (lifecycle.md §8). Writing never throws into callers.
 *  Secrets registered with the redactor never leave, in any of the usual encodings (R-SEC-1). */
export type Level = "trace" | "debug" | "info" | "warn" | "error" | "fatal";
export const levelIds: Record<Level, number> = { trace: 1, debug: 2, info: 3, warn: 4, error: 5, fatal: 6 };

export type Fields = Record<string, unknown>;

export interface Line {
  time: number;
  level: Level;
  subsystem: string;
  message: string;
  fields?: Fields;
}

/** Must not throw. */
export type Sink = (line: Line) => void;

export interface Logger {
  trace(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  fatal(message: string, fields?: Fields): void;
  /** A logger whose subsystem is `<this>/<name>`. */
  child(name: string): Logger;
}

export function createLogger(options: { subsystem: string; sinks: readonly Sink[]; now: () => number }): Logger {
  const make = (subsystem: string): Logger => {
    const at = (level: Level) => (message: string, fields?: Fields) => {
      const line: Line = { time: options.now(), level, subsystem, message, ...(fields ? { fields } : {}) };
      for (const sink of options.sinks) sink(line);
    };
    return {
      trace: at("trace"),
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      fatal: at("fatal"),
      child: (name) => make(`${subsystem}/${name}`),
    };
  };
  return make(options.subsystem);
}

const windowMs = 1_000;
const maxKeys = 500;

interface Repeated {
  since: number;
  /** Lines held back since then. */
  held: number;
  level: Level;
  subsystem: string;
  message: string;
}

/** Lets of equal warnings and errors one a second through, and says how many there were (R-MEM-4). Equal means level,
 *  subsystem, message and the text of the error; no stack is kept. The count comes with the next line of any kind after the
 *  second has passed, or at `settle`. */
export function coalesce(sink: Sink): { sink: Sink; settle: () => void } {
  const seen = new Map<string, Repeated>();
  let nextDue = Infinity;
  const tell = (entry: Repeated, time: number) => {
    const { level, subsystem, message, held } = entry;
    sink({ time, level, subsystem, message: `${message} (${held} more like it)` });
  };
  const expire = (now: number) => {
    if (now < nextDue) return;
    nextDue = Infinity;
    for (const [key, entry] of seen) {
      const due = entry.since + windowMs;
      if (now < due) nextDue = Math.min(nextDue, due);
      else if (entry.held === 0) seen.delete(key);
      else {
        tell(entry, now);
        seen.set(key, { ...entry, since: now, held: 0 });
        nextDue = Math.min(nextDue, now + windowMs);
      }
    }
  };
  return {
    sink: (line) => {
      expire(line.time);
      if (levelIds[line.level] < levelIds.warn) return sink(line);
      const key = keyOf(line);
      const entry = seen.get(key);
      if (entry && line.time >= entry.since) return void entry.held++;
      if (seen.size >= maxKeys) {
        const [oldest = "", dropped] = seen.entries().next().value ?? [];
        if (dropped && dropped.held > 0) tell(dropped, line.time);
        seen.delete(oldest);
      }
      const { level, subsystem, message, time } = line;
      seen.set(key, { since: time, held: 0, level, subsystem, message: message.slice(0, 500) });
      nextDue = Math.min(nextDue, time + windowMs);
      sink(line);
    },
    settle: () => {
      for (const entry of seen.values()) if (entry.held > 0) tell(entry, entry.since + windowMs);
      seen.clear();
      nextDue = Infinity;
    },
  };
}

function keyOf({ level, subsystem, message, fields }: Line): string {
  const error = fields?.error;
  const cause = error instanceof Error ? `${error.name}: ${error.message}` : typeof error === "string" ? error : "";
  return `${level} ${subsystem} ${message.slice(0, 500)} ${cause.slice(0, 200)}`;
}

export const silentLogger: Logger = createLogger({ subsystem: "silent", sinks: [], now: () => 0 });
