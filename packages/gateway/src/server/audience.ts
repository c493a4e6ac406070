/** Who may hear an event (protocol.md §11.2): the rule of protocol 4 for every connection, except that protocol 3 nodes keep
 *  the voice wake words. */
import { eventRow, type EventAudience } from "@openclaw/protocol";
import type { Identity } from "../kernel/call.ts";

/** Bits, so that the test per delivery is one operation. */
const bits: Record<EventAudience, number> = { all: 1, reader: 2, approvals: 4, pairing: 8, targeted: 0 };
const nodeV3 = 16;

/** What a connection may hear, computed once at hello-ok. */
export function hears(identity: Identity): number {
  if (identity.role === "node") return bits.all | (identity.protocol === 3 ? nodeV3 : 0);
  let mask = bits.all;
  if (identity.can("operator.read")) mask |= bits.reader;
  if (identity.can("operator.approvals")) mask |= bits.approvals;
  if (identity.can("operator.pairing")) mask |= bits.pairing;
  return mask;
}

/** What it takes to hear an event; 0 for events that go to named connections only, and for unknown ones. */
export function audienceOf(event: string): number {
  const row = eventRow(event);
  if (!row) return 0;
  return event === "voicewake.changed" ? bits.reader | nodeV3 : bits[row.audience];
}
