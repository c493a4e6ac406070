/** Reaching a gateway from elsewhere (lifecycle.md §12.1, §12.2): remote mode, typed addresses, a forwarded port, passwords. Real
 *  processes on both sides; the "other machine" is another home. */
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { makeHome, runCli, startGateway, token, type GatewayProcess, type Home } from "../support/process.ts";
import { makeDevice, Wire } from "../support/wire.ts";

let home: Home;
let gateway: GatewayProcess;
beforeAll(async () => {
  home = makeHome();
  gateway = await startGateway(home);
});
afterAll(async () => {
  await gateway.stop();
  home.remove();
});

const opened: Home[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.remove();
});

/** Another machine: nothing of the gateway's home but what the config says. */
function laptop(gatewayConfig: Record<string, unknown>, env: Record<string, string> = {}): Home {
  const made = makeHome({}, env);
  writeFileSync(join(made.state, "openclaw.json"), JSON.stringify({ gateway: gatewayConfig }), { mode: 0o600 });
  opened.push(made);
  return made;
}

/** What `ssh -N -L <local>:127.0.0.1:<remote>` does to bytes: a listener here, a plain connection on the other machine. */
async function tunnel(port: number): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect({ host: "127.0.0.1", port });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => near.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

const health = (from: Home, args: string[] = []) => runCli(from, ["gateway", "call", "health", "--json", ...args]);

test("remote mode talks to gateway.remote.url with gateway.remote.token", async () => {
  const ran = await health(laptop({ mode: "remote", remote: { url: gateway.url, token } }));
  expect([ran.stderr, ran.code]).toEqual(["", 0]);
  expect(JSON.parse(ran.stdout)).toMatchObject({ ok: true });
});

test("in remote mode a local secret is not sent, and the refusal names where the used one came from", async () => {
  const far = laptop(
    { mode: "remote", auth: { token }, remote: { url: gateway.url, token: "of another gateway" } },
    { OPENCLAW_GATEWAY_TOKEN: token },
  );
  const ran = await health(far);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(
    "unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)",
  );
  expect(ran.stderr).toContain("Source: config gateway.remote.url");
  expect(ran.stderr).toContain("this command found a token (gateway.remote.token)");
  expect(ran.stderr).not.toContain(token);
});

test("remote mode without an address says what to set", async () => {
  const ran = await runCli(laptop({ mode: "remote" }), ["health"]);
  expect([ran.code, ran.stderr]).toEqual([
    1,
    "gateway remote mode misconfigured: gateway.remote.url missing\nConfig: ~/.openclaw/openclaw.json\nFix: set gateway.remote.url, or set gateway.mode=local\n",
  ]);
});

test("remote mode with an address that is none says so", async () => {
  const ran = await runCli(laptop({ mode: "remote", remote: { url: "http://box" } }), ["health"]);
  expect(ran.stderr).toContain("Invalid gateway.remote.url: use ws://host:port or wss://host:port");
});

test("a gateway does not start where the config says remote", async () => {
  const ran = await runCli(laptop({ mode: "remote", remote: { url: gateway.url } }), ["gateway", "--port", "1"]);
  expect(ran.stderr).toContain("Gateway start blocked: set gateway.mode=local (current: remote)");
});

test("--token stands in for the configured one", async () => {
  const ran = await health(laptop({ mode: "remote", remote: { url: gateway.url, token: "stale" } }), [
    "--token",
    token,
  ]);
  expect(ran.code).toBe(0);
});

