/** The shared secret: comparison and the texts of its refusals (protocol.md §4.6, §16.4). */
import { createHash, timingSafeEqual } from "node:crypto";
import type { AuthSettings } from "./ports.ts";

/** Constant time whatever the lengths: digests are compared, not texts. */
export function secretEquals(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

export interface Credentials {
  token?: string;
  password?: string;
  deviceToken?: string;
}

export type AuthReason =
  | "token_missing"
  | "token_mismatch"
  | "token_missing_config"
  | "password_missing"
  | "password_mismatch"
  | "password_missing_config";

/** Undefined when the secret of the configured mode was given correctly. */
export function judgeSharedSecret(settings: AuthSettings, given: Credentials): AuthReason | undefined {
  if (settings.mode === "password") {
    if (!settings.password) return "password_missing_config";
    if (!given.password) return "password_missing";
    return secretEquals(given.password, settings.password) ? undefined : "password_mismatch";
  }
  if (!settings.token) return "token_missing_config";
  if (!given.token) return "token_missing";
  return secretEquals(given.token, settings.token) ? undefined : "token_mismatch";
}

/** `Authorization: Bearer <secret>` against the secret of the configured mode (http.md §3.2). */
export function bearerValid(settings: AuthSettings, authorization: string | undefined): boolean {
  const given = /^bearer +(.*)$/i.exec(authorization ?? "")?.[1]?.trim();
  if (!given) return false;
  return judgeSharedSecret(settings, { token: given, password: given }) === undefined;
}

export type ClientKind = "cli" | "browser" | "other";

const tokenHints: Record<ClientKind, string> = {
  cli: "set gateway.remote.token to match gateway.auth.token",
  browser: "open the dashboard URL and paste the token in Control UI settings",
  other: "provide gateway auth token",
};
const passwordHints: Record<ClientKind, string> = {
  cli: "set gateway.remote.password to match gateway.auth.password",
  browser: "enter the password in Control UI settings",
  other: "provide gateway auth password",
};

interface AuthRefusal {
  message: string;
  code: string;
  nextStep: string;
}

const configuration = "review_auth_configuration";
const credentials = "update_auth_credentials";

export function authRefusal(reason: AuthReason, client: ClientKind): AuthRefusal {
  const tokenHint = tokenHints[client];
  const passwordHint = passwordHints[client];
  switch (reason) {
    case "token_missing":
      return {
        message: `unauthorized: gateway token missing (${tokenHint})`,
        code: "AUTH_TOKEN_MISSING",
        nextStep: "update_auth_configuration",
      };
    case "token_mismatch":
      return {
        message: `unauthorized: gateway token mismatch (${tokenHint})`,
        code: "AUTH_TOKEN_MISMATCH",
        nextStep: credentials,
      };
    case "token_missing_config":
      return {
        message: "unauthorized: gateway token not configured on gateway (set gateway.auth.token)",
        code: "AUTH_TOKEN_NOT_CONFIGURED",
        nextStep: configuration,
      };
    case "password_missing":
      return {
        message: `unauthorized: gateway password missing (${passwordHint})`,
        code: "AUTH_PASSWORD_MISSING",
        nextStep: "update_auth_configuration",
      };
    case "password_mismatch":
      return {
        message: `unauthorized: gateway password mismatch (${passwordHint})`,
        code: "AUTH_PASSWORD_MISMATCH",
        nextStep: credentials,
      };
    case "password_missing_config":
      return {
        message: "unauthorized: gateway password not configured on gateway (set gateway.auth.password)",
        code: "AUTH_PASSWORD_NOT_CONFIGURED",
        nextStep: configuration,
      };
  }
}

export const rateLimitedText = "unauthorized: too many failed authentication attempts (retry later)";
export const deviceTokenMismatchText = "unauthorized: device token mismatch (rotate/reissue device token)";
