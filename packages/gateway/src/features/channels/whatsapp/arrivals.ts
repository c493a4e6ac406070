/** A message as the library delivers it, made into ours (channels.md §5.1, §6.6, §6.7): who wrote where, under one id however the
 *  platform addressed it, and what of it is nothing to answer. */
import { isStopWord } from "../../agents/index.ts";
import type { InboundMessage } from "../inbound.ts";
import { contentOf, notContent, quoteText, unwrap } from "./content.ts";
import type { Groups } from "./groups.ts";
import { bareJid, e164Of, isDirect, isGroup, isLid, isPn } from "./jid.ts";
import type { SentMessages } from "./sent-messages.ts";
import type { proto, WAMessage, WAMessageKey } from "./socket.ts";

/** The account itself, by both of its addresses. */
export interface OwnIdentity {
  pn: string;
  lid: string | undefined;
  e164: string;
}

export interface ArrivalContext {
  own: OwnIdentity;
  /** Number behind a local id, from what is stored. */
  pnOfLid: (lid: string) => Promise<string | undefined>;
  /** Told of a local id that stays one. */
  unresolved: (lid: string) => void;
  groups: Groups;
  sent: SentMessages;
  /** The account is its owner's private number: mentions of it are not meant for the bot. */
  selfChatMode: boolean;
  messagePrefix: string | undefined;
  /** ms: older messages were written before this device was linked. */
  linkedAt: number;
  /** ms since the epoch, by the platform's own clock. */
  now: () => number;
}

export type Arrival = { message: InboundMessage } | { skipped: string };

/** How long parts of an album may come after each other. */
const albumWaitMs = 1_500;

export async function readArrival(raw: WAMessage, catchUp: boolean, context: ArrivalContext): Promise<Arrival> {
  const { own, sent } = context;
  const remote = raw.key.remoteJid ?? "";
  const id = raw.key.id ?? "";
  if (remote === "" || id === "") return { skipped: "empty" };
  if (!isDirect(remote) && !isGroup(remote)) return { skipped: placeOf(remote) };
  if (!raw.message) return { skipped: raw.messageStubType ? "notification" : "undecrypted" };
  const group = isGroup(remote);
  const selfChat = !group && isOwn(bareJid(remote), own);
  if (raw.key.fromMe && (!selfChat || group)) return { skipped: sent.has(id) ? "echo" : "own" };
  const inner = unwrap(raw.message);
  const reason = inner ? notContent(inner) : "empty";
  if (!inner || reason) return { skipped: reason ?? "empty" };
  const at = toMs(raw.messageTimestamp);
  if (catchUp && at < context.linkedAt - 1_000) return { skipped: "history" };
  const senderJid = group ? (raw.key.participant ?? "") : remote;
  const key = keyOf(raw.key, remote, id);
  const content = contentOf(inner, key);
  if (selfChat && (sent.has(id) || sent.takeEcho(content.text))) return { skipped: "echo" };
  if (content.text === "" && content.media.length === 0 && !content.location) return { skipped: "unsupported" };
  const senderId = await idOf(
    senderJid,
    group ? raw.key.participantAlt : raw.key.remoteJidAlt,
    group ? remote : undefined,
    context,
  );
  const e164 = senderId.startsWith("+") ? senderId : undefined;
  const known = group ? await context.groups.get(remote) : undefined;
  const chatId = group ? remote : senderId;
  const replyTo = await quoteOf(content.context, group ? remote : undefined, context);
  const mentioned = (content.context?.mentionedJid ?? []).map(bareJid);
  const self = !context.selfChatMode && mentioned.some((jid) => isOwn(jid, own));
  const text = withPrefix(context.messagePrefix, content.text);
  return {
    message: {
      platformId: platformIdOf(remote, id),
      messageId: id,
      at,
      chat: {
        kind: group ? "group" : "direct",
        id: chatId,
        ...(group || bareJid(remote) === chatId ? {} : { replyId: bareJid(remote) }),
        ...(known?.subject ? { title: known.subject } : {}),
        ...(known ? { members: known.members } : {}),
      },
      sender: {
        id: senderId,
        ...(raw.pushName ? { name: raw.pushName } : {}),
        ...(e164 ? { e164 } : {}),
        ...(selfChat ? { isSelf: true } : {}),
      },
      text,
      media: content.media,
      mentions: { self, others: mentioned.some((jid) => !isOwn(jid, own)) },
      ...(replyTo ? { replyTo } : {}),
      ...(content.context?.isForwarded ? { forwardedFrom: "another chat" } : {}),
      ...(content.location ? { location: content.location } : {}),
      ...(content.albumId ? { join: { key: content.albumId, waitMs: albumWaitMs, kind: "album" } } : {}),
      ...(catchUp ? { catchUp: true, ageMs: Math.max(0, context.now() - at) } : {}),
      // The owner's own contacts, who know nothing of an agent.
      ...(context.selfChatMode && !selfChat && !group ? { unasked: true } : {}),
      receipt: key,
    },
  };
}

