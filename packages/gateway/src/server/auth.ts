/** The shared secret: comparison and the texts of its refusals (protocol.md §4.6, §16.4). */
import { createHash, timingSafeEqual } from "node:crypto";
import type { AuthSettings } from "./ports.ts";
import type { TailnetReason } from "./tailnet.ts";

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
  | "password_missing_config"
  | TailnetReason;

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

/** The secret of `Authorization: Bearer <secret>`; undefined without one. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^bearer +(.*)$/i.exec(authorization ?? "")?.[1]?.trim() || undefined;
}

/** A bearer against the secret of the configured mode (http.md §3.2). */
export function bearerValid(settings: AuthSettings, given: string): boolean {
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

const tailnetRefusal = (what: string, code: string, use: string): AuthRefusal => ({
  message: `unauthorized: tailscale ${what} (use ${use} or gateway token/password)`,
  code,
  nextStep: "update_auth_configuration",
});

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
    case "tailscale_user_missing":
      return tailnetRefusal("identity missing", "AUTH_TAILSCALE_IDENTITY_MISSING", "Tailscale Serve auth");
    case "tailscale_proxy_missing":
      return tailnetRefusal("proxy headers missing", "AUTH_TAILSCALE_PROXY_MISSING", "Tailscale Serve");
    case "tailscale_whois_failed":
      return tailnetRefusal("identity check failed", "AUTH_TAILSCALE_WHOIS_FAILED", "Tailscale Serve auth");
    case "tailscale_user_mismatch":
      return tailnetRefusal("identity mismatch", "AUTH_TAILSCALE_IDENTITY_MISMATCH", "Tailscale Serve auth");
  }
}

export const rateLimitedText = "unauthorized: too many failed authentication attempts (retry later)";
export const deviceTokenMismatchText = "unauthorized: device token mismatch (rotate/reissue device token)";
