/** Device identity: keys, ids and signed payloads (protocol.md §5). Pure functions; nothing is stored here. */
import { createHash, createPublicKey, verify, type KeyObject } from "node:crypto";

/** The SPKI prefix of an Ed25519 key; the raw 32 bytes follow. */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");
const base64Pattern = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** Bytes of base64 or base64url text, with or without padding. Undefined when it is neither. */
function decodeBase64(text: string): Buffer | undefined {
  return base64Pattern.test(text) ? Buffer.from(text, "base64") : undefined;
}

/** The raw 32 bytes of a key given as base64url, base64 or PEM SPKI (§5.1). Undefined when it is not an Ed25519 key. */
export function rawPublicKey(text: string): Buffer | undefined {
  const trimmed = text.trim();
  if (trimmed.includes("BEGIN")) {
    try {
      const key = createPublicKey(trimmed);
      if (key.asymmetricKeyType !== "ed25519") return undefined;
      return key.export({ type: "spki", format: "der" }).subarray(spkiPrefix.length);
    } catch {
      return undefined; // not a PEM key: the caller answers "device identity mismatch"
    }
  }
  const raw = decodeBase64(trimmed);
  return raw?.length === 32 ? raw : undefined;
}

export function deviceIdOf(rawKey: Buffer): string {
  return createHash("sha256").update(rawKey).digest("hex");
}

export interface SignedFields {
  deviceId: string;
  clientId: string;
  clientMode: string;
  role: string;
  /** As sent, original order. */
  scopes: readonly string[];
  signedAt: number;
  token: string;
  nonce: string;
  platform: string;
  deviceFamily: string;
}

const asciiLower = (text: string): string => text.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** The text that was signed (§5.2). */
export function signedPayload(version: "v1" | "v2" | "v3", fields: SignedFields): string {
  const parts = [
    version,
    fields.deviceId,
    fields.clientId,
    fields.clientMode,
    fields.role,
    fields.scopes.join(","),
    String(fields.signedAt),
    fields.token,
  ];
  if (version !== "v1") parts.push(fields.nonce.trim());
  if (version === "v3") parts.push(asciiLower(fields.platform), asciiLower(fields.deviceFamily));
  return parts.join("|");
}

/** Whether one of the payload versions allowed in this situation carries the signature (§5.3). */
export function signatureValid(rawKey: Buffer, signature: string, fields: SignedFields): boolean {
  const bytes = decodeBase64(signature.trim());
  if (bytes?.length !== 64) return false;
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.concat([spkiPrefix, rawKey]), format: "der", type: "spki" });
  } catch {
    return false; // 32 bytes that are no point of the curve cannot have signed anything
  }
  const versions = fields.nonce.trim() ? (["v3", "v2"] as const) : (["v1"] as const);
  return versions.some((version) => verify(null, Buffer.from(signedPayload(version, fields)), key, bytes));
}
