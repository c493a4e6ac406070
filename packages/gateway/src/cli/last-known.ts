/** What is left of a gateway that does not answer: what it last wrote about itself, its last crash, the last error of its log.
 *  Hints with an age, never present truth (R-CLI-4). */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { displayPath } from "../kernel/paths.ts";
import type { Io } from "./io.ts";
import { parseLogLine } from "./log-line.ts";
import { numberOf, record, textOf } from "./rpc.ts";
import { cleanLine } from "./terminal/clean.ts";
import { age } from "./terminal/time.ts";

export interface LastKnown {
  pid: number | null;
  version: string;
  port: number | null;
  state: string;
  writtenAt: number | null;
  ageMs: number | null;
  logFile: string;
  configPath: string;
  problems: readonly { part: string; message: string }[];
  /** Newest crash record; null when there is none. */
  crash: { at: number; ageMs: number; error: string } | null;
  /** Newest error near the end of the log; null when there is none. */
  lastError: { at: number; ageMs: number; message: string } | null;
}

const maxBytes = 65_536;

/** The last `limit` bytes of a file; undefined when it cannot be read. */
export function readEnd(path: string, limit: number): { text: string; whole: boolean; size: number } | undefined {
  let handle: number;
  try {
    handle = openSync(path, "r");
  } catch {
    return undefined; // Missing, or not ours to read.
  }
  try {
    const { size } = fstatSync(handle);
    const start = Math.max(0, size - limit);
    const buffer = Buffer.alloc(size - start);
    const read = readSync(handle, buffer, 0, buffer.length, start);
    return { text: buffer.subarray(0, read).toString("utf8"), whole: start === 0, size };
  } catch {
    return undefined; // A folder, or a device that cannot be read by place.
  } finally {
    closeSync(handle);
  }
}

const parsed = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return record(JSON.parse(text));
  } catch {
    return {}; // Cut short by a crash.
  }
};

/** Undefined when the gateway left nothing that can be read. */
export function readLastKnown(stateDir: string, nowMs: number): LastKnown | undefined {
  const status = parsed(readEnd(join(stateDir, "status.json"), maxBytes)?.text ?? "");
  const crash = lastCrash(stateDir, nowMs);
  if (status.writtenAt === undefined && !crash) return undefined;
  const writtenAt = numberOf(status.writtenAt) ?? null;
  const problems = Array.isArray(status.problems) ? status.problems.map(record) : [];
  const logFile = textOf(status.logFile);
  return {
    pid: numberOf(status.pid) ?? null,
    version: textOf(status.version),
    port: numberOf(status.port) ?? null,
    state: textOf(status.state),
    writtenAt,
    ageMs: writtenAt === null ? null : Math.max(0, nowMs - writtenAt),
    logFile,
    configPath: textOf(status.configPath),
    problems: problems.map((problem) => ({ part: textOf(problem.part), message: textOf(problem.message) })),
    crash,
    lastError: logFile ? lastError(logFile, nowMs) : null,
  };
}

function lastCrash(stateDir: string, nowMs: number): LastKnown["crash"] {
  const folder = join(stateDir, "crashes");
  let newest: string | undefined;
  try {
    newest = readdirSync(folder)
      .filter((name) => /^crash-\d+\.json$/.test(name))
      .sort()
      .at(-1);
  } catch {
    return null; // It never crashed.
  }
  if (newest === undefined) return null;
  const document = parsed(readEnd(join(folder, newest), maxBytes)?.text ?? "");
  const at = Date.parse(textOf(document.time)) || 0;
  return { at, ageMs: Math.max(0, nowMs - at), error: textOf(document.error).split("\n")[0] ?? "" };
}

function lastError(logFile: string, nowMs: number): LastKnown["lastError"] {
  const lines = readEnd(logFile, maxBytes)?.text.split("\n") ?? [];
  for (const raw of lines.toReversed()) {
    const line = parseLogLine(raw);
    if (line?.level !== "error" && line?.level !== "fatal") continue;
    const at = Date.parse(line.time) || 0;
    return { at, ageMs: Math.max(0, nowMs - at), message: line.message.slice(0, 500) };
  }
  return null;
}

export function describeLastKnown(known: LastKnown, io: Io): string[] {
  const when = known.ageMs === null ? "at an unknown time" : age(known.ageMs);
  const lines: string[] = [];
  if (known.writtenAt !== null) {
    // "running" that nobody took back: it was killed, or it hangs.
    const state = known.state === "running" ? "running, and did not say that it stopped" : known.state;
    lines.push(
      `Last known (${when}): ${cleanLine(state)}, version ${cleanLine(known.version)}, PID ${known.pid ?? "unknown"}, port ${known.port ?? "unknown"}`,
    );
  }
  if (known.crash) lines.push(`Last crash (${age(known.crash.ageMs)}): ${cleanLine(known.crash.error)}`);
  if (known.lastError)
    lines.push(`Last gateway error (${age(known.lastError.ageMs)}): ${cleanLine(known.lastError.message)}`);
  if (known.logFile) lines.push(`File logs: ${displayPath(cleanLine(known.logFile), io)}`);
  for (const problem of known.problems.slice(0, 5))
    lines.push(`  ${cleanLine(problem.part)}: ${cleanLine(problem.message)}`);
  return lines;
}
