import { GatewayError } from "@openclaw/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Bus } from "../../kernel/bus.ts";
import type { Identity } from "../../kernel/call.ts";
import { fakeWorld, type FakeWorld } from "../../kernel/fake-world.ts";
import { silentLogger } from "../../kernel/log.ts";
import { openStore, type SqliteStore } from "../../store/index.ts";
import { Devices, deviceMigrations, type PresentedDevice } from "./index.ts";
import { countDevices } from "./devices.store.ts";
import { pairingLimits } from "./pairing.ts";

let world: FakeWorld;
let store: SqliteStore;
let devices: Devices;
let events: [string, unknown][];
let closed: string[];

beforeEach(() => {
  world = fakeWorld();
  store = openStore({ path: ":memory:", migrations: deviceMigrations, world, log: silentLogger });
  const bus = new Bus(silentLogger);
  events = [];
  closed = [];
  bus.subscribe(({ event, payload }) => void events.push([event, payload]));
  devices = new Devices({
    store,
    world,
    bus,
    log: silentLogger,
    closeDevice: (deviceId, reason, role) => void closed.push([deviceId, reason, role].filter(Boolean).join(" ")),
  });
});

afterEach(() => store.close());

const device = (over: Partial<PresentedDevice> = {}): PresentedDevice => ({
  deviceId: "d1",
  publicKey: "k1",
  role: "operator",
  scopes: ["operator.read"],
  clientId: "cli",
  clientMode: "cli",
  platform: "linux",
  silent: true,
  ...over,
});

const caller = (...scopes: string[]): Identity => ({
  connId: "c",
  role: "operator",
  scopes,
  principal: "shared",
  protocol: 3,
  client: { id: "cli", mode: "cli", version: "1", platform: "linux" },
  caps: [],
  local: true,
  can: () => true,
});
const admin = caller("operator.admin");

const ask = async (over: Partial<PresentedDevice> = {}) => {
  const verdict = await devices.ensurePaired(device({ silent: false, ...over }));
  if (verdict.paired) throw new Error("paired");
  return verdict;
};
const names = () => events.map(([name]) => name);

