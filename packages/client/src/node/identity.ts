/** The device key and device tokens of a Node program, as files of mode 0600 (protocol.md §5.1). */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DeviceIdentity, DeviceToken, DeviceTokens } from "../device.ts";

type KeyObject = ReturnType<typeof createPrivateKey>;

interface KeyFile {
  version: 1;
  deviceId: string;
  publicKeyPem: string;
  privateKeyPem: string;
  createdAtMs: number;
}

interface TokenFile {
  version: 1;
  deviceId: string;
  tokens: Record<string, { token: string; role: string; scopes: string[]; updatedAtMs: number }>;
}

const rawPublicKey = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ type: "spki", format: "der" }).subarray(-32);

const hash = (raw: Buffer): string => createHash("sha256").update(raw).digest("hex");

function identityOf(privateKey: KeyObject): DeviceIdentity {
  const raw = rawPublicKey(privateKey);
  return {
    deviceId: hash(raw),
    publicKey: raw.toString("base64url"),
    sign: (payload) => sign(null, Buffer.from(payload, "utf8"), privateKey).toString("base64url"),
  };
}

/** An identity from a 32-byte seed: for tests and fixed devices. */
export function seedIdentity(seed: Uint8Array): DeviceIdentity {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  return identityOf(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
}

function writePrivate(path: string, value: unknown, place: (temporary: string) => void): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flag: "wx", flush: true });
    place(temporary);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function readIdentity(path: string): DeviceIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return identityOf(createPrivateKey((JSON.parse(text) as KeyFile).privateKeyPem));
  } catch (error) {
    const next = "Move the file away to start over with a new device key.";
    throw new Error(`The device key ${path} is not readable. ${next}`, { cause: error });
  }
}

/** Reads the key of `<directory>/device.json`, creating it on first use. Two programs that start together agree on one key.
 *  Throws when the file is damaged or the directory is not writable. */
export function fileIdentity(directory: string, nowMs: number): DeviceIdentity {
  const path = join(directory, "device.json");
  const known = readIdentity(path);
  if (known) return known;
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const made = identityOf(privateKey);
  const file: KeyFile = {
    version: 1,
    deviceId: made.deviceId,
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    createdAtMs: nowMs,
  };
  writePrivate(path, file, (temporary) => {
    try {
      linkSync(temporary, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  });
  return readIdentity(path) ?? made;
}

/** Device tokens in `<directory>/device-auth.json`. Entries of another device key are ignored and replaced. `deviceId` is asked
 *  only when there is a file to judge or a token to write. */
export function fileDeviceTokens(directory: string, deviceId: () => string, now: () => number): DeviceTokens {
  const path = join(directory, "device-auth.json");
  const read = (): TokenFile => {
    try {
      const file = JSON.parse(readFileSync(path, "utf8")) as TokenFile;
      if (file.deviceId === deviceId() && typeof file.tokens === "object" && file.tokens) return file;
    } catch {
      // Missing or damaged: the tokens are issued anew.
    }
    return { version: 1, deviceId: "", tokens: {} };
  };
  const write = (file: TokenFile) => writePrivate(path, file, (temporary) => renameSync(temporary, path));
  return {
    load(role) {
      const entry = Object.hasOwn(read().tokens, role) ? read().tokens[role] : undefined;
      return entry && typeof entry.token === "string" ? { token: entry.token, scopes: entry.scopes ?? [] } : undefined;
    },
    save(role, { token, scopes }: DeviceToken) {
      const file = read();
      if (file.tokens[role]?.token === token) return;
      file.deviceId = deviceId();
      file.tokens[role] = { token, role, scopes: [...scopes], updatedAtMs: now() };
      write(file);
    },
    clear(role) {
      const file = read();
      if (!Object.hasOwn(file.tokens, role)) return;
      delete file.tokens[role];
      write(file);
    },
  };
}
