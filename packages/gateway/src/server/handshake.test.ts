import { createPrivateKey, sign, type KeyObject } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { connectParams, startRig, testToken, type Rig, type TestClient } from "./server.fixture.ts";
import { deviceIdOf, rawPublicKey, signatureValid, signedPayload, type SignedFields } from "./signature.ts";

const publicKey = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg";
const deviceId = "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c";
const seed = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const privateKey: KeyObject = createPrivateKey({
  key: Buffer.from(`302e020100300506032b657004220420${seed}`, "hex"),
  format: "der",
  type: "pkcs8",
});

interface DeviceOptions {
  version?: "v1" | "v2" | "v3";
  nonce?: string;
  signedAt?: number;
  id?: string;
  scopes?: string[];
  signedScopes?: string[];
  token?: string;
}

function signed(rig: Rig, options: DeviceOptions = {}): Record<string, unknown> {
  const { version = "v2", nonce = "", signedAt = rig.world.now(), id = deviceId, token = testToken } = options;
  const scopes = options.signedScopes ?? options.scopes ?? [];
  const fields: SignedFields = {
    deviceId: id,
    clientId: "cli",
    clientMode: "cli",
    role: "operator",
    scopes,
    signedAt,
    token,
    nonce,
    platform: "linux",
    deviceFamily: "",
  };
  const signature = sign(null, Buffer.from(signedPayload(version, fields)), privateKey).toString("base64url");
  return {
    ...(options.scopes ? { scopes: options.scopes } : {}),
    device: { id, publicKey, signature, signedAt, ...(nonce === "" ? {} : { nonce }) },
  };
}

let rig: Rig;
afterEach(() => rig.close());

async function refused(client: TestClient, params: Record<string, unknown>) {
  const answer = await client.request("connect", params);
  expect(answer.ok).toBe(false);
  return { ...answer.error, close: await client.closed };
}

describe("signature", () => {
  test("the published vector verifies in all three versions", async () => {
    rig = await startRig();
    const raw = rawPublicKey(publicKey);
    expect(raw && deviceIdOf(raw)).toBe(deviceId);
    const fields = {
      deviceId,
      clientId: "cli",
      clientMode: "cli",
      role: "operator",
      scopes: ["operator.admin", "operator.approvals", "operator.pairing"],
      signedAt: 1_770_000_000_000,
      token: "secret-token",
      nonce: "11111111-2222-4333-8444-555555555555",
      platform: "linux",
      deviceFamily: "Linux",
    };
    if (!raw) throw new Error("key");
    const v1 = "_pjp-Z71aDDid8l9lgn7TIZr924Mu-GVvT5htXRByIVfyb4gWMeOAuAqm-fWU-4u4PshT-w_AMlUgN5XFznPDg";
    const v2 = "SZEO-kBNVrFr2ecF0BLYnPsGEgViPwn0rpvkrnPlpBNhIsnJzM2tajU4Uvhp3OR-pT5c1cypLJupKLc997tABg";
    const v3 = "wR2UQgRM5OZEw56Q0iLhTSwhCmuh4SsQfQnja53idZYc4QTi17PezCElLMDAPsahj07OWqO_SL2tnbX2FFNMCw";
    expect(signatureValid(raw, v1, { ...fields, nonce: "" })).toBe(true);
    expect(signatureValid(raw, v1, fields)).toBe(false);
    expect(signatureValid(raw, v2, fields)).toBe(true);
    expect(signatureValid(raw, v3, fields)).toBe(true);
    expect(signatureValid(raw, v3, { ...fields, platform: "darwin" })).toBe(false);
    expect(signatureValid(raw, "AA", fields)).toBe(false);
  });
});

