/** Cases 19-34: device identity, pairing, device tokens. */
import { describe, expect, test } from "vitest";
import { connectParams, makeDevice, Wire, type ConnectOptions, type Device } from "../support/wire.ts";
import { conformance, refused, type Target } from "./suite.ts";

const scopes = ["operator.admin", "operator.approvals", "operator.pairing"];
const remote = { headers: { "X-Forwarded-For": "1.2.3.4" } };

const attempt = async (target: Target, options: ConnectOptions, socket: { headers?: Record<string, string> } = {}) => {
  const wire = await Wire.open(target.url, socket);
  const answer = await wire.request("connect", connectParams(options, wire.nonce));
  return {
    wire,
    answer,
    auth: answer.payload?.auth as { deviceToken: string; role: string; scopes: string[] } | undefined,
  };
};

const refusal = async (target: Target, options: ConnectOptions, socket = {}) => {
  const { wire, answer } = await attempt(target, options, socket);
  const error = refused(answer);
  expect((await wire.closed).code).toBe(1008);
  return error;
};

describe("the test vector of protocol.md §5.5", () => {
  test("gives the published key and id", () => {
    const device = makeDevice("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    expect(device.publicKey).toBe("A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg");
    expect(device.id).toBe("56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c");
  });
});

conformance("devices", {}, ({ blackBox, harness }) => {
  blackBox(
    "case 19: a v1 signature without nonce is enough for a local client and pairs it silently",
    async (target) => {
      const { wire, answer, auth } = await attempt(target, {
        token: target.token,
        device: makeDevice(),
        signature: "v1",
        nonce: null,
        scopes,
      });
      expect(answer.payload?.type).toBe("hello-ok");
      expect(auth?.deviceToken).toBeTruthy();
      await wire.close();
    },
  );

  for (const signature of ["v2", "v3"] as const) {
    blackBox(`case 20: a ${signature} signature over the right nonce is accepted`, async (target) => {
      const { wire, answer } = await attempt(target, { token: target.token, device: makeDevice(), signature, scopes });
      expect(answer.payload?.type).toBe("hello-ok");
      await wire.close();
    });
  }

  blackBox("case 21: a v1 signature beside a nonce is invalid", async (target) => {
    const error = await refusal(target, { token: target.token, device: makeDevice(), signature: "v1", scopes });
    expect(error.message).toBe("device signature invalid");
  });

  blackBox("case 22: the nonce of another socket is refused", async (target) => {
    const other = await Wire.open(target.url);
    const error = await refusal(target, { token: target.token, device: makeDevice(), nonce: other.nonce, scopes });
    expect(error.message).toBe("device nonce mismatch");
    await other.close();
  });

  blackBox("case 23: a clock eleven minutes off has expired, nine minutes are tolerated", async (target) => {
    for (const sign of [-1, 1]) {
      const error = await refusal(target, {
        token: target.token,
        device: makeDevice(),
        signedAt: Date.now() + sign * 11 * 60_000,
        scopes,
      });
      expect(error.message).toBe("device signature expired");
      const { wire, answer } = await attempt(target, {
        token: target.token,
        device: makeDevice(),
        signedAt: Date.now() + sign * 9 * 60_000,
        scopes,
      });
      expect(answer.ok).toBe(true);
      await wire.close();
    }
  });

  blackBox("case 24: a changed id or another case of it is a mismatch", async (target) => {
    const device = makeDevice();
    const changed = (device.id.startsWith("0") ? "1" : "0") + device.id.slice(1);
    for (const id of [changed, device.id.toUpperCase()]) {
      const error = await refusal(target, { token: target.token, device: { ...device, id }, scopes });
      expect(error.message).toBe("device identity mismatch");
    }
  });

  blackBox("case 25: a signature over scopes in another order is invalid", async (target) => {
    const error = await refusal(target, {
      token: target.token,
      device: makeDevice(),
      scopes,
      signedScopes: scopes.toReversed(),
    });
    expect(error.message).toBe("device signature invalid");
  });

  blackBox("case 26: absent scopes sign as an empty field and mean admin", async (target) => {
    const { wire, auth } = await attempt(target, { token: target.token, device: makeDevice() });
    expect(auth?.scopes).toEqual(["operator.admin"]);
    await wire.close();
  });

  blackBox("case 27: a foreign Host is remote, so the nonce is required", async (target) => {
    const error = await refusal(
      target,
      { token: target.token, device: makeDevice(), signature: "v1", nonce: null, scopes },
      { headers: { Host: "example.com" } },
    );
    expect(error.message).toBe("device nonce required");
  });

  harness(
    "cases 28-30: a remote device asks once, is announced to pairing clients only, and enters once approved",
    async (target) => {
      const pairing = await target.connect({
        scopes: ["operator.pairing"],
        client: { id: "gateway-client", mode: "backend" },
      });
      const reader = await target.connect({
        scopes: ["operator.read"],
        client: { id: "gateway-client", mode: "backend" },
      });
      const device = makeDevice();
      const first = await refusal(target, { token: target.token, device, scopes }, remote);
      expect(first).toMatchObject({ code: "NOT_PAIRED", message: "pairing required" });
      const requestId = first.details?.requestId;
      expect(requestId).toBeTypeOf("string");
      const announced = await pairing.event("device.pair.requested");
      expect(announced.payload).toMatchObject({ requestId, deviceId: device.id });

      const second = await refusal(target, { token: target.token, device, scopes }, remote);
      expect(second.details?.requestId).toBe(requestId);
      await pairing.settled();
      await reader.settled();
      expect(pairing.events("device.pair.requested")).toHaveLength(1);
      expect(reader.events("device.pair.requested")).toHaveLength(0);

      const beyond = refused(await pairing.request("device.pair.approve", { requestId }));
      expect(beyond.message).toMatch(/^missing scope: operator\./u);
      const admin = await target.connect();
      await admin.call("device.pair.approve", { requestId });
      expect((await pairing.event("device.pair.resolved")).payload).toMatchObject({
        requestId,
        deviceId: device.id,
        decision: "approved",
      });
      const { wire, answer } = await attempt(target, { token: target.token, device, scopes }, remote);
      expect(answer.payload?.type).toBe("hello-ok");
      await Promise.all([wire.close(), admin.close()]);
      await Promise.all([pairing.close(), reader.close()]);
    },
  );

  blackBox("case 31: a second role on the same device is approved locally without questions", async (target) => {
    const admin = await target.connect();
    const device = makeDevice();
    const operator = await attempt(target, { token: target.token, device, scopes });
    await operator.wire.close();
    const client = { id: "node-host", mode: "node" };
    const from = admin.frames.length;
    const node = await attempt(target, { token: target.token, device, role: "node", scopes: [], client });
    expect(node.answer.payload?.type).toBe("hello-ok");
    const resolved = await admin.event("device.pair.resolved", (payload) => payload.deviceId === device.id, from);
    expect(resolved.payload?.decision).toBe("approved");
    const list = await admin.call<{ paired: { deviceId: string; roles: string[] }[] }>("device.pair.list", {});
    expect(list.paired.find((entry) => entry.deviceId === device.id)?.roles.toSorted()).toEqual(["node", "operator"]);
    await Promise.all([node.wire.close(), admin.close()]);
  });

  const paired = async (target: Target): Promise<{ device: Device; deviceToken: string }> => {
    const device = makeDevice();
    const { wire, auth } = await attempt(target, { token: target.token, device, scopes });
    await wire.close();
    return { device, deviceToken: String(auth?.deviceToken) };
  };

  blackBox("case 32: the device token authenticates and is returned unchanged", async (target) => {
    const { device, deviceToken } = await paired(target);
    const { wire, auth } = await attempt(target, { token: deviceToken, device, scopes });
    expect(auth?.deviceToken).toBe(deviceToken);
    await wire.close();
  });

  blackBox("case 33: a revoked token is a mismatch; the shared token mints another", async (target) => {
    const { device, deviceToken } = await paired(target);
    const admin = await target.connect();
    await admin.call("device.token.revoke", { deviceId: device.id, role: "operator" });
    const error = await refusal(target, { token: deviceToken, device, scopes });
    expect(error.message).toMatch(/^unauthorized: gateway token mismatch/u);
    const { wire, auth } = await attempt(target, { token: target.token, device, scopes });
    expect(auth?.deviceToken).toBeTruthy();
    expect(auth?.deviceToken).not.toBe(deviceToken);
    await Promise.all([wire.close(), admin.close()]);
  });

  blackBox("case 34: a device token never covers a scope beyond its own", async (target) => {
    const device = makeDevice();
    const narrow = await attempt(target, { token: target.token, device, scopes: ["operator.read"] });
    await narrow.wire.close();
    const error = await refusal(target, {
      token: String(narrow.auth?.deviceToken),
      device,
      scopes: ["operator.read", "operator.pairing"],
    });
    expect(error.message).toMatch(/^unauthorized/u);
  });
});
