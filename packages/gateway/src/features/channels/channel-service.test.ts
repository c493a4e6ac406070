/** The accounts of one platform as a service (channels.md §1.2). */
import { expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { createLogger, type Line } from "../../kernel/log.ts";
import { ChannelService } from "./channel-service.ts";
import { accountReport } from "./status-report.ts";
import type { AccountSettings, ChannelAccount, ConnectionEnd } from "./channel.ts";
import { Inbox } from "./ledger/index.ts";
import { memoryStore } from "./ledger/ledger.fixture.ts";
import { MemoryAccount, memoryEntry, memorySettings } from "./memory.fixture.ts";

interface Options {
  env?: Record<string, string>;
  load?: () => Promise<ChannelAccount>;
}

function setUp(accounts: AccountSettings[], { env = {}, load }: Options = {}) {
  const world = fakeWorld();
  Object.assign(world.env, env);
  const store = memoryStore(world);
  const lines: Line[] = [];
  const log = createLogger({ subsystem: "memory", sinks: [(line) => void lines.push(line)], now: world.now });
  const platforms = new Map<string, MemoryAccount>();
  const current = { accounts };
  const base = memoryEntry({
    accounts: () => current.accounts,
    account: (accountId) => {
      const made = new MemoryAccount();
      platforms.set(accountId, made);
      return made;
    },
  });
  const entry = load ? { ...base, load } : base;
  let changes = 0;
  const outbox = { opened: () => {}, closed: () => {}, confirmed: () => {}, sentPart: () => undefined };
  const service = new ChannelService({
    row: { id: "memory", label: "Memory", aliases: [], summary: "", load: () => Promise.resolve(entry as never) },
    world,
    log,
    store,
    config: { current: { channels: { memory: {} } } },
    inbox: new Inbox({ store, world, log }),
    outbox: outbox as never,
    accept: () => {},
    mediaDir: "/tmp",
    redact: () => {},
    held: () => undefined,
    commands: () => [],
    changed: () => void changes++,
  });
  const report = (accountId: string) => {
    const runner = service.runner(accountId);
    if (!runner) throw new Error(`no account ${accountId}`);
    const counts = { counts: () => ({}), sends: () => ({ queued: 0, unknown: 0 }) };
    return accountReport(service, runner, world.now(), counts);
  };
  return { world, service, platforms, lines, current, report, changes: () => changes };
}

const named = (accountId: string, change: Partial<AccountSettings> = {}) => memorySettings({ accountId, ...change });
const lost: ConnectionEnd = { kind: "retry", status: 428, message: "the peer hung up" };

test("every enabled account is started; the others say why they rest, and nothing throws", async () => {
  const { world, service, platforms, report } = setUp([
    named("a"),
    named("b"),
    named("off", { enabled: false }),
    named("bare", { missing: "There is no token." }),
  ]);
  await service.start();
  await world.clock.advance(1);
  expect([...platforms.keys()]).toEqual(["a", "b"]);
  expect(report("a")).toMatchObject({ enabled: true, configured: true, running: true, connected: true });
  expect(report("off")).toMatchObject({ enabled: false, running: false, lastError: "disabled in the config" });
  expect(report("bare")).toMatchObject({ configured: false, running: false, lastError: "There is no token." });
});

test("OPENCLAW_SKIP_CHANNELS=1 starts none, also after an edit", async () => {
  const { world, service, platforms } = setUp([named("a")], { env: { OPENCLAW_SKIP_CHANNELS: "1" } });
  await service.start();
  await service.reload({ channels: { memory: { edited: true } } });
  await world.clock.advance(60_000);
  expect(platforms.size).toBe(0);
  expect(service.runners()).toEqual([]);
});

test("an SDK that never loads holds up neither the start nor the stop", async () => {
  const { world, service } = setUp([named("a")], { load: () => new Promise(() => {}) });
  await service.start();
  expect(service.runner("a")?.state).toBe("starting");
  let stopped = false;
  const stopping = service.stop(5_000).then(() => (stopped = true));
  await world.clock.advance(1_900);
  expect(stopped).toBe(false);
  await world.clock.advance(200);
  await stopping;
});

test("an account that is lost comes back alone; the other one stays connected", async () => {
  const { world, service, platforms, report } = setUp([named("a"), named("b")]);
  await service.start();
  await world.clock.advance(1);
  platforms.get("a")?.end(lost);
  await world.clock.advance(1);
  expect(report("a")).toMatchObject({ state: "backoff", running: true, connected: false, lastError: lost.message });
  expect(report("b")).toMatchObject({ connected: true });
  await world.clock.advance(3_000);
  expect(report("a")).toMatchObject({ connected: true, lastError: null });
  expect([platforms.get("a")?.connects, platforms.get("b")?.connects]).toEqual([2, 1]);
});

test("an edit restarts the account whose own settings changed, by stop and start, and no other", async () => {
  const { world, service, platforms, current, report } = setUp([named("a"), named("b"), named("gone")]);
  await service.start();
  await world.clock.advance(1);
  const former = platforms.get("a");
  const [, b] = current.accounts;
  current.accounts = [named("a", { settings: { token: "new" } }), ...(b ? [b] : []), named("new")];
  const reloaded = service.reload({ channels: { memory: { edited: true } } });
  await world.clock.advance(5_000);
  await reloaded;
  await world.clock.advance(1);
  expect(former).toMatchObject({ connects: 1, live: 0 });
  expect(report("a")).toMatchObject({ lastStartAt: expect.any(Number), lastStopAt: expect.any(Number) });
  expect(report("b")["lastStopAt"]).toBeUndefined();
  expect(platforms.get("a")).toMatchObject({ connects: 1, live: 1 });
  expect(platforms.get("a")).not.toBe(former);
  expect(platforms.get("b")).toMatchObject({ connects: 1, live: 1 });
  expect(platforms.get("gone")).toMatchObject({ live: 0 });
  expect(platforms.get("new")).toMatchObject({ live: 1 });
  expect(service.runners().map(({ accountId }) => accountId)).toEqual(["a", "b", "new"]);
});

test("without a name the account `default` is meant, else the first", async () => {
  for (const [accounts, wanted] of [
    [[named("work"), named("default")], "default"],
    [[named("work"), named("home")], "work"],
    [[], undefined],
  ] as const) {
    const { service } = setUp([...accounts]);
    await service.load();
    expect(service.defaultAccountId()).toBe(wanted);
  }
});

test("every change of state is told, so that health and events can follow", async () => {
  const { world, service, platforms, changes } = setUp([named("a")]);
  await service.start();
  await world.clock.advance(1);
  const before = changes();
  expect(before).toBeGreaterThanOrEqual(3);
  platforms.get("a")?.end(lost);
  await world.clock.advance(1);
  expect(changes()).toBeGreaterThan(before);
  expect(service.health()).toBeUndefined();
  await world.clock.advance(3_000);
  for (let n = 0; n < 2; n++) {
    platforms.get("a")?.end(lost);
    await world.clock.advance(1);
    if (n === 0) await world.clock.advance(5_000);
  }
  expect(service.health()).toContain("the peer hung up");
});

test("a flood of errors that escape from the library renews what is open once, and writes one line", async () => {
  const { world, service, lines } = setUp([named("a")]);
  await service.start();
  await world.clock.advance(1);
  lines.length = 0;
  for (let n = 0; n < 1_000; n++) service.renew(new Error("Bad MAC"));
  expect(lines).toHaveLength(1);
  await world.clock.advance(60_000);
  service.renew(new Error("Bad MAC"));
  expect(lines.filter(({ level }) => level === "warn")).toHaveLength(2);
});
