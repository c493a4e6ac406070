/** A command whose output could not be written ended with 0: a script took a cut or empty file for the answer. */
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const main = join(import.meta.dirname, "../../packages/gateway/src/main.ts");

test.skipIf(!existsSync("/dev/full"))("output that a full disk refuses is said and ends with 1", () => {
  const full = openSync("/dev/full", "w");
  try {
    const { status, stderr } = spawnSync(process.execPath, ["--conditions=openclaw-source", main, "help"], {
      stdio: ["ignore", full, "pipe"],
      encoding: "utf8",
    });
    expect(stderr).toContain("The output could not be written (ENOSPC).");
    expect(status).toBe(1);
  } finally {
    closeSync(full);
  }
});
