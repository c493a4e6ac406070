import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { answering, at, cli, gateway, home, writeConfig, withHome } from "./fake-terminal.ts";
import { displayWidth } from "./terminal/style.ts";

withHome();

describe("lists", () => {
  const now = 1_770_000_000_000;
  const answers = {
    health: {
      ok: true,
      ts: now,
      durationMs: 3,
      channels: { whatsapp: { linked: true, authAgeMs: 720_000 }, telegram: { configured: false } },
      channelOrder: ["whatsapp", "telegram"],
      channelLabels: { whatsapp: "WhatsApp", telegram: "Telegram" },
      agents: [
        { agentId: "main", isDefault: true, heartbeat: { every: "30m" }, sessions: { path: "/s.db", count: 2 } },
      ],
      sessions: { recent: [{ key: "agent:main:main", updatedAt: now - 60_000 }] },
    },
    status: {
      sessions: { count: 1, defaults: { model: "echo" }, recent: [], byAgent: [] },
      channelSummary: ["WhatsApp: linked"],
    },
    "sessions.list": {
      path: "/s.db",
      count: 1,
      defaults: { modelProvider: "offline", model: "echo", contextTokens: 1000 },
      sessions: [{ key: "agent:main:main", kind: "direct", updatedAt: now - 60_000, totalTokens: 500, model: "echo" }],
    },
    "models.list": {
      models: [
        { id: "echo", name: "Echo", provider: "offline" },
        { id: "b", name: "B", provider: "x", input: ["text", "image"] },
      ],
    },
    "agents.list": {
      defaultId: "main",
      mainKey: "main",
      scope: "per-sender",
      agents: [{ id: "main", identity: { name: "Claw", emoji: "🦞" } }],
    },
    "device.pair.list": {
      pending: [{ requestId: "r1", deviceId: "d".repeat(64), role: "operator", ts: now - 5_000 }],
      paired: [],
    },
    "device.pair.approve": { requestId: "r1", device: { deviceId: "d1" } },
    "device.token.rotate": { deviceId: "d", role: "operator", token: "new-token", scopes: [] },
    "system-presence": [{ host: "box", mode: "gateway", version: "1", platform: "linux", ts: now, reason: "self" }],
    "system-event": { ok: true },
    "config.get": {
      path: "/c.json",
      exists: true,
      valid: true,
      issues: [],
      config: { gateway: { port: 1, auth: { token: "SECRET" } } },
    },
  };

  test.each([
    [
      "health",
      [
        "WhatsApp: linked (auth age 12m)",
        "Telegram: not configured",
        "Agents: main (default)",
        "Heartbeat interval: 30m (main)",
        "Session store (main): /s.db (2 entries)",
        "- agent:main:main (1m ago)",
      ],
    ],
    ["gateway health", ["Gateway Health", "OK (3ms)", "WhatsApp: linked (auth age 12m)", "Telegram: not configured"]],
    ["system event --text hi", ["ok"]],
    ["devices approve r1", ["Approved d1"]],
    ["devices rotate --device d --role operator", ["New operator token of d: new-token"]],
    ["models status --plain", ["offline/echo"]],
    ["models list --plain", ["offline/echo", "x/b"]],
  ])("%s", async (words, lines) => {
    const fake = await gateway(answering(answers));
    const { code, out } = await cli(words, { env: at(fake) });
    expect([code, out.trimEnd().split("\n")]).toEqual([0, lines]);
  });

  test.each([
    "health",
    "status",
    "status --all",
    "sessions",
    "models",
    "models list",
    "agents",
    "devices list",
    "system presence",
    "gateway status",
    "gateway probe",
    "gateway health",
  ])("%s: no escape without colour, JSON alone with --json, width kept on a terminal", async (words) => {
    const fake = await gateway(answering(answers));
    const plain = await cli(words, { env: at(fake, { NO_COLOR: "1" }), tty: true, columns: 80 });
    expect(plain.code).toBe(0);
    expect(plain.out).not.toContain("\u001b");
    expect(plain.out).not.toContain("SECRET");
    for (const line of plain.out.split("\n").filter((text) => /^[│┌└├]/.test(text)))
      expect(displayWidth(line)).toBeLessThanOrEqual(80);
    const { code, out, err } = await cli(`${words} --json`, { env: at(fake) });
    expect([code, err]).toEqual([0, ""]);
    expect(out).not.toContain("SECRET");
    JSON.parse(out);
  });

  test("colour appears on a terminal, and goes with --no-color", async () => {
    const fake = await gateway(answering(answers));
    expect((await cli("sessions", { env: at(fake), tty: true })).out).toContain("\u001b[38;2;255;90;45m");
    expect((await cli("sessions --no-color", { env: at(fake), tty: true })).out).not.toContain("\u001b");
    expect((await cli("sessions", { env: at(fake, { FORCE_COLOR: "1" }) })).code).toBe(0);
  });

  test("sessions --json keeps its shape", async () => {
    const fake = await gateway(answering(answers));
    const { out } = await cli("sessions --json --active 60", { env: at(fake) });
    expect(JSON.parse(out)).toMatchObject({
      path: "/s.db",
      count: 1,
      activeMinutes: 60,
      sessions: [{ key: "agent:main:main", kind: "direct", ageMs: 60_000, model: "echo", contextTokens: 1000 }],
    });
    expect(fake.peers[0]?.requests[1]?.params).toMatchObject({ activeMinutes: 60 });
  });

  test("models status --check fails while no model is configured", async () => {
    const fake = await gateway(answering(answers));
    expect((await cli("models status --check", { env: at(fake) })).code).toBe(1);
  });
});

