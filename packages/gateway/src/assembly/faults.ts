/** What happens to errors nobody caught (lifecycle.md §2.1 item 10, R-FAULT-1): network faults are warnings, what a channel's SDK
 *  lets escape renews its connection (channels.md §1.2), everything else leaves a crash record and ends the process with 1. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../kernel/log.ts";
import { errorText, type Redactor } from "../kernel/redact.ts";
import type { World } from "../kernel/world.ts";

const transientCodes = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "ENOTFOUND",
  "ETIMEDOUT",
  "ESOCKETTIMEDOUT",
  "EPIPE",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_DNS_RESOLVE_FAILED",
  "UND_ERR_CONNECT",
  "UND_ERR_SOCKET",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

/** Whether every cause of `error` is a network fault that passes by itself, or an abort. */
export function isTransient(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 5) return false;
  if (error.name === "AbortError" || error.message === "fetch failed") return true;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && transientCodes.has(code)) return true;
  if (error instanceof AggregateError)
    return error.errors.length > 0 && error.errors.every((e) => isTransient(e, depth + 1));
  return error.cause !== undefined && isTransient(error.cause, depth + 1);
}

const keptRecords = 10;
const maxRecordChars = 64 * 1024;

export interface FaultHandling {
  log: Logger;
  state: string;
  redactor: Redactor;
  world: World;
  version: string;
  /** Takes a rejection that a channel's SDK let escape. */
  escaped?: (error: unknown) => boolean;
  /** Must end the process; gets half a second for the durable part. */
  crash: () => void;
}

/** Installs the process handlers; returns the function that removes them. */
export function handleFaults(options: FaultHandling): () => void {
  const fault = (kind: string) => (error: unknown) => {
    if (isTransient(error)) return options.log.warn(`${kind}, a passing network fault`, { error });
    options.log.fatal(kind, { error });
    writeCrashRecord(kind, error, options);
    options.crash();
  };
  const unhandled = fault("unhandled rejection");
  const rejection = (error: unknown) => {
    if (!options.escaped?.(error)) unhandled(error);
  };
  const exception = fault("uncaught exception");
  process.on("unhandledRejection", rejection);
  process.on("uncaughtException", exception);
  return () => {
    process.off("unhandledRejection", rejection);
    process.off("uncaughtException", exception);
  };
}

function writeCrashRecord(kind: string, error: unknown, { state, redactor, world, version }: FaultHandling): void {
  const folder = join(state, "crashes");
  const text = JSON.stringify({
    kind,
    time: new Date(world.now()).toISOString(),
    version,
    uptimeMs: Math.round(world.monotonic()),
    error: redactor.clean(errorText(error)).slice(0, maxRecordChars),
  });
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, `crash-${world.now()}.json`), `${text}\n`, { mode: 0o600 });
    for (const old of readdirSync(folder).sort().slice(0, -keptRecords)) rmSync(join(folder, old), { force: true });
  } catch {
    // The disk may be the reason for the crash; the log line has been written already.
  }
}
