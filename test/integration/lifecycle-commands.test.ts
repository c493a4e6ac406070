/** lifecycle.md §11, §12 and §14 with the real command line on a real gateway process. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { configFile, edit } from "../support/config-file.ts";
import {
  freePort,
  launcher,
  makeHome,
  runCli,
  startGateway,
  token,
  type GatewayProcess,
  type Home,
} from "../support/process.ts";
import { Wire } from "../support/wire.ts";

type Json = Record<string, unknown>;

/** Started once: these tests only ask. */
describe("asking", () => {
  let home: Home;
  let gateway: GatewayProcess;
  beforeAll(async () => {
    home = makeHome();
    gateway = await startGateway(home);
    home.env.OPENCLAW_GATEWAY_PORT = String(gateway.port);
  });
  afterAll(async () => {
    expect(await gateway.stop()).toBe(0);
    home.remove();
  });
  const run = (words: string) => runCli(home, words.split(" "));
  const json = async (words: string) => {
    const { code, stdout, stderr } = await run(`${words} --json`);
    expect([code, stderr]).toEqual([0, ""]);
    return JSON.parse(stdout) as Json;
  };

  test("lifecycle 12.1: a command connects as an operator with id and mode cli, and all scopes a person needs", async () => {
    await run("health");
    const { lines } = await json("gateway call logs.tail");
    const connected = (lines as string[])
      .map((line) => JSON.parse(line) as Json)
      .findLast((line) => String(line["2"]).startsWith("connected conn="));
    expect(connected?.["2"]).toContain("client=cli mode=cli");
    expect(connected?.["1"]).toMatchObject({ role: "operator", local: true });
    for (const scope of ["operator.admin", "operator.approvals", "operator.pairing"])
      expect((connected?.["1"] as { scopes: string[] }).scopes).toContain(scope);
  });

  test("lifecycle 14.2: health --json has the agreed shape, and the texts name agents, heartbeat and store", async () => {
    const health = await json("health");
    expect(health).toMatchObject({
      ok: true,
      ts: expect.any(Number),
      durationMs: expect.any(Number),
      channels: {},
      channelOrder: [],
      channelLabels: {},
      heartbeatSeconds: expect.any(Number),
      defaultAgentId: "main",
      sessions: { path: join(home.state, "openclaw.db"), count: expect.any(Number), recent: expect.any(Array) },
    });
    expect((health.agents as Json[])[0]).toMatchObject({
      agentId: "main",
      isDefault: true,
      heartbeat: { enabled: expect.any(Boolean), every: expect.any(String), ackMaxChars: expect.any(Number) },
      sessions: { path: expect.any(String), count: expect.any(Number), recent: expect.any(Array) },
    });
    const { stdout } = await run("health --verbose");
    expect(stdout).toContain("Agents: main (default)\n");
    expect(stdout).toContain("Session store (main): ~/.openclaw/openclaw.db (");
    expect((await run("gateway health")).stdout).toMatch(/^Gateway Health\nOK \(\d+ms\)\n/u);
    expect(await json("gateway call health")).toMatchObject({ ok: true, defaultAgentId: "main" });
  });

  test("lifecycle 14.3: status --json has every agreed key, --deep and --usage add theirs", async () => {
    const keys = Object.keys(await json("status"));
    for (const key of "heartbeat channelSummary queuedSystemEvents sessions os memory memoryPlugin gateway gatewayService nodeService agents update updateChannel updateChannelSource".split(
      " ",
    ))
      expect(keys).toContain(key);
    const deep = await json("status --deep --usage");
    expect(deep).toMatchObject({
      gateway: {
        mode: "local",
        url: gateway.url,
        urlSource: "local loopback",
        misconfigured: false,
        reachable: true,
        connectLatencyMs: expect.any(Number),
        self: { host: expect.any(String), version: expect.any(String), platform: expect.any(String) },
        error: null,
      },
      agents: { defaultId: "main", totalSessions: expect.any(Number) },
      sessions: { paths: [join(home.state, "openclaw.db")], defaults: { model: expect.any(String) } },
      health: { ok: true },
      lastHeartbeat: null,
      usage: expect.any(Object),
    });
  });

  test("lifecycle 14.3: status --all is one page that can be pasted: overview, diagnosis, the end of the log, no secret", async () => {
    const { code, stdout } = await run("status --all");
    expect(code).toBe(0);
    for (const part of [
      "Overview",
      "Diagnosis",
      "Config: ~/.openclaw/openclaw.json (ok)",
      "Log: ",
      "listening on ws://",
    ])
      expect(stdout).toContain(part);
    expect(stdout).not.toContain(token);
  });

  test("lifecycle 14.6: call prints the method and the payload, --json the payload alone, and failures in the agreed words", async () => {
    const { stdout } = await run("gateway call last-heartbeat");
    expect(stdout).toBe("Gateway call: last-heartbeat\nnull\n");
    expect(await json("gateway call status")).toMatchObject({ runs: expect.any(Object) });
    const unknown = await run("gateway call nope");
    expect([unknown.code, unknown.stderr]).toEqual([1, "Gateway call failed: Error: unknown method: nope\n"]);
    const final = await runCli(home, [
      ..."gateway call agent --expect-final --json --params".split(" "),
      JSON.stringify({ message: "hello", sessionKey: "main", idempotencyKey: "call-1" }),
    ]);
    expect(JSON.parse(final.stdout)).toMatchObject({ runId: "call-1", status: "ok" });
  });

  test("lifecycle 14.8: agent waits for the final, prints texts or the whole response, and says what is missing", async () => {
    const args = ["agent", "--agent", "main", "--message", "hello there"];
    const text = await runCli(home, args);
    expect([text.code, text.stdout.split("\n")[0]]).toEqual([0, "hello there"]);
    const whole = JSON.parse((await runCli(home, [...args, "--json"])).stdout) as Json;
    expect(whole).toMatchObject({ status: "ok", summary: expect.any(String), result: { payloads: expect.any(Array) } });
    const nobody = await runCli(home, ["agent", "--message", "hi"]);
    expect([nobody.code, nobody.stderr]).toEqual([
      1,
      "Pass --to <E.164>, --session-id, or --agent to choose a session\n",
    ]);
    const unknown = await runCli(home, ["agent", "--agent", "ghost", "--message", "hi"]);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("openclaw agents list")]);
  });

  test("lifecycle 14.9.2, 14.9.3: presence lists the gateway and its clients by instance", async () => {
    const wire = await Wire.connect(gateway.url, {
      token,
      client: { id: "openclaw-macos", mode: "ui", instanceId: "desk-1" },
    });
    const entries = (await json("gateway call system-presence")) as unknown as Json[];
    expect(entries.map((entry) => entry.mode)).toContain("gateway");
    expect(entries.map((entry) => entry.instanceId)).toContain("desk-1");
    await wire.close();
  });
});

