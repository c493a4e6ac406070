/** Cases 62-64, 72, 74, 75: events, slow consumers, shutdown, protocol 4, hostile numbers. */
import { expect, test } from "vitest";
import { openGateway } from "../support/gateway.ts";
import { makeHome, startGateway } from "../support/process.ts";
import { connectParams, makeDevice, Wire, type WireFrame } from "../support/wire.ts";
import { conformance, refused, sequence } from "./suite.ts";

const backend = { id: "gateway-client", mode: "backend" };

const holes = (numbers: number[]): number => {
  let found = 0;
  for (const [i, n] of numbers.entries()) if (i > 0) found += n - (numbers[i - 1] ?? 0) - 1;
  return found;
};

conformance("broadcast", {}, ({ blackBox, harness }) => {
  harness(
    "case 62: a client that does not read loses droppable events, then its socket; others lose nothing",
    async () => {
      const gateway = await openGateway({
        config: {
          gateway: {
            mode: "local",
            auth: { token: "test-token-0123456789abcdef" },
            limits: { maxBufferedBytes: 32_768 },
          },
        },
      });
      try {
        const reader = await gateway.connect({ client: { ...backend, instanceId: "reader" } });
        const stalled = await gateway.connect({ client: { ...backend, instanceId: "stalled" } });
        stalled.socket.pause();
        const big = "x".repeat(60_000);
        // Droppable events first: presence with a long text, until the kernel's buffers and ours are full.
        for (let i = 0; i < 120; i++) {
          gateway.host.gateway.bus.publish("talk.mode", { enabled: true, phase: `${i} ${big}`, ts: i });
          await reader.settled();
        }
        // One that may not be dropped ends the stalled connection.
        gateway.host.gateway.bus.publish("shutdown", { reason: "test" });
        await reader.event("shutdown");
        stalled.socket.resume();
        expect(await stalled.closed).toEqual({ code: 1008, reason: "slow consumer" });
        expect(holes(sequence(reader.frames))).toBe(0);
        expect(reader.events("talk.mode")).toHaveLength(120);
        const seen = stalled.events("talk.mode").length;
        expect(seen).toBeLessThan(120);
        await reader.close();
      } finally {
        await gateway.stop();
      }
    },
  );

  harness("case 62: a dropped event leaves exactly one hole in the sequence", async () => {
    const gateway = await openGateway({
      config: {
        gateway: {
          mode: "local",
          auth: { token: "test-token-0123456789abcdef" },
          limits: { maxBufferedBytes: 32_768 },
        },
      },
    });
    try {
      const slow = await gateway.connect({ client: { ...backend, instanceId: "slow" } });
      slow.socket.pause();
      const big = "x".repeat(60_000);
      const sent = 200;
      for (let i = 0; i < sent; i++)
        gateway.host.gateway.bus.publish("talk.mode", { enabled: true, phase: `${i} ${big}`, ts: i });
      slow.socket.resume();
      await slow.settled();
      gateway.host.gateway.bus.publish("talk.mode", { enabled: false, phase: "last", ts: sent });
      await slow.event("talk.mode", (payload) => payload.phase === "last");
      const received = slow.events("talk.mode").length;
      expect(holes(sequence(slow.frames))).toBe(sent + 1 - received);
      expect(received).toBeLessThan(sent);
      await slow.close();
    } finally {
      await gateway.stop();
    }
  });

  harness("case 63: filtered events consume no number: both clients see a gapless sequence", async (target) => {
    const pairing = await target.connect({ scopes: ["operator.pairing"], client: backend });
    const reader = await target.connect({ scopes: ["operator.read"], client: backend });
    const remote = await Wire.open(target.url, { headers: { "X-Forwarded-For": "1.2.3.5" } });
    await remote.request("connect", connectParams({ token: target.token, device: makeDevice() }, remote.nonce));
    await remote.closed;
    await pairing.event("device.pair.requested");
    await reader.call("health", { probe: true });
    await pairing.request("health", { probe: true });
    await pairing.settled();
    await reader.settled();
    for (const wire of [pairing, reader]) {
      const numbers = sequence(wire.frames);
      expect(numbers[0]).toBe(1);
      expect(holes(numbers)).toBe(0);
    }
    expect(reader.events("device.pair.requested")).toHaveLength(0);
    await Promise.all([pairing.close(), reader.close()]);
  });

  harness("case 64: within 61 seconds come at least two ticks with an integer time", async (target) => {
    const wire = await target.connect();
    // Answer pings while time passes, as a living client does.
    for (let second = 0; second < 61; second += 10) {
      await target.world.jump(10_000);
      await wire.settled();
    }
    await target.world.jump(1_000);
    await wire.settled();
    const ticks = wire.events("tick");
    expect(ticks.length).toBeGreaterThanOrEqual(2);
    for (const tick of ticks) expect(Number.isInteger(tick.payload?.ts)).toBe(true);
    await wire.close();
  });

  blackBox(
    "case 74: the sequence of the protocol 4 TUI works, and its text deltas add up to the final text",
    async (target) => {
      const wire = await target.connect({
        min: 4,
        max: 4,
        scopes: ["operator.admin"],
        client: { id: "openclaw-tui", mode: "ui" },
        caps: ["tool-events"],
      });
      expect(await wire.call("sessions.subscribe", {})).toEqual({ subscribed: true });
      await wire.call("agents.list", {});
      await wire.call("chat.history", { sessionKey: "agent:main:case74", limit: 200 });
      await wire.call("sessions.list", { agentId: "main", limit: 1 });
      for (const [method, params] of [
        ["commands.list", {}],
        ["question.list", {}],
        ["sessions.describe", { key: "agent:main:case74" }],
      ] as const)
        await wire.request(method, params);
      const message = Array.from({ length: 400 }, (_, i) => `word${i}`).join(" ");
      await wire.call("chat.send", { sessionKey: "agent:main:case74", message, idempotencyKey: "case-74" });
      const final = await wire.event("chat", (payload) => payload.runId === "case-74" && payload.state === "final");
      const deltas = wire
        .events("chat")
        .filter((frame) => frame.payload?.runId === "case-74" && frame.payload.state === "delta");
      expect(deltas.length).toBeGreaterThan(0);
      let text = "";
      for (const { payload } of deltas) {
        expect(payload?.deltaText).toBeTypeOf("string");
        text = payload?.replace ? String(payload.deltaText) : text + String(payload?.deltaText);
        const cumulative = payload?.message as { content: { text: string }[] };
        expect(text.trimEnd()).toBe(
          cumulative.content
            .map((part) => part.text)
            .join("")
            .trimEnd(),
        );
      }
      const whole = (final.payload?.message as { content: { text: string }[] }).content
        .map((part) => part.text)
        .join("");
      expect(text).toBe(whole);
      await wire.close();
    },
  );

  harness(
    "case 75: the 33rd silent socket of one address is refused, and a burst of honest ones is not",
    async (target) => {
      const silent = await Promise.all(Array.from({ length: 32 }, () => Wire.open(target.url)));
      await target.world.jump(1_100);
      const next = new Wire(target.url);
      await target.world.jump(1_100);
      expect((await next.closed).code).toBe(1013);
      for (const wire of silent) wire.terminate();
      const honest = await Promise.all(Array.from({ length: 100 }, () => target.connect()));
      expect(honest).toHaveLength(100);
      await Promise.all(honest.map((wire) => wire.close()));
    },
  );

  harness("case 75: eleven wrong tokens from another address lock it out, loopback is never locked", async (target) => {
    const from = { headers: { "X-Forwarded-For": "203.0.113.9" } };
    const gateway = await openGateway({
      config: { gateway: { mode: "local", auth: { token: target.token }, trustedProxies: ["127.0.0.1", "::1"] } },
    });
    try {
      const attempt = async (token: string, socket: { headers?: Record<string, string> }) => {
        const wire = await Wire.open(gateway.url, socket);
        const answer = await wire.request("connect", connectParams({ token }, wire.nonce));
        await (answer.ok ? wire.close() : wire.closed);
        return answer;
      };
      for (let i = 0; i < 10; i++) expect(refused(await attempt("wrong", from)).message).toMatch(/token mismatch/u);
      const locked = refused(await attempt(target.token, from));
      expect(locked.message).toBe("unauthorized: too many failed authentication attempts (retry later)");
      await gateway.world.jump(5 * 60_000 + 1_000);
      expect((await attempt(target.token, from)).ok).toBe(true);
    } finally {
      await gateway.stop();
    }
  });

  blackBox("case 75: more than ten unauthorised calls in a row close the socket", async (target) => {
    const wire = await target.connect({ scopes: ["operator.read"], client: backend });
    for (let i = 0; i < 12; i++) wire.send({ type: "req", id: `u${i}`, method: "chat.send", params: {} });
    expect(await wire.closed).toEqual({ code: 1008, reason: "repeated unauthorized calls" });
  });
});

test("case 72: SIGTERM announces, closes with 1012 and exits 0", { timeout: 20_000 }, async () => {
  const home = makeHome();
  try {
    const gateway = await startGateway(home);
    const wire = await Wire.connect(gateway.url, { token: "test-token-0123456789abcdef" });
    gateway.kill("SIGTERM");
    const shutdown: WireFrame = await wire.event("shutdown");
    expect(shutdown.payload).toEqual({ reason: "gateway stopping" });
    expect(await wire.closed).toEqual({ code: 1012, reason: "service restart" });
    expect(await gateway.exited).toBe(0);
  } finally {
    home.remove();
  }
});
