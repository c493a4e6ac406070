/** The process as a person meets it: wrong starts, two at once, signals, kill -9. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort, makeHome, runCli, startGateway, token, type Home } from "../support/process.ts";
import { Wire } from "../support/wire.ts";

let home: Home;
beforeEach(() => {
  home = makeHome();
});
afterEach(() => home.remove());

const configFile = () => join(home.state, "openclaw.json");
const start = (args: string[] = [], env: Record<string, string> = {}) => runCli(home, ["gateway", ...args], { env });

test("without a config the start says what to run", async () => {
  const port = String(await freePort());
  const ran = await start(["--port", port], {
    OPENCLAW_CONFIG_PATH: join(home.path, "none.json"),
    OPENCLAW_STATE_DIR: join(home.path, "none"),
  });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("Missing config. Run `openclaw setup`");
  expect(existsSync(join(home.path, "none"))).toBe(false);
});

test("a config without a secret is refused, and the text names the setting", async () => {
  writeFileSync(configFile(), '{ gateway: { mode: "local" } }');
  const ran = await start(["--port", String(await freePort())]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("Gateway auth is set to token, but no token is configured.");
  expect(ran.stderr).toContain("gateway.auth.token");
});

test("a broken config names file, path and problem, and is left as it is", async () => {
  const text = `{ gateway: { mode: "local", prot: 1, auth: { token: "${token}" } } }`;
  writeFileSync(configFile(), text);
  const ran = await start(["--port", String(await freePort())], { OPENCLAW_SERVICE_MARKER: "openclaw" });
  expect(ran.code).toBe(78);
  expect(ran.stderr).toContain(`Invalid config at ${configFile()}`);
  expect(ran.stderr).toContain('gateway: Unrecognized key: "prot" (did you mean "port"?)');
  expect(readFileSync(configFile(), "utf8")).toBe(text);
  expect(ran.stderr).not.toContain(token);
});

test("a mode that is not local blocks the start", async () => {
  writeFileSync(configFile(), `{ gateway: { auth: { token: "${token}" } } }`);
  const ran = await start(["--port", String(await freePort())]);
  expect(ran.stderr).toContain(
    "Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured.",
  );
});

test("a port in use is named, and nothing was changed on disk", async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
  );
  try {
    const before = readdirSync(home.state);
    const ran = await start(["--port", String(port)]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(`another gateway instance is already listening on ws://127.0.0.1:${port}`);
    expect(
      readdirSync(home.state).filter((name) => !before.includes(name) && !name.startsWith("gateway.lock")),
    ).toEqual([]);
  } finally {
    server.close();
  }
});

test("a second gateway of the same state directory names the owner at once", async () => {
  const gateway = await startGateway(home);
  const began = performance.now();
  const ran = await start(["--port", String(await freePort())]);
  expect(performance.now() - began).toBeLessThan(4_000);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(`gateway already running (pid ${gateway.pid}`);
  expect(await gateway.stop()).toBe(0);
});

test("of six starts at once exactly one serves", async () => {
  const port = await freePort();
  const attempts = Array.from({ length: 6 }, () =>
    startGateway(home, { port }).then(
      (gateway) => gateway,
      (error: Error) => error,
    ),
  );
  const results = await Promise.all(attempts);
  const serving = results.filter((result) => !(result instanceof Error));
  expect(serving).toHaveLength(1);
  for (const result of results)
    if (result instanceof Error) expect(result.message).toMatch(/already (running|listening)/u);
  const [gateway] = serving;
  if (gateway && !(gateway instanceof Error)) expect(await gateway.stop()).toBe(0);
});

test("a state directory that cannot be made is one line with path, owner and command", async () => {
  const state = join(configFile(), "state");
  const ran = await start(["--port", String(await freePort())], {
    OPENCLAW_STATE_DIR: state,
    OPENCLAW_CONFIG_PATH: configFile(),
  });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(`State directory ${state} cannot be written (ENOTDIR).`);
  expect(ran.stderr).toContain(`chown -R ${process.getuid?.()}:${process.getgid?.()} ${state}`);
});

test("a state directory others may write to is refused with the command", async () => {
  chmodSync(home.state, 0o777);
  const ran = await start(["--port", String(await freePort())]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(`Run: chmod 700 ${home.state}`);
});

test("SIGINT ends with 0, and everything in the state directory is private", async () => {
  const gateway = await startGateway(home);
  const wire = await Wire.connect(gateway.url, { token });
  await wire.final("agent", { message: "hello", sessionKey: "main", idempotencyKey: "k1" });
  gateway.kill("SIGINT");
  expect((await wire.event("shutdown")).payload).toEqual({ reason: "gateway stopping" });
  expect((await wire.closed).code).toBe(1012);
  expect(await gateway.exited).toBe(0);
  const visit = (path: string): void => {
    const mode = statSync(path).mode & 0o777;
    expect([path, mode & 0o077]).toEqual([path, 0]);
    if (statSync(path).isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  visit(home.state);
});

test("SIGUSR1 without permission changes nothing, and the debug port stays closed", async () => {
  const gateway = await startGateway(home);
  for (let i = 0; i < 5; i++) gateway.kill("SIGUSR1");
  const wire = await Wire.connect(gateway.url, { token });
  await wire.settled();
  expect(gateway.output()).toContain("SIGUSR1 restart ignored (not authorized");
  expect(gateway.output()).not.toContain("Debugger listening");
  await wire.close();
  expect(await gateway.stop()).toBe(0);
});

test("SIGUSR1 with permission restarts in the same process on the same port", async () => {
  home.remove();
  home = makeHome({ commands: { restart: true } });
  const gateway = await startGateway(home);
  const wire = await Wire.connect(gateway.url, { token });
  gateway.kill("SIGUSR1");
  expect((await wire.event("shutdown")).payload).toEqual({ reason: "gateway restarting", restartExpectedMs: 1_500 });
  expect((await wire.closed).code).toBe(1012);
  const again = await reconnect(gateway.url);
  expect((await again.call<{ ok: boolean }>("health", {})).ok).toBe(true);
  expect(gateway.child.exitCode).toBe(null);
  await again.close();
  expect(await gateway.stop()).toBe(0);
});

/** Between two generations sockets are closed with 1012 or 1013 and may come back at once. */
async function reconnect(url: string): Promise<Wire> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      return await Wire.connect(url, { token });
    } catch (error) {
      if (attempt === 199) throw error;
    }
  }
  throw new Error("unreachable");
}

