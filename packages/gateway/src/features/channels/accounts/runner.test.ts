import { afterEach, expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { createLogger, type Line } from "../../../kernel/log.ts";
import type { AccountSettings, ConnectionEnd } from "../channel.ts";
import { MemoryAccount, memoryEntry, memorySettings } from "../memory.fixture.ts";
import { tiredMs, waitMs } from "./backoff.ts";
import { AccountRunner, type RunnerOptions } from "./runner.ts";
import { type AccountState, accountStates, mayMove } from "./transitions.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function setUp(change: Partial<RunnerOptions> = {}, settings: AccountSettings | undefined = memorySettings()) {
  const world = fakeWorld();
  const account = new MemoryAccount();
  const lines: Line[] = [];
  const log = createLogger({ subsystem: "memory", sinks: [(line) => void lines.push(line)], now: world.now });
  const states: AccountState[] = [];
  const stored: unknown[] = [];
  const entry = memoryEntry({ accounts: () => (settings ? [settings] : []), account: () => account });
  const runner = new AccountRunner({
    entry,
    accountId: "default",
    world,
    log,
    settings: () => settings,
    config: () => ({}),
    create: () => Promise.resolve(account),
    held: () => undefined,
    receive: (batch) => {
      stored.push(...batch.messages);
      return Promise.resolve();
    },
    room: () => Promise.resolve(),
    cursor: () => undefined,
    stored: () => false,
    confirmed: () => {},
    commands: () => [],
    changed: ({ from, to }) => {
      if (from !== to) states.push(to);
    },
    ...change,
  });
  stops.push(async () => {
    account.ignoresAbort = false;
    const stopped = runner.stop(10);
    await world.clock.advance(10_000);
    await stopped;
  });
  return { world, account, runner, states, stored, lines };
}

const lost: ConnectionEnd = { kind: "retry", status: 428, message: "the peer hung up" };

test("an account starts, connects and is open", async () => {
  const { world, runner, states, account } = setUp();
  await runner.start();
  await world.clock.advance(0);
  expect(states).toEqual(["starting", "connecting", "open"]);
  expect(runner.facts).toMatchObject({ state: "open", reconnectAttempts: 0, self: { username: "memory" } });
  await runner.start();
  await world.clock.advance(0);
  expect(account.connects, "a second start does nothing").toBe(1);
});

test("a lost connection comes back after a growing wait, and the wait is forgotten after a minute of health", async () => {
  const { world, runner, account } = setUp();
  await runner.start();
  await world.clock.advance(0);
  for (const n of [1, 2, 3]) {
    account.end(lost);
    await world.clock.advance(0);
    expect(runner.facts).toMatchObject({ state: "backoff", reconnectAttempts: n, lastError: "the peer hung up" });
    const wait = (runner.facts.nextAttemptAt ?? 0) - world.now();
    expect(wait).toBeGreaterThanOrEqual(2_000 * 1.8 ** (n - 1));
    await world.clock.advance(wait);
    expect(runner.state).toBe("open");
  }
  await world.clock.advance(60_000);
  account.end(lost);
  await world.clock.advance(0);
  expect(runner.facts.reconnectAttempts).toBe(1);
});

