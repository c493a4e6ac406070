/** lifecycle.md §12.1, §14.1, §14.2 and §14.8: what commands say of a connection, a tail, a channel and a run's time. */
import { expect, test } from "vitest";
import { answering, at, cli, cliArgs, gateway, withHome, writeConfig } from "./fake-terminal.ts";
import { channelLines } from "./health.ts";

withHome();

test.each([
  [1000, "", "gateway closed (1000 normal closure): no close reason"],
  [1008, "device revoked", "gateway closed (1008 policy violation): device revoked"],
  [1012, "service restart", "gateway closed (1012 service restart): service restart"],
  [4321, "own words", "gateway closed (4321): own words"],
] as const)(
  "lifecycle 12.1: a close with %i %j is told as %j, with target, source, config and bind",
  async (code, reason, text) => {
    const fake = await gateway((request, peer) => {
      if (request.method === "health") peer.socket.close(code, reason);
    });
    const ran = await cli("health", { env: at(fake) });
    expect(ran.code).toBe(1);
    expect(ran.err.split("\n").slice(0, 5)).toEqual([
      text,
      `Gateway target: ws://127.0.0.1:${fake.port}`,
      "Source: local loopback",
      "Config: ~/.openclaw/openclaw.json (missing)",
      "Bind: loopback",
    ]);
  },
);

test("lifecycle 12.1: a call without an answer ends after --timeout, in the agreed words", async () => {
  const fake = await gateway((request) => request.method === "health");
  const { code, err } = await cli("health --timeout 50", { env: at(fake) });
  expect([code, err.split("\n")[0]]).toEqual([1, "gateway timeout after 50ms"]);
  expect(err).toContain(`Gateway target: ws://127.0.0.1:${fake.port}\nSource: local loopback\n`);
});

test("lifecycle 14.1: a file that was rolled under the cursor is said, in text and in JSON", async () => {
  const tail = { file: "/tmp/a.log", cursor: 5, size: 5, lines: ["raw"], truncated: false, reset: false };
  for (const json of [false, true]) {
    let looks = 0;
    let interrupt = () => {};
    const fake = await gateway((request, peer) => {
      if (request.method !== "logs.tail") return;
      looks += 1;
      peer.answer(request, { ...tail, reset: looks === 2, truncated: looks === 2, lines: looks === 2 ? [] : ["raw"] });
      if (looks === 3) interrupt();
    });
    const { out, err } = await cli(`logs --follow --interval 100${json ? " --json" : ""}`, {
      env: at(fake),
      speed: 20,
      onReady: (run) => (interrupt = run),
    });
    for (const text of ["Log cursor reset (file rotated).", "Log tail truncated (increase --max-bytes)."])
      expect(json ? out : err).toContain(json ? JSON.stringify({ type: "notice", message: text }) : `${text}\n`);
  }
});

test("lifecycle 14.1: flags go to the gateway as they are, and no gateway and no file is told with the facts and a hint", async () => {
  const fake = await gateway(
    answering({ "logs.tail": { file: "/f", cursor: 0, size: 0, lines: [], truncated: false, reset: false } }),
  );
  expect((await cli("logs --limit 9000 --max-bytes 2000000 --plain", { env: at(fake) })).code).toBe(0);
  expect(fake.peers[0]?.requests[1]?.params).toEqual({ limit: 5_000, maxBytes: 1_000_000 });
  const { code, out, err } = await cli("logs", { env: { OPENCLAW_GATEWAY_PORT: "1", OPENCLAW_PROFILE: "rescue" } });
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatch(/^Gateway not reachable\. Is it running and accessible\?\ngateway closed \(1006 /u);
  expect(err).toContain(
    "Gateway target: ws://127.0.0.1:1\nSource: local loopback\nConfig: ~/.openclaw-rescue/openclaw.json",
  );
  expect(err.trimEnd().split("\n").at(-1)).toBe("Hint: run openclaw --profile rescue doctor.");
});

test("lifecycle 14.1: following gives up after eight tries", async () => {
  let looks = 0;
  const fake = await gateway((request, peer) => {
    if (request.method !== "logs.tail") return;
    looks += 1;
    if (looks > 1) return peer.socket.terminate();
    peer.answer(request, { file: "/f", cursor: 1, size: 1, lines: ["one"], truncated: false, reset: false });
  });
  const { code, err } = await cli("logs --follow --interval 100", { env: at(fake), speed: 200 });
  expect(code).toBe(1);
  expect(looks).toBe(10);
  expect(err).toContain("Gateway not reachable. Is it running and accessible?");
});

test("lifecycle 14.2: every state of a channel has its words", () => {
  const channels = {
    a: { configured: true, linked: true, authAgeMs: 720_000 },
    b: { configured: true, linked: false },
    c: { configured: false },
    d: { configured: true },
    e: { probe: { ok: true, elapsedMs: 123, bot: { username: "helper" } } },
    f: { probe: { ok: false, status: 401, error: "bad \u001b[31mtoken" } },
    g: { configured: true, linked: true, running: true, connected: false, lastError: "It could not be reached." },
    h: { configured: true, linked: true, running: true, connected: false },
  };
  const channelLabels = {
    a: "WhatsApp",
    b: "Signal",
    c: "Slack",
    d: "Matrix",
    e: "Telegram",
    f: "Discord",
    g: "Line",
    h: "IRC",
  };
  expect(channelLines({ channels, channelOrder: Object.keys(channels), channelLabels })).toEqual([
    "WhatsApp: linked (auth age 12m)",
    "Signal: not linked",
    "Slack: not configured",
    "Matrix: configured",
    "Telegram: ok (@helper) (123ms)",
    "Discord: failed (401) - bad token",
    "Line: linked, not connected - It could not be reached.",
    "IRC: linked, not connected",
  ]);
});

test("lifecycle 14.8: the time of a run is the flag, else the config's, else ten minutes", async () => {
  const fake = await gateway((request, peer) => {
    if (request.method === "agent")
      peer.answer(request, { runId: "k", status: "ok", result: { payloads: [{ text: "x" }] } });
  });
  const asked = async (...more: string[]) => {
    await cliArgs(["agent", "--agent", "main", "--message", "hi", ...more], { env: at(fake) });
    return fake.peers.at(-1)?.requests[1]?.params.timeout;
  };
  expect(await asked()).toBe(600);
  writeConfig("{ agents: { defaults: { timeoutSeconds: 90 } } }");
  expect(await asked()).toBe(90);
  expect(await asked("--timeout", "5")).toBe(5);
});
