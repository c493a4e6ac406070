/** What people do: the owner with the phone, and everybody who writes to the account. */
import { proto } from "baileys";
import type { MediaOptions, Phone, SendOptions } from "./api.ts";
import type { Companion } from "./companion.ts";
import { context, mediaOf, textMessage } from "./content.ts";
import type { InboundMail } from "./inbound.ts";
import { newMessageId } from "./inbound.ts";
import type { MediaServer } from "./media.ts";
import { el } from "./node.ts";
import type { OutboundMail } from "./outbound.ts";
import type { Pairing } from "./pairing.ts";
import type { Contact, Group, People } from "./people.ts";
import { publicPerson } from "./people.ts";
import type { Records } from "./record.ts";

export interface PhoneDeps {
  people: People;
  companions: readonly Companion[];
  record: Records;
  inbound: InboundMail;
  outbound: OutboundMail;
  pairing: Pairing;
  media: MediaServer;
  removeCompanion(companion: Companion): void;
}

const defaultTypes = {
  image: "image/jpeg",
  video: "video/mp4",
  audio: "audio/ogg; codecs=opus",
  document: "application/octet-stream",
  sticker: "image/webp",
} as const;

const linked = ({ jid, lid }: Companion) => ({ jid, lid });

export function phoneApi(deps: PhoneDeps): Phone {
  const { people, inbound, outbound, pairing, media } = deps;

  const post = (
    from: string,
    content: proto.IMessage,
    kind: "text" | "media" | "reaction" | "poll",
    options: SendOptions = {},
    mediaType?: string,
  ): Promise<string> => {
    const group = options.group === undefined ? undefined : people.group(options.group);
    const letter = { author: people.find(from), group, content, kind, options };
    return inbound.send(mediaType === undefined ? letter : { ...letter, mediaType });
  };

  return {
    scanQr: async (text) => linked(await pairing.scan(text)),
    enterPairingCode: async (code) => linked(await pairing.enterCode(code)),
    removeDevice: async () => {
      for (const companion of deps.companions) if (!companion.removed) deps.removeCompanion(companion);
    },
    me: async () => publicPerson(people.me),
    addContact: async (person) => publicPerson(people.add(person)),
    createGroup: async (group) => people.createGroup(group).jid,
    sendText: (from, text, options = {}) => post(from, textMessage(text, options), "text", options),
    sendMedia: async (from, options) => post(from, await mediaMessage(media, options), "media", options, options.kind),
    react: (from, target, emoji, options = {}) => {
      const author = people.find(from);
      const group = options.group === undefined ? undefined : people.group(options.group);
      return post(from, { reactionMessage: reaction(deps, author, group, target, emoji) }, "reaction", options);
    },
    sendMessage: (from, message, options = {}) =>
      post(from, proto.Message.fromObject(message), kindOf(message), options),
    burst: async (from, count, options = {}) => {
      const { text = "message", ...rest } = options;
      const sent = Array.from({ length: count }, (_, index) =>
        post(from, textMessage(`${text} ${index + 1}`, rest), "text", rest),
      );
      return Promise.all(sent);
    },
    sendHistory: async (messages) => {
      for (const companion of deps.companions) {
        if (!companion.removed) await inbound.history(companion, historyOf(people, messages));
      }
    },
    receipt: async (from, ids, type = "delivery", group) => outbound.receipt(people.find(from), ids, type, group),
    typing: async (from, on, group) => {
      const author = people.find(from);
      const attrs = group ? { from: group, participant: author.lid } : { from: author.pn };
      const state = el("chatstate", attrs, [el(on ? "composing" : "paused")]);
      for (const companion of deps.companions) companion.session?.send(state);
    },
    receipts: async (options) => void Object.assign(outbound.receipts, options),
    media: async (messageId) => {
      const entry = deps.record.outbound.get(messageId);
      const source = entry && mediaOf(proto.Message.fromObject(entry.message));
      if (!source) throw new Error(`Message ${messageId} brought no file.`);
      return (await media.open(source)).toString("base64");
    },
  };
}

async function mediaMessage(server: MediaServer, options: MediaOptions): Promise<proto.IMessage> {
  const { kind, caption, fileName, ptt } = options;
  const fields = await server.put(kind, Buffer.from(options.data, "base64"), options.gone);
  const contextInfo = context(options);
  const content = {
    ...fields,
    mimetype: options.mimetype ?? defaultTypes[kind],
    ...(caption !== undefined && { caption }),
    ...(fileName !== undefined && { fileName }),
    ...(ptt !== undefined && { ptt }),
    ...(contextInfo && { contextInfo }),
  };
  return { [`${kind}Message`]: content };
}

/** As its author names the message: what the author wrote is `fromMe` to the author. */
function reaction(
  { people, record }: PhoneDeps,
  author: Contact,
  group: Group | undefined,
  target: { id: string; fromMe?: boolean },
  emoji: string,
): proto.Message.IReactionMessage {
  const byClient = target.fromMe ?? record.outbound.has(target.id);
  const owner = byClient ? people.me : people.byJid(record.inbound.get(target.id)?.from ?? author.pn);
  const participant = group && owner && (group.addressing === "lid" ? owner.lid : owner.pn);
  return {
    key: {
      remoteJid: group?.jid ?? people.me.pn,
      fromMe: owner === author,
      id: target.id,
      ...(participant && { participant }),
    },
    text: emoji,
    senderTimestampMs: Date.now(),
  };
}

function kindOf(message: Record<string, unknown>): "text" | "media" | "poll" {
  if (Object.keys(message).some((name) => name.startsWith("pollCreation"))) return "poll";
  const media = /^(image|video|audio|document|sticker|contact|contactsArray|location|liveLocation)Message$/u;
  return Object.keys(message).some((name) => media.test(name)) ? "media" : "text";
}

function historyOf(people: People, messages: Parameters<Phone["sendHistory"]>[0]): proto.IHistorySync {
  const byChat = Map.groupBy(messages, ({ from }) => people.find(from));
  return {
    syncType: proto.HistorySync.HistorySyncType.RECENT,
    progress: 100,
    conversations: [...byChat].map(([contact, said]) => ({
      id: contact.pn,
      lidJid: contact.lid,
      name: contact.name,
      messages: said.map(({ text, id, at }) => ({
        message: {
          key: { remoteJid: contact.pn, fromMe: false, id: id ?? newMessageId() },
          message: { conversation: text },
          messageTimestamp: Math.floor((at ?? Date.now()) / 1000),
        },
      })),
    })),
    phoneNumberToLidMappings: [...byChat.keys()].map(({ pn, lid }) => ({ pnJid: pn, lidJid: lid })),
  };
}
