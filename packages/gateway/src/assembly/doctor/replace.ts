/** Replaces a file as a whole: the old or the new one is there at every instant. */
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, writeSync } from "node:fs";
import type { World } from "../../kernel/world.ts";

/** Mode 0600; a link is followed, so that it stays one. */
export function replacePrivately(path: string, bytes: Uint8Array, world: Pick<World, "pid" | "uuid">): void {
  const target = realpathSync(path);
  const temp = `${target}.${world.pid}.${world.uuid()}.tmp`;
  try {
    const handle = openSync(temp, "wx", 0o600);
    try {
      writeSync(handle, bytes);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temp, target);
  } finally {
    rmSync(temp, { force: true });
  }
}