describe("before hello-ok", () => {
  test("the challenge is the first frame, with a fresh nonce and an integer ts", async () => {
    rig = await startRig();
    const client = await rig.connect();
    await client.challenge();
    expect(client.frames[0]).toEqual({
      type: "event",
      event: "connect.challenge",
      payload: { nonce: expect.any(String), ts: rig.world.now() },
    });
  });

  test("silence closes with 1000 and no answer when the deadline passes", async () => {
    rig = await startRig();
    const client = await rig.connect();
    await client.challenge();
    await rig.world.clock.advance(9_900);
    expect(client.ws.readyState).toBe(client.ws.OPEN);
    await rig.world.clock.advance(200);
    expect(await client.closed).toEqual({ code: 1000, reason: "" });
    expect(client.frames).toHaveLength(1);
  });

  test.each([
    ["{not json", { code: 1000, reason: "" }],
    ["[1,2]", { code: 1008, reason: "invalid request frame" }],
    ["42", { code: 1008, reason: "invalid request frame" }],
    ["null", { code: 1008, reason: "invalid request frame" }],
    ['{"type":"res","id":"1","ok":true}', { code: 1008, reason: "invalid request frame" }],
    ['{"type":"req","id":"1","method":"connect","zzz":1}', { code: 1008, reason: "invalid request frame" }],
    ['{"type":"req","id":"","method":"connect"}', { code: 1008, reason: "invalid request frame" }],
    [
      '{"type":"req","id":"1","method":"connect","params":{"__proto__":{"x":1}}}',
      { code: 1008, reason: "invalid request frame" },
    ],
    [`${"[".repeat(10_000)}${"]".repeat(10_000)}`, { code: 1008, reason: "invalid request frame" }],
  ])("%.60s closes without an answer", async (text, close) => {
    rig = await startRig();
    const client = await rig.connect();
    client.send(text);
    expect(await client.closed).toEqual(close);
    expect(client.frames.filter((frame) => frame.type === "res")).toEqual([]);
  });

  test("another request first is refused with the same text in answer and close", async () => {
    rig = await startRig();
    const client = await rig.connect();
    const answer = await client.request("health");
    expect(answer.error).toMatchObject({
      code: "INVALID_REQUEST",
      message: "invalid handshake: first request must be connect",
    });
    expect(await client.closed).toEqual({ code: 1008, reason: "invalid handshake: first request must be connect" });
  });

  test("a frame above 64 KiB closes 1009 by its declared length, one of exactly 64 KiB does not", async () => {
    rig = await startRig();
    const tooLarge = await rig.connect();
    tooLarge.send("x".repeat(65_537));
    expect(await tooLarge.closed).toEqual({ code: 1009, reason: "preauth payload too large" });
    const fits = await rig.connect();
    const frame = JSON.stringify({ type: "req", id: "c", method: "connect", params: connectParams({ userAgent: "" }) });
    const padding = "x".repeat(65_536 - Buffer.byteLength(frame));
    fits.send(
      JSON.stringify({ type: "req", id: "c", method: "connect", params: connectParams({ userAgent: padding }) }),
    );
    expect((await fits.until((f) => f.id === "c")).ok).toBe(true);
    // The small limit ends with the handshake.
    expect((await fits.request("health", { probe: "y".repeat(200_000) })).ok).toBe(true);
  });

  test.each([
    [{ client: undefined }, "invalid connect params: must have required property 'client'"],
    [{ zzz: 1 }, "invalid connect params: at root: unexpected property 'zzz'"],
    [
      { client: { id: "nope", version: "1", platform: "x", mode: "cli" } },
      "invalid connect params: at /client/id: must be equal to one of the allowed values",
    ],
    [
      { client: { id: "cli", version: "1", platform: "x", mode: "cli", q: 1 } },
      "invalid connect params: at /client: unexpected property 'q'",
    ],
    [{ minProtocol: 1, maxProtocol: 2 }, "protocol mismatch"],
    [{ minProtocol: 4, maxProtocol: 3 }, "protocol mismatch"],
    [{ role: "root" }, "invalid role"],
    [{ auth: undefined }, "device identity required"],
    [
      { auth: { token: "wrong" } },
      "unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)",
    ],
    [
      { auth: { token: "wrong" }, client: { id: "gateway-client", version: "1", platform: "x", mode: "backend" } },
      "unauthorized: gateway token mismatch (provide gateway auth token)",
    ],
  ])("%j is refused", async (over, message) => {
    rig = await startRig();
    const client = await rig.connect();
    const { close, ...error } = await refused(client, connectParams(over));
    expect(error.message).toBe(message);
    expect(Buffer.byteLength(close.reason)).toBeLessThanOrEqual(120);
    expect(message.startsWith(close.reason)).toBe(true);
    expect(close.code).toBe(message === "protocol mismatch" ? 1002 : 1008);
    expect(rig.lines.some((line) => line.message.startsWith("unauthorized conn="))).toBe(true);
  });

  test.each([
    [3, 3, 3],
    [3, 4, 4],
    [1, 99, 4],
    [4, 4, 4],
  ])("range %i..%i negotiates %i", async (minProtocol, maxProtocol, protocol) => {
    rig = await startRig();
    const client = await rig.hello({ minProtocol, maxProtocol });
    expect(client.frames.find((f) => f.id === "r1")?.payload).toMatchObject({ type: "hello-ok", protocol });
  });

  test("frames behind connect wait for hello-ok; a sixteenth closes", async () => {
    rig = await startRig();
    let release = () => {};
    rig.devices.ensurePaired = () => new Promise((resolve) => (release = () => resolve({ paired: true })));
    const first = await rig.connect();
    const nonce = await first.challenge();
    const params = connectParams(signed(rig, { nonce }));
    first.send({ type: "req", id: "c", method: "connect", params });
    for (let i = 0; i < 15; i++) first.send({ type: "req", id: `h${i}`, method: "health" });
    first.ws.ping();
    await new Promise((resolve) => first.ws.once("pong", resolve));
    release();
    expect((await first.until((f) => f.id === "h14")).ok).toBe(true);
    const order = first.frames.filter((f) => f.type === "res").map((f) => f.id);
    expect(order[0]).toBe("c");
    const second = await rig.connect();
    const other = await second.challenge();
    second.send({ type: "req", id: "c", method: "connect", params: connectParams(signed(rig, { nonce: other })) });
    for (let i = 0; i < 16; i++) second.send({ type: "req", id: `h${i}`, method: "health" });
    expect(await second.closed).toEqual({ code: 1008, reason: "too many pending handshake frames" });
  });
});

