import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { answering, at, cli, cliArgs, gateway, home, writeConfig, withHome } from "./fake-terminal.ts";
import { VERSION } from "../kernel/version.ts";

withHome();

describe("reaching the gateway", () => {
  test("a gateway that is down is told in the common words", async () => {
    const env = { OPENCLAW_GATEWAY_PORT: "1" };
    const { code, out, err } = await cli("health", { env });
    expect([code, out]).toEqual([1, ""]);
    expect(err.split("\n")).toEqual([
      "gateway closed (1006 abnormal closure (no close frame)): connect ECONNREFUSED 127.0.0.1:1",
      "Gateway target: ws://127.0.0.1:1",
      "Source: local loopback",
      "Config: ~/.openclaw/openclaw.json (missing)",
      "Bind: loopback",
      "Hint: the gateway is not running here. Start it with openclaw gateway",
      "",
    ]);
    expect(readdirSync(home)).toEqual([]);
  });

  test.each([
    "health",
    "gateway health",
    "gateway call health",
    "sessions",
    "models",
    "models list",
    "agents",
    "devices list",
    "system presence",
  ])("%s --json answers one document and exit 1 when the gateway is down", async (words) => {
    const { code, out } = await cli(`${words} --json`, { env: { OPENCLAW_GATEWAY_PORT: "1" } });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, url: "ws://127.0.0.1:1", closeCode: 1006 });
  });

  test.each(["status", "gateway status"])("%s exits 0 when the gateway is down, and says so", async (words) => {
    const env = { OPENCLAW_GATEWAY_PORT: "1" };
    const text = await cli(words, { env });
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/not reachable|RPC probe: failed/);
    const { code, out, err } = await cli(`${words} --json`, { env });
    expect([code, err]).toEqual([0, ""]);
    JSON.parse(out);
  });

  test("a broken config does not hide the gateway: the verdict is shown, stdout stays JSON", async () => {
    writeConfig("{ gateway: ");
    const fake = await gateway(answering({ status: {} }));
    const { code, out, err } = await cli("gateway status --json", { env: at(fake) });
    expect([code, err]).toEqual([0, ""]);
    const status = JSON.parse(out) as { config: { cli: { valid: boolean } }; rpc: { ok: boolean } };
    expect([status.config.cli.valid, status.rpc.ok]).toEqual([false, true]);
  });

  test("a broken config stops the commands that build on it, before they connect", async () => {
    writeConfig("{ gateway: ");
    const fake = await gateway();
    const { code, out, err } = await cli("sessions --json", {
      env: at(fake, { OPENCLAW_PROFILE: "rescue", OPENCLAW_STATE_DIR: join(home, ".openclaw") }),
    });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false });
    expect(err).toMatch(
      /^Config invalid\nFile: ~\/\.openclaw\/openclaw\.json\nProblem:\n {2}- <root>: JSON5 parse failed: .*\nRun: openclaw --profile rescue doctor --fix\n$/s,
    );
    expect(fake.peers).toHaveLength(0);
  });

  test("a wrong token shows the gateway's own words", async () => {
    const message = "unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)";
    const fake = await gateway((request, peer) => {
      peer.refuse(request, { code: "INVALID_REQUEST", message });
      return true;
    });
    const { code, err } = await cli("health", { env: at(fake) });
    expect(code).toBe(1);
    expect(err.split("\n")[0]).toBe(`gateway closed (1008 policy violation): ${message}`);
    expect(err).toMatch(/Hint: this command found a token/);
    expect(err).not.toMatch(/\bT\b.*secret/);
  });

  test("with a shared secret on loopback no device is presented and no file is made", async () => {
    const fake = await gateway(answering({ health: { ok: true } }));
    expect((await cli("gateway call health --json", { env: at(fake) })).code).toBe(0);
    expect(fake.peers[0]?.requests[0]?.params).not.toHaveProperty("device");
    expect(fake.peers[0]?.requests[0]?.params).toMatchObject({
      client: { id: "cli", mode: "cli", version: VERSION },
      scopes: ["operator.admin", "operator.read", "operator.write", "operator.approvals", "operator.pairing"],
      auth: { token: "T" },
    });
    expect(readdirSync(home)).toEqual([]);
  });

  test("without a secret the device key is made, private, and presented", async () => {
    const fake = await gateway(answering({ health: { ok: true } }));
    const env = { OPENCLAW_GATEWAY_PORT: String(fake.port) };
    expect((await cli("gateway call health --json", { env })).code).toBe(0);
    expect(fake.peers[0]?.requests[0]?.params).toHaveProperty("device.signature");
    expect(readdirSync(join(home, ".openclaw", "identity"))).toEqual(["device.json"]);
  });

  test("a pairing refusal names the two commands that help", async () => {
    const fake = await gateway((request, peer) => {
      peer.refuse(request, { code: "NOT_PAIRED", message: "pairing required", details: { requestId: "r" } });
      return true;
    });
    const { err } = await cli("health", {
      env: { OPENCLAW_GATEWAY_PORT: String(fake.port), OPENCLAW_PROFILE: "rescue" },
    });
    expect(err).toMatch(
      /openclaw --profile rescue devices list, then openclaw --profile rescue devices approve <requestId>/,
    );
  });

  test("a stored secret never goes to a typed host", async () => {
    const { code, err } = await cli("gateway call health --url ws://192.0.2.1:9", {
      env: { OPENCLAW_GATEWAY_TOKEN: "SECRET" },
    });
    expect(code).toBe(1);
    expect(err).toMatch(/gateway url override requires explicit credentials/);
    expect(err).not.toContain("SECRET");
  });

  test("remote mode without an address says what to set", async () => {
    writeConfig('{"gateway":{"mode":"remote"}}');
    const { code, err } = await cli("health");
    expect(code).toBe(1);
    expect(err).toMatch(/^gateway remote mode misconfigured: gateway\.remote\.url missing\nConfig: /);
  });

  test("a silent gateway is given up at the deadline", async () => {
    const fake = await gateway(() => true);
    const { code, err } = await cli("gateway call health --timeout 30", { env: at(fake) });
    expect(code).toBe(1);
    expect(err).toMatch(/^Gateway call failed: Error: gateway timeout after 30ms\nGateway target: /);
  });

  test.each(["status", "gateway status", "gateway probe"])("Ctrl-C ends %s with 130", async (words) => {
    let interrupt = () => {};
    const fake = await gateway(() => {
      interrupt();
      return true;
    });
    expect(await cli(words, { env: at(fake), onReady: (run) => (interrupt = run) })).toMatchObject({
      code: 130,
      out: "",
    });
  });

  test("Ctrl-C ends the wait with 130 and nothing on stdout", async () => {
    let interrupt = () => {};
    const fake = await gateway((request) => {
      if (request.method === "health") interrupt();
    });
    const { code, out, err } = await cli("health", { env: at(fake), onReady: (run) => (interrupt = run) });
    expect([code, out, err]).toEqual([130, "", ""]);
  });
});

