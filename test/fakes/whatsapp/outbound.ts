/** Messages from the client: decrypted for every recipient it named, acknowledged, and answered with receipts. */
import { proto } from "baileys";
import type { Outbound } from "./api.ts";
import type { Companion } from "./companion.ts";
import { describe, mediaOf } from "./content.ts";
import type { FaultState } from "./faults.ts";
import type { InboundMail } from "./inbound.ts";
import type { MediaServer } from "./media.ts";
import { MessageKeys } from "./message-key.ts";
import type { BinaryNode } from "./node.ts";
import { at, bytes, children, el, seconds } from "./node.ts";
import type { Contact, People } from "./people.ts";
import { bundleNodes, registrationNode } from "./peer.ts";
import type { Records } from "./record.ts";
import type { Session } from "./session.ts";

export interface OutboundDeps {
  people: People;
  record: Records;
  faults: FaultState;
  media: MediaServer;
  inbound: InboundMail;
}

export class OutboundMail {
  /** What contacts do with a message by themselves. */
  readonly receipts = { delivery: true, read: false };
  private readonly deps: OutboundDeps;
  /** Retries asked per message and contact. */
  private readonly asked = new Map<string, number>();
  private readonly keys = new MessageKeys();

  constructor(deps: OutboundDeps) {
    this.deps = deps;
  }

  async receive(session: Session, companion: Companion, node: BinaryNode): Promise<void> {
    const { faults, record } = this.deps;
    if (faults.take("dropBefore") !== undefined) return session.reset();
    const refusal = faults.take("refuseMessage");
    if (refusal !== undefined) return void session.send(ackOf(node, refusal));
    if (node.attrs["category"] === "peer") return void session.send(ackOf(node));
    await this.take(companion, node);
    record.changed();
    if (faults.take("dropAfter") !== undefined) return session.reset();
    if (faults.take("dropAck") !== undefined) return;
    if (faults.ackDelayMs > 0) setTimeout(() => session.send(ackOf(node)), faults.ackDelayMs);
    else session.send(ackOf(node));
  }

  /** A contact got or read messages of the client. */
  receipt(from: Contact, ids: readonly string[], type: "delivery" | "read", group?: string): void {
    const [first, ...rest] = ids;
    const known = this.deps.record.outbound.get(first ?? "");
    const byLid = known?.to.endsWith("@lid") ?? false;
    const sender = byLid || (group && this.deps.people.group(group).addressing === "lid") ? from.lid : from.pn;
    const attrs = {
      id: first,
      from: group ?? sender,
      participant: group && sender,
      t: seconds(Date.now()),
      type: type === "read" ? "read" : undefined,
    };
    const items = rest.map((id) => el("item", { id }));
    this.deps.inbound.deliver(el("receipt", attrs, rest.length > 0 ? [el("list", {}, items)] : undefined));
  }

  private async take(companion: Companion, node: BinaryNode): Promise<void> {
    const { people, record } = this.deps;
    const id = node.attrs["id"] ?? "";
    const to = node.attrs["to"] ?? "";
    const before = record.outbound.get(id);
    const entry = before ?? blank(id, to, people.chat(to));
    record.outbound.set(id, entry);
    const repeated = before !== undefined && before.unreadable.length > 0;
    if (repeated) entry.retries++;
    else entry.times++;
    const unreadable = this.deps.faults.take("unreadable") !== undefined;
    for (const reading of this.readings(companion, node)) {
      this.checkKeys(id, companion, reading);
      if (people.isMe(reading.contact)) await this.copy(entry, reading);
      else await this.read(entry, reading, node, unreadable);
    }
  }

  private checkKeys(id: string, companion: Companion, { contact, sealed }: Reading): void {
    for (const enc of sealed) {
      const group = enc.attrs["type"] === "skmsg";
      const owner = group ? `device ${companion.device}` : `${contact.lid} ${companion.device}`;
      if (!this.keys.reused(owner, enc.attrs["type"] ?? "", bytes(enc))) continue;
      this.deps.record.keysReused.push({ id, contact: contact.pn });
    }
  }

  /** The owner's phone gets a copy of what the client sends; it keeps its session up with it. In the chat with oneself it is the
   *  only one who reads. */
  private async copy(entry: Outbound, reading: Reading): Promise<void> {
    const { people } = this.deps;
    const { contact, group } = reading;
    try {
      const plain = await reading.decrypt();
      const chat = group === undefined ? people.byJid(entry.to) : undefined;
      if (!chat || !people.isMe(chat) || entry.readers.includes(contact.pn)) return;
      const message = proto.Message.decode(plain);
      entry.readers.push(contact.pn);
      await this.note(entry, proto.Message.create(message.deviceSentMessage?.message ?? message));
    } catch {
      // Nobody waits for this copy: contacts tell what can be read.
    }
  }

