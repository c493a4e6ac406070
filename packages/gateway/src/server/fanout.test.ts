import { afterEach, describe, expect, test } from "vitest";
import type { Call } from "../kernel/call.ts";
import { startRig, type Frame, type Rig, type TestClient } from "./server.fixture.ts";

let rig: Rig;
afterEach(() => rig.close());

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function settled(client: TestClient): Promise<void> {
  client.ws.ping();
  await new Promise((resolve) => client.ws.once("pong", resolve));
}

const tick = () => rig.publish("tick", { ts: 1 });
const agentEvent = (runId: string, stream: string, data: Record<string, unknown>) => ({
  runId,
  stream,
  data,
  seq: 1,
  ts: 1,
});
const delta = (runId: string, text: string, state: "delta" | "final" = "delta") => ({
  runId,
  sessionKey: "agent:main:main",
  seq: 1,
  state,
  message: { role: "assistant" as const, content: [{ type: "text" as const, text }], timestamp: 1 },
});

describe("numbers", () => {
  test("each connection counts from 1 over what was meant for it", async () => {
    rig = await startRig();
    const admin = await rig.hello();
    const reader = await rig.hello({ scopes: ["operator.read"] });
    const node = await rig.hello({ role: "node" });
    tick();
    rig.publish("device.pair.resolved", { requestId: "r", deviceId: "d", decision: "approved", ts: 1 });
    rig.publish("presence", { presence: [] });
    tick();
    for (const client of [admin, reader, node]) await settled(client);
    const seen = (client: TestClient) => client.events.map((f) => `${f.event}:${f.seq}`);
    expect(seen(admin)).toEqual(["tick:1", "device.pair.resolved:2", "presence:3", "tick:4"]);
    expect(seen(reader)).toEqual(["tick:1", "presence:2", "tick:3"]);
    expect(seen(node)).toEqual(["tick:1", "tick:2"]);
    expect(admin.events[2]?.stateVersion).toEqual({ presence: 1, health: 1 });
    expect(admin.events[0]).not.toHaveProperty("stateVersion");
  });

  test("events for named connections carry no number", async () => {
    rig = await startRig();
    const client = await rig.hello();
    const [identity] = rig.server.connections();
    rig.publish("tick", { ts: 9 }, { connIds: [identity?.connId ?? "", "gone"] });
    tick();
    await settled(client);
    expect(client.events).toEqual([
      { type: "event", event: "tick", payload: { ts: 9 } },
      { type: "event", event: "tick", payload: { ts: 1 }, seq: 1 },
    ]);
  });

  test("presence goes out whole, or as a change to those that ask for it", async () => {
    rig = await startRig();
    const plain = await rig.hello();
    const modern = await rig.hello({ caps: ["presence-delta"] });
    const entry = { host: "a", ts: 1 };
    rig.publish("presence", { presence: [entry], delta: { upserted: [entry], removed: [] } });
    await settled(plain);
    await settled(modern);
    expect(plain.events[0]?.payload).toEqual({ presence: [entry], delta: { upserted: [entry], removed: [] } });
    expect(modern.events[0]?.payload).toEqual({ delta: { upserted: [entry], removed: [] } });
  });

  test("a tick is sent every interval", async () => {
    rig = await startRig();
    const client = await rig.hello();
    await rig.world.clock.advance(29_000);
    await settled(client);
    await rig.world.clock.advance(1_500);
    await settled(client);
    expect(client.events.filter((f) => f.event === "tick")).toHaveLength(1);
  });
});

describe("tool events", () => {
  const follow = { agent: (_params: never, call: Call) => (call.followRun("run"), { runId: "run", status: "ok" }) };
  const result = () =>
    agentEvent("run", "tool", {
      phase: "result",
      name: "read",
      toolCallId: "t",
      isError: false,
      result: { content: [] },
    });

  test.each([
    [["tool-events"], "full", true, true],
    [["tool-events"], "on", true, false],
    [["tool-events"], "off", false, false],
    [["tool-events", "tool-results"], "off", true, true],
    [[], "full", false, false],
  ] as const)("caps %j at detail %s", async (caps, toolDetail, gets, withResult) => {
    rig = await startRig({ handlers: follow });
    const client = await rig.hello({ caps });
    const other = await rig.hello({ caps: ["tool-events"] });
    await client.request("agent", { message: "x", idempotencyKey: "run" });
    rig.publish("agent", result(), { toolDetail });
    tick();
    await settled(client);
    await settled(other);
    const tools = client.events.filter((f) => f.event === "agent");
    expect(tools).toHaveLength(gets ? 1 : 0);
    if (gets) {
      expect(tools[0]).not.toHaveProperty("seq");
      const payload = tools[0]?.payload as { data: Record<string, unknown> } | undefined;
      expect(Object.hasOwn(payload?.data ?? {}, "result")).toBe(withResult);
    }
    expect(other.events.map((f) => f.event)).toEqual(["tick"]);
  });
});

