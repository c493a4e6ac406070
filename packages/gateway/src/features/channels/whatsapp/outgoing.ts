/** One part of a reply in the library's words (channels.md §6.8). Pure. */
import { createHash } from "node:crypto";
import type { OutboundContent, OutboundPart } from "../outbound.ts";
import { e164Of, isGroup, jidOf } from "./jid.ts";
import type { AnyMessageContent, proto, WAMessageKey } from "./socket.ts";

/** Platform's limit. */
export const maxPollOptions = 12;
const opus = "audio/ogg; codecs=opus";

/** Address of a chat as session keys and targets name it. */
export function addressOf(chatId: string): string {
  return chatId.includes("@") ? chatId : jidOf(chatId);
}

/** Text of a part as it comes back in an echo. */
export function textOf(content: OutboundContent): string {
  if (content.type === "text") return content.body.text;
  return content.type === "media" ? (content.caption?.text ?? "") : content.question;
}

/** A message that is answered, as far as it is known. */
export interface Quotable {
  key: WAMessageKey;
  text: string;
}

export function messageOf(part: OutboundPart, quoted: Quotable | undefined): AnyMessageContent {
  const contextInfo = quoted && quoteOf(quoted);
  const more = contextInfo ? { contextInfo } : {};
  const { content } = part;
  if (content.type === "text") return { text: content.body.text, linkPreview: null, ...more };
  if (content.type === "poll") {
    return {
      poll: { name: content.question, values: [...content.options], selectableCount: content.maxSelections },
      ...more,
    };
  }
  const { path, mimeType, caption, fileName } = content;
  const source = { url: path };
  const described = caption ? { caption: caption.text } : {};
  const [family] = mimeType.split("/");
  if (family === "image" && mimeType !== "image/gif" && !mimeType.includes("svg")) {
    return { image: source, mimetype: mimeType, ...described, ...more };
  }
  if (family === "video") {
    return {
      video: source,
      mimetype: mimeType,
      ...(content.gifPlayback ? { gifPlayback: true } : {}),
      ...described,
      ...more,
    };
  }
  if (family === "audio") return { audio: source, ptt: true, mimetype: /ogg|opus/u.test(mimeType) ? opus : mimeType };
  const name = fileName ?? path.replace(/^.*[/\\]/u, "");
  return { document: source, mimetype: mimeType, fileName: name, ...described, ...more };
}

function quoteOf({ key, text }: Quotable): proto.IContextInfo | undefined {
  const participant = key.participant ?? (isGroup(key.remoteJid ?? "") ? undefined : key.remoteJid);
  if (!key.id || !participant) return undefined;
  return { stanzaId: key.id, participant, quotedMessage: { conversation: text } };
}

/** The words beside a voice note, which carries none on this platform: they go before it, as a message of their own. */
export function wordsApart(part: OutboundPart): { before: OutboundPart; voice: OutboundPart } | undefined {
  const { target, content, replyToId } = part;
  if (content.type !== "media" || !content.mimeType.startsWith("audio/") || !content.caption) return undefined;
  const { caption, ...voice } = content;
  return {
    before: { target, content: { type: "text", body: caption }, ...(replyToId ? { replyToId } : {}) },
    voice: { ...part, content: voice },
  };
}

/** Id of the message that goes before the one with this id; the same each time, so that it is shown once. */
export const idBefore = (id: string): string =>
  `3EB0${createHash("sha256").update(`words before ${id}`).digest("hex").slice(0, 18).toUpperCase()}`;

/** What is sent again to a device that could not read it: texts can be made anew; files and polls need what was sent. */
export function textAgain(part: OutboundPart): proto.IMessage | undefined {
  return part.content.type === "text" ? { extendedTextMessage: { text: part.content.body.text } } : undefined;
}

/** Names under which the chat of a message may be known. */
export function chatNames(jid: string, pn: string | undefined): string[] {
  const names = [jid, e164Of(jid), pn, pn && e164Of(pn)];
  return [...new Set(names.filter((name): name is string => name !== undefined && name !== ""))];
}
