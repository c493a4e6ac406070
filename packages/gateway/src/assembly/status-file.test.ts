import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readStatusFile, type StatusFile, writeStatusFile } from "./status-file.ts";

const status = (pid: number): StatusFile => ({
  pid,
  version: "1.0.0",
  port: 18_789,
  host: "127.0.0.1",
  startedAt: 1,
  writtenAt: 2,
  state: "running",
  configPath: "openclaw.json",
  logFile: "openclaw.log",
  problems: [],
});

test("what a kill left of a write is gone after the next one, whoever wrote it", async () => {
  const state = mkdtempSync(join(tmpdir(), "openclaw-status-"));
  try {
    await writeStatusFile(state, status(1));
    writeFileSync(join(state, "status.json.tmp"), "{ cut sh");
    await writeStatusFile(state, status(2));
    expect(readdirSync(state)).toEqual(["status.json"]);
    expect(readStatusFile(state)).toMatchObject({ pid: 2, state: "running" });
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
});
