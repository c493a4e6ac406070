/** What is asked of the outbox, and what its key stands for. */
import { createHash } from "node:crypto";
import { GatewayError } from "@openclaw/protocol";
import type { OutboundPart, OutboxKind } from "../outbound.ts";

/** More than the longest reply has. */
const maxParts = 200;

export interface OutboxRequest {
  key: string;
  family: string;
  principal: string;
  channel: string;
  accountId: string;
  kind: OutboxKind;
  /** In order; all to one chat. */
  parts: readonly OutboundPart[];
  runRowId?: number;
  /** Hears of a bad end when nobody waits. */
  sessionKey?: string;
  lifetimeMs?: number;
  /** What makes two requests the same, where the parts alone would differ (a file that was fetched anew). Plain JSON. */
  asked?: unknown;
}

/** The chat all parts go to. Throws GatewayError("invalid") when they do not. */
export function chatOf({ parts }: OutboxRequest): string {
  const chatId = parts[0]?.target.chatId ?? "";
  if (parts.length > maxParts) {
    throw new GatewayError(
      "invalid",
      `The message has ${parts.length} parts; at most ${maxParts} can be sent. Send it as a file.`,
    );
  }
  if (parts.some(({ target }) => target.chatId !== chatId))
    throw new GatewayError("invalid", "All parts of a message go to the same chat.");
  return chatId;
}

export function hashOf({ channel, accountId, kind, parts, asked }: OutboxRequest): string {
  return createHash("sha256")
    .update(JSON.stringify([channel, accountId, kind, asked ?? parts]))
    .digest("hex");
}

/** A key belongs to whoever used it first, and to that request (settled.md 6). */
export function mustMatch(
  known: { principal: string; requestHash: string } | undefined,
  { principal, key }: OutboxRequest,
  requestHash: string,
): void {
  if (!known) return;
  const shown = key.slice(0, 80);
  const details = { idempotencyKey: key.slice(0, 256) };
  if (known.principal !== principal) {
    throw new GatewayError("conflict", `idempotencyKey '${shown}' was used by another client; choose a new one`, {
      details: { code: "IDEMPOTENCY_KEY_IN_USE", ...details },
    });
  }
  if (known.requestHash !== requestHash) {
    throw new GatewayError("invalid", `idempotencyKey '${shown}' was used for a different request; choose a new one`, {
      details: { code: "IDEMPOTENCY_KEY_REUSED", ...details },
    });
  }
}

export function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(left());
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    void answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

export const left = () =>
  new GatewayError(
    "unavailable",
    "The caller stopped waiting; ask again with the same idempotencyKey to learn the outcome.",
    {
      retryable: false,
      details: { code: "OUTCOME_UNKNOWN" },
    },
  );

export const stopping = (begun: boolean) =>
  new GatewayError(
    "unavailable",
    begun
      ? "The gateway stopped while the message was being sent; ask again with the same idempotencyKey to learn the outcome."
      : "The gateway is stopping; nothing was sent.",
    begun ? { retryable: false, details: { code: "OUTCOME_UNKNOWN" } } : { retryAfterMs: 2_000 },
  );
