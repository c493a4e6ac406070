import { expect, test } from "vitest";
import { fromBase64Url, toBase64Url, webIdentity, type StoredWebKey } from "@openclaw/client";
import { publicKeyOf, sign } from "./ed25519.ts";
import { scriptedIdentity } from "./scripted-identity.ts";
import { sha256, sha512 } from "./sha512.ts";

const { subtle } = crypto;
const text = (value: string) => new TextEncoder().encode(value);
const hex = (bytes: ArrayBuffer | Uint8Array) =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

function memoryStore() {
  const kept: { key?: StoredWebKey } = {};
  return { kept, load: () => kept.key, save: (key: StoredWebKey) => void (kept.key = key) };
}

const platformKey = (publicKey: Uint8Array<ArrayBuffer>) =>
  subtle.importKey("raw", publicKey, "Ed25519", true, ["verify"]);

test("the hashes are those of the platform, whatever the length", async () => {
  for (const length of [0, 1, 55, 56, 63, 64, 111, 112, 127, 128, 300]) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7) & 255);
    expect(hex(sha256(bytes))).toBe(hex(await subtle.digest("SHA-256", bytes)));
    expect(hex(sha512(bytes))).toBe(hex(await subtle.digest("SHA-512", bytes)));
  }
});

test("the platform's Ed25519 makes the same signature with the same key", async () => {
  const store = memoryStore();
  const platform = await webIdentity(store);
  const seed = fromBase64Url(store.kept.key?.privateKey ?? "").slice(16);
  expect(toBase64Url(publicKeyOf(seed))).toBe(platform?.publicKey);
  for (const message of ["", "v2|device|openclaw-control-ui|webchat|operator", "ü".repeat(200)])
    expect(toBase64Url(sign(seed, text(message)))).toBe(await platform?.sign(message));
});

test("the identity is named by its key, verifies, and is kept", async () => {
  const store = memoryStore();
  const first = await scriptedIdentity(store);
  const raw = fromBase64Url(first.publicKey);
  expect(first.deviceId).toBe(hex(await subtle.digest("SHA-256", raw)));
  const signature = fromBase64Url(await first.sign("payload"));
  expect(await subtle.verify("Ed25519", await platformKey(raw), signature, text("payload"))).toBe(true);
  expect((await scriptedIdentity(store)).deviceId).toBe(first.deviceId);
});

test("a page that becomes secure later keeps its name", async () => {
  const store = memoryStore();
  const scripted = await scriptedIdentity(store);
  expect((await webIdentity(store))?.deviceId).toBe(scripted.deviceId);
});
