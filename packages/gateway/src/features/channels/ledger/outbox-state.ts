/** The states of an outbox row and the moves between them (reliability.md §3.1). */
import type { OutboxState } from "../outbound.ts";

export const outboxStates = ["queued", "attempting", "sent", "failed", "unknown"] as const;

/** What each state may become. `unknown → sent` when a receipt proves it, `unknown → failed` when a person discards it; nothing
 *  that may have left the machine ever goes back to `queued` without the platform's own duplicate check. */
export const outboxTransitions: Readonly<Record<OutboxState, readonly OutboxState[]>> = {
  queued: ["attempting", "failed"],
  attempting: ["sent", "queued", "failed", "unknown"],
  sent: [],
  failed: [],
  unknown: ["sent", "failed"],
};

/** The one judge of moves: false for every pair that is not listed. */
export const mayMoveOutbox = (from: OutboxState, to: OutboxState): boolean => outboxTransitions[from].includes(to);

/** Whether the caller can be answered. */
export const hasEnded = (state: OutboxState): boolean => state !== "queued" && state !== "attempting";
