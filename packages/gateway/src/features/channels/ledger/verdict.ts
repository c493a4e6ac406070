/** What becomes of a row after an attempt, or when its time is over (reliability.md §3.1). Pure. */
import type { OutboxKind, OutboxState, SendOutcome } from "../outbound.ts";
import type { OutboxChange, StoredRow } from "./outbox.store.ts";

/** Reasons the outbox itself gives; adapters add theirs. All are stable codes. */
export const reasons = {
  /** Its lifetime was over before its turn came. */
  expired: "expired",
  /** An operator's send waits for the connection only a moment. */
  notConnected: "not-connected",
  /** The gateway stopped while the caller waited. */
  cancelled: "cancelled",
  /** More waits than the outbox takes. */
  rejected: "outbox-full",
  earlierPart: "earlier-part",
  /** Of a queued row: an attempt with its client message id may have arrived. It can only end as sent or unknown. */
  unconfirmed: "unconfirmed",
  interrupted: "interrupted",
} as const;

export const backoff = { firstMs: 1_000, maxMs: 30_000, jitter: 0.1 } as const;

const minute = 60_000;
/** How long a message may wait for its turn and its channel. */
export function lifetimeMs(kind: OutboxKind, parts: number): number {
  switch (kind) {
    case "reply":
    case "notice":
      return 60 * minute;
    case "heartbeat":
    case "cron":
      return 10 * minute;
    case "send":
    case "poll":
      // Somebody is waiting for the answer. Long messages are paced by the budgets.
      return minute + (parts - 1) * 5_000;
  }
}

/** Sends of a person or a tool: they fail soon when the channel is away (R-OUT-7). */
export const isOperatorKind = (kind: OutboxKind): boolean => kind === "send" || kind === "poll";

export interface Verdict {
  to: Exclude<OutboxState, "attempting">;
  change: OutboxChange;
}

/** The next state of an `attempting` row. `random` in [0, 1) spreads retries. */
export function verdict(row: StoredRow, outcome: SendOutcome, now: number, random: number): Verdict {
  if (outcome.state === "sent" && outcome.messageId !== "") {
    const facts = { ...outcome.facts, ...(outcome.chatId === undefined ? {} : { chatId: outcome.chatId }) };
    return {
      to: "sent",
      change: { providerMsgId: outcome.messageId, ...(Object.keys(facts).length === 0 ? {} : { facts }) },
    };
  }
  if (outcome.state === "sent")
    return verdict(row, { state: "unknown", reason: "no-id", detail: "the platform gave no message id" }, now, random);

  const { reason, detail } = outcome;
  const unconfirmed = isUnconfirmed(row) || (outcome.state === "unknown" && row.clientMsgId !== undefined);
  const bad: Verdict = { to: unconfirmed ? "unknown" : "failed", change: { reason, detail } };
  if (outcome.state === "failed") return bad;
  if (outcome.state === "unknown" && !unconfirmed) return { to: "unknown", change: { reason, detail } };
  const nextAt = now + retryInMs(row, outcome, random);
  if (nextAt >= row.expiresAt) return bad;
  return { to: "queued", change: { nextAt, reason: unconfirmed ? reasons.unconfirmed : reason, detail } };
}

function retryInMs(row: StoredRow, outcome: SendOutcome, random: number): number {
  if (outcome.state === "retry" && outcome.afterMs !== undefined) return Math.max(0, Math.ceil(outcome.afterMs));
  const { firstMs, maxMs, jitter } = backoff;
  return Math.round(Math.min(maxMs, firstMs * 2 ** Math.min(10, row.attempts - 1)) * (1 + jitter * random));
}

/** An attempt of the row may have arrived. */
export const isUnconfirmed = (row: Pick<StoredRow, "reason">): boolean => row.reason === reasons.unconfirmed;
