import { GatewayError } from "@openclaw/protocol";
import { afterEach, describe, expect, test } from "vitest";
import type { Call } from "../kernel/call.ts";
import { startRig, type Frame, type Rig, type TestClient } from "./server.fixture.ts";

let rig: Rig;
afterEach(() => rig.close());

/** Everything sent before has been handled when the pong is back. */
async function settled(client: TestClient): Promise<void> {
  client.ws.ping();
  await new Promise((resolve) => client.ws.once("pong", resolve));
}

const readOnly = { scopes: ["operator.read"] };

describe("frames after hello-ok", () => {
  test("malformed JSON closes 1008 without an answer", async () => {
    rig = await startRig();
    const client = await rig.hello();
    client.send("{bad");
    expect(await client.closed).toEqual({ code: 1008, reason: "invalid JSON" });
    expect(client.frames.filter((f) => f.type === "res")).toHaveLength(1);
  });

  test.each([
    [
      '{"type":"req","id":"a1","method":"health","extra":1}',
      "a1",
      "invalid request frame: at root: unexpected property 'extra'",
    ],
    ['{"type":"event","event":"x"}', "invalid", "invalid request frame: at root: unexpected property 'event'"],
    ["7", "invalid", "invalid request frame: must be object"],
    ["null", "invalid", "invalid request frame: must be object"],
    ['{"type":"req","id":7,"method":"health"}', "invalid", "invalid request frame: at /id: must be string"],
    [
      '{"type":"req","id":"p","method":"health","params":{"a":{"constructor":1}}}',
      "p",
      "invalid request frame: key 'constructor' is not allowed",
    ],
    [
      '{"type":"req","id":"u","method":"health","params":{"__pr\\u006fto__":{"x":1}}}',
      "u",
      "invalid request frame: key '__proto__' is not allowed",
    ],
    [
      `{"type":"req","id":"d","method":"health","params":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
      "d",
      "invalid request frame: too deep for one frame",
    ],
    [
      `{"type":"req","id":"t","method":"health","params":[${"1,".repeat(50_001)}1]}`,
      "t",
      "invalid request frame: too many values for one frame",
    ],
  ])("%.60s is answered and the socket stays", async (text, id, message) => {
    rig = await startRig();
    const client = await rig.hello();
    client.send(text);
    const answer = await client.until((f) => f.type === "res" && f.id === id);
    expect(answer.error).toEqual({ code: "INVALID_REQUEST", message });
    expect((await client.request("health")).ok).toBe(true);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  test("lone surrogates, an id of 1 MiB and binary frames are handled normally", async () => {
    rig = await startRig();
    const client = await rig.hello();
    const id = "i".repeat(1_048_576);
    client.send({ type: "req", id, method: "health" });
    expect((await client.until((f) => f.id === id)).ok).toBe(true);
    client.send('{"type":"req","id":"\\ud800","method":"health"}');
    expect((await client.until((f) => f.id === "\ud800")).ok).toBe(true);
    client.send(Buffer.from('{"type":"req","id":"b","method":"health","params":null}'));
    expect((await client.until((f) => f.id === "b")).ok).toBe(true);
  });

  test("a frame above 25 MiB closes 1009", async () => {
    rig = await startRig();
    const client = await rig.hello();
    client.send(Buffer.alloc(26_214_401, 0x20));
    expect((await client.closed).code).toBe(1009);
  });

  test("connect again is an error and the socket stays", async () => {
    rig = await startRig();
    const client = await rig.hello();
    expect((await client.request("connect", {})).error?.message).toBe("connect is only valid as the first request");
    expect((await client.request("health")).ok).toBe(true);
  });
});

describe("authorisation", () => {
  test("scopes are checked before names are looked up", async () => {
    rig = await startRig({
      handlers: {
        "sessions.list": () => ({}),
        "chat.send": () => ({}),
        "device.pair.list": () => ({}),
        "skills.bins": () => ({}),
      },
    });
    const admin = await rig.hello();
    const limited = await rig.hello(readOnly);
    const message = async (client: TestClient, method: string, params = {}) =>
      (await client.request(method, params)).error?.message;
    expect(await message(admin, "nope.method")).toBe("unknown method: nope.method");
    expect(await message(admin, "toString")).toBe("unknown method: toString");
    expect(await message(limited, "nope.method")).toBe("missing scope: operator.admin");
    // Declared but without a handler here: named to whoever could call it.
    expect(await message(limited, "usage.status")).toBe("unknown method: usage.status");
    expect(await message(limited, "config.set")).toBe("missing scope: operator.admin");
    expect((await limited.request("health")).ok).toBe(true);
    expect((await limited.request("sessions.list")).ok).toBe(true);
    expect(await message(limited, "chat.send")).toBe("missing scope: operator.write");
    expect(await message(limited, "device.pair.list")).toBe("missing scope: operator.pairing");
    expect(await message(admin, "skills.bins")).toBe("unauthorized role: operator");
    const node = await rig.hello({ role: "node" });
    expect(await message(node, "status")).toBe("unauthorized role: node");
    expect(await message(node, "nope")).toBe("unauthorized role: node");
    expect((await node.request("skills.bins")).ok).toBe(true);
    expect((await node.request("health")).ok).toBe(true);
    const writer = await rig.hello({ scopes: ["operator.write"] });
    expect((await writer.request("sessions.list")).ok).toBe(true);
  });

  test("the eleventh unauthorised call in a row closes; an allowed one in between resets the count", async () => {
    rig = await startRig();
    const client = await rig.hello({ scopes: [], minProtocol: 4, maxProtocol: 4 });
    for (let i = 0; i < 10; i++) expect((await client.request("status")).ok).toBe(false);
    expect((await client.request("health")).ok).toBe(true);
    for (let i = 0; i < 10; i++) expect((await client.request("status")).ok).toBe(false);
    expect((await client.request("status")).error?.code).toBe("FORBIDDEN");
    expect(await client.closed).toEqual({ code: 1008, reason: "repeated unauthorized calls" });
  });
});

describe("params", () => {
  test("unknown keys are an error for protocol 3 and ignored for protocol 4", async () => {
    rig = await startRig({ handlers: { "device.pair.list": () => ({ pending: [], paired: [] }) } });
    const three = await rig.hello();
    const answer = await three.request("device.pair.list", { x: 1 });
    expect(answer.error?.message).toBe("invalid device.pair.list params: at root: unexpected property 'x'");
    const four = await rig.hello({ minProtocol: 4, maxProtocol: 4, scopes: ["operator.admin"] });
    expect((await four.request("device.pair.list", { x: 1 })).ok).toBe(true);
    expect(rig.lines.some((l) => l.level === "debug" && l.message.includes("unknown params ignored"))).toBe(true);
  });

  test("a missing idempotency key is named", async () => {
    rig = await startRig({ handlers: { agent: () => ({}) } });
    const client = await rig.hello();
    expect((await client.request("agent", { message: "hi" })).error?.message).toBe(
      "invalid agent params: must have required property 'idempotencyKey'",
    );
  });
});

describe("answers", () => {
  test("a GatewayError keeps its text, anything else gives an id and goes to the log", async () => {
    rig = await startRig({
      handlers: {
        health: () => {
          throw new GatewayError("conflict", "stale", { details: { code: "STALE" } });
        },
        status: () => Promise.reject(new Error("https://user:secret@host")),
        "models.list": () => ({ big: 1n }),
      },
    });
    const client = await rig.hello();
    expect((await client.request("health")).error).toEqual({
      code: "INVALID_REQUEST",
      message: "stale",
      details: { code: "STALE" },
    });
    const bug = await client.request("status");
    expect(bug.error?.code).toBe("UNAVAILABLE");
    expect(bug.error?.message).toMatch(/^internal error \(id \w+\)/);
    expect(JSON.stringify(bug)).not.toContain("secret");
    expect(rig.lines.some((l) => l.level === "error" && l.message.startsWith("status failed: internal error"))).toBe(
      true,
    );
    expect((await client.request("models.list")).error?.code).toBe("UNAVAILABLE");
    expect(rig.lines.some((l) => l.message.startsWith("⇄ res ✗ health"))).toBe(true);
  });

  test("an acknowledged call that fails answers twice with the same id, the second with error and payload", async () => {
    rig = await startRig({
      handlers: {
        agent: async (_params: never, call: Call) => {
          call.ack({ runId: "k", status: "accepted" });
          await Promise.resolve();
          throw new GatewayError("unavailable", "model down", {
            retryable: false,
            payload: { runId: "k", status: "error", summary: "model down" },
          });
        },
      },
    });
    const client = await rig.hello();
    client.send({ type: "req", id: "a", method: "agent", params: { message: "hi", idempotencyKey: "k" } });
    await client.until((f) => f.id === "a" && f.ok === false);
    expect(client.frames.filter((f) => f.id === "a")).toEqual([
      { type: "res", id: "a", ok: true, payload: { runId: "k", status: "accepted" } },
      {
        type: "res",
        id: "a",
        ok: false,
        error: { code: "UNAVAILABLE", message: "model down" },
        payload: { runId: "k", status: "error", summary: "model down" },
      },
    ]);
  });

  test("a slow call does not hold up the next one, and the signal ends with the socket", async () => {
    let signal: AbortSignal | undefined;
    rig = await startRig({
      handlers: {
        "agent.wait": (_params: never, call: Call) => {
          signal = call.signal;
          return new Promise(() => {});
        },
      },
    });
    const client = await rig.hello();
    client.send({ type: "req", id: "w", method: "agent.wait", params: { runId: "r" } });
    expect((await client.request("health")).ok).toBe(true);
    expect(signal?.aborted).toBe(false);
    const aborted = new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
    client.ws.close();
    await aborted;
  });

  test("1,000 pipelined calls are all answered, in turns", async () => {
    rig = await startRig({ handlers: { health: async () => ({ ok: true }) } });
    const client = await rig.hello();
    for (let i = 0; i < 1_000; i++) client.send({ type: "req", id: `p${i}`, method: "health" });
    await client.until((f) => f.id === "p999");
    const answers = client.frames.filter((f: Frame) => f.id?.startsWith("p"));
    expect(answers.filter((f) => f.ok)).toHaveLength(1_000);
  });

  test("call 257 in flight is refused as retryable, and stops are still taken", async () => {
    rig = await startRig({
      handlers: { status: () => new Promise(() => {}), "chat.abort": () => ({ ok: true, aborted: false, runIds: [] }) },
    });
    const client = await rig.hello();
    for (let i = 0; i < 257; i++) client.send({ type: "req", id: `s${i}`, method: "status" });
    const refused = await client.until((f) => f.id === "s256");
    expect(refused.error).toMatchObject({ code: "UNAVAILABLE", retryable: true, retryAfterMs: 1_000 });
    expect((await client.request("chat.abort", { sessionKey: "main" })).ok).toBe(true);
  });

  test("while draining reads are answered and work is refused", async () => {
    rig = await startRig({ handlers: { agent: () => ({}), "chat.abort": () => ({ ok: true }) } });
    const client = await rig.hello();
    rig.server.drain();
    expect((await client.request("agent", { message: "x", idempotencyKey: "k" })).error).toMatchObject({
      code: "UNAVAILABLE",
      retryable: true,
    });
    expect((await client.request("status")).ok).toBe(true);
    expect((await client.request("chat.abort", { sessionKey: "main" })).ok).toBe(true);
  });

  test("an answer above 25 MiB becomes an error that says so", async () => {
    rig = await startRig({ handlers: { status: () => ({ text: "x".repeat(26_300_000) }) } });
    const client = await rig.hello();
    expect((await client.request("status")).error?.message).toContain("larger than 25 MiB");
  });
});

describe("fairness", () => {
  test("a client at line rate does not hold up another", async () => {
    rig = await startRig();
    const greedy = await rig.hello();
    const honest = await rig.hello();
    for (let i = 0; i < 5_000; i++) greedy.send({ type: "req", id: `g${i}`, method: "health" });
    await honest.request("health");
    await settled(greedy);
    await greedy.until((f) => f.id === "g4999");
    expect(greedy.frames.filter((f) => f.id?.startsWith("g"))).toHaveLength(5_000);
  });
});

describe("a client gone mad", () => {
  test("51 refusals within ten seconds close, spread out they do not", async () => {
    rig = await startRig({ handlers: { agent: () => ({}) } });
    const patient = await rig.hello();
    const mad = await rig.hello();
    rig.server.drain();
    const params = { message: "x", idempotencyKey: "k" };
    for (let i = 0; i < 60; i++) {
      expect((await patient.request("agent", params)).error?.code).toBe("UNAVAILABLE");
      await rig.world.clock.advance(300);
    }
    for (let i = 0; i < 51; i++) mad.send({ type: "req", id: `m${i}`, method: "agent", params });
    expect(await mad.closed).toEqual({ code: 1008, reason: "too many refused requests" });
    expect((await patient.request("health")).ok).toBe(true);
  });
});
