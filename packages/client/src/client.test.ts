import { afterEach, describe, expect, test } from "vitest";
import { GatewayClient } from "./client.ts";
import type { GatewayClientOptions, StateChange } from "./client.ts";
import type { DeviceToken } from "./device.ts";
import { ClosedError, DeadlineError, NotSentError, RequestError } from "./errors.ts";
import { fakeGateway, helloOk, manualClock } from "./fake-gateway.ts";
import type { FakeGateway, Peer, Request } from "./fake-gateway.ts";
import { nodeSocket, seedIdentity } from "./node.ts";
import { webSocket } from "./socket.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

const identity = seedIdentity(Uint8Array.from({ length: 32 }, (_, i) => i));

async function gateway(onRequest?: (request: Request, peer: Peer) => boolean | void): Promise<FakeGateway> {
  const made = await fakeGateway(onRequest);
  cleanups.push(() => made.close());
  return made;
}

function client(url: string, options: Partial<GatewayClientOptions> = {}): GatewayClient {
  const made = new GatewayClient({
    url,
    socket: nodeSocket,
    client: { id: "test", version: "1", platform: "linux", mode: "test" },
    credentials: { token: "T" },
    ...options,
  });
  cleanups.push(() => made.stop());
  return made;
}

const state = (of: GatewayClient, wanted: StateChange["state"]): Promise<StateChange> =>
  new Promise((resolve) => {
    const off = of.onState((change) => {
      if (change.state !== wanted) return;
      off();
      resolve(change);
    });
  });

describe("handshake", () => {
  test("asks for protocol 3 to 4 and gives the hello", async () => {
    const fake = await gateway();
    const hello = await client(fake.url, { scopes: ["operator.read"] }).connect();
    expect(hello.protocol).toBe(4);
    expect(fake.peers[0]?.requests[0]?.params).toMatchObject({
      minProtocol: 3,
      maxProtocol: 4,
      role: "operator",
      scopes: ["operator.read"],
      auth: { token: "T" },
    });
    expect(fake.peers[0]?.requests[0]?.params).not.toHaveProperty("device");
  });

  test("a device signs the challenge with the gateway's time", async () => {
    const fake = await gateway();
    await client(fake.url, { identity: () => identity }).connect();
    const device = fake.peers[0]?.requests[0]?.params.device as Record<string, unknown>;
    expect(device).toMatchObject({ id: identity.deviceId, nonce: "nonce-1", signedAt: 1_770_000_000_000 });
  });

  test("a refusal is told with the gateway's words and close code", async () => {
    const fake = await gateway((request, peer) => {
      peer.refuse(request, {
        code: "INVALID_REQUEST",
        message: "unauthorized: gateway token mismatch (provide gateway auth token)",
      });
      return true;
    });
    const failure = await client(fake.url, { reconnect: false })
      .connect()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ClosedError);
    expect((failure as ClosedError).message).toBe(
      "gateway closed (1008 policy violation): unauthorized: gateway token mismatch (provide gateway auth token)",
    );
    expect((failure as ClosedError).refusal?.code).toBe("INVALID_REQUEST");
  });

  test("a gateway that never says hello is given up at the deadline", async () => {
    const clock = manualClock();
    const fake = await gateway(() => true);
    const made = client(fake.url, { reconnect: false, clock, handshakeTimeoutMs: 500 });
    const failed = made.connect().catch((error: unknown) => error);
    await fake.peer(0);
    clock.advance(500);
    expect(await failed).toBeInstanceOf(DeadlineError);
    expect(clock.timers).toBe(0);
  });

  test("the platform's own WebSocket serves as well, refusals included", async () => {
    let refusing = false;
    const fake = await gateway((request, peer) => {
      if (request.method === "x") peer.answer(request, "✓");
      if (request.method !== "connect" || !refusing) return;
      peer.refuse(request, { code: "INVALID_REQUEST", message: "invalid role" });
      return true;
    });
    const made = client(fake.url, { socket: webSocket });
    await made.connect();
    expect(await made.callAny("x")).toBe("✓");
    refusing = true;
    await expect(client(fake.url, { socket: webSocket, reconnect: false }).connect()).rejects.toThrow("invalid role");
    await expect(client("ws://127.0.0.1:1", { socket: webSocket, reconnect: false }).connect()).rejects.toThrow(/1006/);
    await expect(client("no address", { socket: webSocket, reconnect: false }).connect()).rejects.toThrow(/1006/);
  });

  test("an answer that is not hello-ok ends the connection", async () => {
    const fake = await gateway((request, peer) => {
      peer.answer(request, { type: "other" });
      return true;
    });
    await expect(client(fake.url, { reconnect: false }).connect()).rejects.toThrow(/not hello-ok/);
  });
});

