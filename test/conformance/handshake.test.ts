/** Cases 1-18, 35-38, 78: from the open socket to hello-ok or the refusal. */
import { expect } from "vitest";
import { connectParams, makeDevice, Wire } from "../support/wire.ts";
import { openGateway } from "../support/gateway.ts";
import { conformance, refused, type Target } from "./suite.ts";

const attempt = async (
  target: Target,
  params: unknown,
  socket: { headers?: Record<string, string>; origin?: string } = {},
) => {
  const wire = await Wire.open(target.url, socket);
  const answer = await wire.request("connect", params);
  return { wire, answer };
};

const plain = (token: string, more: Record<string, unknown> = {}) => ({
  ...connectParams({ token }, undefined),
  ...more,
});

conformance("handshake", {}, ({ blackBox, harness }) => {
  blackBox(
    "case 1: the first frame is the challenge, with a UUID and an integer time, without seq",
    async ({ url }) => {
      const wire = await Wire.open(url);
      const first = wire.frames[0];
      expect(first?.event).toBe("connect.challenge");
      expect(first?.payload?.nonce).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u);
      expect(Number.isInteger(first?.payload?.ts)).toBe(true);
      expect(first).not.toHaveProperty("seq");
      await wire.close();
    },
  );

  harness("case 2: a silent socket is closed after ten seconds with 1000 and nothing said", async ({ url, world }) => {
    const wire = await Wire.open(url);
    await world.jump(8_900);
    expect(wire.socket.readyState).toBe(wire.socket.OPEN);
    await world.jump(2_000);
    expect(await wire.closed).toEqual({ code: 1000, reason: "" });
    expect(wire.frames).toHaveLength(1);
  });

  blackBox("case 3: malformed JSON before hello closes with 1000, unanswered", async ({ url }) => {
    const wire = await Wire.open(url);
    wire.sendText("{not json");
    expect(await wire.closed).toEqual({ code: 1000, reason: "" });
    expect(wire.frames).toHaveLength(1);
  });

  for (const text of ["[1,2]", "42", "null", '{"type":"res","id":"a","ok":true}']) {
    blackBox(`case 4: ${text} is no request frame`, async ({ url }) => {
      const wire = await Wire.open(url);
      wire.sendText(text);
      expect(await wire.closed).toEqual({ code: 1008, reason: "invalid request frame" });
      expect(wire.frames).toHaveLength(1);
    });
  }

  blackBox("case 5: an additional key beside params is no request frame", async ({ url, token }) => {
    const wire = await Wire.open(url);
    wire.send({ type: "req", id: "c1", method: "connect", params: plain(token), zzz: 1 });
    expect(await wire.closed).toEqual({ code: 1008, reason: "invalid request frame" });
    expect(wire.frames).toHaveLength(1);
  });

  blackBox("case 6: the first request must be connect", async ({ url }) => {
    const wire = await Wire.open(url);
    const error = refused(await wire.request("health", {}));
    expect(error).toMatchObject({
      code: "INVALID_REQUEST",
      message: "invalid handshake: first request must be connect",
    });
    expect(await wire.closed).toEqual({ code: 1008, reason: error.message });
  });

  blackBox("case 7: connect without client names the missing property", async (target) => {
    const { client: _client, ...params } = plain(target.token) as Record<string, unknown>;
    const { wire, answer } = await attempt(target, params);
    expect(refused(answer).message).toContain("must have required property 'client'");
    const closed = await wire.closed;
    expect(closed.code).toBe(1008);
    expect(Buffer.byteLength(closed.reason)).toBeLessThanOrEqual(120);
  });

  blackBox("case 8: an unknown client id is a schema error at /client/id", async (target) => {
    const { wire, answer } = await attempt(
      target,
      connectParams({ token: target.token, client: { id: "nope" } }, undefined),
    );
    expect(refused(answer).message).toMatch(/^invalid connect params: at \/client\/id/u);
    await wire.closed;
  });

  blackBox("case 9: an unknown key in params is named", async (target) => {
    const { wire, answer } = await attempt(target, plain(target.token, { zzz: 1 }));
    expect(refused(answer)).toMatchObject({
      code: "INVALID_REQUEST",
      message: "invalid connect params: at root: unexpected property 'zzz'",
    });
    await wire.closed;
  });

  blackBox("case 10: every tolerated extra of newer clients is accepted", async (target) => {
    const params = plain(target.token, {
      client: { id: "cli", version: "1", platform: "linux", mode: "cli", buildId: "b", timeZone: "Europe/Berlin" },
      auth: { token: target.token, bootstrapToken: "x", approvalRuntimeToken: "y", agentRuntimeIdentityToken: "z" },
      computerUse: { any: 1 },
      workerRuns: {},
      locale: "en",
      userAgent: "test",
      commands: [],
      permissions: {},
      pathEnv: "/bin",
    });
    const { wire, answer } = await attempt(target, params);
    expect(answer.payload?.type).toBe("hello-ok");
    await wire.close();
  });

  for (const [min, max] of [
    [1, 2],
    [5, 9],
    [4, 3],
  ] as const) {
    blackBox(`case 11: the range ${min}..${max} has no common protocol`, async (target) => {
      const { wire, answer } = await attempt(target, connectParams({ token: target.token, min, max }, undefined));
      const error = refused(answer);
      expect(error).toMatchObject({ code: "INVALID_REQUEST", message: "protocol mismatch" });
      expect(error.details).toHaveProperty("expectedProtocol");
      expect(await wire.closed).toEqual({ code: 1002, reason: "protocol mismatch" });
    });
  }

  for (const [min, max, expected] of [
    [3, 3, 3],
    [3, 4, 4],
    [1, 99, 4],
    [4, 4, 4],
  ] as const) {
    blackBox(`case 12: the range ${min}..${max} negotiates ${expected}`, async (target) => {
      const wire = await target.connect({ min, max });
      expect(wire.hello.protocol).toBe(expected);
      await wire.close();
    });
  }

  blackBox("case 13: an unknown role is refused", async (target) => {
    const { wire, answer } = await attempt(target, connectParams({ token: target.token, role: "root" }, undefined));
    expect(refused(answer)).toMatchObject({ code: "INVALID_REQUEST", message: "invalid role" });
    expect(await wire.closed).toEqual({ code: 1008, reason: "invalid role" });
  });

  blackBox(
    "case 14: the minimal request with the token is an admin of protocol 3 without auth in hello-ok",
    async (target) => {
      const wire = await target.connect();
      expect(wire.hello).toMatchObject({ type: "hello-ok", protocol: 3 });
      expect(wire.hello).not.toHaveProperty("auth");
      expect(refused(await wire.request("nope.method")).message).toBe("unknown method: nope.method");
      await wire.close();
    },
  );

  blackBox("case 15: without device and secret the device identity is required", async (target) => {
    const { wire, answer } = await attempt(target, connectParams({}, undefined));
    expect(refused(answer)).toMatchObject({ code: "NOT_PAIRED", message: "device identity required" });
    expect(await wire.closed).toEqual({ code: 1008, reason: "device identity required" });
  });

  blackBox("case 16: a wrong token of a CLI is answered with the CLI's hint", async (target) => {
    const { wire, answer } = await attempt(target, connectParams({ token: "wrong" }, undefined));
    expect(refused(answer)).toMatchObject({
      code: "INVALID_REQUEST",
      message: "unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)",
    });
    expect((await wire.closed).code).toBe(1008);
  });

  blackBox("case 17: a wrong token of a backend is answered with the general hint", async (target) => {
    const client = { id: "gateway-client", mode: "backend" };
    const { wire, answer } = await attempt(target, connectParams({ token: "wrong", client }, undefined));
    expect(refused(answer).message).toBe("unauthorized: gateway token mismatch (provide gateway auth token)");
    await wire.closed;
  });

  harness("case 18: password mode without password says so", async () => {
    const gateway = await openGateway({
      config: { gateway: { mode: "local", auth: { mode: "password", password: "a-long-password" } } },
    });
    try {
      const wire = await Wire.open(gateway.url);
      const answer = await wire.request("connect", connectParams({ device: makeDevice() }, wire.nonce));
      expect(refused(answer).message).toBe(
        "unauthorized: gateway password missing (set gateway.remote.password to match gateway.auth.password)",
      );
      await wire.closed;
    } finally {
      await gateway.stop();
    }
  });

  const ui = { id: "openclaw-control-ui", mode: "webchat" };
  const uiConnect = async (target: Target, origin: string | undefined) => {
    const wire = await Wire.open(target.url, origin === undefined ? {} : { origin });
    return {
      wire,
      answer: await wire.request(
        "connect",
        connectParams({ token: target.token, client: ui, device: makeDevice() }, wire.nonce),
      ),
    };
  };

  blackBox("case 35: the Control UI needs an origin that is its own, loopback or listed", async (target) => {
    for (const origin of [undefined, "https://evil.example", "null"]) {
      const { wire, answer } = await uiConnect(target, origin);
      expect(refused(answer).message).toMatch(/^origin not allowed/u);
      expect((await wire.closed).code).toBe(1008);
    }
    for (const origin of ["http://localhost:5173", target.url.replace("ws:", "http:")]) {
      const { wire, answer } = await uiConnect(target, origin);
      expect(answer.payload?.type).toBe("hello-ok");
      await wire.close();
    }
  });

  blackBox("case 36: the Control UI without a device is told about the secure context", async (target) => {
    const wire = await Wire.open(target.url, { origin: "http://localhost:5173" });
    const answer = await wire.request("connect", connectParams({ token: target.token, client: ui }, undefined));
    expect(refused(answer)).toMatchObject({
      code: "INVALID_REQUEST",
      message: "control ui requires HTTPS or localhost (secure context)",
    });
    expect((await wire.closed).code).toBe(1008);
  });

  blackBox("case 37: hello-ok has the keys of the specification and a complete snapshot", async (target) => {
    const wire = await target.connect();
    const known = ["type", "protocol", "server", "features", "snapshot", "canvasHostUrl", "auth", "policy"];
    expect(Object.keys(wire.hello).filter((key) => !known.includes(key))).toEqual([]);
    const snapshot = wire.hello.snapshot as Record<string, unknown>;
    expect(snapshot.stateVersion).toEqual({ presence: expect.any(Number), health: expect.any(Number) });
    expect(Array.isArray(snapshot.presence)).toBe(true);
    expect(snapshot.health).toBeTypeOf("object");
    expect(Number.isInteger(snapshot.uptimeMs)).toBe(true);
    expect(snapshot.sessionDefaults).toMatchObject({
      mainSessionKey: "agent:main:main",
      defaultAgentId: "main",
      mainKey: "main",
    });
    expect(wire.hello.policy).toMatchObject({ maxPayload: 26_214_400, tickIntervalMs: 30_000 });
    await wire.close();
  });

  blackBox("case 38: a frame above the limit closes with 1009, before and after hello", async (target) => {
    const early = await Wire.open(target.url);
    early.sendText("x".repeat(65_537));
    expect((await early.closed).code).toBe(1009);
    const late = await target.connect();
    late.sendText("x".repeat(26_214_401));
    expect((await late.closed).code).toBe(1009);
  });

  blackBox("case 78: a web page cannot pose as the CLI", async (target) => {
    const wire = await Wire.open(target.url, { origin: "https://evil.example" });
    const answer = await wire.request("connect", connectParams({ token: target.token }, undefined));
    expect(refused(answer).message).toMatch(/^origin not allowed/u);
    expect((await wire.closed).code).toBe(1008);
  });
});
