/** A linked client as the server keeps it: its keys, and what it has not acknowledged yet. Outlives its connections. */
import type { Contact } from "./people.ts";
import { userOf } from "./people.ts";
import type { Bundle } from "./peer.ts";
import type { BinaryNode } from "./node.ts";
import type { InboundEntry } from "./record.ts";
import type { Session } from "./session.ts";

/** A stanza that is delivered again at every login until the client answers it. */
export interface Delivery {
  node: BinaryNode;
  /** The message it carries; receipts carry none. */
  message?: InboundMessage;
  /** Refusals the client still owes for copies it asked to be sent again. */
  pardoned: number;
  /** Not before the next login. */
  held: boolean;
}

export interface InboundMessage {
  entry: InboundEntry;
  author: Contact;
  /** Encoded `proto.Message`, so that it can be encrypted again. */
  content: Uint8Array;
}

/** More than any test sends while a client is away. */
const maxPending = 20_000;

export class Companion {
  readonly preKeys: { id: number; value: Uint8Array }[] = [];
  removed = false;
  historySent = false;
  session: Session | undefined;
  /** In order of sending. */
  pending: Delivery[] = [];
  readonly device: number;
  readonly jid: string;
  readonly lid: string;
  readonly noiseKey: Buffer;
  readonly platform: string;
  keys: Bundle;

  constructor(me: Contact, device: number, from: { noiseKey: Buffer; keys: Bundle; platform: string }) {
    this.device = device;
    this.jid = `${userOf(me.pn)}:${device}@s.whatsapp.net`;
    this.lid = `${userOf(me.lid)}:${device}@lid`;
    this.noiseKey = from.noiseKey;
    this.keys = from.keys;
    this.platform = from.platform;
  }

  /** Keys for a new session, with a one-time key while there are any. */
  takeBundle(): Bundle {
    const preKey = this.preKeys.shift();
    return { ...this.keys, preKey };
  }

  keep(delivery: Delivery): void {
    if (this.pending.length >= maxPending) throw new Error(`More than ${maxPending} stanzas wait for the client.`);
    this.pending.push(delivery);
  }

  forget(delivery: Delivery): void {
    this.pending = this.pending.filter((other) => other !== delivery);
  }
}
