/** What the server needs from rooms it may not import. `assembly/gateway.ts` passes the real ones. */
import type { MethodName, Role, StateVersion } from "@openclaw/protocol";
import type { Handler, Identity } from "../kernel/call.ts";

/** A device as it presents itself in `connect`, its signature already verified. */
export interface PresentedDevice {
  deviceId: string;
  /** Raw key, base64url without padding. */
  publicKey: string;
  role: Role;
  /** Effective scopes after defaulting (protocol.md §8.1). */
  scopes: readonly string[];
  clientId: string;
  clientMode: string;
  platform?: string;
  displayName?: string;
  remoteIp?: string;
  /** May be approved without asking: local, and shared secret or first contact as protocol.md §6.3 says. */
  silent: boolean;
}

export interface DeviceToken {
  token: string;
  role: Role;
  scopes: readonly string[];
  issuedAtMs: number;
}

export type PairingVerdict =
  | { paired: true }
  | {
      paired: false;
      requestId: string;
      reason: "not-paired" | "role-upgrade" | "scope-upgrade";
      approvedRoles: readonly string[];
      approvedScopes: readonly string[];
    };

/** Pairing and device tokens (protocol.md §6). Implemented by features/devices. */
export interface DevicePort {
  /** Whether `token` is this device's token for the role, not revoked, covering the scopes. Constant time. */
  verifyToken(
    device: { deviceId: string; publicKey: string; role: Role; scopes: readonly string[] },
    token: string,
  ): Promise<"ok" | "mismatch" | "scope">;
  /** Checks pairing, approves silently where allowed, otherwise leaves a pending request. Durable when it resolves. */
  ensurePaired(device: PresentedDevice): Promise<PairingVerdict>;
  /** Token for hello-ok: unchanged when it covers the scopes, else minted (protocol.md §6.4). */
  issueToken(device: { deviceId: string; role: Role; scopes: readonly string[] }): Promise<DeviceToken>;
}

/** Presence of connections (protocol.md §12). Implemented by features/presence. */
export interface PresencePort {
  connected(identity: Identity): void;
  disconnected(identity: Identity): void;
}

/** Taken in the same tick in which the connection's subscription begins (R-WS-3). */
export interface SnapshotPort {
  snapshot(identity: Identity): Record<string, unknown>;
  stateVersion(): StateVersion;
}

/** Handlers by method name; a method without one is unknown on the wire. */
export type HandlerTable = ReadonlyMap<MethodName, Handler<MethodName>>;

export interface AuthSettings {
  mode: "token" | "password";
  token?: string;
  password?: string;
  /** A login the tailnet confirms needs neither. */
  allowTailscale?: boolean;
}

/** Read at use, so that a reload needs no reconnect. */
export interface ServerSettings {
  readonly auth: AuthSettings;
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  /** Origins whose pages may call the API across sites. */
  readonly corsOrigins?: readonly string[];
  /** Value of the header, where TLS ends here. */
  readonly strictTransportSecurity?: string | undefined;
  readonly controlUi: {
    allowInsecureAuth: boolean;
    dangerouslyDisableDeviceAuth: boolean;
    dangerouslyAllowHostHeaderOriginFallback: boolean;
  };
  readonly maxBufferedBytes: number;
  readonly tickIntervalMs: number;
  readonly handshakeTimeoutMs: number;
  readonly verbose: boolean;
  /** With `verbose`: a line per frame instead of a line per request. */
  readonly logFrames?: boolean;
}