  private async read(entry: Outbound, reading: Reading, node: BinaryNode, unreadable: boolean): Promise<void> {
    const { contact } = reading;
    try {
      if (unreadable) throw new Error("This contact was told not to read it.");
      const message = proto.Message.decode(await reading.decrypt());
      entry.unreadable = entry.unreadable.filter((pn) => pn !== contact.pn);
      if (entry.readers.includes(contact.pn)) return;
      entry.readers.push(contact.pn);
      if (entry.readers.length === 1) await this.note(entry, message);
      const group = reading.group;
      if (this.receipts.delivery) this.receipt(contact, [entry.id], "delivery", group);
      if (this.receipts.read) this.receipt(contact, [entry.id], "read", group);
    } catch {
      // What a contact has shown already it does not ask for again.
      if (entry.readers.includes(contact.pn)) return;
      // Whatever the reason, a real phone answers with a retry receipt.
      if (!entry.unreadable.includes(contact.pn)) entry.unreadable.push(contact.pn);
      this.askAgain(contact, reading, node);
    }
  }

  private async note(entry: Outbound, message: proto.Message): Promise<void> {
    Object.assign(entry, describe(message));
    const media = mediaOf(message);
    if (!media) return;
    try {
      const file = await this.deps.media.open(media);
      entry.media = { ...media.facts, sizeBytes: file.length, sha256: this.deps.media.hash(file) };
    } catch (error) {
      this.deps.record.unknown.push(`file of ${entry.id}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Everybody who should be able to read it, and how. */
  private readings(companion: Companion, node: BinaryNode): Reading[] {
    const { people } = this.deps;
    const { device } = companion;
    const group = people.groups.get(node.attrs["to"] ?? "");
    const own = at(node, "enc");
    const named = children(at(node, "participants")).flatMap((to) => {
      const contact = people.byJid(to.attrs["jid"] ?? "");
      const enc = at(to, "enc");
      return contact && enc ? [{ contact, enc }] : [];
    });
    if (!group) {
      const direct = own && people.byJid(node.attrs["to"] ?? "");
      return [...named, ...(direct ? [{ contact: direct, enc: own }] : [])].map(({ contact, enc }) => ({
        contact,
        jid: node.attrs["to"] ?? contact.pn,
        group: undefined,
        sealed: [enc],
        decrypt: () => contact.peer.decrypt(device, enc.attrs["type"] ?? "", bytes(enc)),
      }));
    }
    const learn = async (contact: Contact, enc: BinaryNode): Promise<Uint8Array> => {
      const plain = await contact.peer.decrypt(device, enc.attrs["type"] ?? "", bytes(enc));
      const sent = proto.Message.decode(plain).senderKeyDistributionMessage?.axolotlSenderKeyDistributionMessage;
      if (sent) await contact.peer.groupLearn(group.jid, device, sent);
      return plain;
    };
    const jidOf = (contact: Contact) => (group.addressing === "lid" ? contact.lid : contact.pn);
    if (own && own.attrs["type"] !== "skmsg") {
      const contact = people.byJid(node.attrs["participant"] ?? "");
      if (!contact) return [];
      const decrypt = () => learn(contact, own);
      return [{ contact, jid: jidOf(contact), group: group.jid, sealed: [own], decrypt }];
    }
    return group.members
      .filter((member) => !people.isMe(member))
      .map((contact) => {
        const key = named.find((entry) => entry.contact === contact)?.enc;
        return {
          contact,
          jid: jidOf(contact),
          group: group.jid,
          sealed: [key, own].filter((enc) => enc !== undefined),
          decrypt: async () => {
            if (key) await learn(contact, key);
            return contact.peer.groupDecrypt(group.jid, device, bytes(own));
          },
        };
      });
  }

  private askAgain(contact: Contact, reading: Reading, node: BinaryNode): void {
    const id = node.attrs["id"] ?? "";
    const key = `${id} ${contact.pn}`;
    const count = (this.asked.get(key) ?? 0) + 1;
    this.asked.set(key, count);
    if (count > 5) return;
    const t = seconds(Date.now());
    this.deps.inbound.deliver(
      el(
        "receipt",
        { id, type: "retry", from: reading.group ?? reading.jid, participant: reading.group && reading.jid, t },
        [
          el("retry", { count, id, t, v: 1 }),
          registrationNode(contact.peer.registrationId),
          count > 1 ? el("keys", {}, bundleNodes(contact.peer.bundle())) : undefined,
        ],
      ),
    );
  }
}

interface Reading {
  contact: Contact;
  /** As the client addressed the contact. */
  jid: string;
  group: string | undefined;
  /** The ciphertexts it takes. */
  sealed: BinaryNode[];
  decrypt(): Promise<Uint8Array>;
}

const blank = (id: string, to: string, chat: string): Outbound => ({
  id,
  to,
  chat,
  at: Date.now(),
  times: 0,
  retries: 0,
  readers: [],
  unreadable: [],
  message: {},
});

const ackOf = (node: BinaryNode, error?: number): BinaryNode =>
  el("ack", { class: "message", id: node.attrs["id"], from: node.attrs["to"], t: seconds(Date.now()), error });
