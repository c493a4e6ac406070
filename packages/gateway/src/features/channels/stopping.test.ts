import { expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { silentLogger } from "../../kernel/log.ts";
import { ChannelService } from "./channel-service.ts";
import { Channels } from "./channels.ts";
import { Inbox, Outbox } from "./ledger/index.ts";
import { memoryStore } from "./ledger/ledger.fixture.ts";
import { MemoryAccount, memoryEntry, memorySettings } from "./memory.fixture.ts";
import { Sends } from "./sends.ts";

const safe: { reason: string | undefined } = { reason: undefined };
async function setUp(capabilities = {}) {
  const world = fakeWorld();
  const store = memoryStore(world);
  const account = new MemoryAccount();
  const inbox = new Inbox({ store, world, log: silentLogger });
  const base = memoryEntry({ accounts: () => [memorySettings()], account: () => account });
  const entry = { ...base, capabilities: { ...base.capabilities, ...capabilities } };
  const outbox: Outbox = new Outbox({
    store,
    world,
    log: silentLogger,
    systemEvent: () => {},
    account: (_c, id) => {
      const runner = service.runner(id);
      return (
        runner && {
          state: runner.state,
          open: runner.state === "open",
          budget: entry.budget,
          clientMessageIds: false,
          send: (...given) => runner.send(...given),
        }
      );
    },
  });
  const service: ChannelService = new ChannelService({
    row: { id: "memory", label: "Memory", aliases: [], summary: "", load: () => Promise.resolve(entry) },
    world,
    log: silentLogger,
    store,
    config: { current: { channels: { memory: {} } } },
    inbox,
    outbox,
    accept: () => {},
    mediaDir: "/tmp",
    redact: () => {},
    held: () => safe.reason,
    changed: () => {},
    commands: () => [],
  } as never);
  const channels = new Channels({
    world,
    services: [service],
    counts: { counts: () => ({}), sends: () => ({ queued: 0, unknown: 0 }) },
  } as never);
  const mirrored: string[] = [];
  const sends = new Sends({
    world,
    channels,
    outbox,
    media: {} as never,
    roots: () => ["/tmp"],
    mirror: async ({ text }) => void mirrored.push(text),
  });
  await service.start();
  await outbox.start();
  await world.clock.advance(1);
  return { world, account, service, channels, sends, outbox, mirrored };
}
const signal = new AbortController().signal;
const turns = async () => {
  for (let n = 0; n < 20; n++) await new Promise<void>((r) => setImmediate(r));
};

test("the same key gives the same answer, also after the account ended for good (R-OUT-3)", async () => {
  const { sends, account, world } = await setUp();
  const params = { channel: "memory", to: "ann", message: "hi", idempotencyKey: "k1" };
  const first = await sends.send(params, { principal: "p", owner: true }, signal);
  account.end({ kind: "terminal", reason: "logged-out", message: "Logged out.", fix: "x" });
  await world.clock.advance(1);
  expect(await sends.send(params, { principal: "p", owner: true }, signal)).toEqual(first);
});

test("two calls with one key are noted in the session once", async () => {
  const { sends, mirrored } = await setUp();
  const params = { channel: "memory", to: "ann", message: "hi", idempotencyKey: "k1" };
  const sender = { principal: "p", owner: true };
  await Promise.all([sends.send(params, sender, signal), sends.send(params, sender, signal)]);
  expect(mirrored).toEqual(["hi"]);
});

test("a text of too many messages is refused rather than cut", async () => {
  const { sends, account } = await setUp();
  const message = Array.from({ length: 65 }, () => "a".repeat(4_000)).join(" ");
  const params = { channel: "memory", to: "ann", message, idempotencyKey: "k1" };
  await expect(sends.send(params, { principal: "p", owner: true }, signal)).rejects.toMatchObject({
    kind: "invalid",
    message: expect.stringContaining("more than 64 messages"),
  });
  expect(account.delivered).toEqual([]);
});

test("a login asked of a generation that was stopped connects nothing", async () => {
  const { service, channels, account, world } = await setUp({ login: true });
  const stopped = service.stop(2_000);
  await world.clock.advance(3_000);
  await stopped;
  const before = account.connects;
  const answer = channels.loginStart({ channel: "memory", force: true } as never).catch((e: Error) => e);
  await turns();
  await world.clock.advance(40_000);
  await turns();
  await answer;
  expect({ connects: account.connects, live: account.live }).toEqual({ connects: before, live: 0 });
});

test("a logout that outlasts the stop connects nothing", async () => {
  const { service, channels, account, world } = await setUp({ login: true });
  const gone = Promise.withResolvers<{ cleared: boolean; loggedOut: boolean }>();
  Object.assign(account, { logout: () => gone.promise });
  const out = channels.logout({ channel: "memory" });
  await turns();
  const stopped = service.stop(2_000);
  await world.clock.advance(3_000);
  await stopped;
  const before = account.connects;
  gone.resolve({ cleared: true, loggedOut: true });
  await out;
  await turns();
  await world.clock.advance(1);
  expect({ connects: account.connects, live: account.live }).toEqual({ connects: before, live: 0 });
});

test("a probe that hangs or fails is an answer, in time", async () => {
  const { channels, account, world } = await setUp();
  const probes: (() => Promise<never>)[] = [() => new Promise(() => {}), () => Promise.reject(new Error("broken"))];
  account.probe = () => probes.shift()?.() as never;
  const ask = () => channels.status({ probe: true, timeoutMs: 1_000 });
  const hanging = ask();
  await world.clock.advance(1_500);
  expect((await hanging).channelAccounts["memory"]?.[0]).toMatchObject({
    state: "open",
    probe: { ok: false, error: "no answer within 1000 ms" },
  });
  expect((await ask()).channelAccounts["memory"]?.[0]).toMatchObject({ probe: { ok: false, error: "broken" } });
});

test("an account held by safe mode starts when safe mode is left by a config change", async () => {
  safe.reason = "three crashes";
  const { service, account, world } = await setUp();
  expect(service.runner("default")?.state).toBe("held");
  safe.reason = undefined;
  await service.reload({ channels: { memory: {} } });
  await world.clock.advance(1);
  expect(account.connects).toBe(1);
});
