import { expect, test } from "vitest";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import type { InboundRow } from "../inbound.ts";
import { Intake } from "./intake.ts";
import { gate, makeBench, say, settle, settingsOf, text, until } from "./pipeline.fixture.ts";
import type { ChannelPort } from "./ports.ts";

const attempts = (bench: Awaited<ReturnType<typeof makeBench>>) =>
  bench.store.all<{ attempts: number }>("SELECT attempts FROM inbound ORDER BY id").map((row) => row.attempts);

test("messages of a channel that is off at the start are answered when it comes up, once and in order", async () => {
  const bench = await makeBench({ config: { messages: { queue: { mode: "followup" } } } });
  await bench.storeOnly(text("one"), text("two"));
  bench.platform.loaded = false;
  await bench.again();
  await bench.pass(10_000);
  expect(bench.states()).toEqual(["stored", "stored"]);
  bench.platform.loaded = true;
  bench.house.pipeline.accountsChanged();
  bench.house.pipeline.accountsChanged();
  await bench.finish();
  expect(bench.states()).toEqual(["answered", "answered"]);
  expect(bench.state.requests).toHaveLength(2);
  expect(bench.asked().at(-1)).toContain("] two");
  bench.house.pipeline.accountsChanged();
  await bench.pass(10_000);
  expect(bench.sent).toHaveLength(2);
});

test("what comes in while older messages of the account are still parked goes behind them", async () => {
  const bench = await makeBench({ config: { messages: { queue: { mode: "followup" } } } });
  await bench.storeOnly(text("one"), text("two"));
  bench.platform.loaded = false;
  await bench.again();
  bench.platform.loaded = true;
  await bench.receive(text("three"));
  await bench.finish();
  const order = bench.state.requests.map(
    ({ messages }) => /\] (one|two|three)/.exec(JSON.stringify(messages.at(-1)))?.[1],
  );
  expect(order).toEqual(["one", "two", "three"]);
});

test.each([
  ["disabled", { enabled: false }],
  ["without a token", { missing: "there is no token" }],
])("messages of an account that is %s wait until it is not, and no model is asked", async (_name, off) => {
  const bench = await makeBench();
  await bench.storeOnly(text("hello"));
  const on = bench.settings.current;
  bench.settings.current = { ...on, ...off };
  await bench.again();
  await bench.pass(10_000);
  expect(bench.states()).toEqual(["stored"]);
  expect(bench.state.requests).toEqual([]);
  bench.settings.current = on;
  bench.house.pipeline.accountsChanged();
  await bench.finish();
  expect(bench.texts()).toEqual(["ok"]);
});

test("a channel that never comes up costs nothing, and its messages survive the next restart, too", async () => {
  const bench = await makeBench();
  await bench.storeOnly(text("hello"));
  bench.platform.loaded = false;
  for (let n = 0; n < 5; n++) await bench.again();
  expect(attempts(bench)).toEqual([0]);
  bench.platform.loaded = true;
  await bench.again();
  await bench.finish();
  expect(bench.texts()).toEqual(["ok"]);
});

test("a message that ends the process each time it is judged is given up with a notice, and those behind it are answered", async () => {
  const bench = await makeBench();
  await bench.storeOnly(text("deadly"), text("harmless"));
  const { current } = bench.settings;
  const deadly = { ...current };
  const dead = new Set<unknown>();
  // Dies in the middle of the judgement.
  Object.defineProperty(deadly, "access", {
    get: () => {
      dead.add(bench.house);
      bench.house.kill();
      throw new Error("killed");
    },
  });
  bench.settings.current = deadly;
  for (let n = 1; n <= 2; n++) {
    // Nothing a dead process waits for returns.
    void bench.again();
    await until(() => dead.size === n);
  }
  bench.settings.current = current;
  await bench.again();
  await bench.finish();
  expect(bench.states()).toEqual(["dropped attempts-used-up", "answered"]);
  expect(bench.texts().sort()).toEqual(["ok", expect.stringMatching(/^⚠️ The gateway stopped several times/)]);
});

