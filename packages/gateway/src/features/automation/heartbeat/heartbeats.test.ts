import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import { afterEach, expect, test } from "vitest";
import { Bus } from "../../../kernel/bus.ts";
import { type FakeWorld, fakeWorld } from "../../../kernel/fake-world.ts";
import { silentLogger } from "../../../kernel/log.ts";
import { openStore } from "../../../store/index.ts";
import type { Acceptance, ReplyRoute } from "../../agents/index.ts";
import { automationMigrations } from "./heartbeat.store.ts";
import { type HeartbeatRecord, Heartbeats } from "./heartbeats.ts";

const minute = 60_000;
const route: ReplyRoute = { channel: "telegram", accountId: "default", chatId: "42", kind: "direct" };
const folder = mkdtempSync(join(tmpdir(), "heartbeats-"));
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
  rmSync(join(folder, "HEARTBEAT.md"), { force: true });
});

interface Given {
  heartbeat?: Record<string, unknown>;
  world?: FakeWorld;
  file?: string;
}

function setting({ heartbeat = {}, world = fakeWorld(), file = join(folder, `${Math.random()}.db`) }: Given = {}) {
  const store = openStore({ path: file, migrations: automationMigrations, world, log: silentLogger });
  const bus = new Bus(silentLogger);
  const records: HeartbeatRecord[] = [];
  bus.on("heartbeat", (record) => void records.push(record));
  const runs: Acceptance[] = [];
  const state = {
    busy: false,
    held: undefined as string | undefined,
    routed: true,
    disk: undefined as Promise<void> | undefined,
  };
  const config = { current: { agents: { defaults: { timeoutSeconds: 60, heartbeat } } } };
  const heartbeats = new Heartbeats({
    world,
    log: silentLogger,
    store,
    bus,
    config: config as never,
    directory: {
      list: () => ["main"],
      defaultId: () => "main",
      exists: (id) => id === "main",
      workspace: () => folder,
    },
    agents: {
      isBusy: () => state.busy,
      async submit(acceptance) {
        runs.push(acceptance);
        await state.disk;
        await store.commit((tx) => acceptance.write?.(tx, runs.length));
        return { runId: acceptance.runId, acceptedAt: world.now(), ended: new Promise(() => {}) };
      },
    },
    sessions: { mainKey: () => "agent:main:main", canonicalKey: (key) => `agent:main:${key}`, get: () => undefined },
    routes: {
      routes: () => {
        if (!state.routed) throw new GatewayError("invalid", "nobody was spoken to");
        return route;
      },
      allowed: () => undefined,
    },
    held: () => state.held,
  });
  heartbeats.start();
  const close = () => {
    heartbeats.stop();
    store.close();
  };
  closing.push(close);
  return { world, heartbeats, records, runs, state, config, close, file };
}

/** The steps of a beat read files, which the virtual clock does not wait for. */
async function settle(world: FakeWorld): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise<void>((resolve) => setImmediate(resolve));
  await world.clock.advance(0);
}

const pass = async (world: FakeWorld, ms: number) => {
  for (let left = ms; left > 0; left -= minute) {
    await world.clock.advance(Math.min(minute, left));
    await settle(world);
  }
};

test("it beats every thirty minutes unless the config says otherwise", async () => {
  const { world, runs } = setting();
  await pass(world, 29 * minute);
  expect(runs).toHaveLength(0);
  await pass(world, 2 * minute);
  expect(runs).toHaveLength(1);
  await pass(world, 30 * minute);
  expect(runs).toHaveLength(2);
  expect(runs[0]).toMatchObject({
    family: "heartbeat",
    sessionKey: "agent:main:main",
    request: { origin: "cron", owner: false, background: true, route },
  });
});

test("after a sleep of eight hours one beat comes, not sixteen", async () => {
  const { world, runs } = setting();
  await pass(world, 31 * minute);
  world.clock.shiftWall(8 * 60 * minute);
  await pass(world, 2 * minute);
  expect(runs).toHaveLength(2);
  await pass(world, 27 * minute);
  expect(runs).toHaveLength(2);
  await pass(world, 3 * minute);
  expect(runs).toHaveLength(3);
});

