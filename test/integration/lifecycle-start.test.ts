/** lifecycle.md §2.2, §5 and §6 on the real process: what each check of a start says, who owns the port, what signals do. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { configFile, edit } from "../support/config-file.ts";
import { freePort, makeHome, runCli, startGateway, token, type GatewayProcess, type Home } from "../support/process.ts";
import { Wire } from "../support/wire.ts";

let home: Home;
beforeEach(() => {
  home = makeHome();
});
afterEach(() => home.remove());

const start = async (args: string[], env: Record<string, string> = {}) =>
  runCli(home, ["gateway", "--port", String(await freePort()), ...args], { env });
const write = (text: string) => writeFileSync(configFile(home), text);
const saw = (gateway: GatewayProcess, text: string) =>
  vi.waitFor(() => expect(gateway.output()).toContain(text), { timeout: 5_000, interval: 5 });
const listening = (port = 0): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(port, "127.0.0.1", () => resolve(server));
  });

test("lifecycle 2.2: the words of the command line are judged before the config, one line each, exit 1", async () => {
  write("{ broken");
  const cases: [string[], string][] = [
    [["--reset"], "Use --reset with --dev.\n"],
    [["--ws-log", "loud"], 'Invalid --ws-log (use "auto", "full", "compact")\n'],
    [["--port", "0"], "Invalid port\n"],
    [["--port", "65536"], "Invalid port\n"],
    [["--port", "1e3"], "Invalid port\n"],
    [["--auth", "none"], 'Invalid --auth (use "token" or "password")\n'],
    [["--tailscale", "on"], 'Invalid --tailscale (use "off", "serve", or "funnel")\n'],
    [["--bind", "all"], 'Invalid --bind (use "loopback", "lan", "tailnet", "auto", or "custom")\n'],
  ];
  const ran = await Promise.all(cases.map(([args]) => runCli(home, ["gateway", ...args])));
  expect(ran.map(({ code, stdout, stderr }) => [code, stdout, stderr])).toEqual(cases.map(([, text]) => [1, "", text]));
});

test("lifecycle 2.2.2: --verbose raises the console and not the file, and --ws-log picks the lines of frames", async () => {
  const logs = async (gateway: GatewayProcess) => {
    const wire = await Wire.connect(gateway.url, { token });
    await wire.call("status", {});
    const { lines } = await wire.call<{ lines: string[] }>("logs.tail", { limit: 1_000 });
    await wire.close();
    expect(await gateway.stop()).toBe(0);
    return lines.map((line) => (JSON.parse(line) as { _meta: { logLevelName: string } })._meta.logLevelName);
  };
  const compact = await startGateway(home, { args: ["--verbose", "--compact"] });
  expect(await logs(compact)).not.toContain("DEBUG");
  expect(compact.output()).toMatch(/⇄ res ✓ status \d+ms conn=[0-9a-f]{8}…[0-9a-f]{4} id=r\d/u);
  expect(compact.output()).not.toContain("← req");
  const full = await startGateway(home, { args: ["--verbose", "--ws-log", "full"] });
  await logs(full);
  expect(full.output()).toContain("← req status");
  const quiet = await startGateway(home, { args: ["--claude-cli-logs"] });
  await logs(quiet);
  expect(quiet.output()).not.toMatch(/⇄|←|→/u);
});

test("lifecycle 2.2.2: every line begins with an ISO time, and colour is decided by the environment", async () => {
  const plain = await startGateway(home, { env: { FORCE_COLOR: "1", NO_COLOR: "1" } });
  expect(await plain.stop()).toBe(0);
  // The runtime has a word of its own about the two variables.
  const lines = plain.output().trim().split("\n");
  for (const line of lines.filter((text) => !text.startsWith("(")))
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \[/u);
  expect(plain.output()).not.toContain("\u001b");
  edit(home, { logging: { consoleStyle: "pretty" } });
  const coloured = await startGateway(home, { env: { FORCE_COLOR: "1", NO_COLOR: "" } });
  expect(await coloured.stop()).toBe(0);
  expect(coloured.output()).toContain("\u001b[");
});

test("lifecycle 2.2.3, 2.2.7: flags stand in the environment of the process, and a token is no line of its output", async () => {
  write('{ gateway: { mode: "local" } }');
  const secret = "flag-token-0123456789abcdef";
  const args = ["--token", secret, "--raw-stream", "--raw-stream-path", "/dev/null", "--verbose"];
  const noted = join(home.path, "environment.json");
  const env = preload(
    `process.on("exit", () => writeFileSync(${JSON.stringify(noted)}, JSON.stringify(process.env)));`,
  );
  const gateway = await startGateway(home, { args, env });
  await (await Wire.connect(gateway.url, { token: secret })).close();
  await expect(Wire.connect(gateway.url, { token: "another-token-0123456789" })).rejects.toThrow(/unauthorized/u);
  expect(await gateway.stop()).toBe(0);
  expect(JSON.parse(readFileSync(noted, "utf8"))).toMatchObject({
    OPENCLAW_RAW_STREAM: "1",
    OPENCLAW_RAW_STREAM_PATH: "/dev/null",
    OPENCLAW_GATEWAY_TOKEN: secret,
    OPENCLAW_GATEWAY_PORT: String(gateway.port),
  });
  expect(gateway.output()).not.toContain(secret);
});

test("lifecycle 2.2.7: --password alone starts in password mode, --auth decides when both are there", async () => {
  write('{ gateway: { mode: "local" } }');
  const password = "correct horse battery";
  const gateway = await startGateway(home, { args: ["--password", password] });
  const wire = await Wire.connect(gateway.url, { password });
  await wire.close();
  await expect(Wire.connect(gateway.url, { token })).rejects.toThrow(/password/u);
  expect(await gateway.stop()).toBe(0);
  const both = await startGateway(home, { args: ["--auth", "token", "--token", token, "--password", password] });
  await (await Wire.connect(both.url, { token })).close();
  await expect(Wire.connect(both.url, { password })).rejects.toThrow(/token/u);
  expect(await both.stop()).toBe(0);
});

test("lifecycle 2.2.8: a mode that is not local blocks the start by its name, and --allow-unconfigured goes past", async () => {
  write(`{ gateway: { mode: "remote", auth: { token: "${token}" }, remote: { url: "ws://127.0.0.1:1" } } }`);
  const ran = await start([]);
  expect([ran.code, ran.stderr]).toEqual([
    1,
    "Gateway start blocked: set gateway.mode=local (current: remote) or pass --allow-unconfigured.\n",
  ]);
  const gateway = await startGateway(home, { args: ["--allow-unconfigured"] });
  expect(await gateway.stop()).toBe(0);
});

test("lifecycle 2.2.8: without any config --allow-unconfigured starts with a token from the environment and writes no config", async () => {
  const env = { OPENCLAW_STATE_DIR: join(home.path, "bare"), OPENCLAW_GATEWAY_TOKEN: token };
  const gateway = await startGateway(home, { args: ["--allow-unconfigured"], env });
  await (await Wire.connect(gateway.url, { token })).close();
  expect(await gateway.stop()).toBe(0);
  expect(existsSync(join(home.path, "bare", "openclaw.json"))).toBe(false);
});

test("lifecycle 2.2.10: without a secret the start says which one is missing, how to give it, and what stands in the wrong place", async () => {
  write('{ gateway: { mode: "local", remote: { url: "ws://127.0.0.1:1", token: "elsewhere-0123456789" } } }');
  const noToken = await start([]);
  expect(noToken.code).toBe(1);
  expect(noToken.stderr).toContain(
    "Gateway auth is set to token, but no token is configured.\nSet gateway.auth.token (or OPENCLAW_GATEWAY_TOKEN), or pass --token.\n",
  );
  expect(noToken.stderr).toContain("gateway.remote.token is for reaching another gateway");
  expect(noToken.stderr).not.toContain("elsewhere-0123456789");
  const noPassword = await start(["--auth", "password"]);
  expect([noPassword.code, noPassword.stderr]).toEqual([
    1,
    "Gateway auth is set to password, but no password is configured.\nSet gateway.auth.password (or OPENCLAW_GATEWAY_PASSWORD), or pass --password.\n",
  ]);
  const open = await start(["--bind", "lan"]);
  expect(open.code).toBe(1);
  expect(open.stderr).toContain("Refusing to bind gateway to lan without auth.\nSet gateway.auth.token");
});

test("lifecycle 2.2.11: a taken port names the message, the stop command, who listens and what to do, exit 1", async () => {
  const server = await listening();
  const { port } = server.address() as { port: number };
  const ran = await runCli(home, ["--profile", "rescue", "gateway", "--port", String(port), "--allow-unconfigured"], {
    env: { OPENCLAW_STATE_DIR: home.state },
  });
  server.close();
  expect(ran.code).toBe(1);
  const [first, second, third, ...rest] = ran.stderr.split("\n");
  expect([first, second, third]).toEqual([
    `Gateway failed to start: another gateway instance is already listening on ws://127.0.0.1:${port}`,
    "If the gateway is supervised, stop it with: openclaw --profile rescue gateway stop",
    `Port ${port} is already in use.`,
  ]);
  expect(rest.join("\n")).toContain("Another process is listening on this port.");
  if (process.platform === "linux")
    expect(rest[0]).toMatch(new RegExp(`^- pid ${process.pid} \\S+: .+ \\(127\\.0\\.0\\.1:${port}\\)$`, "u"));
});

test("lifecycle 5.1: the second start of the same port names the gateway that holds it", async () => {
  const gateway = await startGateway(home);
  const other = makeHome();
  try {
    const ran = await runCli(other, ["gateway", "--port", String(gateway.port)]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(
      "Gateway already running locally. Stop it (openclaw gateway stop) or use a different port.",
    );
    if (process.platform === "linux")
      expect(ran.stderr).toMatch(new RegExp(`- pid ${gateway.pid} \\S+: openclaw-gateway \\(`, "u"));
  } finally {
    other.remove();
  }
  expect(await gateway.stop()).toBe(0);
});

test("lifecycle 5.1: an address that is not of this machine is another error than a taken port, exit 1", async () => {
  edit(home, { gateway: { bind: "custom", customBindHost: "192.0.2.1" } });
  const ran = await start([]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(
    /^Gateway failed to start: failed to bind gateway socket on ws:\/\/192\.0\.2\.1:\d+: .*EADDRNOTAVAIL/u,
  );
  expect(ran.stderr).not.toContain("already listening");
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "lifecycle 6.1: %s is logged twice, runs end with an error and are not waited for, exit 0",
  async (signal) => {
    const gateway = await startGateway(home);
    const wire = await Wire.connect(gateway.url, { token });
    const params = { message: "sleep: 60000", sessionKey: "main", idempotencyKey: "k1" };
    const final = wire.final("agent", params);
    await wire.event("agent", (payload) => payload.runId === "k1");
    const began = performance.now();
    gateway.kill(signal);
    expect((await final).payload).toMatchObject({ runId: "k1", status: "error" });
    expect((await wire.closed).code).toBe(1012);
    expect(await gateway.exited).toBe(0);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(gateway.output()).toContain(`signal ${signal} received`);
    expect(gateway.output()).toContain(`received ${signal}; shutting down`);
  },
);

test("lifecycle 6.1: a signal during the stop is named and ignored", async () => {
  const gateway = await startGateway(home, { env: hanging(3) });
  gateway.kill("SIGTERM");
  await saw(gateway, "received SIGTERM; shutting down");
  gateway.kill("SIGUSR1");
  await saw(gateway, "received SIGUSR1 during shutdown; ignoring");
  gateway.kill("SIGTERM");
  await saw(gateway, "received SIGTERM during shutdown; ignoring");
  expect(await gateway.exited).toBe(0);
});

test("lifecycle 6.1: SIGHUP has its default effect, and the next start is as after a crash", async () => {
  const gateway = await startGateway(home);
  gateway.kill("SIGHUP");
  expect(await gateway.exited).toBe("SIGHUP");
  const again = await startGateway(home, { port: gateway.port });
  expect(await again.stop()).toBe(0);
});

test("lifecycle 6.3: a stop that hangs is given up after its budget with a line, exit 0", async () => {
  const gateway = await startGateway(home, { env: hanging() });
  expect(await gateway.stop()).toBe(0);
  expect(gateway.output()).toContain("shutdown timed out; exiting without full cleanup");
});

test("lifecycle 6.3: a restart that hangs ends with 1, so that a supervisor starts a fresh process", async () => {
  edit(home, { commands: { restart: true }, gateway: { reload: { mode: "off" } } });
  const gateway = await startGateway(home, { env: hanging() });
  edit(home, { gateway: { bind: "custom", customBindHost: "127.0.0.2" } });
  gateway.kill("SIGUSR1");
  expect(await gateway.exited).toBe(1);
  expect(gateway.output()).toContain("Gateway failed to start: shutdown timed out; exiting without full cleanup");
});

test("lifecycle 6.6: an invalid config ends a start at once: 1 for a person, 78 under a service manager", async () => {
  write("{ gateway: { port: 'many' } }");
  const began = performance.now();
  expect((await start([])).code).toBe(1);
  expect(performance.now() - began).toBeLessThan(4_000);
  expect((await start([], { OPENCLAW_SERVICE_MARKER: "openclaw" })).code).toBe(78);
});

/** The port never says that it is closed, and budgets of seconds pass that many times as fast. */
const hanging = (faster = 20) =>
  preload(`net.Server.prototype.close = function () { return this; };
const real = globalThis.setTimeout;
globalThis.setTimeout = (run, ms, ...rest) => real(run, ms >= 4000 ? ms / ${faster} : ms, ...rest);`);

/** Environment that loads `code` into the process before the program. */
function preload(code: string): Record<string, string> {
  const file = join(home.path, "preload.mjs");
  writeFileSync(file, `import net from "node:net";\nimport { writeFileSync } from "node:fs";\n${code}\n`);
  return { NODE_OPTIONS: `--import=${file}` };
}
