/** What a message says: its text, files, place and quote, whatever it is wrapped in (channels.md §6.7). Pure. */
import type { InboundMessage, MediaRef } from "../inbound.ts";
import { e164Of, jidOf } from "./jid.ts";
import type { proto } from "./socket.ts";

type Content = proto.IMessage;

export interface MessageContent {
  text: string;
  media: MediaRef[];
  location?: NonNullable<InboundMessage["location"]>;
  context?: proto.IContextInfo;
  /** Album this part belongs to. */
  albumId?: string;
}

/** For `download`; the file's key is in it. */
export interface WhatsAppMedia {
  kind: "imageMessage" | "videoMessage" | "audioMessage" | "documentMessage" | "stickerMessage";
  mediaKey: string;
  directPath?: string;
  url?: string;
  sha256?: string;
  /** Of the message, for asking the phone to upload it again. */
  key: { remoteJid: string; id: string; fromMe?: boolean; participant?: string };
}

/** Takes off what only says how a message is shown. Undefined for nothing inside. */
export function unwrap(message: Content | null | undefined): Content | undefined {
  let inner = message ?? undefined;
  for (let depth = 0; inner && depth < 6; depth++) {
    const wrapped: Content | null | undefined =
      inner.ephemeralMessage?.message ??
      inner.viewOnceMessage?.message ??
      inner.viewOnceMessageV2?.message ??
      inner.viewOnceMessageV2Extension?.message ??
      inner.documentWithCaptionMessage?.message ??
      inner.editedMessage?.message ??
      inner.associatedChildMessage?.message ??
      inner.deviceSentMessage?.message;
    if (!wrapped) return inner;
    inner = wrapped;
  }
  return inner;
}

/** Why a message is nothing to answer; undefined when it is something. */
export function notContent(message: Content): string | undefined {
  if (message.protocolMessage) return "protocol";
  if (message.reactionMessage || message.encReactionMessage) return "reaction";
  if (message.pollUpdateMessage || message.pollResultSnapshotMessage) return "poll vote";
  if (message.pinInChatMessage || message.keepInChatMessage) return "pin";
  if (message.call) return "call";
  const onlyKeys = Object.entries(message).every(
    ([name, value]) =>
      value === null || value === undefined || name === "senderKeyDistributionMessage" || name === "messageContextInfo",
  );
  return onlyKeys || message.albumMessage ? "empty" : undefined;
}

export function contentOf(message: Content, key: WhatsAppMedia["key"]): MessageContent {
  const file = fileOf(message, key);
  const location = locationOf(message);
  const text = (textOf(message) ?? file?.caption ?? contactsOf(message) ?? "").trim();
  const context = contextOf(message);
  const albumId = message.messageContextInfo?.messageAssociation?.parentMessageKey?.id;
  return {
    text,
    media: file ? [file.ref] : [],
    ...(location ? { location } : {}),
    ...(context ? { context } : {}),
    ...(albumId ? { albumId } : {}),
  };
}

/** Short text of a quoted message. */
export function quoteText(quoted: Content | null | undefined): string | undefined {
  const message = unwrap(quoted);
  if (!message) return undefined;
  const file = fileOf(message, { remoteJid: "", id: "" });
  const text = textOf(message) ?? file?.caption ?? contactsOf(message);
  return text || (file ? `<media:${file.ref.kind}>` : undefined);
}

function textOf(message: Content): string | undefined {
  return (
    message.conversation ||
    message.extendedTextMessage?.text ||
    message.buttonsResponseMessage?.selectedDisplayText ||
    message.templateButtonReplyMessage?.selectedDisplayText ||
    message.listResponseMessage?.title ||
    message.interactiveResponseMessage?.body?.text ||
    message.pollCreationMessage?.name ||
    message.pollCreationMessageV3?.name ||
    undefined
  );
}

