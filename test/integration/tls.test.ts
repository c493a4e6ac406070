/** TLS on the port (lifecycle.md §2.3 step 7, §12.1): a real process, real certificates, and clients that pin or do not. */
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { selfSigned } from "../../packages/gateway/src/assembly/certificate.ts";
import { freePort, makeHome, runCli, startGateway, token, type GatewayProcess, type Home } from "../support/process.ts";
import { withGateway } from "../support/gateway.ts";

const config = { gateway: { mode: "local", auth: { token }, tls: { enabled: true } } };
let home: Home;
let gateway: GatewayProcess;
let fingerprint: string;
const certFile = () => join(home.state, "gateway", "tls", "gateway-cert.pem");

beforeAll(async () => {
  home = makeHome(config);
  gateway = await startGateway(home);
  fingerprint = new X509Certificate(readFileSync(certFile())).fingerprint256;
});
afterAll(async () => {
  await gateway.stop();
  home.remove();
});

const url = () => `wss://127.0.0.1:${gateway.port}`;
const call = (args: string[], env: Record<string, string> = {}) =>
  runCli(home, ["gateway", "call", "health", ...args], { env });

test("the pair is made once, private, and its fingerprint is logged", () => {
  expect(statSync(certFile()).mode & 0o777).toBe(0o600);
  expect(gateway.output()).toContain(`TLS certificate SHA-256 fingerprint: ${fingerprint}`);
  expect(gateway.output()).toContain(`listening on wss://127.0.0.1:${gateway.port}`);
});

test("https and wss share the port", async () => {
  const ca = readFileSync(certFile(), "utf8");
  const status = await new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port: gateway.port, path: "/healthz", ca }, (answer) =>
      resolve(answer.resume().statusCode),
    )
      .on("error", reject)
      .end();
  });
  expect(status).toBe(200);
  const socket = new WebSocket(url(), { ca });
  const first = await new Promise<string>((resolve, reject) => {
    socket.on("message", (data) => resolve(String(data)));
    socket.on("error", reject);
  });
  expect(JSON.parse(first)).toMatchObject({ event: "connect.challenge" });
  socket.close();
});

test("the CLI of this machine knows its own certificate", async () => {
  const ran = await call(["--json"], { OPENCLAW_GATEWAY_PORT: String(gateway.port) });
  expect(ran.stderr).toBe("");
  expect(JSON.parse(ran.stdout)).toMatchObject({ ok: true });
});

test.each([
  ["as printed", (text: string) => text],
  ["lower case without colons", (text: string) => text.replaceAll(":", "").toLowerCase()],
  ["with its algorithm before it", (text: string) => `sha256:${text}`],
])("a typed address is entered with the fingerprint %s", async (_form, write) => {
  const ran = await call(["--json", "--url", url(), "--token", token, "--tls-fingerprint", write(fingerprint)]);
  expect(ran.stderr).toBe("");
  expect(ran.code).toBe(0);
});

test("another fingerprint is refused before anything is sent, and the text shows the found one", async () => {
  const ran = await call(["--url", url(), "--token", token, "--tls-fingerprint", "ab".repeat(32)]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(`the gateway's TLS certificate is not the pinned one: it is ${fingerprint}`);
  expect(ran.stderr).toContain("Hint: nothing was sent.");
  expect(ran.stderr).not.toContain(token);
});

test("a fingerprint that is none is refused before connecting", async () => {
  const ran = await call(["--url", url(), "--token", token, "--tls-fingerprint", "abc"]);
  expect(ran.stderr).toContain(
    "Invalid --tls-fingerprint: use the SHA-256 of the gateway's certificate, 64 hex digits",
  );
});

test("a certificate nobody pinned is not trusted, and the hint says how to", async () => {
  const ran = await call(["--url", url(), "--token", token], { OPENCLAW_GATEWAY_PORT: "1" });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/self-signed certificate/u);
  expect(ran.stderr).toContain("pass --tls-fingerprint or set gateway.remote.tlsFingerprint");
});

test("gateway.remote.tlsFingerprint pins a remote gateway", async () => {
  const remote = (pin: string) =>
    makeHome({ gateway: { mode: "remote", remote: { url: url(), token, tlsFingerprint: pin } } });
  const good = remote(fingerprint);
  const bad = remote("cd".repeat(32));
  try {
    const ran = await runCli(good, ["gateway", "call", "health", "--json"]);
    expect([ran.stderr, ran.code]).toEqual(["", 0]);
    const refused = await runCli(bad, ["gateway", "call", "health"]);
    expect(refused.stderr).toContain("is not the pinned one");
    expect(refused.stderr).toContain("set gateway.remote.tlsFingerprint");
  } finally {
    good.remove();
    bad.remove();
  }
});