describe("changing", () => {
  let home: Home;
  beforeEach(() => {
    home = makeHome();
  });
  afterEach(() => home.remove());
  const saw = (gateway: GatewayProcess, text: string) =>
    vi.waitFor(() => expect(gateway.output()).toContain(text), { timeout: 15_000, interval: 10 });

  test("lifecycle 11.1: two gateways from the environment alone, with paths that begin with a tilde, share nothing", async () => {
    const of = (name: string) => ({
      OPENCLAW_CONFIG_PATH: `~/.openclaw/${name}.json`,
      OPENCLAW_STATE_DIR: `~/.openclaw-${name}`,
    });
    for (const name of ["a", "b"])
      writeFileSync(
        join(home.state, `${name}.json`),
        JSON.stringify({
          gateway: { mode: "local", auth: { token: `${name}-${token}` } },
          agents: { defaults: { workspace: `~/work-${name}`, skipBootstrap: true } },
        }),
      );
    const [a, b] = await Promise.all([startGateway(home, { env: of("a") }), startGateway(home, { env: of("b") })]);
    for (const [name, gateway] of [
      ["a", a],
      ["b", b],
    ] as const) {
      const env = { ...of(name), OPENCLAW_GATEWAY_PORT: String(gateway.port) };
      const ran = await runCli(home, ["status", "--json"], { env });
      expect(JSON.parse(ran.stdout)).toMatchObject({
        stateDir: join(home.path, `.openclaw-${name}`),
        config: { path: join(home.state, `${name}.json`) },
        gateway: { reachable: true, url: gateway.url },
        sessions: { paths: [join(home.path, `.openclaw-${name}`, "openclaw.db")] },
      });
    }
    await expect(Wire.connect(a.url, { token: `b-${token}` })).rejects.toThrow(/unauthorized/u);
    expect(await Promise.all([a.stop(), b.stop()])).toEqual([0, 0]);
  });

  test("lifecycle 14.1, 14.9.12: logs --follow goes on over a restart in process", async () => {
    edit(home, { commands: { restart: true } });
    const gateway = await startGateway(home);
    const env = { ...home.env, OPENCLAW_GATEWAY_PORT: String(gateway.port) };
    const follower = spawn(launcher, ["logs", "--follow", "--json", "--interval", "100"], { cwd: home.path, env });
    home.children.add(follower);
    let out = "";
    follower.stdout.on("data", (chunk: Buffer) => (out += chunk.toString("utf8")));
    const objects = () =>
      out
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Json);
    const heard = (type: string, text: string) =>
      vi.waitFor(
        () => expect(objects().some((line) => line.type === type && String(line.message).includes(text))).toBe(true),
        { timeout: 15_000, interval: 20 },
      );
    await heard("log", "listening on ws://");
    gateway.kill("SIGUSR1");
    await heard("notice", "Connected again.");
    await heard("log", "restarted; listening on");
    expect(objects()[0]).toMatchObject({
      type: "meta",
      file: expect.stringMatching(/openclaw-\d{4}-\d\d-\d\d\.log$/u),
    });
    const ended = new Promise((resolve) => follower.once("exit", resolve));
    follower.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(await gateway.stop()).toBe(0);
  });

  test("lifecycle 14.1: a reader that goes away ends logs quietly", async () => {
    const gateway = await startGateway(home);
    const wire = await Wire.connect(gateway.url, { token });
    for (let i = 0; i < 300; i++) await wire.request("nope", {});
    await wire.close();
    const env = { ...home.env, OPENCLAW_GATEWAY_PORT: String(gateway.port) };
    const line = `set -o pipefail; '${launcher}' logs --limit 5000 2>err.txt | head -n 1`;
    const shell = spawn("bash", ["-c", line], { cwd: home.path, env });
    const code = await new Promise((resolve) => shell.once("exit", resolve));
    expect([code, readFileSync(join(home.path, "err.txt"), "utf8")]).toEqual([0, ""]);
    expect(await gateway.stop()).toBe(0);
  });

  test("lifecycle 14.9.8: messages.* applies without a reconnect, gateway.auth restarts in process, broken text is one line", async () => {
    const gateway = await startGateway(home);
    const wire = await Wire.connect(gateway.url, { token });
    edit(home, { messages: { queue: { mode: "followup" } } });
    await saw(gateway, "config change applied (dynamic reads: messages.queue.mode)");
    await wire.settled();
    const good = readFileSync(configFile(home), "utf8");
    writeFileSync(configFile(home), good.slice(0, 30));
    await saw(gateway, "config reload skipped (invalid config)");
    await wire.settled();
    writeFileSync(configFile(home), good);
    edit(home, { gateway: { auth: { token: `${token}-2` } } });
    expect((await wire.closed).code).toBe(1012);
    await saw(gateway, "restarted; listening on");
    expect(gateway.child.exitCode).toBe(null);
    await expect(Wire.connect(gateway.url, { token })).rejects.toThrow(/unauthorized/u);
    await (await Wire.connect(gateway.url, { token: `${token}-2` })).close();
    expect(await gateway.stop()).toBe(0);
  });

  test("lifecycle 14.9.11: gateway status --json is one document, gateway up or down, config good or broken", async () => {
    const port = String(await freePort());
    const env = { OPENCLAW_GATEWAY_PORT: port };
    const status = async () => {
      const { code, stdout, stderr } = await runCli(home, ["gateway", "status", "--json"], { env });
      expect([code, stderr]).toEqual([0, ""]);
      return JSON.parse(stdout) as { rpc: { ok: boolean }; config: { cli: { valid: boolean } } };
    };
    expect(await status()).toMatchObject({ rpc: { ok: false }, config: { cli: { valid: true } } });
    const gateway = await startGateway(home, { port: Number(port) });
    expect(await status()).toMatchObject({ rpc: { ok: true }, config: { cli: { valid: true } } });
    writeFileSync(configFile(home), "{ broken");
    expect(await status()).toMatchObject({ config: { cli: { valid: false } } });
    expect(await gateway.stop()).toBe(0);
    expect(await status()).toMatchObject({ rpc: { ok: false }, config: { cli: { valid: false } } });
  });
});
