/** What a message says: building those of contacts, describing those of the client. */
import { downloadableKinds, type MediaSource } from "./media.ts";
import { proto } from "baileys";
import type { Outbound, SendOptions } from "./api.ts";

/** A text, with what it quotes and whom it mentions. */
export function textMessage(text: string, options: SendOptions): proto.IMessage {
  const contextInfo = context(options);
  return contextInfo ? { extendedTextMessage: { text, contextInfo } } : { conversation: text };
}

export function context(options: SendOptions): proto.IContextInfo | undefined {
  const { quoted, mentions } = options;
  if (!quoted && !mentions) return undefined;
  return {
    ...(mentions && { mentionedJid: mentions }),
    ...(quoted && {
      stanzaId: quoted.id,
      ...(quoted.participant && { participant: quoted.participant }),
      quotedMessage: { conversation: quoted.text ?? "" },
    }),
  };
}

/** The message inside what only says how to show it. */
export function unwrap(message: proto.IMessage): proto.IMessage {
  const inner =
    message.ephemeralMessage ??
    message.viewOnceMessage ??
    message.viewOnceMessageV2 ??
    message.documentWithCaptionMessage ??
    message.editedMessage;
  return inner?.message ? unwrap(inner.message) : message;
}

/** The fields of the ledger that content decides, media excepted. */
export function describe(message: proto.Message): Partial<Outbound> {
  const content = unwrap(message);
  const protocol = content.protocolMessage;
  const types = proto.Message.ProtocolMessage.Type;
  const edited = protocol?.type === types.MESSAGE_EDIT ? protocol : undefined;
  const revoked = protocol?.type === types.REVOKE ? protocol : undefined;
  const shown = edited?.editedMessage ? unwrap(edited.editedMessage) : content;
  const text = shown.conversation ?? shown.extendedTextMessage?.text;
  const poll = content.pollCreationMessageV3 ?? content.pollCreationMessage;
  const reaction = content.reactionMessage;
  const media = downloadableKinds.map((kind) => content[`${kind}Message`]).find((found) => found != null);
  const info = shown.extendedTextMessage?.contextInfo ?? media?.contextInfo ?? poll?.contextInfo;
  return {
    ...(text ? { text } : {}),
    ...(poll && {
      poll: {
        name: poll.name ?? "",
        options: (poll.options ?? []).map((option) => option.optionName ?? ""),
        selectableCount: poll.selectableOptionsCount ?? 0,
      },
    }),
    ...(reaction && { reaction: { emoji: reaction.text ?? "", id: reaction.key?.id ?? "" } }),
    ...(edited?.key?.id && { edits: edited.key.id }),
    ...(revoked?.key?.id && { deletes: revoked.key.id }),
    ...(info?.stanzaId && { quotes: info.stanzaId }),
    ...(info?.mentionedJid?.length && { mentions: info.mentionedJid }),
    message: JSON.parse(JSON.stringify(proto.Message.toObject(message, { bytes: String, longs: String }))) as Record<
      string,
      unknown
    >,
  };
}

/** The file a message names, if it names one. */
export function mediaOf(message: proto.IMessage): MediaSource | undefined {
  const content = unwrap(message);
  for (const kind of downloadableKinds) {
    const found = content[`${kind}Message`];
    if (!found?.mediaKey || !found.directPath) continue;
    const { caption, fileName, ptt, gifPlayback } = found as proto.Message.IVideoMessage &
      proto.Message.IDocumentMessage &
      proto.Message.IAudioMessage;
    return {
      kind,
      path: found.directPath,
      mediaKey: found.mediaKey,
      facts: {
        kind,
        ...(found.mimetype && { mimetype: found.mimetype }),
        ...(caption && { caption }),
        ...(fileName && { fileName }),
        ...(ptt && { ptt }),
        ...(gifPlayback && { gifPlayback }),
      },
    };
  }
  return undefined;
}
