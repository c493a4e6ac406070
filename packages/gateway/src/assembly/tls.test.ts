import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:tls";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { selfSigned } from "./certificate.ts";
import { loadTls } from "./tls.ts";

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "openclaw-tls-"));
});
afterEach(() => rmSync(state, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const world = fakeWorld({ startAt: Date.now(), hostname: () => "box.lan" });
const on = { enabled: true, autoGenerate: true };
const files = () =>
  [join(state, "gateway", "tls", "gateway-cert.pem"), join(state, "gateway", "tls", "gateway-key.pem")] as const;

test("the certificate says who it is for, until when, and is signed by its own key", () => {
  const { cert } = selfSigned({
    commonName: "OpenClaw Gateway",
    names: ["localhost", "box.lan", "127.0.0.1", "::1", "fd7a:115c:a1e0::1"],
    notBefore: Date.UTC(2026, 0, 2, 3, 4, 5),
    notAfter: Date.UTC(2051, 0, 2),
    serial: Buffer.alloc(16, 0xff),
  });
  const made = new X509Certificate(cert);
  expect(made.subject).toBe("CN=OpenClaw Gateway");
  expect(made.issuer).toBe(made.subject);
  expect(made.verify(made.publicKey)).toBe(true);
  expect(made.ca).toBe(false);
  expect(made.subjectAltName).toBe(
    "DNS:localhost, DNS:box.lan, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FD7A:115C:A1E0:0:0:0:0:1",
  );
  expect([made.validFromDate.toISOString(), made.validToDate.toISOString()]).toEqual([
    "2026-01-02T03:04:05.000Z",
    "2051-01-02T00:00:00.000Z",
  ]);
  expect(made.serialNumber).toMatch(/^7FF/u);
  expect(made.checkHost("box.lan")).toBe("box.lan");
  expect(made.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
});

test("a TLS client that trusts the certificate accepts the server", async () => {
  const made = loadTls(on, state, world);
  const server = createServer({ cert: made?.cert ?? "", key: made?.key ?? "" }, (socket) => socket.end("hello"));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: (server.address() as AddressInfo).port, ca: [made?.cert ?? ""] });
    socket.on("data", (chunk: Buffer) => resolve(String(chunk)));
    socket.on("error", reject);
  });
  server.close();
  expect(text).toBe("hello");
});

test("the pair is private, and the same after the next start", () => {
  const first = loadTls(on, state, world);
  for (const file of files()) expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(state, "gateway", "tls")).mode & 0o777).toBe(0o700);
  expect(loadTls(on, state, world)).toEqual(first);
  expect(first?.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/u);
});

test("half a pair is made anew as a whole", () => {
  const first = loadTls(on, state, world);
  rmSync(files()[1]);
  expect(loadTls(on, state, world)?.fingerprint).not.toBe(first?.fingerprint);
});

test("TLS that is off needs nothing and writes nothing", () => {
  expect(loadTls({ enabled: false, autoGenerate: true }, state, world)).toBeUndefined();
  expect(() => statSync(join(state, "gateway"))).toThrow(/ENOENT/u);
});

test.each([
  [{ ...on, certPath: "/x/cert.pem" }, /gateway\.tls\.keyPath is not set/u],
  [{ ...on, keyPath: "/x/key.pem" }, /gateway\.tls\.certPath is not set/u],
  [
    { ...on, certPath: "/nowhere/cert.pem", keyPath: "/nowhere/key.pem" },
    /\/nowhere\/cert\.pem does not exist\. Correct gateway\.tls\.certPath/u,
  ],
  [{ enabled: true, autoGenerate: false }, /Set gateway\.tls\.autoGenerate to true/u],
])("an incomplete setting %j is refused with the next step", (config, text) => {
  expect(() => loadTls(config, state, world)).toThrow(text);
});

test("a damaged, foreign or expired half is refused by name", () => {
  loadTls(on, state, world);
  const [cert, key] = files();
  const good = readFileSync(cert, "utf8");
  writeFileSync(cert, "rubbish");
  expect(() => loadTls(on, state, world)).toThrow(/gateway-cert\.pem is not a PEM certificate/u);
  writeFileSync(cert, good);
  writeFileSync(
    key,
    selfSigned({ commonName: "x", names: ["x"], notBefore: 0, notAfter: 1, serial: Buffer.alloc(16) }).key,
  );
  expect(() => loadTls(on, state, world)).toThrow(/does not belong to the certificate/u);
  writeFileSync(key, "rubbish");
  expect(() => loadTls(on, state, world)).toThrow(/not a PEM private key/u);
  const old = selfSigned({
    commonName: "x",
    names: ["x"],
    notBefore: 0,
    notAfter: 86_400_000,
    serial: Buffer.alloc(16),
  });
  writeFileSync(cert, old.cert);
  writeFileSync(key, old.key);
  expect(() => loadTls(on, state, world)).toThrow(/expired on Jan {2}2 .* 1970/u);
});