test.each([
  ["ws://192.0.2.7:18789", []],
  ["wss://gateway.example", []],
])("a typed %s without credentials is refused, whatever is configured", async (url, more) => {
  const far = laptop(
    { mode: "local", auth: { token } },
    { OPENCLAW_GATEWAY_TOKEN: token, OPENCLAW_GATEWAY_PASSWORD: "p" },
  );
  const ran = await health(far, ["--url", url, ...more]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(
    "gateway url override requires explicit credentials\nFix: pass --token or --password together with --url",
  );
});

test("a typed loopback address falls back to the local credentials", async () => {
  const near = laptop({ mode: "local", auth: { token } });
  const ran = await health(near, ["--url", gateway.url]);
  expect([ran.stderr, ran.code]).toEqual(["", 0]);
});

test("with a typed address only the typed credential is used", async () => {
  const ran = await health(laptop({ mode: "local", auth: { token } }), ["--url", gateway.url, "--token", "wrong"]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("this command found a token (--token)");
});

test("through a forwarded port the gateway is local: the token alone is enough, on any local port", async () => {
  const ssh = await tunnel(gateway.port);
  try {
    const ran = await health(laptop({ mode: "remote", remote: { url: `ws://127.0.0.1:${ssh.port}`, token } }));
    expect([ran.stderr, ran.code]).toEqual(["", 0]);
    const named = await health(laptop({}), ["--url", `ws://localhost:${ssh.port}`, "--token", token]);
    expect([named.stderr, named.code]).toEqual(["", 0]);
    const silent = await Wire.connect(`ws://127.0.0.1:${ssh.port}`, { token, device: makeDevice() });
    expect(silent.hello.auth).toBeDefined();
    await silent.close();
  } finally {
    await ssh.close();
  }
});

test("the token is needed through a forwarded port as well", async () => {
  const ssh = await tunnel(gateway.port);
  try {
    const ran = await health(laptop({ mode: "remote", remote: { url: `ws://127.0.0.1:${ssh.port}` } }));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/unauthorized: gateway token missing|pairing required/u);
    expect(ran.stderr).toContain("this command found no token or password");
  } finally {
    await ssh.close();
  }
});

test("a tunnel that is closed is told as a gateway that cannot be reached, with its address", async () => {
  const ssh = await tunnel(gateway.port);
  await ssh.close();
  const url = `ws://127.0.0.1:${ssh.port}`;
  const ran = await health(laptop({ mode: "remote", remote: { url, token } }));
  expect(ran.stderr).toContain("ECONNREFUSED");
  expect(ran.stderr).toContain(`Gateway target: ${url}\nSource: config gateway.remote.url`);
});

test("a password enters a gateway in password mode, from the flag, the environment or the config", async () => {
  const password = "correct horse battery";
  const box = makeHome({ gateway: { mode: "local", auth: { mode: "password", password } } });
  const started = await startGateway(box);
  try {
    const remote = { url: started.url };
    const ways: [Home, string[]][] = [
      [laptop({ mode: "remote", remote: { ...remote, password } }), []],
      [
        laptop({ mode: "remote", remote: { ...remote, password: "stale" } }, { OPENCLAW_GATEWAY_PASSWORD: password }),
        [],
      ],
      [
        laptop({ mode: "remote", remote: { ...remote, password: "stale" } }, { OPENCLAW_GATEWAY_PASSWORD: "stale" }),
        ["--password", password],
      ],
      [laptop({}), ["--url", started.url, "--password", password]],
    ];
    for (const [far, args] of ways) expect((await health(far, args)).stderr).toBe("");
    const wrong = await health(laptop({ mode: "remote", remote: { ...remote, password: "wrong" } }));
    expect(wrong.stderr).toContain(
      "unauthorized: gateway password mismatch (set gateway.remote.password to match gateway.auth.password)",
    );
    expect(wrong.stderr).toContain("a password (gateway.remote.password)");
  } finally {
    await started.stop();
    box.remove();
  }
});

test("different tokens in environment and file: the refusal names both and the next step, and neither value", async () => {
  const ran = await runCli(home, ["gateway", "call", "health"], {
    env: { OPENCLAW_GATEWAY_PORT: String(gateway.port), OPENCLAW_GATEWAY_TOKEN: "another-token-of-the-shell" },
  });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(
    "Hint: OPENCLAW_GATEWAY_TOKEN and gateway.auth.token in ~/.openclaw/openclaw.json hold different tokens: the gateway uses the one in the file, this command the variable's. " +
      "Unset OPENCLAW_GATEWAY_TOKEN (look in ./.env and ~/.openclaw/.env too), or set both to the same token",
  );
  expect(ran.stderr).not.toContain("another-token-of-the-shell");
  expect(ran.stderr).not.toContain(token);
});

interface ProbeAnswer {
  ok: boolean;
  primaryTargetId: string | null;
  warnings: { code: string }[];
  network: Record<string, string | null>;
  discovery: unknown;
  targets: { id: string; active: boolean; connect: { ok: boolean } }[];
}

const probe = async (from: Home, args: string[] = []) => {
  const ran = await runCli(from, ["gateway", "probe", "--json", ...args]);
  expect(ran.stderr).toBe("");
  return { code: ran.code, text: ran.stdout, answer: JSON.parse(ran.stdout) as ProbeAnswer };
};

test("probe looks at the configured remote, the typed address and loopback side by side", async () => {
  const far = laptop({ mode: "remote", port: 1, auth: { token: "local" }, remote: { url: gateway.url, token } });
  const { code, answer, text } = await probe(far, ["--url", gateway.url, "--token", token]);
  expect(code).toBe(0);
  expect(answer.targets.map(({ id, active, connect: { ok } }) => [id, active, ok])).toEqual([
    ["explicit", true, true],
    ["configRemote", true, true],
    ["localLoopback", false, false],
  ]);
  expect(answer).toMatchObject({
    ok: true,
    primaryTargetId: "explicit",
    warnings: [],
    network: { localLoopbackUrl: "ws://127.0.0.1:1" },
    discovery: { count: 0, beacons: [] },
  });
  expect(text).not.toContain(token);
});

test("probe warns of two different gateways, and fails only when none answers", async () => {
  const other = makeHome();
  const second = await startGateway(other);
  try {
    const both = await probe(
      laptop({ mode: "remote", port: second.port, auth: { token }, remote: { url: gateway.url, token } }),
    );
    expect([both.code, both.answer.primaryTargetId, both.answer.warnings[0]?.code]).toEqual([
      0,
      "configRemote",
      "multiple_gateways",
    ]);
  } finally {
    await second.stop();
    other.remove();
  }
  const none = await probe(laptop({ mode: "remote", port: 1, remote: { url: "ws://127.0.0.1:2", token } }));
  expect([none.code, none.answer.ok, none.answer.primaryTargetId]).toEqual([1, false, null]);
});

/** Puts an `ssh` on PATH that forwards its -L as the real one would, and notes what it was called with. */
function withSsh(from: Home, script: string): Record<string, string> {
  const file = join(from.path, "ssh");
  writeFileSync(file, `#!/usr/bin/env node\n${script}`, { mode: 0o755 });
  return { PATH: `${from.path}:${process.env.PATH ?? ""}` };
}

const forwarding = (remotePort: number) => `
const net = require("node:net"), fs = require("node:fs");
const args = process.argv.slice(2);
fs.writeFileSync(process.env.HOME + "/ssh-args", JSON.stringify(args));
const [local] = args[args.indexOf("-L") + 1].split(":");
net.createServer((near) => {
  const far = net.connect(${remotePort}, "127.0.0.1");
  near.on("error", () => {}); far.on("error", () => near.destroy());
  near.pipe(far).pipe(near);
}).listen(Number(local), "127.0.0.1");`;

test("probe --ssh looks through a tunnel, takes another local port when the same is taken, and ends it", async () => {
  const far = laptop({ mode: "local", port: gateway.port, auth: { token: "of this machine" }, remote: { token } });
  const env = withSsh(far, forwarding(gateway.port));
  const args = ["gateway", "probe", "--json", "--ssh", "me@box:2222", "--ssh-identity", "/keys/id"];
  const ran = await runCli(far, args, { env });
  const answer = JSON.parse(ran.stdout) as ProbeAnswer & { targets: { tunnel: Record<string, unknown> | null }[] };
  expect(answer.targets.map(({ id, active, connect: { ok } }) => [id, active, ok])).toEqual([
    ["sshTunnel", true, true],
    ["localLoopback", true, false],
  ]);
  const { localPort, ...tunnelFacts } = answer.targets[0]?.tunnel ?? {};
  expect(tunnelFacts).toEqual({ destination: "me@box", remotePort: gateway.port });
  expect(localPort).not.toBe(gateway.port);
  const called = JSON.parse(readFileSync(join(far.path, "ssh-args"), "utf8")) as string[];
  expect(called.slice(0, 5)).toEqual(["-N", "-L", `${String(localPort)}:127.0.0.1:${gateway.port}`, "-p", "2222"]);
  expect(called).toEqual(
    expect.arrayContaining(["BatchMode=yes", "ExitOnForwardFailure=yes", "StrictHostKeyChecking=accept-new"]),
  );
  expect(called.slice(-4)).toEqual(["-i", "/keys/id", "--", "me@box"]);
  await expect(fetch(`http://127.0.0.1:${String(localPort)}/healthz`)).rejects.toThrow();
});

test("the target of the config is probed without being typed", async () => {
  const far = laptop({ mode: "local", port: 1, remote: { token, sshTarget: "box", sshIdentity: "/keys/id" } });
  const ran = await runCli(far, ["gateway", "probe", "--json"], { env: withSsh(far, forwarding(gateway.port)) });
  expect((JSON.parse(ran.stdout) as ProbeAnswer).targets[0]).toMatchObject({ id: "sshTunnel", connect: { ok: true } });
  const called = JSON.parse(readFileSync(join(far.path, "ssh-args"), "utf8")) as string[];
  expect(called.slice(-4)).toEqual(["-i", "/keys/id", "--", "box"]);
});

test("a tunnel that does not open is a warning with the words of ssh", async () => {
  const far = laptop({ mode: "local", port: gateway.port, auth: { token } });
  const env = withSsh(far, 'console.error("me@box: Permission denied (publickey)."); process.exit(255);');
  const ran = await runCli(far, ["gateway", "probe", "--json", "--ssh", "me@box"], { env });
  const answer = JSON.parse(ran.stdout) as ProbeAnswer;
  expect(ran.code).toBe(0);
  expect(answer.warnings).toEqual([
    {
      code: "ssh_tunnel_failed",
      message: "ssh tunnel to me@box: me@box: Permission denied (publickey).",
      targetIds: ["sshTunnel"],
    },
  ]);
});

test.each(["-oProxyCommand=x", "me@-oProxyCommand=x", "a b", "box:0", "box:70000", ""])(
  "--ssh=%s is no target",
  async (text) => {
    const ran = await runCli(home, ["gateway", "probe", `--ssh=${text}`]);
    expect([ran.code, ran.stderr]).toEqual([1, "Invalid --ssh: use user@host or user@host:port\n"]);
  },
);
