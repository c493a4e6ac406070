import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { silentLogger } from "../../kernel/log.ts";
import { openStore } from "../../store/index.ts";
import { Bus } from "../../kernel/bus.ts";
import { Devices } from "./devices.ts";
import { deviceMigrations } from "./devices.store.ts";
import { importDevices, importNodes } from "./import-devices.ts";

const scopes = ["operator.admin", "operator.pairing"];

function makePaired(given: Record<string, unknown> = {}, token: Record<string, unknown> = {}) {
  const raw = randomBytes(32);
  const deviceId = createHash("sha256").update(raw).digest("hex");
  const publicKey = raw.toString("base64url");
  const secret = randomBytes(16).toString("hex");
  const tokens = { operator: { token: secret, role: "operator", scopes, createdAtMs: 5, ...token } };
  return {
    deviceId,
    publicKey,
    secret,
    paired: {
      [deviceId]: {
        deviceId,
        publicKey,
        role: "operator",
        roles: ["operator"],
        scopes,
        tokens,
        createdAtMs: 4,
        approvedAtMs: 5,
        ...given,
      },
    },
  };
}

function setUp() {
  const world = fakeWorld();
  const store = openStore({ path: ":memory:", migrations: deviceMigrations, world, log: silentLogger });
  const devices = new Devices({ store, world, bus: new Bus(silentLogger), log: silentLogger, closeDevice: () => {} });
  const skipped: string[] = [];
  const log = {
    devices: 0,
    tokens: 0,
    nodes: 0,
    before: 0,
    skip: (_path: string, reason: string) => void skipped.push(reason),
  };
  const take = (paired: unknown) => importDevices(store, world, paired, "devices/paired.json", log);
  return { world, store, devices, skipped, log, take };
}

test("a device and its token are taken, and the token is accepted", async () => {
  const { devices, log, take } = setUp();
  const { deviceId, publicKey, secret, paired } = makePaired({ displayName: "Laptop", platform: "linux" });
  await take(paired);
  expect(log).toMatchObject({ devices: 1, tokens: 1, before: 0 });
  expect(devices.list().paired).toMatchObject([{ deviceId, displayName: "Laptop", roles: ["operator"], scopes }]);
  const asking = { deviceId, publicKey, role: "operator", scopes } as const;
  expect(await devices.verifyToken(asking, secret)).toBe("ok");
  expect(await devices.verifyToken(asking, "0".repeat(32))).toBe("mismatch");
});

test("a revoked token stays revoked", async () => {
  for (const revokedAtMs of [7, "2026"]) {
    const { devices, take } = setUp();
    const { deviceId, publicKey, secret, paired } = makePaired({}, { revokedAtMs });
    await take(paired);
    expect(await devices.verifyToken({ deviceId, publicKey, role: "operator", scopes }, secret)).toBe("mismatch");
  }
});

test("a device that was removed here does not come back with a second import", async () => {
  const { devices, log, take } = setUp();
  const { deviceId, paired } = makePaired();
  await take(paired);
  await devices.remove(deviceId);
  await take(paired);
  expect(devices.list().paired).toEqual([]);
  expect(log.before).toBe(1);
});

test("a device that is paired here already keeps its pairing", async () => {
  const { devices, skipped, take } = setUp();
  const { deviceId, publicKey, secret, paired } = makePaired();
  await devices.ensurePaired({
    deviceId,
    publicKey,
    role: "operator",
    scopes: [],
    clientId: "cli",
    clientMode: "cli",
    silent: true,
  });
  await take(paired);
  expect(skipped).toEqual(["paired here already; the present pairing stays"]);
  expect(await devices.verifyToken({ deviceId, publicKey, role: "operator", scopes: [] }, secret)).toBe("mismatch");
});

test("a record whose id is not that of its key, without key or with a guessable token is refused", async () => {
  const { devices, skipped, log, take } = setUp();
  const good = makePaired();
  await take({
    ...good.paired,
    ["0".repeat(64)]: good.paired[good.deviceId],
    ["1".repeat(64)]: {},
    ["2".repeat(64)]: 7,
    ...makePaired({}, { token: "short" }).paired,
    ...makePaired({}, { role: "node" }).paired,
  });
  expect(skipped).toEqual([
    "the id is not that of its public key",
    "no usable public key",
    "not a device",
    "its token for the role operator cannot be used",
    "its token for the role operator cannot be used",
  ]);
  expect(log).toMatchObject({ devices: 3, tokens: 1 });
  expect(devices.list().paired).toHaveLength(3);
  await take([good.paired]);
  await take("text");
  expect(log.devices).toBe(3);
});

test("node pairings are kept as they are", async () => {
  const { store, world, log, skipped } = setUp();
  const nodes = { "ipad-1": { nodeId: "ipad-1", token: "t", caps: ["canvas"], approvedAtMs: 9 }, bad: 7 };
  await importNodes(store, world, nodes, "nodes/paired.json", log);
  await importNodes(store, world, nodes, "nodes/paired.json", log);
  expect(log).toMatchObject({ nodes: 1, before: 1 });
  expect(skipped).toEqual(["not a node", "not a node"]);
  expect(store.all("SELECT node_id, record, approved_at_ms FROM node_pairing")).toEqual([
    { node_id: "ipad-1", record: JSON.stringify(nodes["ipad-1"]), approved_at_ms: 9 },
  ]);
});
