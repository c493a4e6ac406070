/** Definitions on disk: read whole, replaced whole. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { World } from "../kernel/world.ts";
import { ServiceError } from "./types.ts";

const maxChars = 1_048_576;

/** Undefined when there is no such file, or it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").slice(0, maxChars);
  } catch {
    return undefined; // Missing, a folder, or not ours to read: the caller shows it as not there.
  }
}

/** Written beside and renamed over, so that a manager never reads half of it. Throws ServiceError. */
export function replaceFile(
  path: string,
  text: string | Uint8Array,
  mode: number,
  world: Pick<World, "pid" | "uuid">,
): void {
  const temp = `${path}.${world.pid}.${world.uuid()}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const handle = openSync(temp, "wx", mode);
    try {
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temp, path);
  } catch (error) {
    rmSync(temp, { force: true });
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    const hints = code === "EACCES" || code === "EPERM" ? ["Run the command as the owner of that folder."] : [];
    throw new ServiceError(
      { code: "write-failed", message: `${path} cannot be written (${code}). Nothing was changed.`, hints },
      { cause: error },
    );
  }
}
