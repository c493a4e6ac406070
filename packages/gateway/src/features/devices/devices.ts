/** Devices: who may connect, with which roles and scopes, and the tokens that prove it later (protocol.md §6). */
import { GatewayError, scopes as knownScopes, type MethodResult, type Role, type Scope } from "@openclaw/protocol";
import type { Bus } from "../../kernel/bus.ts";
import type { Identity } from "../../kernel/call.ts";
import type { Logger } from "../../kernel/log.ts";
import type { World } from "../../kernel/world.ts";
import type { Store } from "../../store/store.ts";
import {
  deleteDevice,
  getDevice,
  getToken,
  listDevices,
  listPending,
  listTokens,
  putDevice,
  putToken,
  touchToken,
} from "./devices.store.ts";
import { approve, metadataChanged, mustPend, pendingSince, stepPairing, takePending } from "./pairing.ts";
import {
  covers,
  pairingNeeded,
  type DeviceRow,
  type PairedDevice,
  type PresentedDevice,
  type TokenRow,
  type UpgradeReason,
} from "./records.ts";
import { mint, tokenEquals } from "./tokens.ts";

/** `last_used_at_ms` is a display value: written at most once a minute. */
const touchIntervalMs = 60_000;

export interface DevicesParts {
  store: Store;
  world: World;
  bus: Bus;
  log: Logger;
  /** Closes live sockets of a device; with a role, only those of that role. */
  closeDevice(deviceId: string, reason: string, role?: string): void;
}

type PairingVerdict =
  | { paired: true }
  | {
      paired: false;
      requestId: string;
      reason: UpgradeReason;
      approvedRoles: readonly string[];
      approvedScopes: readonly string[];
    };

interface IssuedToken {
  token: string;
  role: Role;
  scopes: readonly string[];
  issuedAtMs: number;
}

export class Devices {
  readonly #parts: DevicesParts;
  readonly #store: Store;
  readonly #world: World;

