/** Device identity (protocol.md §5): an Ed25519 key whose public half names the device. This file holds what both worlds
 *  share and the WebCrypto key of browsers; Node's key file is in `@openclaw/client/node`. */

export interface DeviceIdentity {
  /** Lower-case hex SHA-256 of the raw public key. */
  readonly deviceId: string;
  /** Raw 32 bytes, base64url without padding. */
  readonly publicKey: string;
  /** Ed25519 signature of the UTF-8 payload, base64url without padding. */
  sign(payload: string): string | Promise<string>;
}

export interface SignedFields {
  deviceId: string;
  clientId: string;
  clientMode: string;
  role: string;
  /** As sent, in order. */
  scopes: readonly string[];
  signedAtMs: number;
  /** `auth.token`, else `auth.deviceToken`, else empty. Never the password. */
  token: string;
  nonce: string;
  platform?: string;
  deviceFamily?: string;
}

const lowerAscii = (text: string | undefined): string =>
  (text ?? "").trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** The string a device signs (§5.2). Version 3 also binds platform and device family. */
export function devicePayload(version: 2 | 3, fields: SignedFields): string {
  const parts = [
    `v${version}`,
    fields.deviceId,
    fields.clientId,
    fields.clientMode,
    fields.role,
    fields.scopes.join(","),
    String(fields.signedAtMs),
    fields.token,
    fields.nonce.trim(),
  ];
  if (version === 3) parts.push(lowerAscii(fields.platform), lowerAscii(fields.deviceFamily));
  return parts.join("|");
}

/** A token the gateway issued to this device for one role. */
export interface DeviceToken {
  token: string;
  scopes: readonly string[];
}

/** Where device tokens are kept between connections. May be asynchronous; must not throw for a missing entry. */
export interface DeviceTokens {
  load(role: string): DeviceToken | undefined | Promise<DeviceToken | undefined>;
  save(role: string, token: DeviceToken): void | Promise<void>;
  clear(role: string): void | Promise<void>;
}

export function toBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

/** A browser's key as it is stored. `privateKey` is PKCS #8, base64url. */
export interface StoredWebKey {
  version: 1;
  deviceId: string;
  publicKey: string;
  privateKey: string;
}

export interface WebKeyStore {
  load(): StoredWebKey | undefined | Promise<StoredWebKey | undefined>;
  save(key: StoredWebKey): void | Promise<void>;
}

/** The browser's identity, created on first use. Undefined when the page has no WebCrypto with Ed25519 (plain HTTP, older
 *  browsers): such a page connects with the shared secret alone. */
export async function webIdentity(store: WebKeyStore): Promise<DeviceIdentity | undefined> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return undefined;
  const algorithm = { name: "Ed25519" } as const;
  const stored = await store.load();
  if (stored) {
    try {
      const key = await subtle.importKey("pkcs8", fromBase64Url(stored.privateKey), algorithm, false, ["sign"]);
      return webKey(stored.deviceId, stored.publicKey, (bytes) => subtle.sign(algorithm, key, bytes));
    } catch {
      // The stored key is damaged: a new one is made below, and the device pairs again.
    }
  }
  let pair: Awaited<ReturnType<typeof generate>>;
  const generate = () => subtle.generateKey(algorithm, true, ["sign", "verify"]);
  try {
    pair = await generate();
  } catch {
    return undefined; // WebCrypto without Ed25519.
  }
  if (!("privateKey" in pair)) return undefined;
  const raw = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  const hash = new Uint8Array(await subtle.digest("SHA-256", raw));
  const deviceId = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const publicKey = toBase64Url(raw);
  const privateKey = toBase64Url(new Uint8Array(await subtle.exportKey("pkcs8", pair.privateKey)));
  await store.save({ version: 1, deviceId, publicKey, privateKey });
  const key = pair.privateKey;
  return webKey(deviceId, publicKey, (bytes) => subtle.sign(algorithm, key, bytes));
}

function webKey(
  deviceId: string,
  publicKey: string,
  sign: (bytes: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>,
): DeviceIdentity {
  return {
    deviceId,
    publicKey,
    sign: async (payload) => toBase64Url(new Uint8Array(await sign(new TextEncoder().encode(payload)))),
  };
}