test("messages that wait for their turn are not counted against restarts", async () => {
  const bench = await makeBench({ script: gate("never").script });
  await bench.receive(text("one"));
  await until(() => bench.state.requests.length === 1);
  await bench.receive(text("two"));
  await settle();
  for (let n = 0; n < 5; n++) {
    await bench.house.agents.stop(500);
    bench.house.pipeline.stop();
    await bench.again();
    await settle();
  }
  bench.state.script = () => say("done");
  await bench.house.agents.stop(500);
  await bench.again();
  await bench.finish();
  expect(bench.states()).toEqual(["answered", "answered"]);
});

test("what was written while we were away for long is stored and counted, not answered, and told of in one line", async () => {
  const bench = await makeBench();
  const now = bench.world.now();
  const at = (minutes: number) => text(`${minutes} minutes ago`, { catchUp: true, at: now - minutes * 60_000 });
  await bench.receive(at(60), at(11), at(9));
  await bench.receive(text("an old clock", { at: now - 3_600_000 }));
  await bench.receive(text("our clock was set", { catchUp: true, at: now - 3_600_000, ageMs: 1_000 }));
  await bench.pass(5_000);
  await bench.finish();
  expect(bench.states()).toEqual(["ignored too-old", "ignored too-old", "answered", "answered", "answered"]);
  await bench.receive(text("hello again"));
  await bench.finish();
  const told = JSON.stringify(bench.state.requests.at(-1)?.messages);
  expect(told.match(/2 messages that were written while Fake was away/g)).toHaveLength(1);
});

test("messages whose run is over without having ended them are told of, once for all of the run", async () => {
  const bench = await makeBench();
  await bench.receive(text("one"), text("two"));
  await bench.finish();
  const runs = bench.store.all<{ id: number }>("SELECT run_row_id AS id FROM inbound");
  await bench.store.commit((tx) =>
    tx.run("UPDATE inbound SET state = 'waiting', run_row_id = ?, reason = NULL, ended_at = NULL", runs[0]?.id ?? 0),
  );
  bench.sent.length = 0;
  await bench.again();
  await bench.finish();
  expect(bench.states()).toEqual(["noticed run-lost", "noticed run-lost"]);
  expect(bench.texts()).toEqual([expect.stringMatching(/^⚠️ The answer to your message was lost/)]);
});

test("an account that comes up while the messages of another are led on is not forgotten", async () => {
  const world = fakeWorld();
  const on = new Set<string>();
  const settings = (accountId: string) => ({ ...settingsOf(), accountId, enabled: on.has(accountId) });
  const accounts = () => ["b", "a"].map(settings);
  const channel = { entry: { accounts }, accounts, settings, runner: () => undefined } as unknown as ChannelPort;
  const rows = ["b", "a"].map((accountId, at): InboundRow => ({
    id: at + 1,
    channel: "fake",
    accountId,
    ownId: "me",
    message: text("hello"),
    receivedAt: 1,
    state: "stored",
    attempts: 0,
  }));
  const led: string[] = [];
  let disk = Promise.withResolvers<void>();
  disk.resolve();
  const intake = new Intake({
    store: { commit: (async () => disk.promise) as never },
    world,
    inbox: { open: () => [], get: (id) => rows[id - 1], move: () => true },
    config: { current: {} },
    channel: () => channel,
    goesOn: () => false,
    lead: ({ accountId }) => void led.push(accountId),
    exhausted: () => {},
  });
  await intake.start();
  intake.accept(rows);
  disk = Promise.withResolvers();
  on.add("a");
  intake.changed();
  await world.clock.advance(500);
  on.add("b");
  intake.changed();
  await world.clock.advance(500);
  expect(led).toEqual([]);
  disk.resolve();
  await settle();
  await world.clock.advance(1_000);
  await settle();
  expect(led).toEqual(["a", "b"]);
  intake.stop();
});

test("a row whose run cannot be read does not keep the gateway from starting, nor the others from being answered", async () => {
  const bench = await makeBench();
  await bench.receive(text("one"));
  await bench.finish();
  await bench.store.commit((tx) => {
    tx.run("UPDATE run SET request = '{'");
    tx.run("UPDATE inbound SET state = 'waiting', reason = NULL, ended_at = NULL");
  });
  await bench.storeOnly(text("two"));
  await bench.again();
  await until(() => bench.states()[1] === "answered");
  expect(bench.states()).toEqual(["waiting", "answered"]);
});
