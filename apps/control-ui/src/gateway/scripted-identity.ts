/** A device identity without WebCrypto. The stored key has the shape WebCrypto stores (PKCS #8), so that a page that becomes
 *  secure later keeps its name. */
import { fromBase64Url, toBase64Url, type DeviceIdentity, type StoredWebKey, type WebKeyStore } from "@openclaw/client";
import { publicKeyOf, sign } from "./ed25519.ts";
import { sha256 } from "./sha512.ts";

/** What stands before the 32 bytes of an Ed25519 seed in PKCS #8. */
const pkcs8Prefix = new Uint8Array([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);

export async function scriptedIdentity(store: WebKeyStore): Promise<DeviceIdentity> {
  const stored = await store.load();
  const key = stored && fromBase64Url(stored.privateKey).length === 48 ? stored : await create(store);
  const seed = fromBase64Url(key.privateKey).slice(16);
  return {
    deviceId: key.deviceId,
    publicKey: key.publicKey,
    sign: (payload) => toBase64Url(sign(seed, new TextEncoder().encode(payload))),
  };
}

async function create(store: WebKeyStore): Promise<StoredWebKey> {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const raw = publicKeyOf(seed);
  const privateKey = new Uint8Array(48);
  privateKey.set(pkcs8Prefix);
  privateKey.set(seed, 16);
  const key: StoredWebKey = {
    version: 1,
    deviceId: Array.from(sha256(raw), (byte) => byte.toString(16).padStart(2, "0")).join(""),
    publicKey: toBase64Url(raw),
    privateKey: toBase64Url(privateKey),
  };
  await store.save(key);
  return key;
}
