/** The log file: one JSON object a line, a file a day, five parts of 10 MB (lifecycle.md §8.1). A disk that is full or gone
 *  degrades to the console; nothing here throws. */
import { appendFileSync, closeSync, constants, lstatSync, mkdirSync, openSync } from "node:fs";
import { lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { coalesce, levelIds, type Sink } from "../kernel/log.ts";
import type { Redactor } from "../kernel/redact.ts";
import type { World } from "../kernel/world.ts";
import { jsonLine, maxLineChars, passes, tidy, type Threshold, type TidyLine } from "./log-text.ts";

/** The log file of a day (local date) inside `dir`; each profile has its own. */
export function dailyLogFile(dir: string, now: number, profile?: string): string {
  const d = new Date(now);
  const two = (n: number) => String(n).padStart(2, "0");
  return join(
    dir,
    `openclaw-${profile ? `${profile}-` : ""}${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}.log`,
  );
}

export interface FileOptions {
  threshold: () => Threshold;
  /** A fixed file, or undefined for one a day in `folder`. */
  file: () => string | undefined;
  folder: string;
  /** Gateways of several profiles share the folder. */
  profile?: string | undefined;
  redactor: Redactor;
  world: Pick<World, "now" | "nodeVersion">;
  /** Largest part; default 10 MB. */
  maxFileBytes?: number;
}

export interface FileSink {
  sink: Sink;
  /** Where the next line goes. */
  path: () => string;
  /** Resolves when what was logged so far is written or given up. */
  flush: () => Promise<void>;
  /** For the end of the process. */
  flushSync: () => void;
}

const defaultMaxFileBytes = 10 * 1024 * 1024;
const keptFiles = 5;
/** More than this waiting for the disk is dropped, with a count in the next line that gets through. */
const maxWaitingChars = 1_000_000;
/** How long a disk that refused is left alone. */
const quietMs = 60_000;

/** A buffered file log: lines are gathered per turn and appended without blocking the loop. */
export function fileSink(options: FileOptions): FileSink {
  const { world } = options;
  let buffer: string[] = [];
  let waitingChars = 0;
  let dropped = 0;
  /** What the lines in the buffer say about dropped ones. */
  let told = 0;
  let scheduled = false;
  let quietUntil = -Infinity;
  let writing: Promise<void> = Promise.resolve();
  /** Taken, and not yet handed to the system: what a process that ends now would lose. */
  let held: { text: string } | undefined;
  const path = () => options.file() ?? dailyLogFile(options.folder, world.now(), options.profile);
  /** `lines`: how many are missing should the text not get through. */
  const take = (): { text: string; lines: number } => {
    const taken = { text: buffer.join(""), lines: buffer.length + told };
    buffer = [];
    told = 0;
    waitingChars = 0;
    return taken;
  };
  const write = async () => {
    const batch = take();
    const { text, lines } = batch;
    if (text === "") return;
    if (world.now() < quietUntil) return void (dropped += lines);
    held = batch;
    /** False when `flushSync` has written it meanwhile, else the same answer for good. */
    let ours = false;
    const mine = () => {
      if (held === batch) {
        ours = true;
        held = undefined;
      }
      return ours;
    };
    try {
      const fixed = options.file();
      if (fixed === undefined) await assertOurs(options.folder);
      await append(path(), text, {
        now: world.now(),
        follow: fixed !== undefined,
        maxFileBytes: options.maxFileBytes ?? defaultMaxFileBytes,
        mine,
      });
    } catch {
      // The disk is full or gone: the console still has the lines, and the file is tried again in a minute.
      quietUntil = world.now() + quietMs;
      if (mine()) dropped += lines;
    }
  };
  const flush = (): Promise<void> => {
    scheduled = false;
    writing = writing.then(write);
    return writing;
  };
  const put: Sink = (line) => {
    const text = fileLine(
      tidy(dropped > 0 ? { ...line, fields: { ...line.fields, dropped } } : line, options.redactor),
      world.nodeVersion,
    );
    if (waitingChars + text.length > maxWaitingChars) return void dropped++;
    told += dropped;
    dropped = 0;
    buffer.push(text);
    waitingChars += text.length;
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => void flush());
  };
  const calm = coalesce(put);
  const sink: Sink = (line) => {
    if (passes(line.level, options.threshold())) calm.sink(line);
  };
  const flushSync = () => {
    calm.settle();
    const text = (held?.text ?? "") + take().text;
    held = undefined;
    if (text === "") return;
    try {
      const fixed = options.file();
      mkdirSync(dirname(path()), { recursive: true, mode: 0o700 });
      if (fixed === undefined && !isOurFolder(lstatSync(options.folder))) return;
      const handle = openSync(path(), fixed === undefined ? appendNoFollow : "a", 0o600);
      try {
        appendFileSync(handle, text);
      } finally {
        closeSync(handle);
      }
    } catch {
      // The process is ending; there is nowhere left to say it.
    }
  };
  return { sink, path, flush, flushSync };
}

const appendNoFollow = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0);

const isOurFolder = (found: { isDirectory(): boolean; uid: number }): boolean =>
  found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid());

/** The folder may have been swept from the temporary directory, and somebody else may have put a link there since. */
async function assertOurs(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (!isOurFolder(await lstat(folder))) throw new Error(`${folder} is not a folder of this user`);
}

interface AppendOptions {
  now: number;
  follow: boolean;
  maxFileBytes: number;
  /** Asked right before the write: whether the text is still to be written. */
  mine: () => boolean;
}

async function append(file: string, text: string, { now, follow, maxFileBytes, mine }: AppendOptions): Promise<void> {
  if (follow) await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const found = await stat(file).catch(() => undefined);
  if (found === undefined && !follow) await sweepOldDays(dirname(file), now);
  // A device or pipe named by logging.file has no size and is never renamed.
  else if (found?.isFile() && found.size + Buffer.byteLength(text) > maxFileBytes) await roll(file);
  const handle = await open(file, follow ? "a" : appendNoFollow, 0o600);
  try {
    if (mine()) await handle.appendFile(text);
  } finally {
    await handle.close();
  }
}

/** The file becomes `.1`, `.1` becomes `.2` …; the fifth falls off. */
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
    if (!/^openclaw-(?:[\w-]+-)?\d{4}-\d{2}-\d{2}\.log(?:\.\d)?$/u.test(name)) continue;
    const path = join(folder, name);
    const age = await stat(path).then(
      (found) => now - found.mtimeMs,
      () => 0,
    );
    if (age > 24 * 3_600_000) await rm(path, { force: true });
  }
}

function fileLine(line: TidyLine, runtimeVersion: string): string {
  const { time, level, subsystem, message, fields } = line;
  const bindings = JSON.stringify({ subsystem });
  const meta = {
    runtime: "node",
    runtimeVersion,
    hostname: "unknown",
    name: bindings,
    parentNames: ["openclaw"],
    date: time,
    logLevelId: levelIds[level],
    logLevelName: level.toUpperCase(),
  };
  const document = (text: string, more: Record<string, unknown> | undefined) =>
    jsonLine({ "0": bindings, ...(more ? { "1": more, "2": text } : { "1": text }), _meta: meta, time });
  const whole = document(message, fields);
  if (whole.length < maxLineChars) return `${whole}\n`;
  return `${document(message.slice(0, maxLineChars / 4), { cut: true })}\n`;
}
