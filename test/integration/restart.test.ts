/** Restart in process (lifecycle.md §6): grants, drain, what clients see, and what happens when it cannot be done. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { edit, readText, saveText } from "../support/config-file.ts";
import { openGateway, type GatewayOptions, type TestGateway } from "../support/gateway.ts";
import { freePort, launcher, makeHome, startGateway, token, type Home } from "../support/process.ts";
import { Wire } from "../support/wire.ts";

describe("in process", () => {
  let gateway: TestGateway;
  afterEach(() => gateway.stop());
  const open = async (options: GatewayOptions = {}) => {
    gateway = await openGateway(options);
    await gateway.world.jump(600);
  };
  const said = (text: string) => gateway.log.filter((line) => line.includes(text));
  const saw = (text: string, times = 1) =>
    vi.waitFor(() => expect(said(text)).toHaveLength(times), { timeout: 5_000, interval: 5 });
  const ask = (wire: Wire, message: string, key: string) =>
    wire.final("agent", { message, sessionKey: "main", idempotencyKey: key });
  const begun = (wire: Wire, key: string) => wire.event("agent", (payload) => payload.runId === key);

  test("§6.1 a signal nobody authorised changes nothing", async () => {
    await open();
    const wire = await gateway.connect();
    gateway.host.restarts.signal();
    await saw("SIGUSR1 restart ignored (not authorized; enable commands.restart or use gateway tool).");
    await wire.settled();
    await wire.close();
  });

  test("§6.2 a request grants one restart after its delay; what comes meanwhile joins it", async () => {
    await open();
    const wire = await gateway.connect();
    const { restarts } = gateway.host;
    const first = restarts.request({ reason: "config.apply" });
    expect(first).toEqual({
      ok: true,
      pid: process.pid,
      signal: "SIGUSR1",
      delayMs: 2_000,
      reason: "config.apply",
      mode: "emit",
    });
    for (let i = 0; i < 20; i++)
      expect(restarts.request({ reason: "again", delayMs: 3_000 })).toMatchObject({ coalesced: true });
    await gateway.world.jump(1_900);
    await wire.settled();
    await gateway.world.jump(200);
    expect((await wire.event("shutdown")).payload).toEqual({ reason: "gateway restarting", restartExpectedMs: 1_500 });
    expect((await wire.closed).code).toBe(1012);
    await saw("restarted; listening");
    await gateway.world.jump(10_000);
    gateway.host.restarts.signal();
    await saw("SIGUSR1 restart ignored");
    expect(said("received SIGUSR1; restarting")).toHaveLength(1);
  });

  test("§6.2 the delay is clamped, the reason cut, and an earlier wish brings the restart forward", async () => {
    await open();
    const { restarts } = gateway.host;
    expect(restarts.request({ reason: "x".repeat(500), delayMs: 1e9 })).toMatchObject({
      delayMs: 60_000,
      reason: "x".repeat(200),
    });
    expect(restarts.request({ reason: "sooner", delayMs: 1_000 })).toMatchObject({ delayMs: 1_000, coalesced: true });
    await gateway.world.jump(1_100);
    await saw("restarted; listening");
    await gateway.world.jump(60_000);
    expect(said("SIGUSR1")).toHaveLength(2);
  });

  test("§6.2 commands.restart follows a hot reload", async () => {
    await open();
    edit(gateway.home, { commands: { restart: true } });
    await gateway.world.jump(6_000);
    await saw("commands.restart)", 2);
    gateway.host.restarts.signal();
    await saw("restarted; listening");
  });

  test("§6.5 a running turn ends first; new work is told to come back; then clients get 1012", async () => {
    await open();
    const wire = await gateway.connect();
    const turn = ask(wire, "sleep: 250", "long");
    await begun(wire, "long");
    gateway.host.restarts.request({ reason: "test", delayMs: 0 });
    await gateway.world.jump(1);
    const refused = await wire.request("agent", { message: "more", sessionKey: "other", idempotencyKey: "more" });
    expect(refused).toMatchObject({ ok: false, error: { code: "UNAVAILABLE", retryable: true } });
    expect((await wire.call<{ runs: { active: number } }>("status", {})).runs.active).toBe(1);
    expect(await turn).toMatchObject({ ok: true, payload: { status: "ok" } });
    expect((await wire.closed).code).toBe(1012);
    const shutdownAt = wire.frames.findIndex((frame) => frame.event === "shutdown");
    const finalAt = wire.frames.findIndex((frame) => frame.payload?.status === "ok");
    expect(finalAt).toBeLessThan(shutdownAt);
    await saw("restarted; listening");
    const again = await gateway.connect();
    expect(await ask(again, "hello", "more")).toMatchObject({ ok: true, payload: { status: "ok" } });
    await again.close();
  });

  test("§6.5 the wait for turns is bounded, and the cut turn says why it ended", async () => {
    await open({ config: { gateway: { mode: "local", auth: { token }, reload: { deferralTimeoutMs: 50 } } } });
    const wire = await gateway.connect();
    const turn = ask(wire, "sleep: 30000", "long");
    await begun(wire, "long");
    gateway.host.restarts.request({ reason: "test", delayMs: 0 });
    await gateway.world.jump(60);
    expect((await turn).payload).toMatchObject({
      status: "error",
      summary: expect.stringContaining("stopped while this run was active"),
    });
    expect((await wire.closed).code).toBe(1012);
    await saw("restarted; listening");
  });

  test("§6.5 a stop during the wait stops at once", async () => {
    await open();
    const wire = await gateway.connect();
    const turn = ask(wire, "sleep: 30000", "long");
    await begun(wire, "long");
    gateway.host.restarts.request({ reason: "test", delayMs: 0 });
    await gateway.world.jump(1);
    const began = performance.now();
    await gateway.host.stop();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect((await turn).payload).toMatchObject({ status: "error" });
    expect(wire.events("shutdown")[0]?.payload).toEqual({ reason: "gateway stopping" });
    expect(said("restarted; listening")).toEqual([]);
  });

  test("a config that breaks during the wait calls the restart off, and everything is answered again", async () => {
    await open();
    const wire = await gateway.connect();
    const turn = ask(wire, "sleep: 200", "long");
    await begun(wire, "long");
    gateway.host.restarts.request({ reason: "test", delayMs: 0 });
    await gateway.world.jump(1);
    saveText(gateway.home, "{ broken");
    await turn;
    await saw("restart refused; the running gateway goes on");
    expect(await ask(wire, "hello", "after")).toMatchObject({ ok: true, payload: { status: "ok" } });
    expect(wire.events("shutdown")).toEqual([]);
    await wire.close();
  });

  test("an edit taken back during the wait calls off the restart it caused", async () => {
    await open();
    const text = readText(gateway.home);
    const wire = await gateway.connect();
    const turn = ask(wire, "sleep: 30000", "long");
    await begun(wire, "long");
    saveText(gateway.home, text.replace(token, `${token}-2`));
    await gateway.world.jump(6_000);
    await saw("received SIGUSR1; restarting");
    saveText(gateway.home, text);
    await gateway.world.jump(6_000);
    await saw("restart called off");
    await gateway.world.jump(30_000);
    expect(await turn).toMatchObject({ ok: true });
    expect(await ask(wire, "hello", "after")).toMatchObject({ ok: true });
    await wire.close();
  });

  test("between two generations the port answers: never a refusal, never a foreign status", async () => {
    await open();
    const statuses = new Set<number>();
    const over = new AbortController();
    const asked = (async () => {
      while (!over.signal.aborted) statuses.add(await statusOf(gateway.port, "/readyz"));
    })();
    for (let i = 1; i <= 3; i++) {
      gateway.host.restarts.request({ reason: "test", delayMs: 0 });
      await gateway.world.jump(1);
      await saw("restarted; listening", i);
    }
    over.abort();
    await asked;
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(statuses.has(200)).toBe(true);
  });

  test("§7.6 the note left before a restart is shown once to the session that asked", async () => {
    await open();
    const note = { kind: "config-apply", status: "ok", ts: 1, sessionKey: "main", message: "new model" } as const;
    const { payload } = await gateway.host.gateway.sentinel.write(note);
    expect(payload).toEqual(note);
    gateway.host.restarts.request({ reason: "config.apply", delayMs: 0 });
    await gateway.world.jump(1);
    await saw("restarted; listening");
    await saw("Gateway restart config-apply ok");
    const wire = await gateway.connect();
    const { queuedSystemEvents } = await wire.call<{ queuedSystemEvents: string[] }>("status", {});
    expect(queuedSystemEvents).toEqual([`GatewayRestart: ${JSON.stringify(note)}`]);
    gateway.host.restarts.request({ reason: "again", delayMs: 0 });
    await gateway.world.jump(1);
    await saw("restarted; listening", 2);
    const later = await gateway.connect();
    expect((await later.call<{ queuedSystemEvents: string[] }>("status", {})).queuedSystemEvents).toEqual([]);
    await later.close();
  });

  test("a long stand-still disconnects nobody", async () => {
    await open();
    const wire = await gateway.connect();
    // Both clocks move without a timer firing: the process was stopped.
    gateway.world.stall(120_000);
    await gateway.world.jump(5_000);
    await saw("nothing ran for 1", 1);
    await wire.settled();
    // The wall clock alone: the machine slept.
    gateway.world.shiftWall(8 * 3_600_000);
    await gateway.world.jump(2_000);
    await saw("moved 28800 s apart");
    await wire.settled();
    await wire.close();
  });
});

function statusOf(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, agent: false }, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(answer.statusCode ?? 0));
    });
    asked.once("error", reject);
    asked.end();
  });
}

describe("the process", () => {
  let home: Home;
  afterEach(() => home.remove());

  test("§6.3 launch flags win after a restart, and the config is read fresh", async () => {
    home = makeHome({ commands: { restart: true } });
    const gateway = await startGateway(home);
    edit(home, { gateway: { port: await freePort(), auth: { token: `${token}-2` }, reload: { mode: "off" } } });
    gateway.kill("SIGUSR1");
    await vi.waitFor(() => expect(gateway.output()).toContain("restarted; listening"), {
      timeout: 10_000,
      interval: 10,
    });
    const wire = await Wire.connect(gateway.url, { token: `${token}-2` });
    await wire.close();
    expect(await gateway.stop()).toBe(0);
  });

  test("§6.3 a restart whose new generation cannot start ends with 1 and the reason", async () => {
    home = makeHome({ commands: { restart: true } });
    const gateway = await startGateway(home);
    for (const end of ["", "-wal", "-shm"]) rmSync(join(home.state, `openclaw.db${end}`), { force: true });
    mkdirSync(join(home.state, "openclaw.db"));
    gateway.kill("SIGUSR1");
    expect(await gateway.exited).toBe(1);
    expect(gateway.output()).toContain("Gateway failed to start: ");
  });

  test("works as the first process of a PID namespace: signals end it, and nobody is left", async () => {
    home = makeHome();
    const port = await freePort();
    // Where namespaces are not permitted the same is asked of an ordinary process.
    const apart = [
      ["unshare", "--pid", "--fork", "--mount-proc"],
      ["unshare", "-Ur", "--pid", "--fork", "--mount-proc"],
    ];
    const prefix = apart.find(([command = "", ...args]) => spawnSync(command, [...args, "true"]).status === 0) ?? [
      "env",
    ];
    const [command = "env", ...args] = prefix;
    const child = spawn(command, [...args, launcher, "gateway", "--port", String(port)], {
      cwd: home.path,
      env: home.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
    const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
    await vi.waitFor(() => expect(text).toContain("listening on"), { timeout: 15_000, interval: 10 });
    const wire = await Wire.connect(`ws://127.0.0.1:${port}`, { token });
    const inside =
      prefix[0] === "unshare"
        ? Number(execFileSync("ps", ["-o", "pid=", "--ppid", String(child.pid)], { encoding: "utf8" }))
        : (child.pid ?? 0);
    if (prefix[0] === "unshare")
      expect(JSON.parse(readFileSync(join(home.state, "status.json"), "utf8"))).toMatchObject({ pid: 1 });
    process.kill(inside, "SIGTERM");
    expect((await wire.closed).code).toBe(1012);
    expect(await exited).toBe(0);
  });
});

test("R-SVC-6 after three crashes in a row the fourth start comes up safe, says why, and a restart ends it", async () => {
  const home = makeHome({ commands: { restart: true } });
  try {
    const port = await freePort();
    for (let i = 0; i < 3; i++) {
      const crashing = await startGateway(home, { port });
      crashing.kill("SIGKILL");
      await crashing.exited;
    }
    const gateway = await startGateway(home, { port });
    const wire = await Wire.connect(gateway.url, { token });
    type Safe = { safe?: { reason: string }; problems: { part: string }[] };
    const health = await wire.call<Safe>("health", { probe: true });
    expect(health.safe?.reason).toContain("crash-loop: 3 unclean ends");
    expect(health.problems.map(({ part }) => part)).toEqual(["safe-mode"]);
    // It holds channels and automation, never what an operator asks for.
    expect(await wire.final("agent", { message: "hello", sessionKey: "main", idempotencyKey: "safe" })).toMatchObject({
      ok: true,
    });
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    gateway.kill("SIGUSR1");
    await wire.closed;
    await vi.waitFor(() => expect(gateway.output()).toContain("safe mode left (restart)"), {
      timeout: 5_000,
      interval: 10,
    });
    expect(await gateway.stop()).toBe(0);
  } finally {
    home.remove();
  }
});
