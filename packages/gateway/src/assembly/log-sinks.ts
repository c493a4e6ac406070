/** Where log lines go: the console and a rolling JSON file (lifecycle.md §8). Never throws: a full or missing disk degrades
 *  to the console. Every line passes the redactor. */
import { appendFileSync, chmodSync, lstatSync, mkdirSync } from "node:fs";
import { appendFile, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { levelIds, type Level, type Line, type Sink } from "../kernel/log.ts";
import type { Redactor } from "../kernel/redact.ts";
import type { World } from "../kernel/world.ts";

export type Threshold = Level | "silent";

const passes = (level: Level, threshold: Threshold): boolean => threshold !== "silent" && levelIds[level] >= levelIds[threshold];

/** One line per message keeps terminals and log readers honest: control characters are escaped. */
const controls = /\p{Cc}/gu;
export const escapeControls = (text: string): string =>
  text.replace(controls, (c) => (c === "\n" ? "\\n" : c === "\t" ? "\\t" : `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`));

const maxLineChars = 16_384;

function fieldValue(value: unknown): string {
  if (value instanceof Error) return value.stack ?? `${value.name}: ${value.message}`;
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // Circular or exotic values are named, not printed.
    return Object.prototype.toString.call(value);
  }
}

/** Drops leading `gateway`, `channels`, `features` segments and keeps at most the last two. */
export function shortSubsystem(subsystem: string): string {
  const parts = subsystem.split("/");
  while (parts.length > 1 && /^(gateway|channels|providers|features)$/u.test(parts[0] ?? "")) parts.shift();
  return parts.slice(-2).join("/");
}

export interface ConsoleOptions {
  threshold: () => Threshold;
  style: () => "pretty" | "compact" | "json";
  color: boolean;
  redactor: Redactor;
  write: (stream: "stdout" | "stderr", text: string) => void;
}

const colors: Partial<Record<Level, string>> = { error: "31", fatal: "31", warn: "33", debug: "90", trace: "90" };

export function consoleSink(options: ConsoleOptions): Sink {
  return (line) => {
    if (!passes(line.level, options.threshold())) return;
    const stream = levelIds[line.level] >= levelIds.warn ? "stderr" : "stdout";
    options.write(stream, `${options.redactor.clean(format(line, options))}\n`);
  };
}

function format(line: Line, options: ConsoleOptions): string {
  const time = new Date(line.time).toISOString();
  if (options.style() === "json") {
    const fields = Object.fromEntries(Object.entries(line.fields ?? {}).map(([k, v]) => [k, v instanceof Error ? fieldValue(v) : v]));
    return JSON.stringify({ time, level: line.level, subsystem: line.subsystem, message: line.message, ...fields }).slice(0, maxLineChars);
  }
  const given = Object.entries(line.fields ?? {}).filter(([, value]) => value !== undefined);
  const fields = given.map(([name, value]) => ` ${name}=${escapeControls(fieldValue(value))}`);
  const body = `${escapeControls(line.message)}${fields.join("")}`.slice(0, maxLineChars);
  const paint = (code: string | undefined, text: string) => (options.color && code ? `\u001b[${code}m${text}\u001b[0m` : text);
  return `${paint("90", time)} [${shortSubsystem(line.subsystem)}] ${paint(colors[line.level], body)}`;
}

const maxFileBytes = 10 * 1024 * 1024;
const keptFiles = 5;

/** The log file of a day (local date) inside `dir`. */
export function dailyLogFile(dir: string, now: number): string {
  const d = new Date(now);
  const two = (n: number) => String(n).padStart(2, "0");
  return join(dir, `openclaw-${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}.log`);
}

/** Default log folder: `<tmp>/openclaw` when it is ours and private, otherwise `<state>/logs` (R-LOG-1). */
export function logFolder(world: Pick<World, "tmpdir">, state: string): string {
  const preferred = join(world.tmpdir(), "openclaw");
  const uid = process.getuid?.();
  try {
    mkdirSync(preferred, { mode: 0o700 });
  } catch {
    // It exists, or cannot be made; what stands there is judged below.
  }
  try {
    const found = lstatSync(preferred);
    if (found.isDirectory() && (uid === undefined || found.uid === uid)) {
      if ((found.mode & 0o022) !== 0) chmodSync(preferred, 0o700);
      return preferred;
    }
  } catch {
    // No folder in the temporary directory: the state directory serves.
  }
  return join(state, "logs");
}