describe("pairing", () => {
  test("a local device is approved at once, announced, and asked nothing the next time", async () => {
    expect(await devices.ensurePaired(device())).toEqual({ paired: true });
    expect(await devices.ensurePaired(device())).toEqual({ paired: true });
    expect(names()).toEqual(["device.pair.resolved"]);
    expect(events[0]?.[1]).toMatchObject({ deviceId: "d1", decision: "approved" });
    expect(devices.list().paired).toMatchObject([{ deviceId: "d1", roles: ["operator"], scopes: ["operator.read"] }]);
  });

  test("a remote device waits: one request, one event, the same id again", async () => {
    const first = await ask({ remoteIp: "1.2.3.4" });
    const again = await ask({ remoteIp: "1.2.3.4" });
    expect(again.requestId).toBe(first.requestId);
    expect(first.reason).toBe("not-paired");
    expect(names()).toEqual(["device.pair.requested"]);
    expect(events[0]?.[1]).toMatchObject({
      requestId: first.requestId,
      deviceId: "d1",
      remoteIp: "1.2.3.4",
      role: "operator",
    });
  });

  test("asking for more merges into the waiting request and tells operators what it now contains", async () => {
    const first = await ask();
    const more = await ask({ scopes: ["operator.write"], role: "node" });
    expect(more.requestId).toBe(first.requestId);
    expect(names()).toEqual(["device.pair.requested", "device.pair.requested"]);
    expect(devices.list().pending).toMatchObject([
      { roles: ["operator", "node"], scopes: ["operator.read", "operator.write"] },
    ]);
  });

  test("approval pairs, rejection lets the device ask again, an unknown or old request is named", async () => {
    const { requestId } = await ask();
    const approved = await devices.approve(requestId, admin);
    expect(approved.device).toMatchObject({
      deviceId: "d1",
      tokens: [{ role: "operator", scopes: ["operator.read"] }],
    });
    expect(JSON.stringify(approved)).not.toMatch(/"token":/);
    expect(await devices.ensurePaired(device({ silent: false }))).toEqual({ paired: true });
    await expect(devices.approve(requestId, admin)).rejects.toThrow("unknown requestId");
    const other = await ask({ deviceId: "d2", publicKey: "k2" });
    expect(await devices.reject(other.requestId)).toEqual({ requestId: other.requestId, deviceId: "d2" });
    const third = await ask({ deviceId: "d2", publicKey: "k2" });
    expect(third.requestId).not.toBe(other.requestId);
    await world.clock.advance(pairingLimits.lifetimeMs);
    expect(devices.list().pending).toEqual([]);
    await expect(devices.reject(third.requestId)).rejects.toThrow("unknown requestId");
    expect(names()).toEqual([
      "device.pair.requested",
      "device.pair.resolved",
      "device.pair.requested",
      "device.pair.resolved",
      "device.pair.requested",
    ]);
  });

  test("an approver without admin gives no scope that it does not hold", async () => {
    const { requestId } = await ask({ scopes: ["operator.admin"] });
    const refusal = devices.approve(requestId, caller("operator.pairing", "operator.write"));
    await expect(refusal).rejects.toBeInstanceOf(GatewayError);
    await expect(refusal).rejects.toMatchObject({ kind: "forbidden", message: "missing scope: operator.admin" });
    expect(devices.list().pending).toHaveLength(1);
    const small = await ask({ deviceId: "d2", publicKey: "k2" });
    expect((await devices.approve(small.requestId, caller("operator.pairing", "operator.write"))).device.deviceId).toBe(
      "d2",
    );
  });

  test("a second role and more scopes are upgrades; what is held covers what it implies", async () => {
    await devices.ensurePaired(device({ scopes: ["operator.write"] }));
    expect(await devices.ensurePaired(device({ silent: false, scopes: ["operator.read"] }))).toEqual({ paired: true });
    expect((await ask({ role: "node", scopes: [] })).reason).toBe("role-upgrade");
    expect((await ask({ scopes: ["operator.pairing"] })).reason).toBe("scope-upgrade");
    expect((await ask({ publicKey: "other" })).reason).toBe("not-paired");
  });

  test("a local second role is approved silently and both stay", async () => {
    await devices.ensurePaired(device());
    await devices.ensurePaired(device({ role: "node", scopes: [], clientId: "node-host", clientMode: "node" }));
    expect(devices.list().paired).toMatchObject([{ roles: ["operator", "node"], scopes: ["operator.read"] }]);
    expect(names()).toEqual(["device.pair.resolved", "device.pair.resolved"]);
  });

  test("silent approval gives what was asked for now, not what waited from elsewhere", async () => {
    await ask({ scopes: ["operator.admin"] });
    await devices.ensurePaired(device({ scopes: ["operator.read"] }));
    expect(devices.list()).toMatchObject({ pending: [], paired: [{ scopes: ["operator.read"] }] });
  });

  test("at most 50 requests wait, also when a thousand come at once", async () => {
    const asked = Array.from({ length: 1_000 }, (_, i) => ask({ deviceId: `x${i}`, publicKey: `k${i}` }));
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.filter((o) => o.status === "fulfilled")).toHaveLength(pairingLimits.pendingInAll);
    expect(devices.list().pending).toHaveLength(pairingLimits.pendingInAll);
    const refused = outcomes.find((o) => o.status === "rejected");
    expect(refused).toMatchObject({ reason: { kind: "unavailable", details: { code: "TOO_MANY_PAIRING_REQUESTS" } } });
  });

  test("the list of paired devices is bounded: the oldest silent one makes room, an approved one does not", async () => {
    const { requestId } = await ask({ deviceId: "kept", publicKey: "kept" });
    await devices.approve(requestId, admin);
    await Promise.all(
      Array.from({ length: pairingLimits.devices }, (_, i) =>
        devices.ensurePaired(device({ deviceId: `x${i}`, publicKey: `k${i}` })),
      ),
    );
    expect(countDevices(store)).toBe(pairingLimits.devices);
    expect(await devices.ensurePaired(device({ deviceId: "kept", publicKey: "kept", silent: false }))).toEqual({
      paired: true,
    });
  });
});