describe("chat deltas", () => {
  const joined = (frames: Frame[]) => {
    let text = "";
    for (const { payload } of frames) {
      const { deltaText, replace } = payload as { deltaText?: string; replace?: boolean };
      if (deltaText !== undefined) text = replace ? deltaText : text + deltaText;
    }
    return text;
  };

  test("deltaText adds up to the text, a late joiner starts with the whole, a new message replaces", async () => {
    rig = await startRig();
    const early = await rig.hello();
    rig.publish("chat", delta("r", "Good"));
    const late = await rig.hello();
    rig.publish("chat", delta("r", "Good day"));
    rig.publish("chat", delta("r", "Second"));
    rig.publish("chat", delta("r", "Second message"));
    rig.publish("chat", delta("r", "Second message", "final"));
    await settled(early);
    await settled(late);
    const texts = early.events.map((f) => (f.payload as { deltaText?: string }).deltaText);
    expect(texts).toEqual(["Good", " day", "Second", " message", undefined]);
    expect(late.events[0]?.payload).toMatchObject({ deltaText: "Good day", replace: true });
    expect(early.events[0]?.payload).not.toHaveProperty("replace");
    for (const client of [early, late]) expect(joined(client.events)).toBe("Second message");
  });
});

describe("slow clients", () => {
  const slow = { caps: ["stalled"] };

  test("droppable events leave a hole, waiting ones are replaced, the next that may not be dropped closes; others see nothing of it", async () => {
    rig = await startRig({ settings: { maxBufferedBytes: 100_000 } });
    const good = await rig.hello();
    const bad = await rig.hello(slow);
    bad.ws.pause();
    // More than the kernel's buffers and the queue hold together.
    const big = "y".repeat(60_000);
    const published = 300;
    for (let i = 0; i < published; i++) {
      rig.publish("cron", { jobId: big, action: "added" });
      await settled(good);
    }
    expect(rig.server.connections()).toHaveLength(2);
    tick();
    rig.publish("chat", delta("r", "text", "final"));
    await settled(good);
    expect(rig.server.connections()).toHaveLength(1);
    expect(good.events.at(-1)?.seq).toBe(published + 2);
    bad.ws.resume();
    await bad.until((f) => f.event === "cron");
    expect((await bad.closed).code).toBe(1008);
    const numbers = bad.events.map((f) => f.seq ?? 0);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    expect(numbers.length).toBeLessThan(published);
  });

  test("a client over its limit for ten seconds is closed even when everything may be dropped", async () => {
    rig = await startRig({ settings: { maxBufferedBytes: 1_000, tickIntervalMs: 30_000 } });
    const bad = await rig.hello(slow);
    bad.ws.pause();
    for (let i = 0; i < 400; i++) {
      rig.publish("cron", { jobId: "z".repeat(60_000), action: "added" });
      if (i % 20 === 0) await turn();
    }
    await rig.world.clock.advance(12_000);
    expect(rig.server.connections()).toHaveLength(0);
  });

  test("answers do not count: a client that asks for much and reads late gets everything", async () => {
    const text = "x".repeat(1_000_000);
    rig = await startRig({ handlers: { status: () => ({ text }) }, settings: { maxBufferedBytes: 10_000 } });
    const client = await rig.hello(slow);
    client.ws.pause();
    for (let i = 0; i < 40; i++) client.send({ type: "req", id: `a${i}`, method: "status" });
    for (let i = 0; i < 50; i++) await turn();
    client.ws.resume();
    await client.until((f) => f.id === "a39");
    expect(client.frames.filter((f) => f.id?.startsWith("a"))).toHaveLength(40);
  });

  test("a half-open peer is gone after two ticks without a sign of life", async () => {
    rig = await startRig();
    const dead = await rig.hello(slow);
    const alive = await rig.hello();
    dead.ws.pause();
    for (let i = 0; i < 34; i++) {
      await rig.world.clock.advance(1_900);
      await settled(alive);
    }
    expect(rig.server.connections().map((identity) => identity.caps)).toEqual([[]]);
  });
});

describe("the end", () => {
  test("shutdown reaches every client before its close 1012", async () => {
    rig = await startRig();
    const client = await rig.hello();
    rig.server.announceShutdown({ reason: "gateway stopping" });
    const stopping = rig.server.stop(1_000);
    expect(await client.closed).toEqual({ code: 1012, reason: "service restart" });
    await stopping;
    expect(client.events.at(-1)).toMatchObject({ event: "shutdown", payload: { reason: "gateway stopping" } });
    expect(rig.presence).toEqual(["+cli", "-cli"]);
  });

  test("closeDevice ends the sockets of that device and no others", async () => {
    rig = await startRig();
    const client = await rig.hello();
    rig.server.closeDevice("someone else", "device removed");
    expect((await client.request("health")).ok).toBe(true);
  });
});
