/** lifecycle.md §6.4, §6.5, §7.3 to §7.6 and §8 on a running gateway: what `restart.test.ts` and `reload.test.ts` leave open. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { edit } from "../support/config-file.ts";
import { openGateway, type GatewayOptions, type TestGateway } from "../support/gateway.ts";
import { token } from "../support/process.ts";
import { Wire } from "../support/wire.ts";

let gateway: TestGateway;
afterEach(() => gateway.stop());
const open = async (options: GatewayOptions = {}) => {
  gateway = await openGateway(options);
  await gateway.world.jump(600);
};
const said = (text: string) => gateway.log.filter((line) => line.includes(text));
const saw = (text: string, times = 1) =>
  vi.waitFor(() => expect(said(text)).toHaveLength(times), { timeout: 5_000, interval: 5 });
const ask = (wire: Wire, message: string, key: string, sessionKey = "main") =>
  wire.final("agent", { message, sessionKey, idempotencyKey: key });
const begun = (wire: Wire, key: string) => wire.event("agent", (payload) => payload.runId === key);
const applied = async (change: Record<string, unknown>) => {
  edit(gateway.home, change);
  await gateway.world.jump(6_000);
};
const queued = async () => {
  const wire = await gateway.connect();
  const { queuedSystemEvents } = await wire.call<{ queuedSystemEvents: string[] }>("status", {});
  await wire.close();
  return queuedSystemEvents;
};

test("lifecycle 6.4: shutdown is announced before a run is cut, its end is answered, then 1012 with the reason", async () => {
  await open();
  const wire = await gateway.connect();
  const watcher = await gateway.connect();
  void ask(wire, "sleep: 30000", "long").catch(() => "the socket closed");
  await begun(wire, "long");
  await gateway.host.stop();
  expect(await wire.closed).toEqual({ code: 1012, reason: "service restart" });
  expect(await watcher.closed).toEqual({ code: 1012, reason: "service restart" });
  const announced = wire.frames.findIndex((frame) => frame.event === "shutdown");
  const ended = wire.frames.findIndex((frame) => frame.payload?.status === "error");
  expect(announced).toBeGreaterThan(0);
  expect(ended).toBeGreaterThan(announced);
  expect(watcher.events("shutdown")).toHaveLength(1);
  await gateway.host.stop();
  await expect(fetch(`${gateway.httpUrl}/healthz`)).rejects.toThrow();
});

test("lifecycle 6.5: with deferralTimeoutMs 0 a planned restart waits for nobody", async () => {
  await open({ config: { gateway: { mode: "local", auth: { token }, reload: { deferralTimeoutMs: 0 } } } });
  const wire = await gateway.connect();
  const turn = ask(wire, "sleep: 30000", "long");
  await begun(wire, "long");
  gateway.host.restarts.request({ reason: "test", delayMs: 0 });
  await gateway.world.jump(1);
  expect((await turn).payload).toMatchObject({ status: "error" });
  await saw("restarted; listening");
});

test("lifecycle 7.3: mode off leaves what needs a restart as well, and says so once it is asked", async () => {
  await open({ config: { gateway: { mode: "local", auth: { token }, reload: { mode: "off" } } } });
  const wire = await gateway.connect();
  await applied({ gateway: { auth: { token: `${token}-2` } } });
  await saw("config reload disabled (gateway.reload.mode=off)");
  await wire.settled();
  await wire.close();
  expect(gateway.host.restarts.pending).toBeUndefined();
});

test("lifecycle 7.3: the mode of the new file counts at once", async () => {
  await open({ config: { gateway: { mode: "local", auth: { token }, reload: { mode: "off" } } } });
  await applied({ gateway: { reload: { mode: "hybrid" } }, logging: { level: "debug" } });
  await saw("config change applied (dynamic reads: gateway.reload.mode, logging.level)");
  expect(gateway.host.config.logging.level).toBe("debug");
});

test("lifecycle 7.4: more lanes count for runs that wait already", async () => {
  await open({ config: { agents: { defaults: { workspace: "~/w", skipBootstrap: true, maxConcurrent: 1 } } } });
  const wire = await gateway.connect();
  const first = ask(wire, "sleep: 30000", "first", "agent:main:one");
  await begun(wire, "first");
  const second = ask(wire, "hello", "second", "agent:main:two");
  await wire.settled();
  await applied({ agents: { defaults: { maxConcurrent: 2 } } });
  await saw("config change applied (dynamic reads: agents.defaults.maxConcurrent)");
  expect((await second).payload).toMatchObject({ runId: "second", status: "ok" });
  await wire.call("chat.abort", { sessionKey: "agent:main:one", runId: "first" });
  await first;
  await wire.close();
});

test("lifecycle 7.4, 8.1: level and place of the log file follow an edit with the next line", async () => {
  await open();
  const mine = join(gateway.home.path, "logs", "mine.log");
  const debugLines = () => {
    gateway.host.flushLog();
    return existsSync(mine) ? readFileSync(mine, "utf8").split('"logLevelName":"DEBUG"').length - 1 : 0;
  };
  await applied({ logging: { file: "~/logs/mine.log" } });
  await saw("config change applied (dynamic reads: logging.file)");
  await (await gateway.connect()).close();
  gateway.host.flushLog();
  await vi.waitFor(() => expect(readFileSync(mine, "utf8")).toContain("connected conn="));
  expect(debugLines()).toBe(0);
  await applied({ logging: { level: "debug" } });
  await saw("config change applied (dynamic reads: logging.level)");
  const wire = await gateway.connect();
  const { file } = await wire.call<{ file: string }>("logs.tail", {});
  await wire.close();
  expect(file).toBe(mine);
  await vi.waitFor(() => expect(debugLines()).toBeGreaterThan(0));
});

test("lifecycle 7.5: while the file is broken requests work, and the restart an operator asks for is refused with the reason", async () => {
  await open({ config: { commands: { restart: true } } });
  const wire = await gateway.connect();
  edit(gateway.home, { gateway: { port: "many" } });
  gateway.host.restarts.signal();
  await saw("restart refused; the running gateway goes on");
  expect((await wire.call<{ ok: boolean }>("health", {})).ok).toBe(true);
  expect((await ask(wire, "hello", "k1")).payload).toMatchObject({ status: "ok" });
  await wire.close();
});

test("lifecycle 7.6: a note without session goes to the main one, in the agreed words, with its stats", async () => {
  await open();
  const note = { kind: "update", status: "skipped", ts: 1, message: null, stats: { mode: "git", steps: [] } } as const;
  await gateway.host.gateway.sentinel.write(note);
  gateway.host.restarts.request({ reason: "update.run", delayMs: 0 });
  await gateway.world.jump(1);
  await saw("Gateway restart update skipped (git)");
  await saw("restarted; listening");
  expect(await queued()).toEqual([`GatewayRestart: ${JSON.stringify(note)}`]);
});

test("lifecycle 7.6: a note that cannot be read is dropped with a warning and stops nothing", async () => {
  await open();
  await gateway.host.gateway.store.commit((tx) =>
    tx.run("INSERT INTO restart_note (id, note) VALUES (1, ?)", "{ half a no"),
  );
  gateway.host.restarts.request({ reason: "test", delayMs: 0 });
  await gateway.world.jump(1);
  await saw("restarted; listening");
  expect(said("the note of the last restart cannot be read and was dropped")).toHaveLength(1);
  expect(await queued()).toEqual([]);
  expect(gateway.host.gateway.store.all("SELECT * FROM restart_note")).toEqual([]);
});

test("lifecycle 7.6: a long message is cut to 8,000 characters, and stats that are too long are left out", async () => {
  await open();
  const { payload } = await gateway.host.gateway.sentinel.write({
    kind: "restart",
    status: "ok",
    ts: 1,
    message: "m".repeat(9_000),
    stats: { tail: "x".repeat(20_000) },
  });
  expect(payload).toEqual({ kind: "restart", status: "ok", ts: 1, message: "m".repeat(8_000) });
});

test("lifecycle 8.5: logs.tail refuses a limit above 5,000 and more bytes than a million", async () => {
  await open();
  const wire = await gateway.connect();
  for (const params of [{ limit: 5_001 }, { maxBytes: 1_000_001 }, { cursor: -1 }])
    expect((await wire.request("logs.tail", params)).error?.code).toBe("INVALID_REQUEST");
  const { lines, truncated, reset } = await wire.call<{ lines: string[]; truncated: boolean; reset: boolean }>(
    "logs.tail",
    { limit: 5_000, maxBytes: 1_000_000 },
  );
  expect([lines.length > 0, truncated, reset]).toEqual([true, false, false]);
  await wire.close();
});
