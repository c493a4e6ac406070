/** Devices and nodes of an older installation (protocol.md §6.3, §6.7): `devices/paired.json` and `nodes/paired.json`. A device
 *  is taken once; one that was removed or paired here since is left alone. Tokens are kept, so paired clients need nothing. */
import { createHash } from "node:crypto";
import type { World } from "../../kernel/world.ts";
import type { Store, Tx } from "../../store/store.ts";
import { countDevices, getDevice, putDevice, putToken } from "./devices.store.ts";
import { countNodes, keepNode, markImported, wasImported } from "./import.store.ts";
import { pairingLimits } from "./pairing.ts";
import type { DeviceRow, TokenRow } from "./records.ts";

export interface DeviceImportLog {
  devices: number;
  tokens: number;
  nodes: number;
  /** Taken by a former import. */
  before: number;
  skip(path: string, reason: string): void;
}

type Fields = Record<string, unknown>;

const nodeLimit = 1_024;
const maxRecordBytes = 64 * 1024;

/** `paired` is the parsed file, `path` its place, for the report. One unit: all devices of the file or, when the disk is full,
 *  none. */
export function importDevices(
  store: Store,
  world: Pick<World, "now">,
  paired: unknown,
  path: string,
  log: DeviceImportLog,
): Promise<void> {
  return store.commit((tx) => {
    for (const [id, value] of entriesOf(paired)) {
      const place = `${path} "${id.slice(0, 16)}"`;
      if (wasImported(tx, "device", id)) {
        log.before++;
        continue;
      }
      const read = readDevice(id, value);
      const reason = typeof read === "string" ? read : refusal(tx, read.device);
      if (typeof read === "string" || reason !== undefined) {
        log.skip(place, reason ?? "unknown");
        continue;
      }
      putDevice(tx, read.device, false);
      for (const token of read.tokens) putToken(tx, id, token);
      for (const lost of read.lost) log.skip(place, lost);
      markImported(tx, "device", id, world.now());
      log.devices++;
      log.tokens += read.tokens.length;
    }
  });
}

/** Keeps the records of `nodes/paired.json` as rows. They give nobody access. */
export function importNodes(
  store: Store,
  world: Pick<World, "now">,
  paired: unknown,
  path: string,
  log: DeviceImportLog,
): Promise<void> {
  return store.commit((tx) => {
    let free = nodeLimit - countNodes(tx);
    for (const [id, value] of entriesOf(paired)) {
      const record = isObject(value) ? JSON.stringify(value) : undefined;
      if (wasImported(tx, "node", id)) log.before++;
      else if (record === undefined || id === "" || id.length > 128)
        log.skip(`${path} "${id.slice(0, 16)}"`, "not a node");
      else if (record.length > maxRecordBytes || free-- <= 0)
        log.skip(`${path} "${id.slice(0, 16)}"`, "too large, or too many nodes");
      else {
        const approvedAtMs = isObject(value) ? time(value.approvedAtMs) : undefined;
        keepNode(tx, id, record, approvedAtMs ?? world.now());
        markImported(tx, "node", id, world.now());
        log.nodes++;
      }
    }
  });
}

function refusal(tx: Tx, device: DeviceRow): string | undefined {
  if (getDevice(tx, device.deviceId)) return "paired here already; the present pairing stays";
  return countDevices(tx) >= pairingLimits.devices ? "too many paired devices" : undefined;
}

interface ReadDevice {
  device: DeviceRow;
  tokens: TokenRow[];
  lost: string[];
}

function readDevice(id: string, value: unknown): ReadDevice | string {
  if (!isObject(value)) return "not a device";
  const key = typeof value.publicKey === "string" ? Buffer.from(value.publicKey, "base64url") : Buffer.alloc(0);
  if (key.length !== 32) return "no usable public key";
  if (createHash("sha256").update(key).digest("hex") !== id || (value.deviceId ?? id) !== id)
    return "the id is not that of its public key";
  const role = text(value.role, 32);
  const tokens: TokenRow[] = [];
  const lost: string[] = [];
  for (const [name, given] of entriesOf(value.tokens).slice(0, 16)) {
    const token = readToken(name, given);
    if (token) tokens.push(token);
    else lost.push(`its token for the role ${name.slice(0, 32)} cannot be used`);
  }
  const createdAtMs = time(value.createdAtMs) ?? 0;
  const device: DeviceRow = {
    deviceId: id,
    publicKey: key.toString("base64url"),
    roles: [...new Set([...words(value.roles), ...(role === undefined ? [] : [role])])],
    scopes: words(value.scopes),
    createdAtMs,
    approvedAtMs: time(value.approvedAtMs) ?? createdAtMs,
    ...(role === undefined ? {} : { role }),
  };
  for (const name of ["displayName", "platform", "clientId", "clientMode", "remoteIp"] as const) {
    const given = text(value[name], 256);
    if (given !== undefined) device[name] = given;
  }
  return { device, tokens, lost };
}

function readToken(role: string, value: unknown): TokenRow | undefined {
  if (!isObject(value) || role === "" || role.length > 32 || (value.role ?? role) !== role) return undefined;
  const token = text(value.token, 512);
  // Shorter than 128 bits as hex is not what any version wrote.
  if (token === undefined || token.length < 32) return undefined;
  const [rotatedAtMs, revokedAtMs, lastUsedAtMs] = [value.rotatedAtMs, value.revokedAtMs, value.lastUsedAtMs].map(time);
  return {
    token,
    role,
    scopes: words(value.scopes).sort(),
    createdAtMs: time(value.createdAtMs) ?? 0,
    ...(rotatedAtMs === undefined ? {} : { rotatedAtMs }),
    // A token that was revoked stays so, whatever its mark looks like.
    ...(value.revokedAtMs === undefined || value.revokedAtMs === null ? {} : { revokedAtMs: revokedAtMs ?? 0 }),
    ...(lastUsedAtMs === undefined ? {} : { lastUsedAtMs }),
  };
}

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const entriesOf = (value: unknown): [string, unknown][] => (isObject(value) ? Object.entries(value) : []);
const text = (value: unknown, max: number): string | undefined =>
  typeof value === "string" && value !== "" && value.length <= max && value.isWellFormed() ? value : undefined;
const words = (value: unknown): string[] =>
  Array.isArray(value) ? [...new Set(value.flatMap((word: unknown) => text(word, 64) ?? []))].slice(0, 64) : [];
const time = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