describe("device tokens", () => {
  const store = (initial?: DeviceToken) => {
    const tokens = new Map(initial ? [["operator", initial]] : []);
    return {
      tokens,
      load: (role: string) => tokens.get(role),
      save: (role: string, token: DeviceToken) => void tokens.set(role, token),
      clear: (role: string) => void tokens.delete(role),
    };
  };

  test("an issued token is kept, and used when no secret is known", async () => {
    const fake = await gateway((request, peer) => {
      const auth = { role: "operator", scopes: ["operator.read"], deviceToken: "D1" };
      if (request.method === "connect") peer.answer(request, helloOk({ auth }));
      return true;
    });
    const deviceTokens = store();
    await client(fake.url, { identity, deviceTokens }).connect();
    expect(deviceTokens.tokens.get("operator")?.token).toBe("D1");
    await client(fake.url, {
      identity,
      deviceTokens,
      credentials: {},
      scopes: ["operator.admin", "operator.read"],
    }).connect();
    expect(fake.peers[1]?.requests[0]?.params).toMatchObject({
      auth: { deviceToken: "D1" },
      scopes: ["operator.read"],
    });
  });

  test("a token that was narrowed is used for all it still grants", async () => {
    const fake = await gateway(() => undefined);
    await client(fake.url, {
      identity,
      deviceTokens: store({ token: "D", scopes: ["operator.read", "operator.write"] }),
      credentials: {},
      scopes: ["operator.admin", "operator.pairing"],
    }).connect();
    expect(fake.peers[0]?.requests[0]?.params).toMatchObject({ scopes: ["operator.read", "operator.write"] });
  });

  test("a token the gateway does not know any more is forgotten", async () => {
    const fake = await gateway((request, peer) => {
      peer.refuse(request, {
        code: "INVALID_REQUEST",
        message: "unauthorized: device token mismatch (rotate/reissue device token)",
      });
      return true;
    });
    const deviceTokens = store({ token: "old", scopes: [] });
    await client(fake.url, { identity, deviceTokens, credentials: {}, reconnect: false })
      .connect()
      .catch(() => undefined);
    expect(deviceTokens.tokens.size).toBe(0);
  });

  test("told to retry with the device token, the client does so once and at once", async () => {
    const fake = await gateway((request, peer) => {
      if (request.method === "connect" && (request.params.auth as { token?: string }).token) {
        peer.refuse(request, {
          code: "INVALID_REQUEST",
          message: "unauthorized",
          details: { canRetryWithDeviceToken: true },
        });
        return true;
      }
    });
    await client(fake.url, { identity, deviceTokens: store({ token: "D", scopes: [] }), reconnect: false }).connect();
    expect(fake.peers).toHaveLength(2);
  });

  test("told to retry with a device token it does not have, the client does not try the same secret again", async () => {
    const fake = await gateway((request, peer) => {
      peer.refuse(request, {
        code: "INVALID_REQUEST",
        message: "unauthorized",
        details: { canRetryWithDeviceToken: true },
      });
      return true;
    });
    const made = client(fake.url, { identity, deviceTokens: store(), reconnect: false });
    await expect(made.connect()).rejects.toThrow("unauthorized");
    expect(fake.peers).toHaveLength(1);
  });
});

