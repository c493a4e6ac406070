/** Tailscale (lifecycle.md §12.3) against a stand-in for its command line: exposure, and logins that count for a handshake. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort, makeHome, runCli } from "../support/process.ts";
import { openGateway, withGateway, type TestGateway } from "../support/gateway.ts";
import { connectParams, makeDevice, Wire } from "../support/wire.ts";

let bin: string;
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), "openclaw-tailscale-"));
});
afterEach(() => rmSync(bin, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

/** Writes a `tailscale` whose every call is noted; `script` is the body of its `case "$1"`. */
function tailscale(script: string, name = "tailscale"): void {
  const file = join(bin, name);
  const whois = `whois) case "$3" in 100.64.0.9) echo '{"UserProfile":{"LoginName":"Ann@example.com"}}';; *) echo "peer not found" >&2; exit 1;; esac;;`;
  const status = `status) echo '{"Self":{"DNSName":"box.tail1.ts.net."}}';;`;
  writeFileSync(
    file,
    `#!/bin/sh\necho "${name} $*" >> "${join(bin, "calls")}"\ncase "$1" in\n${script}\n${whois}\n${status}\nesac\n`,
  );
  chmodSync(file, 0o755);
}

const calls = (): string[] =>
  existsSync(join(bin, "calls")) ? readFileSync(join(bin, "calls"), "utf8").trim().split("\n") : [];
const env = () => ({ PATH: `${bin}:/usr/bin:/bin` });
const token = "test-token-0123456789abcdef";
const config = (tailscale: Record<string, unknown>, auth: Record<string, unknown> = { token }) => ({
  gateway: { mode: "local", auth, tailscale },
});

/** Waits for a line of the gateway's log. */
async function logged(gateway: TestGateway, text: string): Promise<string> {
  for (let i = 0; i < 400; i++) {
    const line = gateway.log.find((entry) => entry.includes(text));
    if (line) return line;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not logged: ${text}\n${gateway.log.join("\n")}`);
}

test("serve is switched on for the port, and the address is logged", async () => {
  tailscale("serve) ;;");
  const gateway = await openGateway({ config: config({ mode: "serve" }), env: env() });
  expect(await logged(gateway, "serve enabled")).toContain("https://box.tail1.ts.net/ (WS via wss://box.tail1.ts.net)");
  expect(calls()[0]).toBe(`tailscale serve --bg --yes ${gateway.port}`);
  await gateway.stop();
  expect(calls().some((call) => call.includes("reset"))).toBe(false);
});

test("resetOnExit undoes it at the stop", async () => {
  tailscale("serve) ;;");
  const gateway = await openGateway({ config: config({ mode: "serve", resetOnExit: true }), env: env() });
  await logged(gateway, "serve enabled");
  await gateway.stop();
  expect(calls().at(-1)).toBe("tailscale serve reset");
});

test("behind TLS the proxy is told to speak TLS", async () => {
  tailscale("serve) ;;");
  const both = { gateway: { ...config({ mode: "serve" }).gateway, tls: { enabled: true } } };
  await withGateway(
    async (gateway) => {
      await logged(gateway, "serve enabled");
      expect(calls()[0]).toBe(`tailscale serve --bg --yes https+insecure://127.0.0.1:${gateway.port}`);
    },
    { config: both, env: env() },
  );
});

test("funnel with a password is switched on", async () => {
  tailscale("funnel) ;;");
  await withGateway(async (gateway) => void (await logged(gateway, "funnel enabled")), {
    config: config({ mode: "funnel" }, { mode: "password", password: "a long password" }),
    env: env(),
  });
  expect(calls()[0]).toMatch(/^tailscale funnel --bg --yes \d+$/u);
});

test("a failing command only warns", async () => {
  tailscale('serve) echo "serve is not enabled on your tailnet" >&2; exit 1;;');
  await withGateway(
    async (gateway) => {
      const line = await logged(gateway, "serve not enabled");
      expect(line).toMatch(/^warn .*serve is not enabled on your tailnet/u);
      expect((await fetch(`${gateway.httpUrl}/healthz`)).status).toBe(200);
    },
    { config: config({ mode: "serve" }), env: env() },
  );
});

test("a missing command only warns", () =>
  withGateway(
    async (gateway) => expect(await logged(gateway, "serve not enabled")).toContain("no tailscale command on PATH"),
    {
      config: config({ mode: "serve" }),
      env: { PATH: bin },
    },
  ));

