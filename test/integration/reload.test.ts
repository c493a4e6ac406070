/** Hot reload (lifecycle.md §7) on a running gateway with real files, real sockets and a clock that jumps. */
import { createServer } from "node:net";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { configFile, edit, hashOf, readText, saveText } from "../support/config-file.ts";
import { openGateway, type GatewayOptions, type TestGateway } from "../support/gateway.ts";
import { freePort, token } from "../support/process.ts";
import { Wire } from "../support/wire.ts";

interface ConfigState {
  generation: number;
  hash: string;
  lastReloadError?: { message: string };
  needsRestart?: string[];
}

let gateway: TestGateway;
afterEach(() => gateway.stop());

const open = async (options: GatewayOptions = {}) => {
  gateway = await openGateway(options);
  // The look after the start belongs to the start.
  await gateway.world.jump(600);
};
const said = (text: string) => gateway.log.filter((line) => line.includes(text));
const state = () => vi.waitFor(() => gateway.host.gateway && readState());
const readState = async () => {
  const wire = await gateway.connect();
  const status = await wire.call<{ config: ConfigState; problems: { part: string; message: string }[] }>("status", {});
  await wire.close();
  return status;
};
/** The poll finds the edit, whatever the events of the folder did, and the quiet time passes. */
const noticed = () => gateway.world.jump(6_000);
/** Time passes in small steps until the line is there: no longer than it needs. */
async function passesUntil(text: string, times = 1): Promise<void> {
  for (let i = 0; i < 200 && said(text).length < times; i++) await gateway.world.jump(20);
  await saw(text, times);
}
const saw = (text: string, times = 1) =>
  vi.waitFor(() => expect(said(text)).toHaveLength(times), { timeout: 5_000, interval: 5 });

test("§7.2 a live key takes effect, nobody is disconnected, and status names the generation", async () => {
  await open();
  const wire = await gateway.connect();
  expect((await state()).config).toMatchObject({ generation: 1, hash: hashOf(readText(gateway.home)) });
  edit(gateway.home, { agents: { defaults: { maxConcurrent: 2 } }, logging: { level: "debug" } });
  await noticed();
  await saw("config change detected; evaluating reload (agents.defaults.maxConcurrent, logging.level)");
  await saw("config change applied (dynamic reads: agents.defaults.maxConcurrent, logging.level)");
  const { config, problems } = await state();
  expect(config).toEqual({ generation: 2, hash: hashOf(readText(gateway.home)), appliedAt: expect.any(Number) });
  expect(problems).toEqual([]);
  expect(gateway.host.config.logging.level).toBe("debug");
  expect(gateway.host.gateway.config.current.agents.defaults.maxConcurrent).toBe(2);
  await wire.settled();
  await wire.close();
});

test("§7.5 an invalid edit changes nothing, says why once, and the file stays as it was written", async () => {
  await open();
  const wire = await gateway.connect();
  const broken = readText(gateway.home).replace("{", '{ "agentz": {},');
  saveText(gateway.home, broken);
  await noticed();
  await saw("config reload skipped (invalid config): ");
  expect(said("skipped (invalid config)")[0]).toContain("agentz");
  const { config, problems } = await state();
  expect(config).toMatchObject({ generation: 1, lastReloadError: { message: expect.stringContaining("agentz") } });
  expect(problems).toEqual([{ part: "config", message: config.lastReloadError?.message }]);
  await gateway.world.jump(1_500);
  const health = await wire.call<{ config: ConfigState }>("health", { probe: true });
  expect(health.config.lastReloadError?.message).toContain("agentz");
  expect(readText(gateway.home)).toBe(broken);
  // The same content again, and half a file: one warning for each.
  saveText(gateway.home, broken);
  await noticed();
  saveText(gateway.home, broken.slice(0, 40));
  await noticed();
  await saw("skipped (invalid config)", 2);
  saveText(gateway.home, broken.replace('"agentz": {},', ""));
  await noticed();
  await vi.waitFor(async () => expect((await state()).problems).toEqual([]));
  await wire.settled();
  await wire.close();
});

test("an invalid config does not make the gateway unready", async () => {
  await open();
  saveText(gateway.home, "{ nonsense");
  await noticed();
  await saw("skipped (invalid config)");
  expect((await fetch(`${gateway.httpUrl}/readyz`)).status).toBe(200);
});

test("§7.2 equal content, or other comments, cause nothing", async () => {
  await open();
  const text = readText(gateway.home);
  saveText(gateway.home, text);
  await noticed();
  saveText(gateway.home, `// a comment\n${text}`);
  await noticed();
  expect(said("evaluating reload")).toEqual([]);
  await vi.waitFor(async () => expect((await state()).config.hash).toBe(hashOf(readText(gateway.home))));
});

test("a missing file is passed over, and its return is seen", async () => {
  await open();
  const text = readText(gateway.home);
  rmSync(configFile(gateway.home));
  await noticed();
  expect((await state()).problems).toEqual([]);
  saveText(gateway.home, text.replace("{", '{ "logging": { "level": "warn" },'));
  await noticed();
  await saw("config change applied (dynamic reads: logging.level)");
});

test("an included file is watched like the config itself", async () => {
  await open();
  writeFileSync(join(gateway.home.state, "logging.json5"), "{ level: 'warn' }");
  edit(gateway.home, { logging: { $include: "./logging.json5" } });
  await noticed();
  await saw("config change applied (dynamic reads: logging.level)");
  writeFileSync(join(gateway.home.state, "logging.json5"), "{ level: 'error' }");
  await noticed();
  await saw("config change applied (dynamic reads: logging.level)", 2);
  expect(gateway.host.config.logging.level).toBe("error");
});