export interface FileOptions {
  threshold: () => Threshold;
  /** A fixed file, or undefined for one a day in `folder`. */
  file: () => string | undefined;
  folder: string;
  redactor: Redactor;
  world: Pick<World, "now" | "nodeVersion">;
}

/** More than this waiting for the disk is dropped, with a count in the next line that gets through. */
const maxWaitingChars = 1_000_000;

/** A buffered file log: lines are gathered per turn and appended without blocking the loop. */
export function fileSink(options: FileOptions): { sink: Sink; path: () => string; flush: () => Promise<void>; flushSync: () => void } {
  let buffer: string[] = [];
  let waitingChars = 0;
  let dropped = 0;
  let scheduled = false;
  let quietUntil = 0;
  let writing: Promise<void> = Promise.resolve();
  const path = () => options.file() ?? dailyLogFile(options.folder, options.world.now());
  const take = (): string => {
    const text = buffer.join("");
    buffer = [];
    waitingChars = 0;
    return text;
  };
  const failed = () => {
    // The disk is full or gone: the console still has the lines, and the file is tried again in a minute.
    quietUntil = options.world.now() + 60_000;
  };
  const flush = (): Promise<void> => {
    scheduled = false;
    writing = writing.then(async () => {
      const text = take();
      if (text && options.world.now() >= quietUntil) await append(path(), text, options.world.now()).catch(failed);
    });
    return writing;
  };
  const sink: Sink = (line) => {
    if (!passes(line.level, options.threshold())) return;
    const text = options.redactor.clean(fileLine(dropped > 0 ? { ...line, fields: { ...line.fields, dropped } } : line, options.world.nodeVersion));
    if (waitingChars + text.length > maxWaitingChars) return void dropped++;
    dropped = 0;
    buffer.push(text);
    waitingChars += text.length;
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => void flush());
  };
  const flushSync = () => {
    const text = take();
    if (!text) return;
    try {
      mkdirSync(dirname(path()), { recursive: true, mode: 0o700 });
      appendFileSync(path(), text, { mode: 0o600 });
    } catch {
      // The process is ending; there is nowhere left to say it.
    }
  };
  return { sink, path, flush, flushSync };
}

async function append(file: string, text: string, now: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const size = await stat(file).then((found) => found.size, () => undefined);
  if (size === undefined) await sweepOldDays(dirname(file), now);
  else if (size + text.length > maxFileBytes) await roll(file);
  await appendFile(file, text, { mode: 0o600 });
}

/** At 10 MB the file becomes `.1`, `.1` becomes `.2` …; the fifth falls off. */
async function roll(file: string): Promise<void> {
  for (let n = keptFiles - 1; n > 0; n--) {
    await rename(n === 1 ? file : `${file}.${n - 1}`, `${file}.${n}`).catch(() => {
      // That older part does not exist.
    });
  }
}

/** Day files older than a day are removed when a new one begins. */
async function sweepOldDays(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^openclaw-\d{4}-\d{2}-\d{2}\.log/u.test(name)) continue;
    const path = join(folder, name);
    const age = await stat(path).then((found) => now - found.mtimeMs, () => 0);
    if (age > 24 * 3_600_000) await rm(path, { force: true });
  }
}

const levelNumber: Record<Level, number> = levelIds;

function fileLine(line: Line, runtimeVersion: string): string {
  const bindings = JSON.stringify({ subsystem: line.subsystem });
  const fields = line.fields && Object.fromEntries(Object.entries(line.fields).map(([k, v]) => [k, v instanceof Error ? fieldValue(v) : v]));
  const message = line.message.slice(0, maxLineChars / 2);
  const date = new Date(line.time).toISOString();
  const document = {
    "0": bindings,
    ...(fields ? { "1": fields, "2": message } : { "1": message }),
    _meta: {
      runtime: "node",
      runtimeVersion,
      hostname: "unknown",
      name: bindings,
      parentNames: ["openclaw"],
      date,
      logLevelId: levelNumber[line.level],
      logLevelName: line.level.toUpperCase(),
    },
    time: date,
  };
  const text = JSON.stringify(document);
  if (text.length <= maxLineChars) return `${text}\n`;
  return `${JSON.stringify({ ...document, "1": message.slice(0, 8_000), "2": undefined })}\n`;
}