test("after kill -9 in the middle of a run the message is there once and the key has one outcome", async () => {
  const port = await freePort();
  const first = await startGateway(home, { port });
  const wire = await Wire.connect(first.url, { token });
  const params = { message: "sleep: 400", sessionKey: "main", idempotencyKey: "run-1" };
  expect((await wire.request("agent", params)).payload).toMatchObject({ status: "accepted" });
  await wire.event("agent", (payload) => payload.runId === "run-1");
  first.kill("SIGKILL");
  await first.exited;
  const second = await startGateway(home, { port });
  const again = await Wire.connect(second.url, { token });
  const answer = await again.call<{ runId: string; status: string }>("agent.wait", {
    runId: "run-1",
    timeoutMs: 10_000,
  });
  expect(answer.status).toBe("ok");
  expect((await again.request("agent", params)).payload).toMatchObject({ runId: "run-1", status: "ok" });
  const { messages } = await again.call<{ messages: { role: string }[] }>("chat.history", { sessionKey: "main" });
  expect(messages.map((message) => message.role)).toEqual(["user", "assistant"]);
  await again.close();
  expect(await second.stop()).toBe(0);
});

test("a gateway whose log pipe was closed goes on serving and writes no line about its lines", async () => {
  const gateway = await startGateway(home, { args: ["--verbose"] });
  gateway.child.stdout?.destroy();
  gateway.child.stderr?.destroy();
  const wire = await Wire.connect(gateway.url, { token });
  for (let i = 0; i < 20; i++) await wire.request("nope", {});
  const { lines } = await wire.call<{ lines: string[] }>("logs.tail", { limit: 5_000 });
  expect(lines.filter((line) => line.includes("EPIPE"))).toEqual([]);
  await wire.close();
  expect(await gateway.stop()).toBe(0);
});

test("the dev flag makes config and workspace when they are missing", async () => {
  const empty = join(home.path, "fresh");
  mkdirSync(empty);
  const fresh: Home = { ...home, path: empty, state: join(empty, ".openclaw"), env: { ...home.env, HOME: empty } };
  const gateway = await startGateway(fresh, { args: ["--dev"] });
  expect(existsSync(join(empty, ".openclaw", "openclaw.json"))).toBe(true);
  expect(await gateway.stop()).toBe(0);
});