describe("hello-ok", () => {
  test("the minimal request with the shared token holds admin and gets no auth", async () => {
    rig = await startRig();
    const client = await rig.hello();
    const hello = client.frames.find((f) => f.id === "r1")?.payload as Record<string, unknown>;
    expect(hello).toMatchObject({
      type: "hello-ok",
      protocol: 3,
      server: { version: "1.2.3", host: "box", connId: expect.any(String) },
      policy: { maxPayload: 26_214_400, maxBufferedBytes: 1_572_864, tickIntervalMs: 30_000 },
    });
    expect(hello).not.toHaveProperty("auth");
    expect((hello.features as { methods: string[] }).methods).toEqual(["health", "status"]);
    expect((await client.request("status")).ok).toBe(true);
    expect(rig.presence).toEqual(["+cli"]);
    expect(rig.lines.some((l) => l.message.includes("client=cli mode=cli version=1.0.0"))).toBe(true);
  });

  test("protocol 4 keeps empty scopes, always gets auth and names no host", async () => {
    rig = await startRig();
    const client = await rig.hello({ minProtocol: 4, maxProtocol: 4 });
    const hello = client.frames.find((f) => f.id === "r1")?.payload as Record<string, unknown>;
    expect(hello.auth).toEqual({ role: "operator", scopes: [] });
    expect(hello.server).not.toHaveProperty("host");
    const answer = await client.request("status");
    expect(answer.error).toEqual({
      code: "FORBIDDEN",
      message: "missing scope: operator.read",
      details: { code: "MISSING_SCOPE", missingScope: "operator.read", requiredScopes: ["operator.read"] },
    });
  });
});