test("a connection our own watchdog replaces is a renewal: noted, and no error", async () => {
  const { world, runner, account, lines } = setUp();
  await runner.start();
  await world.clock.advance(0);
  account.end({ kind: "retry", status: 499, message: "no frame for two minutes" });
  await world.clock.advance(0);
  expect(runner.facts.lastDisconnect).toMatchObject({ status: 499, error: "no frame for two minutes" });
  expect(runner.facts.lastError).toBeUndefined();
  expect(lines.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  expect(lines.some(({ message }) => message.startsWith("connection renewed"))).toBe(true);
});

test("how long a connection has to live for a fresh count is the channel's own affair", async () => {
  const base = memoryEntry({ accounts: () => [memorySettings()], account: () => new MemoryAccount() });
  const policy = { initialMs: 100, maxMs: 100, factor: 1, jitter: 0, maxAttempts: 0, steadyMs: 5_000 };
  const { world, runner, account } = setUp({ entry: { ...base, reconnect: () => policy } });
  await runner.start();
  await world.clock.advance(0);
  for (const livedMs of [0, 4_999, 5_000]) {
    await world.clock.advance(livedMs);
    account.end(lost);
    await world.clock.advance(0);
    expect(runner.facts.reconnectAttempts, `after ${livedMs} ms`).toBe(livedMs === 0 ? 1 : livedMs < 5_000 ? 2 : 1);
    await world.clock.advance((runner.facts.nextAttemptAt ?? 0) - world.now());
  }
});

test("waits are capped, and grow to five minutes after too many attempts", () => {
  const policy = { initialMs: 2_000, maxMs: 30_000, factor: 1.8, jitter: 0.25, maxAttempts: 12 };
  expect([1, 2, 6, 12].map((n) => waitMs(policy, n, 0))).toEqual([2_000, 3_600, 30_000, 30_000]);
  expect(waitMs(policy, 13, 0)).toBe(tiredMs);
  expect(waitMs(policy, 1, 0.999)).toBeLessThanOrEqual(2_500);
  expect(waitMs({ ...policy, initialMs: 1, factor: 0 }, 3, 0), "clamped").toBe(303);
  expect(waitMs({ ...policy, maxAttempts: 0 }, 500, 0), "no limit").toBe(30_000);
});

test("a platform that asks for more patience gets it", async () => {
  const { world, runner, account } = setUp();
  await runner.start();
  await world.clock.advance(0);
  account.end({ kind: "retry", status: 405, message: "version refused", afterMs: 300_000, hint: "Update." });
  await world.clock.advance(0);
  expect((runner.facts.nextAttemptAt ?? 0) - world.now()).toBe(300_000);
});

test("a terminal end makes no further attempt and says what to do", async () => {
  const { world, runner, account } = setUp();
  await runner.start();
  await world.clock.advance(0);
  account.end({ kind: "terminal", reason: "logged-out", status: 401, message: "Logged out.", fix: "Link again." });
  await world.clock.advance(24 * 3_600_000);
  expect(account.connects).toBe(1);
  expect(runner.facts).toMatchObject({
    state: "terminal",
    fix: "Link again.",
    lastDisconnect: { status: 401, loggedOut: true },
  });
});

test("an account without a link waits for a person", async () => {
  const { world, runner, account } = setUp();
  account.isLinked = false;
  await runner.start();
  await world.clock.advance(3_600_000);
  expect(account.connects).toBe(0);
  expect(runner.facts).toMatchObject({ state: "terminal", fix: "openclaw channels login --channel memory" });
});

test("a platform that wants a new connection gets it at once, but not for ever", async () => {
  const { world, runner, account } = setUp();
  await runner.start();
  await world.clock.advance(0);
  for (let n = 0; n < 5; n++) {
    account.end({ kind: "again", status: 515, message: "restart required" });
    await world.clock.advance(0);
    expect(runner.state).toBe("open");
  }
  expect(runner.facts.reconnectAttempts).toBe(0);
  account.end({ kind: "again", status: 515, message: "restart required" });
  await world.clock.advance(0);
  expect(runner.state).toBe("backoff");
});

test("an attempt that hangs is cut off after 65 s and tried again", async () => {
  const { world, runner, account } = setUp();
  account.opensAtOnce = false;
  await runner.start();
  await world.clock.advance(64_000);
  expect(runner.state).toBe("connecting");
  await world.clock.advance(1_000);
  expect(runner.facts).toMatchObject({ state: "backoff", lastDisconnect: { status: 408 } });
});

test("an adapter that ignores its end is abandoned, and what it says later is ignored", async () => {
  const { world, runner, account, stored } = setUp();
  account.ignoresAbort = true;
  await runner.start();
  await world.clock.advance(0);
  const old = account.events;
  const stopped = runner.stop(2_000);
  await world.clock.advance(2_000);
  await stopped;
  expect(runner.state).toBe("stopped");
  old?.opened({ id: "ghost" });
  old?.note({ ghost: true });
  await expect(old?.receive({ ownId: "me", messages: [] })).rejects.toThrow("over");
  expect(runner.facts).toMatchObject({ state: "stopped", self: { id: "me" }, noted: {} });
  expect(stored).toEqual([]);
});

test("disabled, incomplete and held accounts rest and say why", async () => {
  const disabled = setUp({}, memorySettings({ enabled: false }));
  await disabled.runner.start();
  expect(disabled.runner.facts).toMatchObject({ state: "disabled", lastError: "disabled in the config" });
  const incomplete = setUp({}, memorySettings({ missing: "There is no token." }));
  await incomplete.runner.start();
  expect(incomplete.runner.facts).toMatchObject({ state: "unconfigured", lastError: "There is no token." });
  const held = setUp({ held: () => "safe mode" });
  await held.runner.start();
  expect(held.runner.facts).toMatchObject({ state: "held", lastError: "safe mode" });
  expect(held.account.connects).toBe(0);
});

test("an SDK that is not installed stops this account only, with the reason", async () => {
  const { world, runner } = setUp({ create: () => Promise.reject(new Error("The package x is not installed.")) });
  await runner.start();
  await world.clock.advance(0);
  expect(runner.facts).toMatchObject({ state: "terminal", lastError: "The package x is not installed." });
});

test("an adapter that rejects is a lost connection", async () => {
  const { world, runner, account } = setUp();
  account.connect = () => Promise.reject(new Error("boom"));
  await runner.start();
  await world.clock.advance(0);
  expect(runner.facts).toMatchObject({ state: "backoff", lastError: "boom" });
});

test("waking up ends the wait, and asks an open connection whether it lives", async () => {
  const { world, runner, account } = setUp();
  const woken: number[] = [];
  Object.assign(account, { woke: (ms: number) => woken.push(ms) });
  await runner.start();
  await world.clock.advance(0);
  runner.woke(9_000);
  expect(woken).toEqual([9_000]);
  account.end(lost);
  await world.clock.advance(0);
  expect(runner.state).toBe("backoff");
  runner.woke(9_000);
  await world.clock.advance(0);
  expect(runner.state).toBe("open");
});

test("a login shows its codes one after the other and ends when the account is open", async () => {
  const { world, runner, account, states } = setUp();
  account.isLinked = false;
  account.opensAtOnce = false;
  const login = await runner.beginLogin({});
  await world.clock.advance(0);
  expect(runner.state).toBe("linking");
  expect(await runner.beginLogin({}), "a second one joins").toBe(login);
  const events = account.events;
  events?.loginCode?.({ kind: "qr", text: "one", expiresAt: 1 });
  expect(await login.shown).toMatchObject({ text: "one" });
  const newer = login.codeAfter("one");
  events?.loginCode?.({ kind: "qr", text: "two", expiresAt: 2 });
  expect(await newer).toMatchObject({ text: "two" });
  account.isLinked = true;
  events?.linked?.();
  account.end({ kind: "again", status: 515, message: "restart required" });
  await world.clock.advance(0);
  account.open();
  expect(await login.ended).toEqual({ connected: true, message: "Linked as memory." });
  expect(states).toEqual(["starting", "linking", "connecting", "open"]);
  expect(runner.login).toBeUndefined();
});

test("a login nobody answers ends, and the account waits for the next one", async () => {
  const { world, runner, account } = setUp();
  account.isLinked = false;
  account.opensAtOnce = false;
  const login = await runner.beginLogin({});
  await world.clock.advance(0);
  account.end({ kind: "retry", status: 408, message: "The code was not used." });
  expect(await login.ended).toEqual({ connected: false, message: "The code was not used." });
  await world.clock.advance(3_600_000);
  expect(runner.state).toBe("terminal");
  expect(account.connects).toBe(1);
});

test("random orders of ends and commands never leave two live connections or an illegal state", async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { world, runner, account, states, lines } = setUp();
    let x = seed;
    const random = (n: number) => {
      x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((x / 2_147_483_648) * n);
    };
    for (let step = 0; step < 30; step++) {
      const act = random(8);
      if (act === 0) void runner.start();
      else if (act === 1) void runner.stop(1_000);
      else if (act === 2) void runner.restart();
      else if (act === 3) account.end(lost);
      else if (act === 4) account.end({ kind: "again", message: "again" });
      else if (act === 5) account.end({ kind: "terminal", reason: "forbidden", message: "no", fix: "wait" });
      else if (act === 6) runner.woke(6_000);
      else account.opensAtOnce = random(2) === 0;
      await world.clock.advance(random(3) * 4_000);
      expect(account.live, `seed ${seed}`).toBeLessThanOrEqual(1);
    }
    let from: AccountState = "stopped";
    for (const to of states) {
      expect(mayMove(from, to), `seed ${seed}: ${from} to ${to}`).toBe(true);
      from = to;
    }
    expect(
      lines.filter(({ message }) => message.includes("left as it was")),
      `seed ${seed}`,
    ).toEqual([]);
  }
});

test("every pair of states is either listed or refused", () => {
  const listed = accountStates.flatMap((from) =>
    accountStates.filter((to) => mayMove(from, to)).map((to) => `${from}>${to}`),
  );
  expect(listed).toMatchInlineSnapshot(`
    [
      "stopped>disabled",
      "stopped>unconfigured",
      "stopped>held",
      "stopped>starting",
      "disabled>stopping",
      "unconfigured>stopping",
      "held>stopping",
      "starting>linking",
      "starting>connecting",
      "starting>open",
      "starting>backoff",
      "starting>terminal",
      "starting>stopping",
      "linking>connecting",
      "linking>open",
      "linking>backoff",
      "linking>terminal",
      "linking>stopping",
      "connecting>connecting",
      "connecting>open",
      "connecting>backoff",
      "connecting>terminal",
      "connecting>stopping",
      "open>connecting",
      "open>backoff",
      "open>terminal",
      "open>stopping",
      "backoff>connecting",
      "backoff>stopping",
      "terminal>starting",
      "terminal>stopping",
      "stopping>stopped",
    ]
  `);
});