describe("tokens", () => {
  const operator = { deviceId: "d1", publicKey: "k1", role: "operator" as const, scopes: ["operator.read"] };
  const issued = async (scopes = ["operator.read"]) => {
    await devices.ensurePaired(device({ scopes }));
    return devices.issueToken({ ...operator, scopes });
  };

  test("the same token is returned while it fits, with 256 random bits in hex", async () => {
    const first = await issued();
    expect(first.token).toMatch(/^[0-9a-f]{64}$/);
    expect(await devices.issueToken(operator)).toEqual(first);
    expect(first.issuedAtMs).toBe(world.now());
    const wider = await issued(["operator.write"]);
    expect(wider.token).not.toBe(first.token);
    expect(await devices.issueToken(operator)).toEqual(wider);
  });

  test("verification tells a wrong token from too many scopes", async () => {
    const { token } = await issued();
    expect(await devices.verifyToken(operator, token)).toBe("ok");
    expect(await devices.verifyToken({ ...operator, scopes: ["operator.write"] }, token)).toBe("scope");
    expect(await devices.verifyToken(operator, `${token}0`)).toBe("mismatch");
    expect(await devices.verifyToken({ ...operator, role: "node" }, token)).toBe("mismatch");
    expect(await devices.verifyToken({ ...operator, publicKey: "k2" }, token)).toBe("mismatch");
    expect(await devices.verifyToken({ ...operator, deviceId: "nobody" }, token)).toBe("mismatch");
    await store.commit(() => {});
    expect(devices.list().paired[0]?.tokens[0]?.lastUsedAtMs).toBe(world.now());
  });

  test("a revoked token fails, its sockets close, and the next hello mints another", async () => {
    const { token } = await issued();
    expect(await devices.revoke("d1", "operator")).toMatchObject({
      deviceId: "d1",
      role: "operator",
      revokedAtMs: world.now(),
    });
    expect(await devices.verifyToken(operator, token)).toBe("mismatch");
    await world.clock.advance(0);
    expect(closed).toEqual(["d1 device token revoked operator"]);
    const next = await devices.issueToken(operator);
    expect(next.token).not.toBe(token);
    await expect(devices.revoke("d1", "node")).rejects.toThrow("unknown deviceId/role");
  });

  test("rotation replaces the token and the scopes, within what the caller holds", async () => {
    const { token } = await issued(["operator.admin"]);
    await expect(devices.rotate({ deviceId: "d1", role: "operator" }, caller("operator.pairing"))).rejects.toThrow(
      "missing scope: operator.admin",
    );
    const rotated = await devices.rotate({ deviceId: "d1", role: "operator", scopes: ["operator.write"] }, admin);
    expect(rotated).toMatchObject({ scopes: ["operator.write"], rotatedAtMs: world.now() });
    expect(rotated.token).not.toBe(token);
    expect(devices.list().paired[0]?.scopes).toEqual(["operator.write"]);
    await expect(devices.rotate({ deviceId: "d1", role: "node" }, admin)).rejects.toThrow("unknown deviceId/role");
    await expect(devices.rotate({ deviceId: "d9", role: "operator" }, admin)).rejects.toThrow("unknown deviceId/role");
  });

  test("removal forgets device and tokens and closes its sockets after the answer", async () => {
    const { token } = await issued();
    expect(await devices.remove("d1")).toEqual({ deviceId: "d1" });
    expect(closed).toEqual([]);
    await world.clock.advance(0);
    expect(closed).toEqual(["d1 device removed"]);
    expect(await devices.verifyToken(operator, token)).toBe("mismatch");
    expect(devices.list()).toEqual({ pending: [], paired: [] });
    await expect(devices.remove("d1")).rejects.toThrow("unknown deviceId");
  });
});