describe("gateway call", () => {
  test("prints the payload alone with --json, and sends the parameters", async () => {
    const fake = await gateway(answering({ "sessions.list": { count: 0 } }));
    const env = at(fake);
    const { code, out, err } = await cliArgs(
      ["gateway", "call", "sessions.list", "--params", '{"limit":5}', "--json"],
      { env },
    );
    expect([code, err, JSON.parse(out)]).toEqual([0, "", { count: 0 }]);
    expect(fake.peers[0]?.requests[1]?.params).toEqual({ limit: 5 });
    expect((await cli("gateway call sessions.list", { env })).out).toBe(
      'Gateway call: sessions.list\n{\n  "count": 0\n}\n',
    );
  });

  test("an unknown method fails with the gateway's text", async () => {
    const fake = await gateway(answering({}));
    const { code, out, err } = await cli("gateway call nope", { env: at(fake) });
    expect([code, out, err]).toEqual([1, "", "Gateway call failed: Error: unknown method: nope\n"]);
  });

  test.each(["x", "[1]", "3"])("parameters %s fail before connecting", async (params) => {
    const fake = await gateway();
    const { code, err } = await cli(`gateway call health --params ${params}`, { env: at(fake) });
    expect(code).toBe(1);
    expect(err).toMatch(/^Gateway call failed: --params/);
    expect(fake.peers).toHaveLength(0);
  });

  test("--expect-final waits past the accepted answer", async () => {
    const fake = await gateway((request, peer) => {
      if (request.method !== "agent") return;
      peer.answer(request, { status: "accepted" });
      peer.answer(request, { status: "ok" });
    });
    expect(JSON.parse((await cli("gateway call agent --json", { env: at(fake) })).out)).toEqual({ status: "accepted" });
    expect(JSON.parse((await cli("gateway call agent --expect-final --json", { env: at(fake) })).out)).toEqual({
      status: "ok",
    });
  });
});
