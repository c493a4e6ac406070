import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../kernel/log.ts";
import { jumpWorld, type JumpWorld } from "../../../../test/support/jump-world.ts";
import { SafeMode } from "./safe-mode.ts";

const minuteMs = 60_000;
let state: string;
let world: JumpWorld;
let changes: number;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "openclaw-safe-"));
  world = jumpWorld({});
  changes = 0;
});
afterEach(() => rmSync(state, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const boot = (limits = { maxUncleanBoots: 3, windowMs: 5 * minuteMs }) =>
  new SafeMode({ state, world, log: silentLogger, limits, changed: () => void changes++ });
/** Boots that never stop, a second apart; the last one is returned. */
async function crash(times: number): Promise<SafeMode> {
  for (let i = 0; i < times; i++) {
    boot();
    await world.jump(1_000);
  }
  return boot();
}

test("three unclean ends within five minutes make the fourth boot safe, with the reason", async () => {
  expect((await crash(2)).state).toBeUndefined();
  expect((await crash(0)).state).toMatchObject({ reason: "crash-loop: 3 unclean ends within 300 s" });
});

test("unclean ends further apart, clean stops and a raised limit are no loop", async () => {
  for (let i = 0; i < 6; i++) {
    expect(boot().state).toBeUndefined();
    await world.jump(3 * minuteMs);
  }
  (await crash(2)).stop();
  expect((await crash(2)).state).toBeUndefined();
  await world.jump(1_000);
  expect(boot({ maxUncleanBoots: 1_000, windowMs: 5 * minuteMs }).state).toBeUndefined();
});

test("an operator's restart or a config change ends it and forgets the crashes", async () => {
  const safe = await crash(3);
  safe.leave("restart");
  expect(safe.state).toBeUndefined();
  expect(changes).toBe(1);
  expect((await crash(1)).state).toBeUndefined();
});

test("it ends by itself after ten quiet minutes, twice that the next time, at most six hours", async () => {
  const first = await crash(3);
  await world.jump(10 * minuteMs - 1_000);
  expect(first.state).toBeDefined();
  await world.jump(1_000);
  expect(first.state).toBeUndefined();
  const second = await crash(3);
  await world.jump(20 * minuteMs - 1_000);
  expect(second.state).toBeDefined();
  await world.jump(1_000);
  expect(second.state).toBeUndefined();
  for (let i = 0; i < 8; i++) {
    await crash(3);
    await world.jump(7 * 60 * minuteMs);
  }
  const last = await crash(3);
  await world.jump(6 * 60 * minuteMs);
  expect(last.state).toBeUndefined();
});

test("a file of nonsense or from the future holds nothing", () => {
  const path = join(state, "boots.json");
  for (const text of [
    "",
    "[]",
    '{"unclean":["a",{}],"runningSince":"x"}',
    `{"unclean":[9e15,9e15,9e15],"runningSince":null,"entered":-3}`,
  ]) {
    writeFileSync(path, text);
    expect(boot().state).toBeUndefined();
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ unclean: [] });
  }
});