test("a clock that is set back does not stop it", async () => {
  const { world, runs } = setting();
  await pass(world, 31 * minute);
  world.clock.shiftWall(-world.now());
  await pass(world, 31 * minute);
  expect(runs).toHaveLength(2);
});

test("a restart keeps the rhythm", async () => {
  const first = setting();
  await pass(first.world, 31 * minute);
  await pass(first.world, 20 * minute);
  closing.length = 0;
  first.close();
  const second = setting({ world: first.world, file: first.file });
  await pass(second.world, 8 * minute);
  expect(second.runs).toHaveLength(0);
  await pass(second.world, 3 * minute);
  expect(second.runs).toHaveLength(1);
});

test("calls to wake within a short time are one beat, also outside of the rhythm", async () => {
  const { world, heartbeats, runs } = setting();
  for (const reason of ["a", "b", "c"]) heartbeats.wake(reason);
  await world.clock.advance(300);
  await settle(world);
  expect(runs).toHaveLength(1);
});

test("a busy session is asked again a second later, and told once", async () => {
  const { world, heartbeats, runs, state, records } = setting();
  state.busy = true;
  heartbeats.wake("x");
  for (let i = 0; i < 5; i++) {
    await world.clock.advance(1_000);
    await settle(world);
  }
  expect(runs).toHaveLength(0);
  expect(records).toMatchObject([{ status: "skipped", reason: "requests-in-flight" }]);
  state.busy = false;
  await world.clock.advance(1_000);
  await settle(world);
  expect(runs).toHaveLength(1);
});

const skips: [reason: string, given: Record<string, unknown>, prepare: (s: ReturnType<typeof setting>) => void][] = [
  ["empty-heartbeat-file", {}, () => writeFileSync(join(folder, "HEARTBEAT.md"), "# Heartbeat\n<!-- none -->\n")],
  ["quiet-hours", { activeHours: { start: "08:00", end: "08:00" } }, () => {}],
  ["safe-mode", {}, ({ state }) => void (state.held = "three unclean boots")],
  ["no-target", {}, ({ state }) => void (state.routed = false)],
  ["disabled", {}, ({ heartbeats }) => heartbeats.setEnabled(false)],
];
test.each(skips)("it is left out and says why: %s", async (reason, heartbeat, prepare) => {
  const given = setting({ heartbeat });
  prepare(given);
  await pass(given.world, 31 * minute);
  expect(given.runs).toHaveLength(0);
  expect(given.records).toMatchObject([{ status: "skipped", reason }]);
  expect(given.heartbeats.last).toMatchObject({ reason });
});

test("a beat that is on its way to the disk is not begun a second time", async () => {
  const { world, heartbeats, runs, state } = setting();
  const disk = Promise.withResolvers<void>();
  state.disk = disk.promise;
  heartbeats.wake("first");
  await world.clock.advance(250);
  await settle(world);
  heartbeats.wake("second");
  await world.clock.advance(500);
  await settle(world);
  expect(runs).toHaveLength(1);
  disk.resolve();
  await settle(world);
  await world.clock.advance(1_000);
  await settle(world);
  expect(runs).toHaveLength(2);
});

test("whoever wakes it gets a turn although the checklist is empty and nobody would read it", async () => {
  const { world, heartbeats, runs, state } = setting();
  writeFileSync(join(folder, "HEARTBEAT.md"), "\n");
  state.routed = false;
  heartbeats.wake("hook");
  await world.clock.advance(300);
  await settle(world);
  expect(runs).toHaveLength(1);
  expect(runs[0]?.request.route).toBeUndefined();
});

test("0m switches it off, and a reload switches it on", async () => {
  const { world, heartbeats, runs, config } = setting({ heartbeat: { every: "0m" } });
  expect(heartbeats.facts("main")).toMatchObject({ enabled: false, every: "0m", everyMs: null });
  await pass(world, 61 * minute);
  expect(runs).toHaveLength(0);
  const next = { agents: { defaults: { timeoutSeconds: 60, heartbeat: { every: "5m", session: "watch" } } } };
  heartbeats.reload(next);
  config.current = next;
  expect(heartbeats.facts("main")).toMatchObject({ enabled: true, every: "5m", everyMs: 300_000 });
  await pass(world, 6 * minute);
  expect(runs).toMatchObject([{ sessionKey: "agent:main:watch" }]);
});
