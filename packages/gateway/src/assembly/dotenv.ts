/** `<state>/.env`: where keys of model providers are kept that were typed into the set-up. Read at the start of every command
 *  (lifecycle.md §2.1); what the environment says itself wins. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import { stateDir } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";

/** Sets one line and leaves the others as they are; 0600, replaced as a whole. Returns the path. Throws GatewayError when the
 *  folder or disk refuses. */
export function setInDotenv(world: World, name: string, value: string): string {
  const path = join(stateDir(world), ".env");
  const temp = `${path}.${world.pid}.${world.uuid()}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const before = read(path);
    const ours = new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`);
    const kept = before.split("\n").filter((line) => !ours.test(line));
    while (kept.at(-1) === "") kept.pop();
    const handle = openSync(temp, "wx", 0o600);
    try {
      writeFileSync(handle, [...kept, `${name}=${value}`, ""].join("\n"));
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temp, path);
    return path;
  } catch (error) {
    rmSync(temp, { force: true });
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new GatewayError("unavailable", `${path} cannot be written (${code}). Nothing was written.`, {
      cause: error,
    });
  }
}

/** Whether the file holds this value under any name. */
export const inDotenv = (world: World, value: string): boolean => read(join(stateDir(world), ".env")).includes(value);

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
