/** What the gateway last wrote about itself in `<state>/status.json`: a hint with an age, never present truth (R-CLI-4). */
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { numberOf, record, textOf } from "./rpc.ts";

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
}

const maxBytes = 65_536;

/** Undefined when there is none that can be read. */
export function readLastKnown(stateDir: string, nowMs: number): LastKnown | undefined {
  try {
    const handle = openSync(join(stateDir, "status.json"), "r");
    try {
      const buffer = Buffer.alloc(maxBytes);
      const status = record(JSON.parse(buffer.subarray(0, readSync(handle, buffer)).toString("utf8")));
      const writtenAt = numberOf(status.writtenAt) ?? null;
      const problems = Array.isArray(status.problems) ? status.problems.map(record) : [];
      return {
        pid: numberOf(status.pid) ?? null,
        version: textOf(status.version),
        port: numberOf(status.port) ?? null,
        state: textOf(status.state),
        writtenAt,
        ageMs: writtenAt === null ? null : Math.max(0, nowMs - writtenAt),
        logFile: textOf(status.logFile),
        configPath: textOf(status.configPath),
        problems: problems.map((problem) => ({ part: textOf(problem.part), message: textOf(problem.message) })),
      };
    } finally {
      closeSync(handle);
    }
  } catch {
    return undefined; // Missing, or cut short by a crash.
  }
}