  constructor(parts: DevicesParts) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#world = parts.world;
  }

  /** Whether `token` is this device's token for the role, not revoked, covering the scopes. Constant time. */
  async verifyToken(
    device: { deviceId: string; publicKey: string; role: Role; scopes: readonly string[] },
    token: string,
  ): Promise<"ok" | "mismatch" | "scope"> {
    const known = getDevice(this.#store, device.deviceId);
    const stored = getToken(this.#store, device.deviceId, device.role);
    const equal = tokenEquals(token, stored?.token ?? "");
    if (!equal || !stored || stored.revokedAtMs !== undefined || known?.publicKey !== device.publicKey)
      return "mismatch";
    if (!covers(stored.scopes, device.scopes)) return "scope";
    const now = this.#world.now();
    if (now - (stored.lastUsedAtMs ?? 0) >= touchIntervalMs) {
      this.#store
        .commit((tx) => touchToken(tx, device.deviceId, device.role, now))
        .catch((error: unknown) => {
          this.#parts.log.warn("could not note the use of a device token", { error });
        });
    }
    return "ok";
  }

  /** Checks pairing, approves silently where allowed, otherwise leaves a pending request. Durable when it resolves.
   *  Throws GatewayError("unavailable") when too many requests wait. */
  async ensurePaired(asking: PresentedDevice): Promise<PairingVerdict> {
    const known = getDevice(this.#store, asking.deviceId);
    if (known && pairingNeeded(known, asking) === undefined && !metadataChanged(known, asking)) return { paired: true };
    const step = await this.#store.commit((tx) => stepPairing(tx, asking, this.#world));
    if (step.kind === "paired") return { paired: true };
    const { request } = step;
    if (step.kind === "approved") {
      this.#parts.log.info(
        `device paired silently device=${asking.deviceId} role=${asking.role} client=${asking.clientId}`,
      );
      this.#resolved(request.requestId, request.deviceId, "approved");
      return { paired: true };
    }
    if (step.announce) {
      this.#parts.log.info(
        `device asks to be paired request=${request.requestId} device=${request.deviceId} reason=${step.reason}`,
      );
      this.#parts.bus.publish("device.pair.requested", request);
    }
    return {
      paired: false,
      requestId: request.requestId,
      reason: step.reason,
      approvedRoles: step.device?.roles ?? [],
      approvedScopes: step.device?.scopes ?? [],
    };
  }

  /** Token for hello-ok: unchanged when it covers the scopes, else minted, because every client of one home directory
   *  stores what it is told and rotating would log the others out. */
  async issueToken(device: { deviceId: string; role: Role; scopes: readonly string[] }): Promise<IssuedToken> {
    const { deviceId, role, scopes } = device;
    const usable = (token: TokenRow | undefined): token is TokenRow =>
      token !== undefined && token.revokedAtMs === undefined && covers(token.scopes, scopes);
    const stored = getToken(this.#store, deviceId, role);
    const token = usable(stored)
      ? stored
      : await this.#store.commit((tx) => {
          const present = getToken(tx, deviceId, role);
          if (usable(present)) return present;
          const fresh = mint(this.#world, role, scopes, present);
          putToken(tx, deviceId, fresh);
          return fresh;
        });
    return { token: token.token, role, scopes: token.scopes, issuedAtMs: token.rotatedAtMs ?? token.createdAtMs };
  }

  /** Pending requests and paired devices, newest first, without secrets. */
  list(): MethodResult<"device.pair.list"> {
    return {
      pending: listPending(this.#store, pendingSince(this.#world)),
      paired: listDevices(this.#store).map((device) => this.#shown(device)),
    };
  }

  /** Throws GatewayError: "not-found", or "forbidden" when the caller would give more than it holds. */
  async approve(requestId: string, caller: Identity): Promise<{ requestId: string; device: PairedDevice }> {
    const device = await this.#store.commit((tx) => {
      mustHold(caller, mustPend(tx, requestId, this.#world).scopes ?? []);
      return approve(tx, takePending(tx, requestId, this.#world), false, this.#world);
    });
    this.#resolved(requestId, device.deviceId, "approved");
    return { requestId, device: this.#shown(device) };
  }

  async reject(requestId: string): Promise<{ requestId: string; deviceId: string }> {
    const { deviceId } = await this.#store.commit((tx) => takePending(tx, requestId, this.#world));
    this.#resolved(requestId, deviceId, "rejected");
    return { requestId, deviceId };
  }

  /** Forgets the device and its tokens and closes its sockets. Throws GatewayError("not-found"). */
  async remove(deviceId: string): Promise<{ deviceId: string }> {
    await this.#store.commit((tx) => {
      if (!getDevice(tx, deviceId))
        throw new GatewayError("not-found", "unknown deviceId", { details: { code: "UNKNOWN_DEVICE" } });
      deleteDevice(tx, deviceId);
    });
    this.#closeSoon(deviceId, "device removed");
    return { deviceId };
  }

  /** A new token; given scopes also become the device's. Throws GatewayError: "not-found", "forbidden". */
  async rotate(
    asked: { deviceId: string; role: string; scopes?: readonly string[] | undefined },
    caller: Identity,
  ): Promise<MethodResult<"device.token.rotate">> {
    const { deviceId, role } = asked;
    const token = await this.#store.commit((tx) => {
      const device = getDevice(tx, deviceId);
      if (!device?.roles.includes(role)) throw unknownToken();
      const old = getToken(tx, deviceId, role);
      const scopes = asked.scopes ?? old?.scopes ?? device.scopes;
      mustHold(caller, scopes);
      const fresh = mint(
        this.#world,
        role,
        scopes,
        old ?? { token: "", role, scopes: [], createdAtMs: this.#world.now() },
      );
      putToken(tx, deviceId, fresh);
      if (asked.scopes) putDevice(tx, { ...device, scopes: [...new Set(asked.scopes)] }, false);
      return fresh;
    });
    return {
      deviceId,
      role,
      token: token.token,
      scopes: token.scopes,
      rotatedAtMs: token.rotatedAtMs ?? token.createdAtMs,
    };
  }

  /** Ends a token and closes the device's sockets of that role. Throws GatewayError("not-found"). */
  async revoke(deviceId: string, role: string): Promise<MethodResult<"device.token.revoke">> {
    const revokedAtMs = await this.#store.commit((tx) => {
      const token = getToken(tx, deviceId, role);
      if (!token) throw unknownToken();
      const at = token.revokedAtMs ?? this.#world.now();
      putToken(tx, deviceId, { ...token, revokedAtMs: at });
      return at;
    });
    this.#closeSoon(deviceId, "device token revoked", role);
    return { deviceId, role, revokedAtMs };
  }

  #shown({ deviceId, publicKey, roles, scopes, ...rest }: DeviceRow): PairedDevice {
    const tokens = listTokens(this.#store, deviceId).map(({ token: _secret, ...shown }) => shown);
    return { deviceId, publicKey, ...rest, roles, scopes, tokens };
  }

  #resolved(requestId: string, deviceId: string, decision: "approved" | "rejected"): void {
    this.#parts.bus.publish("device.pair.resolved", { requestId, deviceId, decision, ts: this.#world.now() });
  }

  /** After the answer has left: the caller may be the device itself. */
  #closeSoon(deviceId: string, reason: string, role?: string): void {
    this.#world.after(0, () => this.#parts.closeDevice(deviceId, reason, role));
  }
}

const unknownToken = (): GatewayError =>
  new GatewayError("not-found", "unknown deviceId/role", { details: { code: "UNKNOWN_DEVICE_ROLE" } });

/** A caller without admin gives nothing that it does not hold. */
function mustHold(caller: Identity, scopes: readonly string[]): void {
  if (covers(caller.scopes, scopes)) return;
  const missing = scopes.find((scope) => !covers(caller.scopes, [scope])) ?? "operator.admin";
  const requiredScopes: (Scope | string)[] = [missing];
  const known = (knownScopes as readonly string[]).includes(missing);
  throw new GatewayError("forbidden", `missing scope: ${missing}`, {
    details: {
      code: "MISSING_SCOPE",
      missingScope: missing,
      requiredScopes,
      ...(known ? {} : { note: "unknown scopes need operator.admin" }),
    },
  });
}
