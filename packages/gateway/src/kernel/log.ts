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

export const silentLogger: Logger = createLogger({ subsystem: "silent", sinks: [], now: () => 0 });
