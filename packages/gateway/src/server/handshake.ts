/** From `connect` to an identity: the checks of protocol.md §4.3 in their order; the first failure wins. Decides who a
 *  connection speaks for and nothing else; what the client says about its version, platform or name is never judged. */
import { grants, type ProtocolVersion, type Role } from "@openclaw/protocol";
import type { Identity } from "../kernel/call.ts";
import type { World } from "../kernel/world.ts";
import {
  authRefusal,
  deviceTokenMismatchText,
  judgeSharedSecret,
  rateLimitedText,
  secretEquals,
  type Credentials,
} from "./auth.ts";
import { guesser, type AuthLimiter } from "./auth-limiter.ts";
import {
  clientInfo,
  clientKind,
  effectiveScopes,
  isControlUi,
  isWebchat,
  negotiate,
  type ConnectParams,
} from "./connect-params.ts";
import type { Entrance } from "./connection.ts";
import { originAllowed } from "./origin.ts";
import type { DevicePort, DeviceToken, ServerSettings } from "./ports.ts";
import {
  deviceRefused,
  deviceRequired,
  insecureContext,
  invalid,
  originRefused,
  pairingRequired,
  protocolMismatch,
  type Refusal,
} from "./refusals.ts";
import { deviceIdOf, rawPublicKey, signatureValid } from "./signature.ts";
import { judgeTailnet, type TailnetPort, type TailnetReason } from "./tailnet.ts";

const skewMs: Record<ProtocolVersion, number> = { 3: 600_000, 4: 120_000 };

export interface Admission {
  identity: Identity;
  /** For `hello-ok.auth`; present when a paired device was. */
  token?: DeviceToken;
}

export type Verdict = { admitted: Admission } | { refused: Refusal };

interface Asking {
  connId: string;
  nonce: string;
  entrance: Entrance;
  params: ConnectParams;
}

interface VerifiedDevice {
  deviceId: string;
  /** Raw key, base64url without padding. */
  publicKey: string;
}

export class Handshake {
  readonly #world: World;
  readonly #settings: ServerSettings;
  readonly #devices: DevicePort;
  readonly #limiter: AuthLimiter;
  readonly #tailnet: TailnetPort | undefined;

  constructor(parts: {
    world: World;
    settings: ServerSettings;
    devices: DevicePort;
    limiter: AuthLimiter;
    tailnet?: TailnetPort | undefined;
  }) {
    this.#world = parts.world;
    this.#settings = parts.settings;
    this.#devices = parts.devices;
    this.#limiter = parts.limiter;
    this.#tailnet = parts.tailnet;
  }

