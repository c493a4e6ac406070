/** `<state>/status.json`: what a reader may know about the gateway when it does not answer (R-CLI-4, R-OWN-3). A hint with an
 *  age, never present truth. Replaced durably at start, each minute and at stop; mode 0600, at most 64 KB. */
import { readFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";

export interface StatusFile {
  pid: number;
  version: string;
  port: number;
  host: string;
  startedAt: number;
  writtenAt: number;
  state: "running" | "stopped";
  configPath: string;
  logFile: string;
  problems: { part: string; message: string }[];
}

export const statusFilePath = (state: string): string => join(state, "status.json");

export async function writeStatusFile(state: string, status: StatusFile): Promise<void> {
  const path = statusFilePath(state);
  // One name: only who holds the state directory writes it, and what a kill leaves behind is overwritten by the next start.
  const temp = `${path}.tmp`;
  try {
    const handle = await open(temp, "w", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify({ ...status, problems: status.problems.slice(0, 50) }, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temp, path);
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
}

/** The last status, or undefined when there is none that can be read. */
export function readStatusFile(state: string): StatusFile | undefined {
  try {
    return JSON.parse(readFileSync(statusFilePath(state), "utf8")) as StatusFile;
  } catch {
    // Missing or cut short by a crash: there is nothing to report.
    return undefined;
  }
}