function fileOf(
  message: Content,
  key: WhatsAppMedia["key"],
): { ref: MediaRef; caption: string | undefined } | undefined {
  const { imageMessage, videoMessage, audioMessage, documentMessage, stickerMessage } = message;
  if (imageMessage) return file("image", "imageMessage", imageMessage, key, imageMessage.caption);
  if (videoMessage) return file("video", "videoMessage", videoMessage, key, videoMessage.caption);
  if (message.ptvMessage) return file("video", "videoMessage", message.ptvMessage, key);
  if (audioMessage) return file(audioMessage.ptt ? "voice" : "audio", "audioMessage", audioMessage, key);
  if (documentMessage) return file("document", "documentMessage", documentMessage, key, documentMessage.caption);
  if (stickerMessage) return file("sticker", "stickerMessage", stickerMessage, key);
  return undefined;
}

interface FileMessage {
  mimetype?: string | null;
  fileName?: string | null;
  fileLength?: number | { toNumber(): number } | null;
  mediaKey?: Uint8Array | null;
  directPath?: string | null;
  url?: string | null;
  fileSha256?: Uint8Array | null;
}

function file(
  kind: MediaRef["kind"],
  field: WhatsAppMedia["kind"],
  message: FileMessage,
  key: WhatsAppMedia["key"],
  caption?: string | null,
): { ref: MediaRef; caption: string | undefined } {
  const { mimetype, fileName, fileLength, mediaKey, directPath, url, fileSha256 } = message;
  const ref: WhatsAppMedia = {
    kind: field,
    mediaKey: base64(mediaKey) ?? "",
    ...(directPath ? { directPath } : {}),
    ...(url ? { url } : {}),
    ...(fileSha256?.length ? { sha256: base64(fileSha256) ?? "" } : {}),
    key,
  };
  const sizeBytes = typeof fileLength === "number" ? fileLength : fileLength?.toNumber();
  return {
    ref: {
      kind,
      ...(mimetype ? { mimeType: mimetype } : {}),
      ...(fileName ? { fileName } : {}),
      ...(sizeBytes === undefined || sizeBytes === 0 ? {} : { sizeBytes }),
      ref,
    },
    caption: caption ?? undefined,
  };
}

const base64 = (bytes: Uint8Array | null | undefined): string | undefined =>
  bytes ? Buffer.from(bytes).toString("base64") : undefined;

function locationOf(message: Content): MessageContent["location"] {
  const pin = message.locationMessage ?? message.liveLocationMessage;
  const { degreesLatitude: latitude, degreesLongitude: longitude } = pin ?? {};
  if (typeof latitude !== "number" || typeof longitude !== "number") return undefined;
  const { name, address } = message.locationMessage ?? {};
  return { latitude, longitude, ...(name ? { name } : {}), ...(address ? { address } : {}) };
}

/** `<contact: name, numbers>` for each card. */
function contactsOf(message: Content): string | undefined {
  const cards = message.contactMessage ? [message.contactMessage] : (message.contactsArrayMessage?.contacts ?? []);
  if (cards.length === 0) return undefined;
  const lines = cards.slice(0, 20).map(({ displayName, vcard }) => {
    const numbers = [...(vcard ?? "").matchAll(/^(?:item\d+\.)?TEL[^:\r\n]*:([^\r\n]+)/gimu)].map(([, number]) =>
      (number ?? "").trim(),
    );
    const waids = [...(vcard ?? "").matchAll(/waid=(\d{5,15})/giu)].map(
      ([, digits]) => e164Of(jidOf(digits ?? "")) ?? "",
    );
    const shown = [...new Set(numbers.length > 0 ? numbers : waids)].slice(0, 5);
    return `<contact: ${[displayName ?? "", ...shown].filter(Boolean).map(flat).join(", ")}>`;
  });
  return lines.join("\n");
}

/** Names are typed by strangers: they must not look like anything else. */
const flat = (text: string) =>
  text
    .replace(/[<>\r\n]+/gu, " ")
    .trim()
    .slice(0, 100);

/** The context of whichever part carries one. */
function contextOf(message: Content): proto.IContextInfo | undefined {
  for (const part of Object.values(message) as unknown[]) {
    if (typeof part === "object" && part !== null && "contextInfo" in part && part.contextInfo) {
      return part.contextInfo as proto.IContextInfo;
    }
  }
  return undefined;
}
