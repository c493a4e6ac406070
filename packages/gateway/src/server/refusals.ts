/** Why a handshake failed: error, details for clients that read them, close (protocol.md §4.3, §16.4). */
import { closeRules, type WireError } from "@openclaw/protocol";
import { commandLine } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import type { CloseRule } from "./connection.ts";
import { refusal } from "./wire-error.ts";

export interface Refusal {
  error: WireError;
  close: CloseRule;
  /** One word for the log. */
  reason: string;
  /** Hold the answer back that long (R-AUTH-5). */
  delayMs?: number;
}

const maxReasonBytes = 120;

/** At most 120 bytes of valid UTF-8, as a close frame allows. */
export function closeReason(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxReasonBytes) return text;
  let end = maxReasonBytes;
  // Never cut inside a character: continuation bytes are 10xxxxxx.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

export function invalid(message: string, reason: string, details?: Record<string, unknown>): Refusal {
  return {
    error: refusal("INVALID_REQUEST", message, details),
    close: { code: 1008, reason: closeReason(message) },
    reason,
  };
}

export const protocolMismatch = (clientMinProtocol: number, clientMaxProtocol: number): Refusal => ({
  ...invalid("protocol mismatch", "protocol-mismatch", {
    code: "PROTOCOL_MISMATCH",
    clientMinProtocol,
    clientMaxProtocol,
    expectedProtocol: 4,
    minimumProbeProtocol: 3,
  }),
  close: closeRules.protocolMismatch,
});

export const originRefused = (): Refusal =>
  invalid(
    "origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)",
    "origin-not-allowed",
    { code: "CONTROL_UI_ORIGIN_NOT_ALLOWED" },
  );

export const insecureContext = (): Refusal =>
  invalid("control ui requires HTTPS or localhost (secure context)", "control-ui-insecure", {
    code: "CONTROL_UI_DEVICE_IDENTITY_REQUIRED",
  });

export const deviceRequired = (): Refusal => ({
  ...invalid("device identity required", "device-required"),
  error: refusal("NOT_PAIRED", "device identity required", { code: "DEVICE_IDENTITY_REQUIRED" }),
});

const deviceFaults = {
  "device-id-mismatch": ["device identity mismatch", "DEVICE_AUTH_DEVICE_ID_MISMATCH"],
  "device-signature-stale": ["device signature expired", "DEVICE_AUTH_SIGNATURE_EXPIRED"],
  "device-nonce-missing": ["device nonce required", "DEVICE_AUTH_NONCE_REQUIRED"],
  "device-nonce-mismatch": ["device nonce mismatch", "DEVICE_AUTH_NONCE_MISMATCH"],
  "device-signature": ["device signature invalid", "DEVICE_AUTH_SIGNATURE_INVALID"],
} as const;

export type DeviceFault = keyof typeof deviceFaults;

export function deviceRefused(fault: DeviceFault): Refusal {
  const [message, code] = deviceFaults[fault];
  return invalid(message, fault, { code, reason: fault });
}

export interface PairingDetails {
  requestId: string;
  reason: string;
  deviceId: string;
  requestedRole: string;
  requestedScopes: readonly string[];
  approvedRoles: readonly string[];
  approvedScopes: readonly string[];
}

export const pairingRequired = (details: PairingDetails, world: Pick<World, "env">): Refusal => ({
  ...invalid("pairing required", "pairing-required"),
  error: refusal("NOT_PAIRED", "pairing required", {
    code: "PAIRING_REQUIRED",
    ...details,
    remediationHint: `approve it with: ${commandLine(world, `devices approve ${details.requestId}`)}`,
    recommendedNextStep: "wait_then_retry",
    retryable: true,
    pauseReconnect: true,
  }),
});