test("§7.3 mode off applies nothing and says what waits", async () => {
  await open({ config: { gateway: { mode: "local", auth: { token }, reload: { mode: "off" } } } });
  edit(gateway.home, { logging: { level: "debug" } });
  await noticed();
  await saw("config reload disabled (gateway.reload.mode=off)");
  expect(gateway.host.config.logging.level).toBe("info");
  expect((await state()).config.needsRestart).toEqual(["logging.level"]);
});

test("§7.3 mode hot applies live keys and leaves the others with a warning", async () => {
  await open({ config: { gateway: { mode: "local", auth: { token }, reload: { mode: "hot" } } } });
  edit(gateway.home, { gateway: { auth: { token: `${token}-2` } } });
  await noticed();
  await saw("config reload requires gateway restart; hot mode ignoring (gateway.auth.token)");
  expect((await state()).config).toMatchObject({ generation: 1 });
  edit(gateway.home, { gateway: { auth: { token } }, logging: { level: "debug" } });
  await noticed();
  await saw("config change applied (dynamic reads: logging.level)");
  const { config } = await state();
  expect(config.generation).toBe(2);
  expect(config.needsRestart).toBeUndefined();
});

test("§7.3 mode restart restarts for a live key, once, on the same port", async () => {
  await open({ config: { gateway: { mode: "local", auth: { token }, reload: { mode: "restart" } } } });
  const wire = await gateway.connect();
  edit(gateway.home, { logging: { level: "debug" } });
  await noticed();
  await gateway.world.jump(10);
  expect((await wire.event("shutdown")).payload).toEqual({ reason: "gateway restarting", restartExpectedMs: 1_500 });
  expect((await wire.closed).code).toBe(1012);
  await saw("restarted; listening");
  expect(gateway.host.listener.port).toBe(gateway.port);
  expect(gateway.host.config.logging.level).toBe("debug");
  expect(said("config change requires gateway restart (logging.level)")).toHaveLength(1);
  expect((await state()).config).toMatchObject({ generation: 2, hash: hashOf(readText(gateway.home)) });
});

test("§7.2 hybrid restarts for a key that needs it, and two such edits at least ten seconds apart", async () => {
  await open();
  edit(gateway.home, { gateway: { auth: { token: `${token}-2` } } });
  await passesUntil("restarted; listening");
  const wire = await gateway.connect({ token: `${token}-2` });
  edit(gateway.home, { gateway: { auth: { token } } });
  await passesUntil("config change requires gateway restart (gateway.auth.token)", 2);
  await gateway.world.jump(5_000);
  expect(said("restarted; listening")).toHaveLength(1);
  await wire.settled();
  await gateway.world.jump(5_000);
  await saw("restarted; listening", 2);
  expect((await wire.closed).code).toBe(1012);
  await (await gateway.connect()).close();
});

test("an edit that is taken back while its restart waits takes the restart with it", async () => {
  await open();
  const text = readText(gateway.home);
  const other = text.replace(token, `${token}-2`);
  saveText(gateway.home, other);
  await passesUntil("restarted; listening");
  saveText(gateway.home, text);
  await passesUntil("config change requires gateway restart (gateway.auth.token)", 2);
  expect(gateway.host.restarts.pending).toBe("config change (gateway.auth.token)");
  saveText(gateway.home, other);
  await gateway.world.jump(5_600);
  await vi.waitFor(() => expect(gateway.host.restarts.pending).toBeUndefined());
  await gateway.world.jump(10_000);
  expect(said("restarted; listening")).toHaveLength(1);
  await (await gateway.connect({ token: `${token}-2` })).close();
});

test("R-REL-5 a removed token is refused before any restart, and the reason shows", async () => {
  await open();
  const wire = await gateway.connect();
  edit(gateway.home, { gateway: { auth: { token: null } } });
  await noticed();
  await saw("config change needs a restart that would fail");
  const { problems } = await state();
  expect(problems[0]?.message).toContain("no token is configured");
  await wire.settled();
  expect(said("restarting")).toEqual([]);
  await wire.close();
});

test("R-REL-5 a busy new port is refused; a free one is bound before the old is let go", async () => {
  const [port, next] = [await freePort(), await freePort()];
  const busy = createServer();
  const taken = await new Promise<number>((resolve) =>
    busy.listen(0, "127.0.0.1", () => resolve((busy.address() as { port: number }).port)),
  );
  try {
    await open({ config: { gateway: { mode: "local", port, auth: { token } } }, flags: {} });
    edit(gateway.home, { gateway: { port: taken } });
    await noticed();
    await saw("would fail");
    const wire = await gateway.connect();
    expect((await wire.call<{ problems: { message: string }[] }>("status", {})).problems[0]?.message).toContain(
      `Port ${taken} is already in use`,
    );
    edit(gateway.home, { gateway: { port: next } });
    await noticed();
    await gateway.world.jump(10);
    expect((await wire.closed).code).toBe(1012);
    await saw("restarted; listening");
    expect(gateway.host.listener.port).toBe(next);
    await (await Wire.connect(`ws://127.0.0.1:${next}`, { token })).close();
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  } finally {
    busy.close();
  }
});

test("another bind address on the same port is taken over", async () => {
  const port = await freePort();
  await open({ config: { gateway: { mode: "local", port, auth: { token } } }, flags: {} });
  edit(gateway.home, { gateway: { bind: "lan" } });
  await noticed();
  await gateway.world.jump(10);
  await saw("restarted; listening");
  expect(gateway.host.listener.host).toBe("0.0.0.0");
  await (await gateway.connect()).close();
});
