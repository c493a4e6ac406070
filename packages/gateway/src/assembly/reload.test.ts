/** The decisions of a reload, with the file and the gateway played by the test. Real files: test/integration/reload.test.ts. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Lifecycle } from "../kernel/lifecycle.ts";
import { createLogger, silentLogger } from "../kernel/log.ts";
import { readConfig, type ConfigSnapshot } from "../config/index.ts";
import { jumpWorld } from "../../../../test/support/jump-world.ts";
import { Reloader, type Failure } from "./reload.ts";
import { declared } from "./sections.ts";

let folder: string;
let reloader: Reloader | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "openclaw-reload-"));
});
afterEach(() => {
  reloader?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
});

function setUp(failures: Failure[] = []) {
  const world = jumpWorld({ HOME: folder });
  const start: ConfigSnapshot = {
    ...readConfig(join(folder, "none.json"), world, declared),
    verdict: "ok",
    exists: true,
    hash: "h0",
  };
  const next = { current: start };
  const calls: string[] = [];
  const lines: string[] = [];
  const held: { release?: () => void; wait?: Promise<void> } = {};
  reloader = new Reloader(
    {
      world,
      declared,
      log: createLogger({ subsystem: "reload", sinks: [(line) => lines.push(line.message)], now: world.now }),
      read: () => {
        calls.push(`read ${next.current.hash}`);
        return next.current;
      },
      refusal: () => Promise.resolve(undefined),
      apply: async (snapshot, plan) => {
        calls.push(`apply ${snapshot.hash} ${[...plan.services.keys()].join(",")}`);
        await held.wait;
        return failures;
      },
      restart: (reason) => void calls.push(`restart ${reason}`),
      cancelRestart: () => {},
      changed: () => {},
    },
    start,
  );
  const save = (hash: string, change: Record<string, unknown>) => {
    next.current = { ...start, hash, config: { ...start.config, ...change } };
  };
  return { reloader, save, calls, lines, held, next, start };
}
const logging = (level: string) => ({ logging: { level } });

test("R-REL-3 an edit during an evaluation causes exactly one more, on the newest content", async () => {
  const { reloader: made, save, calls, held } = setUp();
  let release = () => {};
  held.wait = new Promise((resolve) => (release = resolve));
  save("h1", logging("warn"));
  const first = made.evaluate();
  save("h2", logging("error"));
  await Promise.all([made.evaluate(), made.evaluate(), made.evaluate()]);
  release();
  await first;
  expect(calls).toEqual(["read h1", "apply h1 ", "read h2", "apply h2 "]);
  expect(made.state).toMatchObject({ generation: 3, hash: "h2" });
});

test("R-REL-1 a service that kept its old part is named beside the generation, until the next one", async () => {
  const failures = [{ part: "canvas", message: "port busy" }];
  const { reloader: made, save, lines } = setUp(failures);
  save("h1", logging("warn"));
  await made.evaluate();
  expect(made.state).toMatchObject({ generation: 2, hash: "h1", failed: failures });
  expect(lines).toContain("canvas could not take over the new config and keeps the old: port busy");
  failures.length = 0;
  save("h2", logging("error"));
  await made.evaluate();
  expect(made.state.failed).toBeUndefined();
});

test("a hot key names its service, and the line says that it was applied", async () => {
  const { reloader: made, save, calls, lines } = setUp();
  save("h1", { cron: { enabled: false } });
  await made.evaluate();
  expect(calls[1]).toBe("apply h1 cron");
  expect(lines.some((line) => line.startsWith("config hot reload applied (cron"))).toBe(true);
});

test("bookkeeping alone is no change, though the content is now the active one", async () => {
  const { reloader: made, save, calls, lines } = setUp();
  save("h1", { meta: { lastTouchedVersion: "1" } });
  await made.evaluate();
  expect(calls).toEqual(["read h1"]);
  expect(lines).toEqual([]);
  expect(made.state.hash).toBe("h1");
});

test("R-REL-4 services reload one by one; one that throws keeps its part and the others follow", async () => {
  const reloaded: string[] = [];
  const service = (name: string, reload?: () => void | Promise<void>) => ({ name, ...(reload ? { reload } : {}) });
  const lifecycle = new Lifecycle(
    [
      service("one", () => void reloaded.push("one")),
      service("two", () => {
        throw new Error("port busy");
      }),
      service("three", () => Promise.resolve().then(() => void reloaded.push("three"))),
      service("still"),
      service("unasked", () => void reloaded.push("unasked")),
    ],
    silentLogger,
  );
  await lifecycle.start();
  expect(await lifecycle.reload(["one", "two", "three", "still", "absent"], {})).toEqual([
    { part: "two", message: "port busy" },
  ]);
  expect(reloaded).toEqual(["one", "three"]);
});

test("an evaluation that fails by surprise leaves the running config and says so", async () => {
  const { reloader: made, next, start, lines } = setUp();
  next.current = { ...start, hash: "h1", config: null as never };
  await made.evaluate();
  expect(made.state).toMatchObject({ generation: 1, hash: "h0" });
  next.current = { ...start, hash: "h2", config: { ...start.config, gateway: undefined } };
  await made.evaluate();
  expect(made.state.lastReloadError?.message).toContain("config reload failed");
  expect(lines).toContain("config reload failed; the running config stays");
});
