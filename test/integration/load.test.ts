/** The gateway under clients that are many, slow, silent, greedy or hostile. Real sockets, exact expectations. */
import { fork } from "node:child_process";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { startRig, type TestClient } from "../../packages/gateway/src/server/server.fixture.ts";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { holesOf, stall } from "../support/stall.ts";
import { connectParams, Wire } from "../support/wire.ts";
import type { Answer, Order } from "./idle-gateway.ts";

let gateway: TestGateway | undefined;
const opened: Wire[] = [];

const start = async (): Promise<TestGateway> => (gateway = await openGateway());

async function clients(count: number, from: TestGateway): Promise<Wire[]> {
  const wires = await Promise.all(Array.from({ length: count }, () => from.connect()));
  opened.push(...wires);
  return wires;
}

async function silent(from: TestGateway): Promise<Wire> {
  const wire = await Wire.open(from.url);
  opened.push(wire);
  return wire;
}

afterEach(async () => {
  for (const wire of opened.splice(0)) wire.terminate();
  await gateway?.stop();
  gateway = undefined;
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
/** Sockets of this process: both sides of every connection. */
const sockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;

test("four of forty clients stall: they alone lose events, every loss is one hole, and the next event that may not be lost closes them", async () => {
  let filled = 0;
  const answer = { text: "x".repeat(64_000) };
  const rig = await startRig({
    settings: { maxBufferedBytes: 32_768 },
    handlers: { status: () => (filled++, answer) },
  });
  try {
    const readers = await Promise.all(Array.from({ length: 36 }, () => rig.hello()));
    const stalled = await Promise.all(Array.from({ length: 4 }, () => rig.hello()));
    const settle = () => Promise.all(readers.map((client) => client.request("health", {})));
    const numbered = (client: TestClient) => client.frames.filter((frame) => frame.seq !== undefined).length;
    for (const client of stalled) stall(client.ws, "status", 64_000);
    while (filled < stalled.length * 263) await settle();

    // An event weighs 4,096 bytes and 70 of frame: eight fit below 32 KiB, the eighth goes over it, the rest is dropped.
    const published = 40;
    for (let event = 0; event < published; event++) {
      rig.publish("cron", { jobId: "j".repeat(4_096), action: "added" });
      await turn();
    }
    await settle();
    for (const client of readers) expect([holesOf(client.frames), numbered(client)]).toEqual([0, published]);

    // Two read again: they find what was kept, then a hole of exactly what was dropped.
    const recovered = stalled.slice(0, 2);
    for (const client of recovered) client.ws.resume();
    await Promise.all(recovered.map((client) => client.request("health", {})));
    rig.publish("tick", { ts: 1 });
    await Promise.all(recovered.map((client) => client.until((frame) => frame.event === "tick")));
    const kept = 8;
    for (const client of recovered)
      expect([holesOf(client.frames), numbered(client)]).toEqual([published - kept, kept + 1]);

    // The others do not, and now something comes that must not be lost.
    rig.publish("chat", { runId: "r1", sessionKey: "agent:main:main", seq: 1, state: "final" });
    await settle();
    expect(rig.server.connections()).toHaveLength(38);
    for (const client of stalled.slice(2)) client.ws.resume();
    for (const client of stalled.slice(2)) expect(await client.closed).toEqual({ code: 1008, reason: "slow consumer" });
    for (const client of [...readers, ...recovered])
      expect(client.events.filter((frame) => frame.event === "chat")).toHaveLength(1);
    // Every loss was counted. The two that were closed had also lost the tick.
    for (const client of recovered) client.ws.close(1000);
    await Promise.all(recovered.map((client) => client.closed));
    while (rig.server.connections().length > 36) await settle();
    const gone = rig.lines.filter((line) => line.message.startsWith("disconnected"));
    expect(gone.map((line) => line.fields?.["droppedEvents"])).toEqual([33, 33, 32, 32]);
  } finally {
    await rig.close();
  }
});

test("a peer that answers no ping is gone within two ticks and its place in the kernel is free; the others stay", async () => {
  const one = await start();
  const [honest] = await clients(1, one);
  const baseline = sockets();
  const dead = await clients(20, one);
  // Paused, the client library neither reads nor answers pings: like a phone that lost its network.
  for (const wire of dead) wire.socket.pause();
  expect(sockets()).toBe(baseline + 40);
  for (let second = 0; second < 64; second += 2) {
    await one.world.jump(2_000);
    await (honest as Wire).settled();
  }
  expect(one.log.filter((line) => line.includes("peer is gone"))).toHaveLength(20);
  for (const wire of dead) wire.terminate();
  await Promise.all(dead.map((wire) => wire.closed));
  await turn();
  expect(sockets()).toBe(baseline);
  expect((honest as Wire).events("tick")).toHaveLength(2);
});

test("of 33 and more silent sockets of one address the newest go, and a burst of honest clients passes beside them", async () => {
  const one = await start();
  const idle: Wire[] = [];
  for (let socket = 0; socket < 40; socket++) idle.push(await silent(one));
  const honest = await clients(100, one);
  await one.world.jump(1_001);
  const closes = await Promise.all(idle.slice(32).map((wire) => wire.closed));
  expect(new Set(closes.map((close) => `${close.code} ${close.reason}`))).toEqual(
    new Set(["1013 too many unauthenticated connections"]),
  );
  await Promise.all(honest.map((wire) => wire.settled()));
  const again = await clients(50, one);
  await Promise.all(again.map((wire) => wire.settled()));
  expect(idle.slice(0, 32).every((wire) => wire.socket.readyState === 1)).toBe(true);
  // Their time is up all the same.
  await one.world.jump(10_000);
  const late = await Promise.all(idle.slice(0, 32).map((wire) => wire.closed));
  expect(new Set(late.map((close) => `${close.code} ${close.reason}`))).toEqual(new Set(["1000 "]));
});

test("a frame over the limit closes at its declared length, before and after hello, and nobody else notices", async () => {
  const one = await start();
  const [witness, big] = await clients(2, one);
  const early = await silent(one);
  early.sendText("x".repeat(65_537));
  expect((await early.closed).code).toBe(1009);
  const exact = await silent(one);
  const connect = { type: "req", id: "1", method: "connect", params: connectParams({ token: one.token }, undefined) };
  exact.sendText(JSON.stringify(connect).padEnd(65_536, " "));
  expect((await exact.wait((frame) => frame.type === "res")).ok).toBe(true);
  (big as Wire).sendText(Buffer.alloc(26_214_401, 0x20));
  expect((await (big as Wire).closed).code).toBe(1009);
  expect((await (witness as Wire).request("health", {})).ok).toBe(true);
});

test("an answer stays below the frame limit however much there is to say", async () => {
  const one = await start();
  const [wire] = (await clients(1, one)) as [Wire];
  const text = "long ".repeat(50_000);
  for (let message = 0; message < 40; message++)
    await wire.call("chat.inject", { sessionKey: "main", message: `${message} ${text}` }).catch(() => undefined);
  const history = await wire.request("chat.history", { sessionKey: "main", limit: 1_000 });
  expect(history.ok).toBe(true);
  expect(JSON.stringify(history).length).toBeLessThan(26_214_400);
});

test("1,000 pipelined calls are answered once each, in order", async () => {
  const one = await start();
  const [wire] = (await clients(1, one)) as [Wire];
  const ids = Array.from({ length: 1_000 }, (_, index) => `p${index}`);
  for (const id of ids) wire.send({ type: "req", id, method: "health", params: {} });
  await wire.wait((frame) => frame.id === "p999");
  await wire.settled();
  const answers = wire.frames.filter((frame) => frame.type === "res" && frame.id?.startsWith("p"));
  expect(answers.map((frame) => frame.id).sort()).toEqual([...ids].sort());
  expect(answers.every((frame) => frame.ok)).toBe(true);
});

test("a client that floods is served in turns: another one's call overtakes its queue", async () => {
  const one = await start();
  const [greedy, polite] = (await clients(2, one)) as [Wire, Wire];
  const calls = 6_000;
  for (let call = 0; call < calls; call++)
    greedy.send({ type: "req", id: `g${call}`, method: "system-presence", params: {} });
  await greedy.wait((frame) => frame.id === "g0");
  const answered = () => greedy.frames.reduce((count, frame) => count + (frame.type === "res" ? 1 : 0), 0);
  const waits: number[] = [];
  for (let call = 0; call < 5; call++) {
    const from = answered();
    expect((await polite.request("health", {})).ok).toBe(true);
    waits.push(answered() - from);
  }
  // One call waits for a few turns of 32 frames, not for the flood.
  expect(Math.max(...waits)).toBeLessThan(calls / 4);
  await greedy.wait((frame) => frame.id === `g${calls - 1}`);
  expect(answered()).toBe(calls + 1);
});

test("256 long waits fit on one connection; the next is refused as retryable, while stops, short calls and others go on", async () => {
  const one = await start();
  const [wire, other] = (await clients(2, one)) as [Wire, Wire];
  const wait = (id: string) =>
    wire.send({ type: "req", id, method: "agent.wait", params: { runId: `nobody-${id}`, timeoutMs: 60_000 } });
  for (let call = 0; call < 256; call++) wait(`w${call}`);
  await wire.settled();
  wait("w256");
  const refused = await wire.wait((frame) => frame.id === "w256");
  expect(refused).toMatchObject({ ok: false, error: { code: "UNAVAILABLE", retryable: true, retryAfterMs: 1_000 } });
  expect((await wire.request("chat.abort", { sessionKey: "main" })).ok).toBe(true);
  expect((await wire.request("health", {})).ok).toBe(true);
  expect((await other.request("agent.wait", { runId: "nobody", timeoutMs: 0 })).payload).toMatchObject({
    status: "timeout",
  });
  await one.world.jump(60_001);
  await wire.wait((frame) => frame.id === "w255");
  const answers = wire.frames.filter((frame) => frame.type === "res" && /^w\d+$/.test(frame.id ?? ""));
  expect(answers).toHaveLength(257);
  wait("w257");
  await wire.settled();
  expect(wire.frames.find((frame) => frame.id === "w257")).toBeUndefined();
});

test("1,000 idle clients get hello-ok and every tick, for at most 60 KB each", { timeout: 30_000 }, async () => {
  const child = fork(join(import.meta.dirname, "idle-gateway.ts"), {
    execArgv: ["--conditions=openclaw-source"],
    stdio: "inherit",
  });
  const exited = new Promise<Answer>((resolve) => child.once("exit", () => resolve({ gone: true })));
  const next = async () => {
    const answer = await Promise.race([new Promise<Answer>((resolve) => child.once("message", resolve)), exited]);
    if (answer.gone) throw new Error("the gateway of this test ended before its time");
    return answer;
  };
  const order = (what: Order) => {
    child.send(what);
    return next();
  };
  try {
    const { url = "" } = await next();
    const wires: Wire[] = [];
    const open = async (count: number) => {
      const some = await Promise.all(
        Array.from({ length: count }, () => Wire.connect(url, { token: "test-token-0123456789abcdef" })),
      );
      wires.push(...some);
      opened.push(...some);
    };
    // The first hundred pay for code and buffers that the others share.
    await open(100);
    const before = (await order({ do: "measure" })).bytes ?? 0;
    for (let batch = 0; batch < 10; batch++) await open(100);
    const after = (await order({ do: "measure" })).bytes ?? 0;
    expect(wires.every((wire) => (wire.frames[1]?.payload as { type?: string } | undefined)?.type === "hello-ok")).toBe(
      true,
    );
    await order({ do: "jump", ms: 30_001 });
    await Promise.all(wires.map((wire) => wire.event("tick")));
    for (const wire of wires) expect(holesOf(wire.frames)).toBe(0);
    const kilobytes = (after - before) / 1_000 / 1_024;
    console.log(`memory per idle client: ${kilobytes.toFixed(1)} KB (heap and buffers, ${wires.length} clients)`);
    expect(kilobytes).toBeLessThan(60);
  } finally {
    for (const wire of opened.splice(0)) wire.terminate();
    if (child.connected) child.send({ do: "stop" });
    await exited;
  }
});
