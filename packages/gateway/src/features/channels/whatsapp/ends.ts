/** How a connection ended, and what follows from it (channels.md §6.4, reliability.md §3.6). Pure. */
import type { ConnectionEnd } from "../channel.ts";

/** Own number for an end by our watchdog or after the machine slept. */
export const watchdogStatus = 499;
export const timeoutStatus = 408;
const refusedVersionMs = 5 * 60_000;
/** Bad sessions in a row after which the link itself is in doubt. */
const doubtAfter = 3;

export interface EndContext {
  /** The command that links the account again, or connects one that is still linked. */
  login: string;
  /** Connections right before this one that ended as a bad session. */
  badSessions: number;
}

export function endFor(status: number, message: string, { login, badSessions }: EndContext): ConnectionEnd {
  switch (status) {
    case 515:
      return { kind: "again", status, message: "WhatsApp asked for a new connection" };
    case 401:
      return {
        kind: "terminal",
        reason: "logged-out",
        status,
        message: "WhatsApp has logged this device out.",
        fix: `Link it again: ${login}`,
      };
    case 411:
      return {
        kind: "terminal",
        reason: "logged-out",
        status,
        message: "WhatsApp does not accept this link any more (multi-device mismatch).",
        fix: `Link it again: ${login}`,
      };
    case 403:
      return {
        kind: "terminal",
        reason: "forbidden",
        status,
        message: "WhatsApp has blocked this account or device.",
        fix: `Look into WhatsApp on the phone; when it works there again: ${login}`,
      };
    case 440:
      return {
        kind: "terminal",
        reason: "replaced",
        status,
        message: "Another program opened a connection with the same link; the two would push each other out for ever.",
        fix: `End the other one, then: ${login}`,
      };
    case 405:
      return {
        kind: "retry",
        status,
        message: "WhatsApp refused this version of the client",
        afterMs: refusedVersionMs,
        hint: "Update OpenClaw: WhatsApp wants a newer client.",
      };
    case 500:
      return {
        kind: "retry",
        status,
        message: `bad session: ${message}`,
        ...(badSessions + 1 < doubtAfter ? {} : { hint: `If this goes on, link the account again: ${login}` }),
      };
    default:
      return { kind: "retry", status, message };
  }
}

export const isBadSession = (end: ConnectionEnd): boolean => end.kind === "retry" && end.status === 500;

/** After these the link is void on the platform's side. A replaced or blocked one is not. */
export function endsLink(end: ConnectionEnd): boolean {
  return end.kind === "terminal" && end.reason === "logged-out";
}
