/** What a message of the platform holds: text, files, place, and what it refers to (channels.md §7.5). */
import type { Chat, Message, MessageEntity, MessageOrigin, User } from "grammy/types";
import type { InboundMessage, MediaRef } from "../inbound.ts";

/** What `download` needs. */
export interface TelegramFileRef {
  fileId: string;
}

/** Longest quoted text that goes along with a reply. */
const maxQuoteChars = 4_000;

export interface Content {
  text: string;
  media: MediaRef[];
  location?: NonNullable<InboundMessage["location"]>;
}

/** Undefined when nothing in it can be shown to an agent: service messages, games, animated stickers. */
export function contentOf(message: Message): Content | undefined {
  const media = mediaOf(message);
  const location = locationOf(message);
  const text = message.text ?? message.caption ?? contactText(message) ?? "";
  if (text === "" && media.length === 0 && !location) return undefined;
  return { text, media, ...(location ? { location } : {}) };
}

function mediaOf(message: Message): MediaRef[] {
  const { photo, video, animation, video_note: note, audio, voice, document, sticker } = message;
  if (photo) {
    const best = photo.reduce((a, b) => (b.width * b.height > a.width * a.height ? b : a));
    return [ref("image", best, { mime_type: "image/jpeg" })];
  }
  // An animation also carries itself as a document.
  if (animation) return [ref("video", animation, animation)];
  if (video) return [ref("video", video, video)];
  if (note) return [ref("video", note, { mime_type: "video/mp4" })];
  if (voice) return [ref("voice", voice, { mime_type: voice.mime_type ?? "audio/ogg" })];
  if (audio) return [ref("audio", audio, audio)];
  if (document) return [ref("document", document, document)];
  if (sticker && !sticker.is_animated && !sticker.is_video)
    return [ref("sticker", sticker, { mime_type: "image/webp" })];
  return [];
}

function ref(
  kind: MediaRef["kind"],
  file: { file_id: string; file_size?: number },
  about: { mime_type?: string; file_name?: string },
): MediaRef {
  const wanted: TelegramFileRef = { fileId: file.file_id };
  return {
    kind,
    ...(about.mime_type === undefined ? {} : { mimeType: about.mime_type }),
    ...(about.file_name === undefined ? {} : { fileName: about.file_name }),
    ...(file.file_size === undefined ? {} : { sizeBytes: file.file_size }),
    ref: wanted,
  };
}

function locationOf({ location, venue }: Message): Content["location"] {
  const place = venue?.location ?? location;
  if (!place) return undefined;
  return {
    latitude: place.latitude,
    longitude: place.longitude,
    ...(venue ? { name: venue.title, address: venue.address } : {}),
  };
}

function contactText({ contact }: Message): string | undefined {
  if (!contact) return undefined;
  const name = [contact.first_name, contact.last_name].filter(Boolean).join(" ");
  return `Contact: ${name}, ${contact.phone_number}`;
}

/** The message this one answers. The message that opens a topic is what everything in it formally answers: no reply. */
export function replyOf(message: Message, botId: number): InboundMessage["replyTo"] {
  const { reply_to_message: answered, quote, external_reply: external } = message;
  const quoted = quote?.text.slice(0, maxQuoteChars);
  if (answered && !answered.forum_topic_created) {
    const body = quoted ?? (answered.text ?? answered.caption)?.slice(0, maxQuoteChars);
    const sender = answered.sender_chat ? chatTitle(answered.sender_chat) : answered.from && personName(answered.from);
    return {
      id: String(answered.message_id),
      ...(body === undefined ? {} : { body }),
      ...(sender ? { sender } : {}),
      toSelf: answered.from?.id === botId,
    };
  }
  if (!external) return undefined;
  return {
    id: external.message_id === undefined ? "" : String(external.message_id),
    ...(quoted === undefined ? {} : { body: quoted }),
    sender: originName(external.origin),
    toSelf: false,
  };
}

export function originName(origin: MessageOrigin): string {
  switch (origin.type) {
    case "user":
      return personName(origin.sender_user);
    case "hidden_user":
      return origin.sender_user_name;
    case "chat":
      return chatTitle(origin.sender_chat);
    case "channel":
      return chatTitle(origin.chat);
  }
}

/** Who was named, by the platform's own marks, and the text with a command addressed to this bot made plain. */
export function addressing(
  message: Message,
  me: { id: number; username: string },
): { text: string; mentions: InboundMessage["mentions"]; command: boolean } {
  const text = message.text ?? message.caption ?? "";
  const own = `@${me.username.toLowerCase()}`;
  const mentions = { self: false, others: false };
  let plain = text;
  let command = false;
  for (const entity of message.entities ?? message.caption_entities ?? []) {
    const said = text.slice(entity.offset, entity.offset + entity.length);
    const named = namedBy(entity, said);
    if (entity.type === "bot_command" && entity.offset === 0) command = true;
    if (named === undefined) continue;
    const self = named === own || (entity.type === "text_mention" && entity.user.id === me.id);
    mentions[self ? "self" : "others"] = true;
    if (self && entity.type === "bot_command" && entity.offset === 0)
      plain = said.slice(0, -own.length) + text.slice(entity.length);
  }
  return { text: plain, mentions, command };
}

/** `@name` that an entity points to; a person without a name as their number. */
function namedBy(entity: MessageEntity, said: string): string | undefined {
  if (entity.type === "mention") return said.toLowerCase();
  if (entity.type === "text_mention") return String(entity.user.id);
  if (entity.type !== "bot_command") return undefined;
  const at = said.indexOf("@");
  return at < 0 ? undefined : said.slice(at).toLowerCase();
}

export function personName(user: Pick<User, "first_name" | "last_name">): string {
  return [user.first_name, user.last_name].filter(Boolean).join(" ");
}

export function chatTitle(chat: Chat): string {
  const person = [chat.first_name, chat.last_name].filter(Boolean).join(" ");
  return chat.title ?? (person === "" ? (chat.username ?? "") : person);
}
