/** What a platform delivers, normalised by its adapter (channels.md §5.1). Plain JSON: it is stored as it is, before anything
 *  else happens to it. */

export interface InboundMessage {
  /** Unique among the messages of (channel, account, own id); a second one with the same id is only counted. */
  platformId: string;
  /** Id of the message as replies and reactions name it. */
  messageId: string;
  /** All ids, where one message stands for several parts. */
  messageIds?: readonly string[];
  /** Sent at, ms since the epoch, as the platform says. */
  at: number;
  chat: InboundChat;
  sender: InboundSender;
  /** What was typed: text or caption. Empty for media alone. */
  text: string;
  media: readonly MediaRef[];
  mentions: {
    /** The bot itself was mentioned by the platform's own means. */
    self: boolean;
    /** Somebody else was. */
    others: boolean;
  };
  replyTo?: { id: string; body?: string; sender?: string; toSelf: boolean };
  forwardedFrom?: string;
  location?: { latitude: number; longitude: number; name?: string; address?: string };
  /** Parts with the same key that follow within `waitMs` are one message: albums, texts the platform cut. */
  join?: { key: string; waitMs: number; kind: "album" | "paste" };
  /** Arrived while we were away; judged by age (R-WA-6). */
  catchUp?: boolean;
  /** With `catchUp`: how long before its arrival it was written, by the platform's own clock. */
  ageMs?: number;
  /** Nobody who is not let in is answered here: no pairing reply. */
  unasked?: true;
  /** Something that happened rather than something said: becomes a system event of the session, never a turn. */
  event?: string;
  /** With `event`: the chat goes on under this id. */
  movedTo?: string;
  /** What the adapter needs to mark as read or to react. */
  receipt?: unknown;
}

export interface InboundChat {
  kind: "direct" | "group" | "channel";
  /** As session keys and bindings name it: E.164 or LID, JID, chat id. */
  id: string;
  /** Where an answer goes, when that differs from `id`. */
  replyId?: string;
  title?: string;
  /** Topic or thread, only where it separates conversations. */
  threadId?: string;
  members?: readonly string[];
}

export interface InboundSender {
  /** Normalised as `normalizeSender` does. */
  id: string;
  name?: string;
  username?: string;
  e164?: string;
  isBot?: boolean;
  /** Written by the account's own person (self-chat). */
  isSelf?: boolean;
}

export interface MediaRef {
  kind: "image" | "video" | "audio" | "voice" | "document" | "sticker";
  mimeType?: string;
  fileName?: string;
  sizeBytes?: number;
  /** For the adapter's `download`. Plain JSON; may hold keys of the file, so it is never logged. */
  ref: unknown;
}

export interface InboundBatch {
  /** Own number or bot id: another one starts a new sequence (R-IN-2). */
  ownId: string;
  messages: readonly InboundMessage[];
  /** What the adapter itself passed over, by reason (R-IN-3). */
  skipped?: Readonly<Record<string, number>>;
  /** Where the next fetch begins; stored in the same commit. */
  cursor?: string;
}

/** reliability.md §3.2. `running` is the state of the run the row names (docs/decisions). */
export type InboundState =
  | "stored"
  | "ignored"
  | "command"
  | "waiting"
  | "answered"
  | "silent"
  | "noticed"
  | "dropped"
  | "quarantined";

export interface InboundRow {
  id: number;
  channel: string;
  accountId: string;
  ownId: string;
  message: InboundMessage;
  receivedAt: number;
  state: InboundState;
  attempts: number;
  sessionKey?: string;
  /** Row id of the run that answers it. */
  runRowId?: number;
  reason?: string;
}
