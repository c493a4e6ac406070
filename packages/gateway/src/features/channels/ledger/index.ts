/** Ledger: the durable books of the channels room. The inbox holds what platforms delivered before they may forget it, the outbox
 *  what is to leave and what became of it. Owns tables `inbound`, `channel_cursor`, `channel_count` and `outbox`. Guarantees
 *  reliability.md §3.1 and §3.2: every row moves along the listed states only, an attempt is committed before its first byte,
 *  parts of one chat leave in order and never mix, one key is one send, and nothing failed is ever delivered. */
export { type InboundFields, Inbox, inboxLimits, type RunEnding } from "./inbox.ts";
export type { SendAnswer } from "./answer.ts";
export { Outbox, outboxLimits } from "./outbox.ts";
export type { OutboxRequest } from "./request.ts";
export type { OutboxAccount } from "./sender.ts";