describe("config", () => {
  test("get prints scalars raw, the rest as JSON, with variables replaced", async () => {
    writeConfig(
      "{ // comment\n gateway: { port: 5, auth: { token: '${MY_TOKEN}' } }, agents: { list: [{ id: 'a' }] } }",
    );
    const env = { MY_TOKEN: "tt" };
    expect((await cli("config get gateway.port", { env })).out).toBe("5\n");
    expect((await cli("config get gateway.auth.token", { env })).out).toBe("tt\n");
    expect((await cli("config get gateway.auth.token --json", { env })).out).toBe('"tt"\n');
    expect((await cli("config get agents.list[0].id", { env })).out).toBe("a\n");
    expect((await cli("config get agents.list.0", { env })).out).toBe('{\n  "id": "a"\n}\n');
    expect(await cli("config get gateway.nope", { env })).toMatchObject({
      code: 1,
      err: "Config path not found: gateway.nope\n",
    });
    expect(await cli("config get toString", { env })).toMatchObject({ code: 1 });
  });

  test("an invalid file is named with the problem and the command that helps", async () => {
    writeConfig("{ gateway");
    const { code, err } = await cli("config get gateway.port");
    expect(code).toBe(1);
    expect(err).toMatch(
      /^Config invalid\nFile: .*openclaw\.json\nProblem:\n {2}- JSON5 parse failed: .*\nRun: openclaw doctor --fix\n$/s,
    );
  });
});

describe("logs", () => {
  const line = JSON.stringify({
    0: '{"subsystem":"gateway"}',
    1: "hello \u001b[31mred",
    _meta: { date: "2026-01-02T03:04:05.000Z", logLevelName: "WARN", name: '{"subsystem":"gateway"}' },
    time: "2026-01-02T03:04:05.000Z",
  });
  const tail = {
    file: "/tmp/x.log",
    cursor: 10,
    size: 10,
    lines: [line, "raw \u001b[2Jtext"],
    truncated: true,
    reset: false,
  };

  test("text is plain without a terminal, controls removed", async () => {
    const fake = await gateway(answering({ "logs.tail": tail }));
    const { code, out, err } = await cli("logs --limit 5", { env: at(fake) });
    expect([code, out]).toEqual([
      0,
      "Log file: /tmp/x.log\n2026-01-02T03:04:05.000Z warn gateway hello red\nraw text\n",
    ]);
    expect(err).toBe("Log tail truncated (increase --max-bytes).\n");
    expect(fake.peers[0]?.requests[1]?.params).toEqual({ limit: 5, maxBytes: 250_000 });
  });

  test("JSON is one object per line", async () => {
    const fake = await gateway(answering({ "logs.tail": tail }));
    const { out } = await cli("logs --json", { env: at(fake) });
    const types = out
      .trim()
      .split("\n")
      .map((text) => (JSON.parse(text) as { type: string }).type);
    expect(types).toEqual(["meta", "notice", "log", "raw"]);
  });

  test("following passes the cursor on and survives a cut connection", async () => {
    let interrupt = () => {};
    let looks = 0;
    const fake = await gateway((request, peer) => {
      if (request.method !== "logs.tail") return;
      looks += 1;
      if (looks === 2) return peer.socket.terminate();
      peer.answer(request, { ...tail, cursor: 10 + looks, truncated: false, lines: [`line ${looks}`] });
      if (looks === 4) interrupt();
    });
    const follow = { env: at(fake), speed: 20, onReady: (run: () => void) => (interrupt = run) };
    const { code, out, err } = await cli("logs --follow --interval 100", follow);
    expect(code).toBe(130);
    expect(out).toBe("Log file: /tmp/x.log\nline 1\nline 3\n");
    expect(err).toBe("Connection lost; trying again.\nConnected again.\n");
    expect(fake.peers[1]?.requests[1]?.params).toMatchObject({ cursor: 11 });
  });

  test("with the gateway down the local file is read, with a word about it", async () => {
    mkdirSync(join(home, ".openclaw"));
    const file = join(home, "gateway.log");
    writeFileSync(file, `one\ntwo\nthree\n`);
    writeFileSync(
      join(home, ".openclaw", "openclaw.json"),
      JSON.stringify({ logging: { file }, gateway: { port: 1 } }),
    );
    const { code, out, err } = await cli("logs --limit 2");
    expect([code, out]).toEqual([0, `Log file: ${file}\ntwo\nthree\n`]);
    expect(err).toMatch(/Gateway not reachable; reading/);
  });

  test("without a file the failure is one object on stderr with --json", async () => {
    const { code, out, err } = await cli("logs --json", { env: { OPENCLAW_GATEWAY_PORT: "1" } });
    expect([code, out]).toEqual([1, ""]);
    expect(JSON.parse(err)).toMatchObject({
      type: "error",
      message: "Gateway not reachable. Is it running and accessible?",
      details: { url: "ws://127.0.0.1:1" },
    });
  });
});