  /** Rows 5 to 11; `params` have the right shape (row 4). Rejects only when a store fails. */
  async judge(asking: Asking): Promise<Verdict> {
    const { params, entrance } = asking;
    const protocol = negotiate(params.minProtocol, params.maxProtocol);
    if (protocol === undefined) return { refused: protocolMismatch(params.minProtocol, params.maxProtocol) };
    const role = roleOf(params);
    if (role === undefined) return { refused: invalid("invalid role", "invalid-role") };
    if (!this.#originFits(params, entrance)) return { refused: originRefused() };

    const controlUi = isControlUi(params);
    const { allowInsecureAuth, dangerouslyDisableDeviceAuth } = this.#settings.controlUi;
    const presented = controlUi && dangerouslyDisableDeviceAuth ? undefined : params.device;
    if (!presented && controlUi && !allowInsecureAuth && !dangerouslyDisableDeviceAuth)
      return { refused: insecureContext() };

    const given = credentialsOf(params);
    const who = guesser(entrance.location, entrance.origin);
    const scopes = effectiveScopes(params, protocol);
    // The limiter speaks before anything is compared or verified; without a credential there is nothing to guess.
    const guessing = Boolean(given.token || given.password || given.deviceToken);
    if (guessing && this.#limiter.lockedForMs(who) > 0) return { refused: limited(this.#limiter.lockedForMs(who)) };
    const device = presented ? this.#verifyDevice(asking, presented, protocol) : undefined;
    if (device && "refused" in device) return device;

    const reason = judgeSharedSecret(this.#settings.auth, given);
    const shared = reason === undefined;
    if (shared) this.#limiter.succeeded(who);
    if (!device) {
      if (shared) return { admitted: { identity: this.#identity(asking, protocol, role, scopes) } };
      if (!given.token && !given.password) return { refused: deviceRequired() };
      return { refused: this.#unauthorised(reason, params, who, guessing, false) };
    }
    // It names a person, not a device: the device still has to be paired.
    const doubt = shared ? undefined : await this.#doubtTailnet(entrance);
    const byToken = reason !== undefined && doubt !== undefined ? given.deviceToken || given.token : undefined;
    if (reason !== undefined && doubt !== undefined) {
      if (!guessing && doubt !== "not-asked") return { refused: this.#unauthorised(doubt, params, who, false, false) };
      const verdict = byToken ? await this.#devices.verifyToken({ ...device, role, scopes }, byToken) : "mismatch";
      if (verdict !== "ok")
        return { refused: this.#unauthorised(reason, params, who, guessing, Boolean(given.deviceToken), verdict) };
    }
    // Who is known by other means must not try secrets for free: a wrong one counts, and being known forgives none.
    const ownToken = byToken !== undefined && given.token !== undefined && secretEquals(given.token, byToken);
    if (reason === "password_mismatch" || (reason === "token_mismatch" && !ownToken)) this.#limiter.failed(who);
    if (controlUi && allowInsecureAuth && shared) {
      return { admitted: { identity: this.#identity(asking, protocol, role, scopes, device.deviceId) } };
    }
    const refused = await this.#pair(asking, device, role, scopes, shared);
    if (refused) return { refused };
    // While the pairing was stored the token may have been revoked: issuing would replace it by a good one.
    if (reason !== undefined && byToken !== undefined) {
      const verdict = await this.#devices.verifyToken({ ...device, role, scopes }, byToken);
      if (verdict !== "ok")
        return { refused: this.#unauthorised(reason, params, who, false, Boolean(given.deviceToken), verdict) };
    }
    const token = await this.#devices.issueToken({ deviceId: device.deviceId, role, scopes });
    return { admitted: { identity: this.#identity(asking, protocol, role, scopes, device.deviceId), token } };
  }

  /** Undefined when a login of the tailnet vouches for the request; else why not. Local requests never ask. */
  async #doubtTailnet(entrance: Entrance): Promise<TailnetReason | "not-asked" | undefined> {
    if (!this.#tailnet || !this.#settings.auth.allowTailscale || entrance.location.local) return "not-asked";
    const reason = await judgeTailnet(entrance.tailnet, this.#tailnet);
    return reason === "tailscale_user_missing" ? "not-asked" : reason;
  }

  /** Every page is checked, whoever it says it is; Control UI and web chat must be a page. */
  #originFits(params: ConnectParams, entrance: Entrance): boolean {
    if (entrance.origin === undefined) return !isControlUi(params) && !isWebchat(params);
    const { allowedOrigins, controlUi } = this.#settings;
    const { dangerouslyAllowHostHeaderOriginFallback } = controlUi;
    return originAllowed(entrance.origin, entrance.host, { allowedOrigins, dangerouslyAllowHostHeaderOriginFallback });
  }

  /** Rows 9a to 9f. */
  #verifyDevice(
    asking: Asking,
    device: NonNullable<ConnectParams["device"]>,
    protocol: ProtocolVersion,
  ): VerifiedDevice | { refused: Refusal } {
    const { params, nonce, entrance } = asking;
    const raw = rawPublicKey(device.publicKey);
    if (!raw || deviceIdOf(raw) !== device.id) return { refused: deviceRefused("device-id-mismatch") };
    if (Math.abs(this.#world.now() - device.signedAt) > skewMs[protocol])
      return { refused: deviceRefused("device-signature-stale") };
    const given = device.nonce?.trim() ?? "";
    if (given === "" && !(entrance.location.local && protocol === 3))
      return { refused: deviceRefused("device-nonce-missing") };
    if (given !== "" && given !== nonce) return { refused: deviceRefused("device-nonce-mismatch") };
    const valid = signatureValid(raw, device.signature, {
      deviceId: device.id,
      clientId: params.client.id,
      clientMode: params.client.mode,
      role: params.role ?? "operator",
      scopes: params.scopes ?? [],
      signedAt: device.signedAt,
      token: params.auth?.token || params.auth?.deviceToken || params.auth?.bootstrapToken || "",
      nonce: given,
      platform: params.client.platform,
      deviceFamily: params.client.deviceFamily ?? "",
    });
    return valid
      ? { deviceId: device.id, publicKey: raw.toString("base64url") }
      : { refused: deviceRefused("device-signature") };
  }

  #unauthorised(
    reason: NonNullable<ReturnType<typeof judgeSharedSecret>>,
    params: ConnectParams,
    who: ReturnType<typeof guesser>,
    guessed: boolean,
    byDeviceToken: boolean,
    verdict?: "mismatch" | "scope",
  ): Refusal {
    const delayMs = guessed ? this.#limiter.failed(who) : 0;
    const kind = clientKind(params);
    const stated = authRefusal(reason, kind);
    const message = byDeviceToken ? deviceTokenMismatchText : stated.message;
    const code = byDeviceToken
      ? verdict === "scope"
        ? "AUTH_SCOPE_MISMATCH"
        : "AUTH_DEVICE_TOKEN_MISMATCH"
      : stated.code;
    const details = {
      code,
      authReason: byDeviceToken ? "device_token_mismatch" : reason,
      canRetryWithDeviceToken: params.device !== undefined && !byDeviceToken && reason === "token_mismatch",
      recommendedNextStep: byDeviceToken ? "update_auth_credentials" : stated.nextStep,
    };
    const refused = invalid(message, details.authReason, details);
    return delayMs > 0 ? { ...refused, delayMs } : refused;
  }

  async #pair(
    asking: Asking,
    device: VerifiedDevice,
    role: Role,
    scopes: readonly string[],
    shared: boolean,
  ): Promise<Refusal | undefined> {
    const { params, entrance } = asking;
    const { location, origin } = entrance;
    const page = origin !== undefined && !isControlUi(params) && !isWebchat(params);
    const verdict = await this.#devices.ensurePaired({
      ...device,
      role,
      scopes,
      clientId: params.client.id,
      clientMode: params.client.mode,
      platform: params.client.platform,
      ...(params.client.displayName === undefined ? {} : { displayName: params.client.displayName }),
      ...(location.remoteIp === undefined ? {} : { remoteIp: location.remoteIp }),
      // A device token never widens what its device may do; the shared secret of the same machine does.
      silent: location.local && shared && !page,
    });
    if (verdict.paired) return undefined;
    const details = {
      requestId: verdict.requestId,
      reason: verdict.reason,
      deviceId: device.deviceId,
      requestedRole: role,
      requestedScopes: scopes,
      approvedRoles: verdict.approvedRoles,
      approvedScopes: verdict.approvedScopes,
    };
    return pairingRequired(details, this.#world);
  }

  #identity(
    asking: Asking,
    protocol: ProtocolVersion,
    role: Role,
    scopes: readonly string[],
    deviceId?: string,
  ): Identity {
    const { location } = asking.entrance;
    return Object.freeze({
      connId: asking.connId,
      role,
      scopes: Object.freeze([...scopes]),
      principal: deviceId === undefined ? "shared" : `device:${deviceId}`,
      protocol,
      client: Object.freeze(clientInfo(asking.params)),
      caps: Object.freeze([...new Set(asking.params.caps ?? [])]),
      ...(deviceId === undefined ? {} : { deviceId }),
      local: location.local,
      ...(location.remoteIp === undefined ? {} : { remoteIp: location.remoteIp }),
      can: (scope) => role === "operator" && grants(scopes, scope),
    } satisfies Identity);
  }
}

function roleOf(params: ConnectParams): Role | undefined {
  const role = params.role ?? "operator";
  return role === "operator" || role === "node" ? role : undefined;
}

function credentialsOf(params: ConnectParams): Credentials {
  const { token, password, deviceToken } = params.auth ?? {};
  return {
    ...(token ? { token } : {}),
    ...(password ? { password } : {}),
    ...(deviceToken ? { deviceToken } : {}),
  };
}

const limited = (lockedForMs: number): Refusal => {
  const refused = invalid(rateLimitedText, "rate_limited", {
    code: "AUTH_RATE_LIMITED",
    authReason: "rate_limited",
    canRetryWithDeviceToken: false,
    recommendedNextStep: "wait_then_retry",
  });
  return { ...refused, error: { ...refused.error, retryable: true, retryAfterMs: lockedForMs } };
};