test("plain sockets, rubbish and half a handshake end alone; the gateway goes on", async () => {
  const ran = await call(["--url", `ws://127.0.0.1:${gateway.port}`, "--token", token]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("If TLS is on over there, use wss://");
  for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "\u0016\u0003\u0001\u0000", "x".repeat(10_000)]) {
    await new Promise<void>((resolve) => {
      const socket = connectTcp({ host: "127.0.0.1", port: gateway.port }, () => void socket.end(bytes));
      socket.on("error", () => resolve());
      socket.on("close", () => resolve());
      socket.resume();
    });
  }
  expect((await call(["--json"], { OPENCLAW_GATEWAY_PORT: String(gateway.port) })).code).toBe(0);
});

test("a client that speaks TLS to a plain port is told so", async () => {
  const plain = makeHome();
  const process = await startGateway(plain);
  try {
    const ran = await runCli(plain, [
      "gateway",
      "call",
      "health",
      "--url",
      `wss://127.0.0.1:${process.port}`,
      "--token",
      token,
    ]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("the gateway does not speak TLS on this port. Use ws:// instead of wss://");
  } finally {
    await process.stop();
    plain.remove();
  }
});

test("TLS 1.1 is not spoken", async () => {
  const code = await new Promise((resolve) => {
    const socket = connectTls({
      host: "127.0.0.1",
      port: gateway.port,
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
      rejectUnauthorized: false,
    });
    socket.on("secureConnect", () => resolve("connected"));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  expect(code).toMatch(/ALERT_PROTOCOL_VERSION|ECONNRESET|UNSUPPORTED_PROTOCOL/u);
});

test("a restart keeps the certificate", async () => {
  await gateway.stop();
  gateway = await startGateway(home);
  expect(new X509Certificate(readFileSync(certFile())).fingerprint256).toBe(fingerprint);
});

test("a pair of one's own is served; one that does not fit stops the start", async () => {
  const other = makeHome();
  try {
    const make = () =>
      selfSigned({
        commonName: "mine",
        names: ["127.0.0.1"],
        notBefore: Date.now() - 1_000,
        notAfter: Date.now() + 86_400_000,
        serial: Buffer.alloc(16, 5),
      });
    const pair = make();
    const [certPath, keyPath] = [join(other.path, "c.pem"), join(other.path, "k.pem")];
    writeFileSync(certPath, pair.cert);
    writeFileSync(keyPath, pair.key);
    writeFileSync(
      join(other.state, "openclaw.json"),
      JSON.stringify({ gateway: { ...config.gateway, tls: { enabled: true, certPath, keyPath } } }),
    );
    const started = await startGateway(other);
    expect(started.output()).toContain(new X509Certificate(pair.cert).fingerprint256);
    await started.stop();
    writeFileSync(keyPath, make().key);
    const ran = await runCli(other, ["gateway", "--port", String(await freePort())]);
    expect([ran.code, ran.stderr]).toEqual([
      1,
      `The key ${keyPath} does not belong to the certificate ${certPath}. Replace one of them.\n`,
    ]);
  } finally {
    other.remove();
  }
});

/** Waits until the process has printed this. */
async function printed(process: GatewayProcess, text: string): Promise<void> {
  while (!process.output().includes(text)) await new Promise((resolve) => process.child.stdout?.once("data", resolve));
}

test("an edit turns TLS on in place, a restart takes a renewed pair, and a broken one is refused while the old serves", async () => {
  const other = makeHome();
  const port = await freePort();
  const paths = { certPath: join(other.path, "c.pem"), keyPath: join(other.path, "k.pem") };
  const write = (text: string) => writeFileSync(join(other.state, "openclaw.json"), text);
  const renew = (): string => {
    const now = Date.now();
    const pair = selfSigned({
      commonName: "mine",
      names: ["127.0.0.1"],
      notBefore: now,
      notAfter: now + 86_400_000,
      serial: Buffer.alloc(16),
    });
    writeFileSync(paths.keyPath, pair.key);
    writeFileSync(paths.certPath, pair.cert);
    return new X509Certificate(pair.cert).fingerprint256;
  };
  const served = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const process = await startGateway(other, { port });
  try {
    const first = renew();
    write(
      JSON.stringify({ gateway: { ...config.gateway, tls: { enabled: true, ...paths } }, commands: { restart: true } }),
    );
    await printed(process, `restarted; listening on wss://127.0.0.1:${port}`);
    expect(await served()).toBe(first);
    const second = renew();
    const restarts = () => process.output().split("restarted; listening").length;
    const before = restarts();
    process.kill("SIGUSR1");
    while (restarts() === before) await new Promise((resolve) => process.child.stdout?.once("data", resolve));
    expect(await served()).toBe(second);
    writeFileSync(paths.keyPath, "rubbish");
    process.kill("SIGUSR1");
    await new Promise<void>((resolve) => {
      const look = () => process.output().includes("restart refused") && resolve();
      process.child.stderr?.on("data", look);
      look();
    });
    expect(process.output()).toContain("is not a PEM private key");
    expect(await served()).toBe(second);
  } finally {
    await process.stop();
    other.remove();
  }
});

test("without TLS the port stays plain and no pair is made", () =>
  withGateway(async ({ host, home: plain }) => {
    expect(host.listener.url).toMatch(/^ws:/u);
    expect(() => statSync(join(plain.state, "gateway"))).toThrow(/ENOENT/u);
  }));
