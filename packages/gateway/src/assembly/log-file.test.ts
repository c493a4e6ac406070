/** The log file at the end of the process (lifecycle.md §8.1): no line that was taken is lost, and none stands there twice. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { createLogger } from "../kernel/log.ts";
import { Redactor } from "../kernel/redact.ts";
import { fileSink } from "./log-file.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "openclaw-log-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

test("lifecycle 8.1: lines on their way to the disk are written by the last flush, and once", async () => {
  const world = fakeWorld();
  const file = fileSink({
    threshold: () => "info",
    file: () => undefined,
    folder: join(home, "logs"),
    redactor: new Redactor(),
    world,
  });
  const log = createLogger({ subsystem: "gateway", sinks: [file.sink], now: world.now });
  const messages = () =>
    readFileSync(file.path(), "utf8")
      .trim()
      .split("\n")
      .map((text) => (JSON.parse(text) as Record<string, unknown>)["1"]);
  for (let round = 0; round < 20; round++) {
    log.info(`on its way ${round}`);
    // Each round catches the writing at another step.
    const written = file.flush();
    for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
    log.info(`last ${round}`);
    file.flushSync();
    // The folder was just being looked at: nothing has been handed to the system.
    if (round === 1) expect(messages()).toContain("on its way 1");
    await written;
  }
  await file.flush();
  const told = messages();
  expect(told).toHaveLength(40);
  expect(new Set(told).size).toBe(40);
});
