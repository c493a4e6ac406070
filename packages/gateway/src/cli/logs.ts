/** `logs`: polls `logs.tail` with the returned cursor; survives restarts; falls back to the file when the gateway is down
 *  (lifecycle.md §14.1). */
import { GatewayClient, RequestError } from "@openclaw/client";
import { join } from "node:path";
import { CommandError, Interrupted } from "./command.ts";
import type { Context } from "./command.ts";
import { readEnd } from "./last-known.ts";
import { formatLogLine, logLevels, parseLogLine } from "./log-line.ts";
import { suggest } from "./profile.ts";
import { connectionFacts, createClient, describeFailure, list, numberOf, record, textOf } from "./rpc.ts";
import { resolveTarget, shownAddress } from "./target.ts";
import type { Target } from "./target.ts";
import { clean } from "./terminal/clean.ts";
import { toJson } from "./terminal/json.ts";
import { styleFor } from "./terminal/style.ts";

const maxRetries = 8;
const levels: readonly string[] = logLevels;

interface Tail {
  file: string;
  cursor: number;
  size: number;
  lines: readonly string[];
  truncated: boolean;
  reset: boolean;
}

function tailOf(answer: unknown): Tail {
  const { file, cursor, size, lines, truncated, reset } = record(answer);
  return {
    file: textOf(file),
    cursor: numberOf(cursor) ?? 0,
    size: numberOf(size) ?? 0,
    lines: list(lines).map(textOf),
    truncated: truncated === true,
    reset: reset === true,
  };
}

/** Writes what one look returned. */
class Printer {
  readonly #context: Context;
  readonly #plain: boolean;
  readonly #limit: number;
  readonly #least: number;
  #file: string | undefined;

  constructor(context: Context, limit: number) {
    this.#context = context;
    this.#limit = limit;
    this.#least = levels.indexOf(context.options.text("level") ?? "");
    this.#plain = context.options.has("plain") || !context.io.stdout.isTTY;
  }

  /** Whether the answer is about another file than the one before: a new day began. */
  isNew(tail: Tail): boolean {
    return this.#file !== undefined && tail.file !== this.#file;
  }

