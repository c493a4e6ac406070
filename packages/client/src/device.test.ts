import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { devicePayload, fromBase64Url, webIdentity } from "./device.ts";
import type { SignedFields, StoredWebKey } from "./device.ts";
import { createIdempotencyKey } from "./idempotency.ts";
import { fileDeviceTokens, fileIdentity, seedIdentity } from "./node.ts";

const folders: string[] = [];
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), "openclaw-device-"));
  folders.push(made);
  return made;
};
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
});

const identity = seedIdentity(Uint8Array.from({ length: 32 }, (_, i) => i));
const fields: SignedFields = {
  deviceId: "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c",
  clientId: "cli",
  clientMode: "cli",
  role: "operator",
  scopes: ["operator.admin", "operator.approvals", "operator.pairing"],
  signedAtMs: 1_770_000_000_000,
  token: "secret-token",
  nonce: "11111111-2222-4333-8444-555555555555",
  platform: "linux",
  deviceFamily: "Linux",
};

test("key, id and both signatures equal the published vector", () => {
  expect(identity.publicKey).toBe("A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg");
  expect(identity.deviceId).toBe(fields.deviceId);
  expect(identity.sign(devicePayload(2, fields))).toBe(
    "SZEO-kBNVrFr2ecF0BLYnPsGEgViPwn0rpvkrnPlpBNhIsnJzM2tajU4Uvhp3OR-pT5c1cypLJupKLc997tABg",
  );
  expect(identity.sign(devicePayload(3, fields))).toBe(
    "wR2UQgRM5OZEw56Q0iLhTSwhCmuh4SsQfQnja53idZYc4QTi17PezCElLMDAPsahj07OWqO_SL2tnbX2FFNMCw",
  );
});

test("a node without scopes and token signs empty fields", () => {
  const payload = devicePayload(2, {
    ...fields,
    clientId: "node-host",
    clientMode: "node",
    role: "node",
    scopes: [],
    token: "",
  });
  expect(payload).toBe(`v2|${fields.deviceId}|node-host|node|node||1770000000000||${fields.nonce}`);
  expect(identity.sign(payload)).toBe(
    "SxGxsoRb9WWqGMSd2-wSQNPdDYL1UbWs5gUL6zCzDOZjyIDLAvzRX3gId7BbgCt6w9t-5LvKFvl1_z8FBz-MBQ",
  );
});

test("the key file is made once, private, and read again", () => {
  const path = join(folder(), "identity");
  const first = fileIdentity(path, 5);
  expect(fileIdentity(path, 6)).toMatchObject({ deviceId: first.deviceId, publicKey: first.publicKey });
  expect(statSync(join(path, "device.json")).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(join(path, "device.json"), "utf8"))).toMatchObject({
    version: 1,
    deviceId: first.deviceId,
    createdAtMs: 5,
  });
});

test("a damaged key file is named, never replaced in silence", () => {
  const path = folder();
  writeFileSync(join(path, "device.json"), "{}");
  expect(() => fileIdentity(path, 1)).toThrow(/device\.json is not readable\. Move the file away/);
});

test("tokens are kept per role and forgotten with another device key", () => {
  const path = folder();
  const tokens = fileDeviceTokens(
    path,
    () => "a",
    () => 7,
  );
  expect(tokens.load("operator")).toBeUndefined();
  void tokens.save("operator", { token: "t", scopes: ["operator.read"] });
  expect(tokens.load("operator")).toEqual({ token: "t", scopes: ["operator.read"] });
  expect(tokens.load("__proto__")).toBeUndefined();
  expect(statSync(join(path, "device-auth.json")).mode & 0o777).toBe(0o600);
  expect(
    fileDeviceTokens(
      path,
      () => "b",
      () => 7,
    ).load("operator"),
  ).toBeUndefined();
  void tokens.clear("operator");
  expect(tokens.load("operator")).toBeUndefined();
});

test("a browser makes a key once and signs the same way", async () => {
  let stored: StoredWebKey | undefined;
  const store = { load: () => stored, save: (key: StoredWebKey) => void (stored = key) };
  const first = await webIdentity(store);
  const second = await webIdentity(store);
  expect(first?.deviceId).toMatch(/^[0-9a-f]{64}$/);
  expect(second?.deviceId).toBe(first?.deviceId);
  expect(await second?.sign("x")).toBe(await first?.sign("x"));
  expect(fromBase64Url((await first?.sign("x")) ?? "")).toHaveLength(64);
});

test("idempotency keys are distinct UUIDs", () => {
  const keys = new Set(Array.from({ length: 100 }, createIdempotencyKey));
  expect(keys.size).toBe(100);
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