describe("calls", () => {
  test("an answer settles its own call, in any order", async () => {
    const held: Request[] = [];
    const fake = await gateway((request, peer) => {
      if (request.method === "connect") return;
      held.push(request);
      if (held.length === 2) for (const each of held.toReversed()) peer.answer(each, { for: each.params.n });
    });
    const made = client(fake.url);
    await made.connect();
    const answers = await Promise.all([made.callAny("x", { n: 1 }), made.callAny("x", { n: 2 })]);
    expect(answers).toEqual([{ for: 1 }, { for: 2 }]);
  });

  test("waiting for the final skips the accepted answer and announces it once", async () => {
    const fake = await gateway((request, peer) => {
      if (request.method !== "agent") return;
      peer.answer(request, { status: "accepted", runId: "k" });
      peer.answer(request, { status: "accepted", runId: "k" });
      peer.answer(request, { status: "ok", runId: "k" });
    });
    const made = client(fake.url);
    await made.connect();
    const acks: unknown[] = [];
    expect(await made.callAny("agent", {}, { onAck: (ack) => acks.push(ack) })).toMatchObject({ status: "ok" });
    expect(acks).toHaveLength(1);
    expect(await made.callAny("agent", {})).toMatchObject({ status: "accepted" });
  });

  test("a failed run gives the error and its payload", async () => {
    const fake = await gateway((request, peer) => {
      if (request.method === "agent")
        peer.refuse(request, { code: "UNAVAILABLE", message: "boom" }, { runId: "k", status: "error" });
    });
    const made = client(fake.url);
    await made.connect();
    const failure = await made.callAny("agent", {}).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RequestError);
    expect(failure).toMatchObject({ code: "UNAVAILABLE", payload: { runId: "k" }, method: "agent" });
  });

  test("every call has a deadline", async () => {
    const clock = manualClock();
    const fake = await gateway();
    const made = client(fake.url, { clock });
    await made.connect();
    const call = made.callAny("slow", {}, { timeoutMs: 2_000 }).catch((error: unknown) => error);
    clock.advance(2_000);
    expect(await call).toMatchObject({ message: "gateway timeout after 2000ms" });
  });

  test("an aborted call rejects with the signal's reason", async () => {
    const fake = await gateway();
    const made = client(fake.url);
    await made.connect();
    const controller = new AbortController();
    const call = made.callAny("slow", {}, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    await expect(made.callAny("slow", {}, { signal: controller.signal })).rejects.toThrow("enough");
  });

  test("sent calls are rejected when the connection ends", async () => {
    const fake = await gateway((request, peer) => {
      if (request.method === "x") peer.socket.close(1012, "service restart");
    });
    const made = client(fake.url, { reconnect: false });
    await made.connect();
    await expect(made.callAny("x")).rejects.toThrow("gateway closed (1012 service restart): service restart");
    expect(made.state).toBe("stopped");
  });

  test("more calls than allowed are refused, not queued", async () => {
    const fake = await gateway();
    const made = client(fake.url, { maxOpenCalls: 2 });
    await made.connect();
    const open = [made.callAny("x"), made.callAny("x")].map((call) => call.catch(() => undefined));
    await expect(made.callAny("x")).rejects.toBeInstanceOf(NotSentError);
    made.stop();
    await Promise.all(open);
  });

  test("a client that was not started or was stopped refuses calls", async () => {
    const made = client("ws://127.0.0.1:1");
    await expect(made.callAny("x")).rejects.toBeInstanceOf(NotSentError);
    made.stop();
    await expect(made.connect()).rejects.toBeInstanceOf(NotSentError);
  });
});