  show(tail: Tail, following: boolean): void {
    const { io, json } = this.#context;
    if (tail.file !== this.#file) {
      this.#file = tail.file;
      if (json) this.#object({ type: "meta", file: tail.file, cursor: tail.cursor, size: tail.size });
      else io.stdout.write(`Log file: ${clean(tail.file)}\n`);
    }
    if (tail.reset && following) this.notice("Log cursor reset (file rotated).");
    // Cut by the number of lines that was asked for: nothing is missing.
    if (tail.truncated && tail.lines.length < this.#limit) this.notice("Log tail truncated (increase --max-bytes).");
    for (const raw of tail.lines) this.#line(raw);
  }

  notice(message: string): void {
    if (this.#context.json) this.#object({ type: "notice", message });
    else this.#context.note(message);
  }

  #object(value: unknown): void {
    this.#context.io.stdout.write(`${toJson(value, 0)}\n`);
  }

  #line(raw: string): void {
    const { io, json, options } = this.#context;
    const line = parseLogLine(raw);
    // A line that is no log object has no level: it is shown unless one was asked for.
    if (this.#least >= 0 && levels.indexOf(line?.level ?? "") < this.#least) return;
    if (json) return this.#object(line ? { type: "log", ...line, raw } : { type: "raw", raw });
    const style = styleFor(io.stdout, this.#plain || options.has("no-color") ? { ...io.env, NO_COLOR: "1" } : io.env);
    const paint = (level: string, text: string) => {
      if (level === "error" || level === "fatal") return style.error(text);
      return level === "warn" ? style.warn(text) : style.muted(text);
    };
    io.stdout.write(`${line ? formatLogLine(line, this.#plain, paint) : clean(raw)}\n`);
  }
}

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  const timeoutMs = options.integer("timeout", 30_000);
  const limit = Math.min(5_000, options.integer("limit", 200));
  const maxBytes = Math.min(1_000_000, options.integer("max-bytes", 250_000));
  const intervalMs = Math.max(100, options.integer("interval", 1_000));
  const following = options.has("follow");
  const target = await resolveTarget(options, io);
  const printer = new Printer(context, limit);
  let stop: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let interrupted = false;
  let client: GatewayClient | undefined;
  const release = io.onInterrupt(() => {
    interrupted = true;
    client?.stop();
    stop();
  });
  const pause = (ms: number) => Promise.race([new Promise<void>((resolve) => io.after(ms, resolve)), stopped]);
  let cursor: number | undefined;
  let failures = 0;
  try {
    for (;;) {
      try {
        if (!client || client.state === "stopped") {
          // Also when the connection ended between two looks, which no call has noticed.
          const again = client !== undefined;
          client = createClient(target, io, timeoutMs);
          await client.connect();
          if (again) printer.notice("Connected again.");
        }
        const tail = tailOf(
          await client.callAny("logs.tail", { limit, maxBytes, ...(cursor === undefined ? {} : { cursor }) }),
        );
        failures = 0;
        // The cursor belongs to the former file; of the new one nothing was seen yet.
        if (following && cursor !== undefined && cursor > 0 && printer.isNew(tail)) {
          cursor = 0;
          continue;
        }
        printer.show(tail, cursor !== undefined && !printer.isNew(tail));
        cursor = tail.cursor;
        if (!following) return 0;
        await pause(intervalMs);
      } catch (error) {
        if (interrupted) throw new Interrupted();
        // A gateway that restarts may still answer, and say that it is not available.
        const lost = !(error instanceof RequestError) || error.code === "UNAVAILABLE";
        // Following rides over a restart; a first look that fails says so at once.
        if (following && lost && cursor !== undefined && failures < maxRetries) {
          failures += 1;
          if (failures === 1) printer.notice("Connection lost; trying again.");
          await pause(Math.min(15_000, 500 * 2 ** failures));
        } else return readLocally(context, error, target, printer, { limit, maxBytes, following, lost });
      }
      if (interrupted) throw new Interrupted();
    }
  } finally {
    release();
    client?.stop();
  }
}

interface Limits {
  limit: number;
  maxBytes: number;
  following: boolean;
  /** The gateway could not be reached, rather than refused. */
  lost: boolean;
}

/** The log file itself, when the gateway of this machine does not answer; otherwise the failure. */
function readLocally(context: Context, error: unknown, target: Target, printer: Printer, limits: Limits): number {
  const { io, options, json } = context;
  const path = target.config.logFile ?? recordedLogFile(target.config.stateDir);
  if (limits.lost && !limits.following && !options.has("url") && target.local && path) {
    const tail = readTail(path, limits);
    if (tail) {
      context.note(`Gateway not reachable; reading ${path} directly.`);
      printer.show(tail, false);
      return 0;
    }
  }
  const failure = describeFailure(error, target, io);
  const message = "Gateway not reachable. Is it running and accessible?";
  const why = failure instanceof Error ? (failure.message.split("\n")[0] ?? "") : String(failure);
  const hint = `run ${suggest(io.env, "doctor")}.`;
  if (json) {
    const details = { url: shownAddress(target.url), source: target.source, config: target.config.path };
    io.stderr.write(`${toJson({ type: "error", message, error: clean(why), details, hint: `Hint: ${hint}` }, 0)}\n`);
    return 1;
  }
  throw new CommandError([message, why, ...connectionFacts(target, io), `Hint: ${hint}`].join("\n"));
}

/** What the gateway noted about itself when it last ran. */
function recordedLogFile(stateDir: string): string | undefined {
  const noted = readEnd(join(stateDir, "status.json"), 65_536);
  if (!noted) return undefined;
  try {
    return textOf(record(JSON.parse(noted.text)).logFile) || undefined;
  } catch {
    return undefined; // Cut short by a crash: nothing is known.
  }
}

function readTail(path: string, { limit, maxBytes }: Pick<Limits, "limit" | "maxBytes">): Tail | undefined {
  const end = readEnd(path, maxBytes);
  if (!end) return undefined;
  const { text, whole, size } = end;
  const lines = text.split("\n");
  if (!whole) lines.shift();
  return {
    file: path,
    cursor: size,
    size,
    lines: lines.filter(Boolean).slice(-limit),
    truncated: !whole,
    reset: false,
  };
}
