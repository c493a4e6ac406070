/** What can be wrong with the files of the store. Thrown at open; later failures are GatewayErrors. */
import { GatewayError } from "@openclaw/protocol";
import { commandLine } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";

/** Another process holds the state directory (R-OWN-1). */
export class StateLockedError extends Error {
  override readonly name = "StateLockedError";
  readonly path: string;

  constructor(path: string) {
    super(
      `Another gateway owns this state directory: its lock ${path} is held. Stop that gateway, or choose another state directory.`,
    );
    this.path = path;
  }
}

/** The file is no SQLite database, or its pages contradict each other. Nothing was changed (R-DB-3). */
export class StoreCorruptError extends Error {
  override readonly name = "StoreCorruptError";
  readonly path: string;

  constructor(path: string, cause: unknown, world: Pick<World, "env">) {
    super(
      `The store ${path} is damaged: ${text(cause)}. It was left as it is; run \`${commandLine(world, "doctor")}\` to set it aside or restore a backup.`,
      {
        cause,
      },
    );
    this.path = path;
  }
}

/** There is no room to open the store; what was stored is untouched. */
export class StoreFullError extends Error {
  override readonly name = "StoreFullError";
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(
      `The store ${path} cannot be opened: the disk is full. Nothing was lost. Free some space, then start again.`,
      {
        cause,
      },
    );
    this.path = path;
  }
}

/** A later version of the program changed the store in a way this one does not understand (R-UPG-2). */
export class StoreTooNewError extends Error {
  override readonly name = "StoreTooNewError";
  readonly path: string;
  readonly schemaVersion: number;
  readonly minReader: number;

  constructor(options: { path: string; schemaVersion: number; minReader: number; known: number }) {
    super(
      `The store ${options.path} has schema version ${options.schemaVersion} and needs a program that knows at least ` +
        `version ${options.minReader}; this one knows ${options.known}. Nothing was changed. Install a newer version.`,
    );
    this.path = options.path;
    this.schemaVersion = options.schemaVersion;
    this.minReader = options.minReader;
  }
}

/** Primary result code of an error of node:sqlite; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}

const busy = 5;
const locked = 6;
const corrupt = 11;
const full = 13;
const notDatabase = 26;

export const isCorruption = (error: unknown): boolean => [corrupt, notDatabase].includes(sqliteCode(error) ?? -1);
export const isBusy = (error: unknown): boolean => [busy, locked].includes(sqliteCode(error) ?? -1);
export const isDiskFull = (error: unknown): boolean =>
  sqliteCode(error) === full || (error as NodeJS.ErrnoException | undefined)?.code === "ENOSPC";

/** The GatewayError a caller of `commit` sees for a failing disk. Errors that are not SQLite's, and constraint violations
 *  (which the rooms understand), are returned as they are. */
export function toGatewayError(error: unknown, world: Pick<World, "env">): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  if (code === full) {
    return new GatewayError("unavailable", "The disk is full: nothing was stored. Free some space and try again.", {
      details: { code: "DISK_FULL" },
      retryAfterMs: 5_000,
      cause: error,
    });
  }
  if (isCorruption(error)) {
    return new GatewayError("unavailable", `The store is damaged. Run \`${commandLine(world, "doctor")}\`.`, {
      details: { code: "STORE_CORRUPT" },
      retryable: false,
      cause: error,
    });
  }
  if (code === sqliteConstraint || code === sqliteError || code === sqliteMisuse) return error;
  return new GatewayError("unavailable", "The store could not be used: nothing was changed. Try again.", {
    details: { code: "STORE_FAILED" },
    retryAfterMs: 1_000,
    cause: error,
  });
}

/** Wrong SQL, a violated constraint, misuse: mistakes of the program, not of the disk. */
const sqliteError = 1;
const sqliteConstraint = 19;
const sqliteMisuse = 21;

const text = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
