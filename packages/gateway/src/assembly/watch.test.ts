/** Every way an editor saves is seen, by the folder's events or by the slow poll. */
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentLogger } from "../kernel/log.ts";
import { systemWorld } from "../kernel/world.ts";
import { jumpWorld } from "../../../../test/support/jump-world.ts";
import { ConfigWatch } from "./watch.ts";

let folder: string;
let settled: number;
let watch: ConfigWatch;
const file = () => join(folder, "openclaw.json");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "openclaw-watch-"));
  settled = 0;
  writeFileSync(file(), "{}");
});
afterEach(() => {
  watch.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
});

/** Without the poll: only events count. */
function watchEvents(files: string[]): void {
  const world = { ...systemWorld(), every: () => ({ cancel: () => {} }) };
  watch = new ConfigWatch({ world, log: silentLogger, debounceMs: () => 0, settled: () => void settled++ });
  watch.watch(files);
}
const seen = (times: number) => vi.waitFor(() => expect(settled).toBe(times), { timeout: 4_000, interval: 10 });

test("truncate and write, rename over, unlink and create, a touch, and each time the watch stays", async () => {
  watchEvents([file()]);
  writeFileSync(file(), '{ "a": 1 }');
  await seen(1);
  writeFileSync(join(folder, ".openclaw.json.swp"), '{ "a": 2 }');
  renameSync(join(folder, ".openclaw.json.swp"), file());
  await seen(2);
  unlinkSync(file());
  writeFileSync(file(), '{ "a": 3 }');
  await seen(3);
  utimesSync(file(), 1, 1);
  await seen(4);
  writeFileSync(file(), '{ "a": 4 }');
  await seen(5);
});

test("a folder link that is swapped, as mounted config maps are", async () => {
  for (const name of ["one", "two"]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "openclaw.json"), `{ "from": "${name}" }`);
  }
  symlinkSync("one", join(folder, "..data"));
  rmSync(file());
  symlinkSync(join("..data", "openclaw.json"), file());
  watchEvents([file()]);
  symlinkSync("two", join(folder, "..tmp"));
  renameSync(join(folder, "..tmp"), join(folder, "..data"));
  await seen(1);
  writeFileSync(join(folder, "two", "openclaw.json"), '{ "from": "two again" }');
  await seen(2);
});

test("a file behind a link in another folder, and an included file", async () => {
  const other = join(folder, "elsewhere");
  mkdirSync(other);
  writeFileSync(join(other, "real.json"), "{}");
  writeFileSync(join(other, "part.json5"), "{}");
  rmSync(file());
  symlinkSync(join(other, "real.json"), file());
  watchEvents([file(), join(other, "part.json5")]);
  writeFileSync(join(other, "real.json"), '{ "a": 1 }');
  await seen(1);
  writeFileSync(join(other, "part.json5"), "{ b: 1 }");
  await seen(2);
});

test("other files of the folder wake nobody", async () => {
  watchEvents([file()]);
  writeFileSync(join(folder, "openclaw.db-wal"), "noise");
  writeFileSync(file(), '{ "a": 1 }');
  await seen(1);
  writeFileSync(join(folder, "openclaw.db-wal"), "more noise");
  expect(settled).toBe(1);
});

test("what the events miss the poll finds, also in a folder that was replaced", async () => {
  const world = jumpWorld({});
  watch = new ConfigWatch({ world, log: silentLogger, debounceMs: () => 300, settled: () => void settled++ });
  const inner = join(folder, "inner");
  const deep = join(inner, "openclaw.json");
  mkdirSync(inner);
  writeFileSync(deep, "{}");
  watch.watch([deep]);
  renameSync(inner, join(folder, "gone"));
  mkdirSync(inner);
  writeFileSync(deep, '{ "new": true }');
  await world.jump(5_000);
  await world.jump(600);
  expect(settled).toBe(1);
  await world.jump(30_000);
  expect(settled).toBe(1);
});

test("a file that keeps changing is not read before it is still", async () => {
  const world = jumpWorld({});
  watch = new ConfigWatch({ world, log: silentLogger, debounceMs: () => 300, settled: () => void settled++ });
  watch.watch([file()]);
  writeFileSync(file(), '{ "a": 0 }');
  await world.jump(5_000);
  const atStart = settled;
  writeFileSync(file(), '{ "a": 0.5 }');
  await world.jump(5_000);
  for (let i = 1; i <= 20; i++) {
    writeFileSync(file(), `{ "a": ${i} }`);
    watch.nudge();
    await world.jump(100);
  }
  const before = settled;
  await world.jump(600);
  expect(settled).toBe(before + 1);
  expect(before).toBeLessThanOrEqual(atStart + 1);
});
