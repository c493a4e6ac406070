/** What a caller hears of its message (reliability.md §3.1): read from the rows, so that the same key hears the same again. */
import { GatewayError } from "@openclaw/protocol";
import { hasEnded } from "./outbox-state.ts";
import type { StoredRow } from "./outbox.store.ts";
import { reasons } from "./verdict.ts";

export interface SendAnswer {
  key: string;
  channel: string;
  accountId: string;
  /** Of the last part. */
  messageId: string;
  /** Of all parts, in order. */
  messageIds: string[];
  /** As the platform names the chat; else as it was asked for. */
  chatId: string;
  /** What else the platform said about the last part. */
  facts: Readonly<Record<string, string>>;
}

/** Failures that may be gone with a new key; what an adapter says beyond these was refused for good. */
const temporary: ReadonlySet<string> = new Set([
  reasons.expired,
  reasons.notConnected,
  reasons.cancelled,
  reasons.rejected,
  "rate-limited",
  "network",
  "platform",
  "aborted",
]);
/** Not the request's fault, and trying again does not help. */
const broken: ReadonlySet<string> = new Set(["auth", "bad-token", "forbidden", "logged-out", "not-linked"]);

export const haveEnded = (rows: readonly StoredRow[]): boolean =>
  rows.length > 0 && rows.every((row) => hasEnded(row.state));

/** Of rows that have all ended. Throws GatewayError when the message was not sent as a whole. */
export function answerOf(rows: readonly StoredRow[]): SendAnswer {
  const last = rows.at(-1);
  if (!last) throw new Error("a message has at least one part");
  const messageIds = rows.flatMap((row) => (row.state === "sent" ? [row.providerMsgId ?? ""] : []));
  if (messageIds.length < rows.length) throw failureOf(rows, messageIds);
  const { chatId = last.chatId, ...facts } = last.facts ?? {};
  return {
    key: last.key,
    channel: last.channel,
    accountId: last.accountId,
    messageId: messageIds.at(-1) ?? "",
    messageIds,
    chatId,
    facts,
  };
}

function failureOf(rows: readonly StoredRow[], messageIds: string[]): GatewayError {
  const unknown = rows.find((row) => row.state === "unknown");
  const failed = rows.find((row) => row.state === "failed");
  const first = unknown ?? failed;
  const reason = first?.reason ?? "";
  const why = first?.detail ?? reason;
  const of = rows.length > 1 && first ? `part ${first.part + 1} of ${rows.length}: ` : "";
  const facts = { reason, idempotencyKey: first?.key ?? "" };
  if (unknown) {
    return new GatewayError(
      "unavailable",
      `Whether the message arrived is unknown (${of}${why}). It is not sent again; look into the chat before you repeat it.`,
      {
        retryable: false,
        details: { code: "OUTCOME_UNKNOWN", ...facts, ...(messageIds.length > 0 ? { messageIds } : {}) },
      },
    );
  }
  if (messageIds.length > 0) {
    // A plain failure would say that nothing was sent (R-OUT-1).
    return new GatewayError(
      "unavailable",
      `Only ${messageIds.length} of ${rows.length} parts were sent (${of}${why}). The rest will not be sent.`,
      { retryable: false, details: { code: "OUTCOME_UNKNOWN", ...facts, partly: true, messageIds } },
    );
  }
  const details = { code: "SEND_FAILED", ...facts };
  if (temporary.has(reason)) {
    return new GatewayError(
      "unavailable",
      `The message was not sent and will not be: ${why}. Try again with a new idempotencyKey.`,
      {
        retryable: true,
        details,
      },
    );
  }
  if (broken.has(reason))
    return new GatewayError("unavailable", `The message was not sent and will not be: ${why}.`, {
      retryable: false,
      details,
    });
  return new GatewayError("invalid", `The message was refused: ${why}.`, { details });
}

/** A message nobody waits for has ended badly; for the next prompt of its session. */
export function tellText(row: StoredRow): string {
  const part = row.parts > 1 ? `, part ${row.part + 1} of ${row.parts}` : "";
  const what = row.kind === "reply" ? "The reply" : "A message";
  const why = row.detail ?? row.reason ?? "no reason given";
  return row.state === "unknown"
    ? `${what} to ${row.channel} chat ${row.chatId}${part} may or may not have arrived (${why}). It is not sent again.`
    : `${what} to ${row.channel} chat ${row.chatId}${part} was not sent (${why}) and will not be.`;
}
