/** What is kept about a device, and the rules that compare it with what is asked for (protocol.md §6.2, §6.3). */
import { grants, scopes as knownScopes, type MethodResult, type Role, type Scope } from "@openclaw/protocol";

/** A pairing request as it stands in the store and in `device.pair.requested`. */
export type PairingRequest = MethodResult<"device.pair.list">["pending"][number];

/** A paired device as operators see it: without secrets. */
export type PairedDevice = MethodResult<"device.pair.list">["paired"][number];

/** A device as it presents itself in `connect`, its signature already verified. */
export interface PresentedDevice {
  deviceId: string;
  /** Raw key, base64url without padding. */
  publicKey: string;
  role: Role;
  scopes: readonly string[];
  clientId: string;
  clientMode: string;
  platform?: string;
  displayName?: string;
  remoteIp?: string;
  /** May be approved without asking. */
  silent: boolean;
}

export interface DeviceRow {
  deviceId: string;
  publicKey: string;
  displayName?: string;
  platform?: string;
  clientId?: string;
  clientMode?: string;
  role?: string;
  roles: string[];
  scopes: string[];
  remoteIp?: string;
  createdAtMs: number;
  approvedAtMs: number;
}

export interface TokenRow {
  token: string;
  role: string;
  /** Sorted. */
  scopes: string[];
  createdAtMs: number;
  rotatedAtMs?: number;
  revokedAtMs?: number;
  lastUsedAtMs?: number;
}

const isScope = (name: string): name is Scope => (knownScopes as readonly string[]).includes(name);

/** Whether `held` covers every scope of `asked`: literally, or because admin covers all and write covers read. */
export const covers = (held: readonly string[], asked: readonly string[]): boolean =>
  asked.every((scope) =>
    isScope(scope) ? grants(held, scope) : held.includes("operator.admin") || held.includes(scope),
  );

export const union = (a: readonly string[], b: readonly string[]): string[] => [...new Set([...a, ...b])];

export type UpgradeReason = "not-paired" | "role-upgrade" | "scope-upgrade";

/** Why this device must be paired (again); undefined when it is. The first match names the reason. */
export function pairingNeeded(
  device: DeviceRow | undefined,
  asking: Pick<PresentedDevice, "publicKey" | "role" | "scopes">,
): UpgradeReason | undefined {
  if (!device || device.publicKey !== asking.publicKey) return "not-paired";
  if (!device.roles.includes(asking.role)) return "role-upgrade";
  return covers(device.scopes, asking.scopes) ? undefined : "scope-upgrade";
}
