/** Messages for the client: encrypted once, kept until it sends a receipt, delivered again at every login before that. */
import { randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import { aesEncryptGCM, hkdf, proto } from "baileys";
import type { SendOptions } from "./api.ts";
import type { Companion, Delivery, InboundMessage } from "./companion.ts";
import { mediaOf } from "./content.ts";
import type { FaultState } from "./faults.ts";
import type { MediaServer, MediaSource } from "./media.ts";
import type { BinaryNode } from "./node.ts";
import { at, children, el, seconds, uint } from "./node.ts";
import type { Contact, Group, People } from "./people.ts";
import { userOf } from "./people.ts";
import type { Sealed } from "./peer.ts";
import { readBundle } from "./peer.ts";
import type { InboundEntry, Records } from "./record.ts";

export interface InboundDeps {
  people: People;
  companions: readonly Companion[];
  record: Records;
  faults: FaultState;
  media: MediaServer;
}

/** What goes into one message besides its content. */
interface Letter {
  author: Contact;
  group: Group | undefined;
  content: proto.IMessage;
  kind: "text" | "media" | "reaction" | "poll";
  mediaType?: string;
  options: SendOptions;
}

const wraps = {
  ephemeral: "ephemeralMessage",
  viewOnce: "viewOnceMessage",
  viewOnceV2: "viewOnceMessageV2",
  documentWithCaption: "documentWithCaptionMessage",
  edited: "editedMessage",
} as const;

export const newMessageId = (): string => `3A${randomBytes(9).toString("hex").toUpperCase()}`;

export class InboundMail {
  private readonly deps: InboundDeps;
  /** One after another, so that the order of calls is the order of delivery. */
  private work: Promise<unknown> = Promise.resolve();
  /** Files by message id, for a client that asks for one again. */
  private readonly sources = new Map<string, MediaSource>();

  constructor(deps: InboundDeps) {
    this.deps = deps;
  }

  /** Resolves with the id when the message is stored for every linked client. Rejects when none is linked. */
  send(letter: Letter): Promise<string> {
    const done = this.work.then(() => this.post(letter));
    // The next message does not fail because this one did; whoever sent this one is told.
    this.work = done.catch(() => {});
    return done;
  }

  /** Everything that waits, as `offline`, then how many there were. */
  flush(companion: Companion): void {
    const waiting = [...companion.pending];
    waiting.forEach((delivery, index) => {
      delivery.held = false;
      this.write(companion, { ...delivery.node, attrs: { ...delivery.node.attrs, offline: String(index) } }, delivery);
    });
    companion.session?.send(el("ib", {}, [el("offline", { count: waiting.length })]));
  }

  /** A stanza other than a message: delivered now, or with the next login. */
  deliver(node: BinaryNode): void {
    for (const companion of this.linked()) {
      const delivery: Delivery = { node, pardoned: 0, held: false };
      companion.keep(delivery);
      if (companion.session?.connection.state === "active") companion.session.send(node);
    }
  }

  /** A `receipt` from the client. */
  async receipt(companion: Companion, node: BinaryNode): Promise<void> {
    if (this.deps.faults.take("loseReceipt") !== undefined) return;
    const type = node.attrs["type"] ?? "delivery";
    const ids = [node.attrs["id"], ...children(at(node, "list")).map((item) => item.attrs["id"])];
    for (const id of ids) {
      const entry = this.deps.record.inbound.get(id ?? "");
      entry?.receipts.push({ type, at: Date.now() });
      if (type === "server-error") {
        this.renew(node);
        continue;
      }
      const waiting = companion.pending.filter(({ node: sent }) => sent.tag === "message" && sent.attrs["id"] === id);
      if (type === "retry") {
        for (const delivery of waiting) await this.again(companion, delivery, node);
      } else {
        if (entry) entry.acknowledged = true;
        for (const delivery of waiting) companion.forget(delivery);
      }
    }
    companion.session?.send(
      el("ack", { class: "receipt", id: node.attrs["id"], type: node.attrs["type"], from: node.attrs["to"] }),
    );
    this.deps.record.changed();
  }

  /** The client found the file of a message gone: the phone uploads it again and tells where. */
  private renew(receipt: BinaryNode): void {
    const id = receipt.attrs["id"] ?? "";
    const source = this.sources.get(id);
    const directPath = source && this.deps.media.renew(source.path);
    const types = proto.MediaRetryNotification.ResultType;
    const outcome = {
      stanzaId: id,
      result: directPath ? types.SUCCESS : types.NOT_FOUND,
      ...(directPath && { directPath }),
    };
    const key = hkdf(source?.mediaKey ?? randomBytes(32), 32, { info: "WhatsApp Media Retry Notification" });
    const iv = randomBytes(12);
    const sealed = aesEncryptGCM(proto.MediaRetryNotification.encode(outcome).finish(), key, iv, Buffer.from(id));
    const asked = at(receipt, "rmr")?.attrs ?? {};
    this.deliver(
      el("notification", { id, type: "mediaretry", from: this.deps.people.me.pn, t: seconds(Date.now()) }, [
        el("encrypt", {}, [el("enc_p", {}, sealed), el("enc_iv", {}, iv)]),
        el("rmr", asked),
      ]),
    );
  }

  /** An `ack` from the client: the end of a receipt or notification, or the refusal of a message. */
  ack(companion: Companion, node: BinaryNode): void {
    const { id, error } = node.attrs;
    const waiting = companion.pending.find((delivery) => delivery.node.attrs["id"] === id && ends(delivery, node));
    if (!waiting) return;
    const entry = waiting.message?.entry;
    if (entry && error !== undefined) {
      entry.refusals.push({ error, at: Date.now() });
      if (waiting.pardoned > 0) {
        waiting.pardoned--;
        return this.deps.record.changed();
      }
    } else if (entry) {
      entry.acknowledged = true;
    }
    companion.forget(waiting);
    this.deps.record.changed();
  }

  /** A history sync from the owner's phone, as after linking. */
  async history(companion: Companion, sync: proto.IHistorySync): Promise<void> {
    const payload = deflateSync(proto.HistorySync.encode(proto.HistorySync.fromObject(sync)).finish());
    const content = proto.Message.encode({
      protocolMessage: {
        type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
        historySyncNotification: {
          syncType: sync.syncType as number,
          progress: 100,
          chunkOrder: 1,
          initialHistBootstrapInlinePayload: payload,
        },
      },
    }).finish();
    const { me } = this.deps.people;
    const id = newMessageId();
    const enc = await this.seal(me, companion, content);
    const attrs = { id, from: me.pn, t: seconds(Date.now()), type: "text", category: "peer", notify: me.name };
    const node = el("message", attrs, [encNode(enc)]);
    companion.keep({ node, pardoned: 0, held: false });
    if (companion.session?.connection.state === "active") companion.session.send(node);
  }

  private linked(): Companion[] {
    return this.deps.companions.filter((companion) => !companion.removed);
  }

  private async post(letter: Letter): Promise<string> {
    const { record, faults } = this.deps;
    const companions = this.linked();
    if (companions.length === 0) throw new Error("No client is linked: nothing would ever receive this message.");
    const { author, options } = letter;
    const sentAt = options.at ?? Date.now();
    const id = options.id ?? newMessageId();
    const entry = record.inbound.get(id) ?? this.entry(letter, id, sentAt);
    record.inbound.set(id, entry);
    const content = proto.Message.encode(proto.Message.fromObject(this.wrapped(letter))).finish();
    const message: InboundMessage = { entry, author, content };
    const source = mediaOf(letter.content);
    if (source) this.sources.set(id, source);
    for (const companion of companions) {
      const attrs = this.attributes(letter, id, sentAt);
      const node = el("message", attrs, await this.encrypted(letter, companion, message));
      const delivery: Delivery = { node, message, pardoned: 0, held: options.offline ?? false };
      companion.keep(delivery);
      const copies = options.copies ?? (faults.take("duplicate") === undefined ? 1 : 2);
      faults.ordered(() => {
        if (delivery.held || !companion.pending.includes(delivery)) return;
        for (let copy = 0; copy < copies; copy++) this.write(companion, delivery.node, delivery);
      });
    }
    record.changed();
    return id;
  }

  private entry({ author, group, content, options }: Letter, id: string, sentAt: number): InboundEntry {
    const { people } = this.deps;
    const said = content.conversation ?? content.extendedTextMessage?.text;
    return {
      id,
      from: author.pn,
      chat: group?.jid ?? (people.isMe(author) ? people.chat(options.to ?? author.pn) : author.pn),
      ...(said != null && { text: said }),
      at: sentAt,
      written: 0,
      receipts: [],
      refusals: [],
      acknowledged: false,
    };
  }

  private write(companion: Companion, node: BinaryNode, delivery: Delivery): void {
    if (companion.session?.connection.state !== "active" || !companion.session.send(node)) return;
    if (delivery.message) delivery.message.entry.written++;
    this.deps.record.changed();
  }

  /** What the owner types on the phone reaches linked clients as a copy of what was sent. */
  private wrapped({ author, content, options }: Letter): proto.IMessage {
    const shown = options.wrap ? { [wraps[options.wrap]]: { message: content } } : content;
    if (!this.deps.people.isMe(author)) return shown;
    return { deviceSentMessage: { destinationJid: options.to ?? author.pn, message: shown } };
  }

  private attributes(letter: Letter, id: string, sentAt: number): Record<string, string | undefined> {
    const { author, group, options, kind } = letter;
    const base = { id, t: seconds(sentAt), type: kind, notify: author.name };
    if (group) {
      const byLid = group.addressing === "lid";
      return {
        ...base,
        from: group.jid,
        participant: byLid ? author.lid : author.pn,
        participant_pn: byLid && !options.hideNumber ? author.pn : undefined,
        participant_lid: byLid ? undefined : author.lid,
        addressing_mode: group.addressing,
      };
    }
    if (options.status)
      return { ...base, from: "status@broadcast", participant: author.pn, participant_lid: author.lid };
    const byLid = options.lidAddressed ?? false;
    const own = this.deps.people.isMe(author);
    const chat = own ? (this.deps.people.byJid(options.to ?? author.pn) ?? author) : author;
    return {
      ...base,
      from: byLid ? author.lid : author.pn,
      recipient: own ? (options.to ?? (byLid ? chat.lid : chat.pn)) : undefined,
      addressing_mode: byLid ? "lid" : undefined,
      [own ? "peer_recipient_pn" : "sender_pn"]: byLid && !options.hideNumber ? chat.pn : undefined,
      [own ? "peer_recipient_lid" : "sender_lid"]: byLid ? undefined : chat.lid,
    };
  }

  private async encrypted(letter: Letter, companion: Companion, message: InboundMessage): Promise<BinaryNode[]> {
    const { author, group, mediaType, options } = letter;
    if (!group) {
      return [encNode(await this.seal(author, companion, message.content, options.undecryptable), mediaType)];
    }
    const known = `${author.lid} ${companion.device}`;
    const nodes: BinaryNode[] = [];
    if (!group.distributed.has(known)) {
      group.distributed.add(known);
      const distribution = proto.Message.encode({ senderKeyDistributionMessage: await distribute(author, group) });
      nodes.push(encNode(await this.seal(author, companion, distribution.finish())));
    }
    const ciphertext = await author.peer.groupEncrypt(group.jid, message.content, options.undecryptable);
    return [...nodes, el("enc", { v: 2, type: "skmsg", mediatype: mediaType }, ciphertext)];
  }

  private async seal(author: Contact, companion: Companion, content: Uint8Array, spoilt = false): Promise<Sealed> {
    const { peer } = author;
    if (!peer.hasSession(companion.device)) await peer.open(companion.device, companion.takeBundle());
    const sealed = await peer.encrypt(companion.device, content);
    if (spoilt) spoil(sealed.ciphertext);
    return sealed;
  }

  /** The client could not read it: a new session, and the same message under the same id. */
  private async again(companion: Companion, delivery: Delivery, receipt: BinaryNode): Promise<void> {
    const { message } = delivery;
    if (!message) return;
    const { author } = message;
    const registrationId = uint(at(receipt, "registration"));
    await author.peer.open(companion.device, readBundle(at(receipt, "keys"), registrationId) ?? companion.takeBundle());
    const group = this.deps.people.groups.get(delivery.node.attrs["from"] ?? "");
    const content = group
      ? proto.Message.encode({
          ...proto.Message.decode(message.content),
          senderKeyDistributionMessage: await distribute(author, group),
        }).finish()
      : message.content;
    const sealed = await author.peer.encrypt(companion.device, content);
    const count = at(receipt, "retry")?.attrs["count"];
    delivery.node = el("message", delivery.node.attrs, [encNode(sealed, undefined, count)]);
    delivery.pardoned++;
    this.write(companion, delivery.node, delivery);
  }
}

async function distribute(author: Contact, group: Group): Promise<proto.Message.ISenderKeyDistributionMessage> {
  return { groupId: group.jid, axolotlSenderKeyDistributionMessage: await author.peer.distribution(group.jid) };
}

const encNode = (sealed: Sealed, mediatype?: string, count?: string): BinaryNode =>
  el("enc", { v: 2, type: sealed.type, mediatype, count }, sealed.ciphertext);

/** The ninth byte from the end is authenticated in a `msg` and part of the authentication code in a `pkmsg`. */
function spoil(ciphertext: Uint8Array): void {
  ciphertext[ciphertext.length - 9] = (ciphertext.at(-9) ?? 0) ^ 1;
}

/** Whether this ack is about that stanza: receipts of several kinds share the id of their message. */
function ends(delivery: Delivery, ack: BinaryNode): boolean {
  const { tag, attrs } = delivery.node;
  if (ack.attrs["class"] !== tag) return false;
  return (
    tag !== "receipt" ||
    (attrs["type"] === ack.attrs["type"] && userOf(attrs["from"] ?? "") === userOf(ack.attrs["to"] ?? ""))
  );
}