test("a command that does not end is ended after fifteen seconds", async () => {
  tailscale("serve) exec sleep 600;;");
  await withGateway(
    async (gateway) => {
      while (calls().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      await gateway.world.jump(15_000);
      expect(await logged(gateway, "serve not enabled")).toContain("no end after 15000 ms");
    },
    { config: config({ mode: "serve" }), env: env() },
  );
});

test("a permission error is tried once more through sudo, which never asks", async () => {
  tailscale('serve) echo "Access denied: serve config denied" >&2; exit 1;;');
  tailscale("-n) ;;", "sudo");
  await withGateway(async (gateway) => void (await logged(gateway, "serve enabled")), {
    config: config({ mode: "serve" }),
    env: env(),
  });
  expect(calls()[1]).toBe(`sudo -n ${join(bin, "tailscale")} ${(calls()[0] ?? "").slice("tailscale ".length)}`);
});

test.each([
  [
    ["--tailscale", "serve", "--bind", "lan"],
    "tailscale serve requires gateway bind=loopback (127.0.0.1), not 0.0.0.0.",
  ],
  [["--tailscale", "funnel"], "tailscale funnel requires gateway auth mode=password."],
  [
    ["--tailscale", "funnel", "--bind", "lan", "--auth", "password", "--password", "p"],
    "tailscale funnel requires gateway bind=loopback",
  ],
])("gateway %j is refused at the start", async (args, text) => {
  const home = makeHome();
  try {
    const ran = await runCli(home, ["gateway", "--port", String(await freePort()), ...args]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(text);
  } finally {
    home.remove();
  }
});

test("without a secret serve starts on logins alone; without serve nothing does", async () => {
  tailscale("serve) ;;");
  const nobody = { OPENCLAW_GATEWAY_TOKEN: "" };
  await withGateway(async (gateway) => void (await logged(gateway, "serve enabled")), {
    config: config({ mode: "serve" }, {}),
    env: { ...env(), ...nobody },
  });
  await expect(openGateway({ config: config({ mode: "off" }, {}), env: env() })).rejects.toThrow(
    /no token is configured/u,
  );
  await expect(
    openGateway({ config: config({ mode: "serve" }, { allowTailscale: false }), env: env() }),
  ).rejects.toThrow(/no token is configured/u);
});

/** What the proxy of `tailscale serve` sends. */
const proxied = (login: string, address = "100.64.0.9") => ({
  Host: "box.tail1.ts.net",
  "X-Forwarded-For": address,
  "X-Forwarded-Proto": "https",
  "X-Forwarded-Host": "box.tail1.ts.net",
  "Tailscale-User-Login": login,
});

async function enter(gateway: TestGateway, headers: Record<string, string>, device = makeDevice()) {
  const wire = await Wire.open(gateway.url, { headers });
  const answer = await wire.request("connect", connectParams({ device, scopes: ["operator.read"] }, wire.nonce));
  wire.terminate();
  return answer;
}

test("a confirmed login needs no token, but its device is still paired by the operator", async () => {
  tailscale("serve) ;;");
  await withGateway(
    async (gateway) => {
      const device = makeDevice();
      const first = await enter(gateway, proxied("ann@example.com"), device);
      expect(first.error).toMatchObject({
        code: "NOT_PAIRED",
        message: expect.stringContaining("pairing required") as string,
      });
      const operator = await gateway.connect();
      await operator.call("device.pair.approve", { requestId: first.error?.details?.requestId });
      expect((await enter(gateway, proxied("ann@example.com"), device)).ok).toBe(true);
      operator.terminate();
    },
    { config: config({ mode: "serve" }), env: env() },
  );
});

test("good answers of whois are asked again after a minute, missing ones after five seconds", async () => {
  tailscale("serve) ;;");
  await withGateway(
    async (gateway) => {
      const asked = () => calls().filter((call) => call.includes("whois")).length;
      const device = makeDevice();
      for (const [address, waitMs, expected] of [
        ["100.64.0.9", 0, 1],
        ["100.64.0.9", 59_000, 1],
        ["100.64.0.9", 2_000, 2],
        ["100.64.0.10", 0, 3],
        ["100.64.0.10", 4_000, 3],
        ["100.64.0.10", 2_000, 4],
      ] as const) {
        await gateway.world.jump(waitMs);
        const { error } = await enter(gateway, proxied("ann@example.com", address), device);
        expect([error?.code, asked()]).toEqual([address === "100.64.0.9" ? "NOT_PAIRED" : "INVALID_REQUEST", expected]);
      }
    },
    { config: config({ mode: "serve" }), env: env() },
  );
});

test.each([
  ["bob@example.com", "100.64.0.9", "unauthorized: tailscale identity mismatch"],
  ["ann@example.com", "100.64.0.10", "unauthorized: tailscale identity check failed"],
  ["ann@example.com", "rubbish", "unauthorized: tailscale proxy headers missing"],
])("the login %s from %s is refused in words", async (login, address, text) => {
  tailscale("serve) ;;");
  await withGateway(
    async (gateway) => expect((await enter(gateway, proxied(login, address))).error?.message).toContain(text),
    { config: config({ mode: "serve" }), env: env() },
  );
});

test.each([
  ["mode off", config({ mode: "off" })],
  ["allowTailscale false", config({ mode: "serve" }, { token, allowTailscale: false })],
  ["mode password", config({ mode: "serve" }, { mode: "password", password: "a long password" })],
])("with %s the headers are only text, and nobody is asked", async (_why, settings) => {
  tailscale("serve) ;;");
  await withGateway(
    async (gateway) => {
      const { error } = await enter(gateway, proxied("ann@example.com"));
      expect(error?.message).toMatch(/unauthorized: gateway (token|password) missing/u);
      expect(calls().filter((call) => call.includes("whois"))).toEqual([]);
    },
    { config: settings, env: env() },
  );
});

test("funnel visitors carry no login and need the password", async () => {
  tailscale("funnel) ;;");
  await withGateway(
    async (gateway) => {
      const { "Tailscale-User-Login": _login, ...headers } = proxied("");
      expect((await enter(gateway, headers)).error?.message).toContain("gateway password missing");
    },
    { config: config({ mode: "funnel" }, { mode: "password", password: "a long password" }), env: env() },
  );
});
