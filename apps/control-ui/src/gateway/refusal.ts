/** Why there is no connection, in plain words with the next step (control-ui.md §2.7, §16.4). */
import { ClosedError, DeadlineError, RequestError } from "@openclaw/client";

export type RefusalKind =
  | "token-missing"
  | "token-wrong"
  | "password-missing"
  | "password-wrong"
  | "rate-limited"
  | "pairing"
  | "insecure"
  | "origin"
  | "protocol"
  | "device-clock"
  | "device-revoked"
  | "other";

export interface Refusal {
  kind: RefusalKind;
  title: string;
  text: string;
  /** A command that helps, complete. */
  command?: string;
  /** As the gateway said it, for whoever looks deeper. */
  code: string;
  requestId?: string;
  /** ms to wait before trying again makes sense. */
  waitMs?: number;
}

interface Details {
  code?: unknown;
  authReason?: unknown;
  requestId?: unknown;
  remediationHint?: unknown;
  expectedProtocol?: unknown;
  clientMinProtocol?: unknown;
  clientMaxProtocol?: unknown;
}

/** Undefined when the gateway did not refuse: then it is away, not unwilling. `origin` is the page's. */
export function refusalOf(
  error: ClosedError | DeadlineError | undefined,
  page: { origin: string },
): Refusal | undefined {
  if (!(error instanceof ClosedError)) return undefined;
  // An open connection that is ended because its device lost its access.
  if (error.code === 1008 && /^device (token revoked|removed)/.test(error.reason)) return revoked(error.reason);
  if (!error.refusal) return undefined;
  const { message, retryAfterMs } = error.refusal;
  const details = (error.refusal.details ?? {}) as Details;
  const code = typeof details.code === "string" ? details.code : error.refusal.code;
  const reason = typeof details.authReason === "string" ? details.authReason : "";
  if (code === "PAIRING_REQUIRED" || message.startsWith("pairing required")) return pairing(details, code);
  if (code === "AUTH_RATE_LIMITED" || reason === "rate_limited") {
    const seconds = Math.max(1, Math.ceil((retryAfterMs ?? 15_000) / 1000));
    return {
      kind: "rate-limited",
      title: "Too many wrong attempts",
      text: `The gateway listens to this address again in ${seconds} s.`,
      code,
      waitMs: seconds * 1000,
    };
  }
  if (code === "CONTROL_UI_DEVICE_IDENTITY_REQUIRED" || code === "DEVICE_IDENTITY_REQUIRED") {
    return {
      kind: "insecure",
      title: "This page cannot prove which device it is",
      text: "Browsers keep keys only on https:// pages and on http://127.0.0.1 or http://localhost. Open the Control UI that way, through a tunnel if the gateway is elsewhere. Setting gateway.controlUi.allowInsecureAuth lets pages in with the secret alone, which is weaker.",
      code,
    };
  }
  if (code === "CONTROL_UI_ORIGIN_NOT_ALLOWED" || message.startsWith("origin not allowed")) {
    return {
      kind: "origin",
      title: "The gateway does not accept pages from here",
      text: `This page comes from ${page.origin}. Add that origin to gateway.controlUi.allowedOrigins, or open the Control UI from the gateway itself.`,
      command: `openclaw config set gateway.controlUi.allowedOrigins '["${page.origin}"]'`,
      code,
    };
  }
  if (code === "PROTOCOL_MISMATCH" || message.startsWith("protocol mismatch")) {
    const theirs =
      typeof details.expectedProtocol === "number" ? `protocol ${details.expectedProtocol}` : "another protocol";
    const low = typeof details.clientMinProtocol === "number" ? details.clientMinProtocol : 3;
    const high = typeof details.clientMaxProtocol === "number" ? details.clientMaxProtocol : 4;
    return {
      kind: "protocol",
      title: "The gateway and this page are of different versions",
      text: `The gateway speaks ${theirs}, this page ${low} to ${high}. Reload the page; if that does not help, update the gateway.`,
      code,
    };
  }
  return unauthorised(message, reason, code);
}

function pairing(details: Details, code: string): Refusal {
  const requestId = typeof details.requestId === "string" ? details.requestId : undefined;
  const hint =
    typeof details.remediationHint === "string" ? details.remediationHint.replace(/^approve it with: /, "") : "";
  const command = hint !== "" ? hint : `openclaw devices approve ${requestId ?? ""}`.trimEnd();
  return {
    kind: "pairing",
    title: "This browser is new to the gateway",
    text: "Approve it on the gateway's machine with the command below, or in a browser that is connected already, under Nodes & devices. The page connects by itself once that is done.",
    command,
    code,
    ...(requestId === undefined ? {} : { requestId }),
  };
}

const revoked = (code: string): Refusal => ({
  kind: "device-revoked",
  title: "This browser's access was withdrawn",
  text: "The device token it used is no longer valid. Enter the gateway's token to get a new one.",
  command: "openclaw dashboard",
  code,
});

const wherePassword = "It is gateway.auth.password of the gateway's config.";

function unauthorised(message: string, reason: string, code: string): Refusal {
  const says = (words: RegExp, value: string) => reason === value || (reason === "" && words.test(message));
  if (says(/device token mismatch/, "device_token_mismatch")) return revoked(code);
  if (says(/token missing/, "token_missing")) {
    return {
      kind: "token-missing",
      title: "The gateway asks for its token",
      text: "Open the address that the command below prints; it carries the token. Or paste the token here.",
      command: "openclaw dashboard",
      code,
    };
  }
  if (says(/token mismatch/, "token_mismatch")) {
    return {
      kind: "token-wrong",
      title: "That is not the gateway's token",
      text: "It may have been replaced. The command below prints an address with the right one.",
      command: "openclaw dashboard",
      code,
    };
  }
  if (says(/password missing/, "password_missing")) {
    return { kind: "password-missing", title: "The gateway asks for its password", text: wherePassword, code };
  }
  if (says(/password mismatch/, "password_mismatch")) {
    return { kind: "password-wrong", title: "That is not the gateway's password", text: wherePassword, code };
  }
  if (/signature expired/.test(message)) {
    return {
      kind: "device-clock",
      title: "The clocks disagree",
      text: "This device's clock and the gateway's differ by more than the gateway accepts. Set the clock and try again.",
      code,
    };
  }
  return { kind: "other", title: "The gateway refused the connection", text: sentence(message), code };
}

/** Refusals that another secret may cure: only these show the login form. */
export const curedBySecret: ReadonlySet<RefusalKind> = new Set<RefusalKind>([
  "token-missing",
  "token-wrong",
  "password-missing",
  "password-wrong",
  "device-revoked",
  "rate-limited",
]);

/** What went wrong with a call, as one sentence for a person. */
export function plainError(error: unknown): string {
  if (error instanceof RequestError) return sentence(error.message);
  if (error instanceof ClosedError) return "The connection to the gateway was lost.";
  if (error instanceof DeadlineError)
    return `The gateway did not answer within ${Math.round(error.timeoutMs / 1000)} s.`;
  return sentence(error instanceof Error ? error.message : String(error));
}

/** Whether the gateway does not know the method at all. */
export const isUnknownMethod = (error: unknown): boolean =>
  error instanceof RequestError && /^unknown method/i.test(error.message);

function sentence(text: string): string {
  const trimmed = text.trim();
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…)]$/.test(first) ? first : `${first}.`;
}
