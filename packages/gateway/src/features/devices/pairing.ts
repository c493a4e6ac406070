/** Requests to be let in: silent approval, pending requests, decisions (protocol.md §6.2, §6.3). */
import { GatewayError } from "@openclaw/protocol";
import { commandLine } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";
import type { Reader, Tx } from "../../store/store.ts";
import {
  countDevices,
  countPending,
  deleteDevice,
  deletePending,
  deletePendingOf,
  expirePending,
  getDevice,
  getPending,
  getToken,
  oldestSilentDevice,
  pendingOf,
  putDevice,
  putPending,
  putToken,
} from "./devices.store.ts";
import {
  covers,
  pairingNeeded,
  union,
  type DeviceRow,
  type PairingRequest,
  type PresentedDevice,
  type UpgradeReason,
} from "./records.ts";
import { mint } from "./tokens.ts";

export const pairingLimits = {
  lifetimeMs: 300_000,
  pendingInAll: 50,
  devices: 1_024,
} as const;

export type PairingStep =
  | { kind: "paired" }
  | { kind: "approved"; request: PairingRequest }
  | {
      kind: "pending";
      request: PairingRequest;
      reason: UpgradeReason;
      device: DeviceRow | undefined;
      announce: boolean;
    };

/** Time before which pending requests have expired. */
export const pendingSince = (world: World): number => world.now() - pairingLimits.lifetimeMs;

/** Whether the stored metadata says something else than the device does now. */
export function metadataChanged(device: DeviceRow, asking: PresentedDevice): boolean {
  return (
    (asking.displayName !== undefined && device.displayName !== asking.displayName) ||
    (asking.platform !== undefined && device.platform !== asking.platform) ||
    device.clientId !== asking.clientId ||
    device.clientMode !== asking.clientMode ||
    (asking.remoteIp !== undefined && device.remoteIp !== asking.remoteIp)
  );
}

/** Decides inside one unit, so that two connections of the same device cannot both be first. */
export function stepPairing(tx: Tx, asking: PresentedDevice, world: World): PairingStep {
  const device = getDevice(tx, asking.deviceId);
  const reason = pairingNeeded(device, asking);
  if (reason === undefined && device) {
    if (metadataChanged(device, asking)) putDevice(tx, { ...device, ...metadata(asking) }, true);
    return { kind: "paired" };
  }
  expirePending(tx, pendingSince(world));
  const waiting = pendingOf(tx, asking.deviceId);
  const request = waiting ? merged(waiting, asking) : requestOf(asking, device !== undefined, world);
  if (asking.silent) {
    // What others asked for this device while it was away is not approved along with it.
    const own = {
      ...request,
      publicKey: asking.publicKey,
      role: asking.role,
      roles: [asking.role],
      scopes: [...asking.scopes],
    };
    approve(tx, own, true, world);
    return { kind: "approved", request: own };
  }
  const same = waiting !== undefined && sameRequest(waiting, request);
  if (!waiting && countPending(tx) >= pairingLimits.pendingInAll) {
    throw new GatewayError(
      "unavailable",
      "too many devices are waiting for approval; approve or reject some, or retry later",
      {
        retryAfterMs: 60_000,
        details: { code: "TOO_MANY_PAIRING_REQUESTS" },
      },
    );
  }
  if (!same) putPending(tx, request);
  return { kind: "pending", request, reason: reason ?? "not-paired", device, announce: !same };
}

/** Stores the device with the union of old and new roles and scopes and a fresh token for the requested role. */
export function approve(tx: Tx, request: PairingRequest, silent: boolean, world: World): DeviceRow {
  const now = world.now();
  const known = getDevice(tx, request.deviceId);
  // Another key under the same id is another device: nothing of the old one carries over.
  const before = known?.publicKey === request.publicKey ? known : undefined;
  if (known && !before) deleteDevice(tx, known.deviceId);
  if (!known && countDevices(tx) >= pairingLimits.devices) makeRoom(tx, world);
  const role = request.role ?? "operator";
  const scopes = request.scopes ?? [];
  const device: DeviceRow = {
    ...before,
    deviceId: request.deviceId,
    publicKey: request.publicKey,
    ...metadata(request),
    role,
    roles: union(before?.roles ?? [], request.roles ?? [role]),
    scopes: union(before?.scopes ?? [], scopes),
    createdAtMs: before?.createdAtMs ?? now,
    approvedAtMs: now,
  };
  putDevice(tx, device, silent);
  const token = getToken(tx, device.deviceId, role);
  // A token that already says all this stays: replacing it would log out the other clients of the same home.
  const fits = token && token.revokedAtMs === undefined && covers(token.scopes, scopes);
  if (!fits) putToken(tx, device.deviceId, mint(world, role, scopes, token));
  deletePendingOf(tx, device.deviceId);
  return device;
}

/** Takes a pending request out. Throws GatewayError("not-found"). */
export function takePending(tx: Tx, requestId: string, world: World): PairingRequest {
  const request = mustPend(tx, requestId, world);
  deletePending(tx, requestId);
  return request;
}

export function mustPend(reader: Reader, requestId: string, world: World): PairingRequest {
  const request = getPending(reader, requestId, pendingSince(world));
  if (request) return request;
  throw new GatewayError("not-found", "unknown requestId", { details: { code: "UNKNOWN_REQUEST" } });
}

function makeRoom(tx: Tx, world: World): void {
  const oldest = oldestSilentDevice(tx);
  if (oldest === undefined) {
    throw new GatewayError(
      "conflict",
      `too many paired devices; remove some with: ${commandLine(world, `gateway call device.pair.remove --params '{"deviceId":"<id>"}'`)}`,
      {
        details: { code: "TOO_MANY_DEVICES" },
      },
    );
  }
  deleteDevice(tx, oldest);
}

type Metadata = Pick<DeviceRow, "displayName" | "platform" | "clientId" | "clientMode" | "remoteIp">;

function metadata(from: { [K in keyof Metadata]?: Metadata[K] | undefined }): Metadata {
  return {
    ...(from.displayName === undefined ? {} : { displayName: from.displayName }),
    ...(from.platform === undefined ? {} : { platform: from.platform }),
    ...(from.clientId === undefined ? {} : { clientId: from.clientId }),
    ...(from.clientMode === undefined ? {} : { clientMode: from.clientMode }),
    ...(from.remoteIp === undefined ? {} : { remoteIp: from.remoteIp }),
  };
}

function requestOf(asking: PresentedDevice, isRepair: boolean, world: World): PairingRequest {
  return {
    requestId: world.uuid(),
    deviceId: asking.deviceId,
    publicKey: asking.publicKey,
    ...metadata(asking),
    role: asking.role,
    roles: [asking.role],
    scopes: [...asking.scopes],
    ...(asking.silent ? { silent: true } : {}),
    ...(isRepair ? { isRepair: true } : {}),
    ts: world.now(),
  };
}

function merged(waiting: PairingRequest, asking: PresentedDevice): PairingRequest {
  return {
    ...waiting,
    publicKey: asking.publicKey,
    ...metadata(asking),
    role: asking.role,
    roles: union(waiting.roles ?? [], [asking.role]),
    scopes: union(waiting.scopes ?? [], asking.scopes),
  };
}

const sameRequest = (a: PairingRequest, b: PairingRequest): boolean =>
  a.publicKey === b.publicKey &&
  a.role === b.role &&
  a.roles?.length === b.roles?.length &&
  a.scopes?.length === b.scopes?.length;