/** Of the address on the wire, which a second delivery has too; what is known of the person may change in between. */
export const platformIdOf = (remote: string, id: string): string => `${bareJid(remote)}:${id}`;

/** The id of a person: the number whenever it is known, else the local id (channels.md §6.6). */
async function idOf(
  jid: string,
  alt: string | undefined,
  group: string | undefined,
  context: ArrivalContext,
): Promise<string> {
  const bare = bareJid(jid);
  if (isOwn(bare, context.own)) return context.own.e164;
  if (isPn(bare)) return e164Of(bare) ?? bare;
  if (!isLid(bare)) return bare;
  const known =
    (alt && isPn(alt) ? alt : undefined) ??
    (await context.pnOfLid(bare)) ??
    (group === undefined ? undefined : context.groups.pnOf(group, bare));
  const number = known && e164Of(known);
  if (!number) context.unresolved(bare);
  return number ?? bare;
}

async function quoteOf(
  info: proto.IContextInfo | undefined,
  group: string | undefined,
  context: ArrivalContext,
): Promise<InboundMessage["replyTo"]> {
  const id = info?.stanzaId;
  if (!id) return undefined;
  const body = quoteText(info.quotedMessage);
  const author = info.participant ? bareJid(info.participant) : undefined;
  const toSelf = context.sent.has(id) || (author !== undefined && isOwn(author, context.own));
  const sender = author === undefined ? undefined : await idOf(author, undefined, group, context);
  return { id, ...(body ? { body: body.slice(0, 2_000) } : {}), ...(sender ? { sender } : {}), toSelf };
}

export function isOwn(jid: string, own: OwnIdentity): boolean {
  return jid === own.pn || (own.lid !== undefined && jid === own.lid);
}

function keyOf(key: WAMessageKey, remoteJid: string, id: string) {
  return {
    remoteJid,
    id,
    ...(key.fromMe ? { fromMe: true } : {}),
    ...(key.participant ? { participant: key.participant } : {}),
  };
}

/** Commands and stop words are read from their first character on. */
function withPrefix(prefix: string | undefined, text: string): string {
  return prefix && text !== "" && !text.startsWith("/") && !isStopWord(text) ? `${prefix} ${text}` : text;
}

/** Names of places that are no conversation; a closed list, since counts are kept by it. */
function placeOf(jid: string): string {
  return ["broadcast", "newsletter", "bot"].find((server) => jid.endsWith(`@${server}`)) ?? "unknown place";
}

/** The platform counts seconds, as a number or a long one. */
function toMs(stamp: WAMessage["messageTimestamp"]): number {
  const seconds = typeof stamp === "number" ? stamp : (stamp?.toNumber() ?? 0);
  return seconds * 1_000;
}