describe("events", () => {
  test("a hole in the numbers is announced, per socket", async () => {
    const fake = await gateway();
    const clock = manualClock();
    const made = client(fake.url, { clock });
    const gaps: unknown[] = [];
    made.onGap((gap) => gaps.push(gap));
    const seen: number[] = [];
    made.onAny("*", ({ seq }) => seq !== undefined && seen.push(seq));
    await made.connect();
    const first = await fake.peer(0);
    for (const seq of [1, 2, 5, 6]) first.event("tick", { ts: 1 }, seq);
    first.socket.close(1012, "service restart");
    await state(made, "waiting");
    expect(gaps).toEqual([{ expected: 3, received: 5 }]);
    clock.advance(30_000);
    await state(made, "connected");
    const last = new Promise((resolve) => made.on("tick", resolve));
    (await fake.peer(1)).event("tick", { ts: 2 }, 1);
    await last;
    expect(gaps).toHaveLength(1);
    expect(seen).toEqual([1, 2, 5, 6, 1]);
  });

  test("garbage between frames is survived", async () => {
    const fake = await gateway((request, peer) => {
      if (request.method !== "x") return;
      for (const junk of ["{bad", "42", "null", "[]", '{"type":"res"}', '{"type":"event"}']) peer.socket.send(junk);
      peer.answer(request, "fine");
    });
    const made = client(fake.url);
    await made.connect();
    expect(await made.callAny("x")).toBe("fine");
  });
});

describe("reconnecting", () => {
  test("a call made between connections is sent on the next one", async () => {
    const clock = manualClock();
    const fake = await gateway((request, peer) => {
      if (request.method === "x") peer.answer(request, peer === fake.peers[1] ? "second" : "first");
    });
    const made = client(fake.url, { clock });
    await made.connect();
    const waiting = state(made, "waiting");
    (await fake.peer(0)).socket.terminate();
    const change = await waiting;
    expect(change.retryInMs).toBeGreaterThanOrEqual(900);
    expect(change.retryInMs).toBeLessThanOrEqual(1_100);
    const call = made.callAny("x");
    clock.advance(change.retryInMs ?? 0);
    expect(await call).toBe("second");
  });

  test("after a refusal neither backoff nor wake-ups try again within 15 seconds", async () => {
    const clock = manualClock();
    const fake = await gateway((request, peer) => {
      peer.refuse(request, { code: "INVALID_REQUEST", message: "unauthorized" });
      return true;
    });
    const made = client(fake.url, { clock });
    const waiting = state(made, "waiting");
    made.start();
    expect((await waiting).retryInMs).toBe(15_000);
    clock.advance(14_000);
    made.wake();
    expect(made.state).toBe("waiting");
    clock.advance(1_000);
    expect(made.state).toBe("connecting");
    await state(made, "waiting");
  });

  test("a wake-up ends the wait at once when nobody refused", async () => {
    const clock = manualClock();
    const fake = await gateway();
    let wake = () => {};
    const made = client(fake.url, {
      clock,
      wakes: (run) => {
        wake = run;
        return () => {};
      },
    });
    await made.connect();
    const waiting = state(made, "waiting");
    (await fake.peer(0)).socket.terminate();
    await waiting;
    const connected = state(made, "connected");
    wake();
    await connected;
  });

  test("two silent tick intervals end the connection with 4000", async () => {
    const clock = manualClock();
    const fake = await gateway();
    const made = client(fake.url, { clock });
    await made.connect();
    const peer = await fake.peer(0);
    const closed = new Promise<number>((resolve) => void peer.socket.once("close", resolve));
    clock.advance(59_999);
    expect(made.state).toBe("connected");
    const waiting = state(made, "waiting");
    clock.advance(1);
    expect((await waiting).error?.message).toBe("gateway closed (4000 tick timeout): tick timeout");
    expect(await closed).toBe(4000);
  });

  test("stopping leaves no timer behind and rejects what is open", async () => {
    const clock = manualClock();
    const fake = await gateway();
    const made = client(fake.url, { clock });
    await made.connect();
    const call = made.callAny("x").catch((error: unknown) => error);
    made.stop();
    expect(await call).toBeInstanceOf(NotSentError);
    expect(clock.timers).toBe(0);
  });
});