describe("devices", () => {
  test.each(["v2", "v3"] as const)(
    "a %s signature over the challenge is accepted and a token issued",
    async (version) => {
      rig = await startRig();
      const client = await rig.connect();
      const nonce = await client.challenge();
      const answer = await client.request(
        "connect",
        connectParams(signed(rig, { version, nonce, scopes: ["operator.read"] })),
      );
      expect(answer.payload).toMatchObject({
        auth: { deviceToken: "device-token", role: "operator", scopes: ["operator.read"], issuedAtMs: 5 },
      });
      expect(rig.devices.asked[0]).toMatchObject({ deviceId, publicKey, silent: true });
    },
  );

  test("a local client of protocol 3 may leave the nonce out and sign v1", async () => {
    rig = await startRig();
    const client = await rig.connect();
    expect((await client.request("connect", connectParams(signed(rig, { version: "v1" })))).ok).toBe(true);
  });

  const faults: [string, (rig: Rig, nonce: string) => Record<string, unknown>, string][] = [
    ["v1 with a nonce", (r, nonce) => signed(r, { version: "v1", nonce }), "device signature invalid"],
    [
      "nonce of another socket",
      (r) => signed(r, { nonce: "00000000-0000-4000-8000-00000000ffff" }),
      "device nonce mismatch",
    ],
    [
      "a clock 11 minutes off",
      (r, nonce) => signed(r, { nonce, signedAt: r.world.now() - 660_000 }),
      "device signature expired",
    ],
    [
      "an id that is not the key's",
      (r, nonce) => signed(r, { nonce, id: deviceId.replace("5", "6") }),
      "device identity mismatch",
    ],
    ["an upper-case id", (r, nonce) => signed(r, { nonce, id: deviceId.toUpperCase() }), "device identity mismatch"],
    [
      "scopes in another order",
      (r, nonce) =>
        signed(r, {
          nonce,
          scopes: ["operator.read", "operator.write"],
          signedScopes: ["operator.write", "operator.read"],
        }),
      "device signature invalid",
    ],
  ];
  test.each(faults)("%s is refused", async (_name, params, message) => {
    rig = await startRig();
    const client = await rig.connect();
    const nonce = await client.challenge();
    expect((await refused(client, connectParams(params(rig, nonce)))).message).toBe(message);
  });

  test("nine minutes off is fine for protocol 3 and too much for protocol 4", async () => {
    rig = await startRig();
    const signedAt = rig.world.now() - 540_000;
    const three = await rig.connect();
    expect(
      (await three.request("connect", connectParams(signed(rig, { nonce: await three.challenge(), signedAt })))).ok,
    ).toBe(true);
    const four = await rig.connect();
    const params = { ...connectParams(signed(rig, { nonce: await four.challenge(), signedAt })), maxProtocol: 4 };
    expect((await refused(four, params)).message).toBe("device signature expired");
  });

  test("a foreign Host makes the connection remote: the nonce becomes mandatory", async () => {
    rig = await startRig();
    const client = await rig.connect({ headers: { Host: "example.com" } });
    expect((await refused(client, connectParams(signed(rig, { version: "v1" })))).message).toBe(
      "device nonce required",
    );
  });

  test("behind an unlisted proxy an unknown device must be approved", async () => {
    rig = await startRig();
    rig.devices.pending = "req-1";
    const client = await rig.connect({ headers: { "X-Forwarded-For": "1.2.3.4" } });
    const nonce = await client.challenge();
    const { close, ...error } = await refused(client, connectParams(signed(rig, { nonce })));
    expect(error).toMatchObject({
      code: "NOT_PAIRED",
      message: "pairing required",
      details: { requestId: "req-1", code: "PAIRING_REQUIRED" },
    });
    expect(close).toEqual({ code: 1008, reason: "pairing required" });
    expect(rig.devices.asked[0]?.remoteIp).toBeUndefined();
  });

  test("a device token admits without the shared secret, and is not enough for silent approval", async () => {
    rig = await startRig();
    rig.devices.tokens.set("dt", "ok");
    rig.devices.tokens.set("narrow", "scope");
    const client = await rig.connect();
    const device = signed(rig, { nonce: await client.challenge(), token: "dt" });
    expect((await client.request("connect", connectParams({ ...device, auth: { token: "dt" } }))).ok).toBe(true);
    expect(rig.devices.asked[0]?.silent).toBe(false);
    const wrong = await rig.connect();
    const other = signed(rig, { nonce: await wrong.challenge(), token: "narrow" });
    const error = await refused(wrong, connectParams({ ...other, auth: { deviceToken: "narrow" } }));
    expect(error.message).toBe("unauthorized: device token mismatch (rotate/reissue device token)");
    expect(error.details?.code).toBe("AUTH_SCOPE_MISMATCH");
  });

  test("a paired device guesses no more often than a stranger, and its own token wins it no new guesses", async () => {
    rig = await startRig({
      settings: { trustedProxies: ["127.0.0.1"], auth: { mode: "password", password: "correct horse" } },
    });
    rig.devices.tokens.set("dt", "ok");
    const remote = { headers: { "X-Forwarded-For": "203.0.113.9" } };
    const attempt = async (auth: Record<string, string>) => {
      const client = await rig.connect(remote);
      const nonce = await client.challenge();
      const answer = await client.request("connect", connectParams({ ...signed(rig, { nonce, token: "dt" }), auth }));
      client.ws.terminate();
      return answer;
    };
    for (let i = 0; i < 10; i++) {
      expect((await attempt({ deviceToken: "dt", password: `guess${i}` })).ok).toBe(true);
      if (i === 5) expect((await attempt({ deviceToken: "dt" })).ok).toBe(true);
    }
    const right = await attempt({ deviceToken: "dt", password: "correct horse" });
    expect(right.error?.details?.code).toBe("AUTH_RATE_LIMITED");
  });

  test("a device token that is revoked while the handshake waits for the disk is not replaced by a good one", async () => {
    rig = await startRig();
    rig.devices.tokens.set("dt", "ok");
    let issued = 0;
    const { devices } = rig;
    devices.ensurePaired = async () => {
      devices.tokens.set("dt", "mismatch");
      return { paired: true };
    };
    devices.issueToken = (device) => {
      issued++;
      return Promise.resolve({ token: "fresh", role: device.role, scopes: device.scopes, issuedAtMs: 1 });
    };
    const client = await rig.connect();
    const device = signed(rig, { nonce: await client.challenge(), token: "dt" });
    const error = await refused(client, connectParams({ ...device, auth: { deviceToken: "dt" } }));
    expect(error.message).toBe("unauthorized: device token mismatch (rotate/reissue device token)");
    expect(issued).toBe(0);
  });

  test("password mode names the missing password", async () => {
    rig = await startRig({ settings: { auth: { mode: "password", password: "pw" } } });
    const client = await rig.connect();
    const device = signed(rig, { nonce: await client.challenge(), token: "" });
    const error = await refused(client, connectParams({ ...device, auth: undefined }));
    expect(error.message).toBe(
      "unauthorized: gateway password missing (set gateway.remote.password to match gateway.auth.password)",
    );
    const ok = await rig.connect();
    expect((await ok.request("connect", connectParams({ auth: { password: "pw" } }))).ok).toBe(true);
  });
});
