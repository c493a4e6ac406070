/** What leaves through a channel, part by part (channels.md §4, reliability.md §3.1). Plain JSON. */

/** One text, ready for the platform. `plain` is what is sent when the platform refuses the markup. */
export interface RenderedText {
  text: string;
  plain: string;
}

export interface PartTarget {
  chatId: string;
  kind: "direct" | "group" | "channel";
  threadId?: string;
}

export type OutboundContent =
  | { type: "text"; body: RenderedText }
  | {
      type: "media";
      /** Inside the media store; checked before it is sent. */
      path: string;
      mimeType: string;
      fileName?: string;
      caption?: RenderedText;
      asVoice?: boolean;
      gifPlayback?: boolean;
    }
  | {
      type: "poll";
      question: string;
      options: readonly string[];
      maxSelections: number;
      durationSeconds?: number;
      isAnonymous?: boolean;
    };

export interface OutboundPart {
  target: PartTarget;
  content: OutboundContent;
  /** Message that is answered, by its platform id. */
  replyToId?: string;
  silent?: boolean;
}

/** reliability.md §3.1 */
export type OutboxState = "queued" | "attempting" | "sent" | "failed" | "unknown";

/** Who asked for it; decides how long it may wait for its channel. */
export type OutboxKind = "send" | "reply" | "notice" | "poll" | "heartbeat" | "cron";

export interface OutboxRow {
  id: number;
  key: string;
  family: string;
  principal: string;
  channel: string;
  accountId: string;
  part: number;
  parts: number;
  kind: OutboxKind;
  payload: OutboundPart;
  state: OutboxState;
  attempts: number;
  clientMsgId?: string;
  providerMsgId?: string;
  createdAt: number;
  nextAt: number;
  expiresAt: number;
  /** Row id of the run whose reply it is. */
  runRowId?: number;
  sessionKey?: string;
  /** Stable code of a failure. */
  reason?: string;
  /** What a person reads about it. */
  detail?: string;
}

export type SendOutcome =
  | { state: "sent"; messageId: string; chatId?: string; facts?: Readonly<Record<string, string>> }
  /** Surely not accepted; may be tried again. `afterMs` as the platform asked (429), blocking only this chat unless `account`. */
  | { state: "retry"; reason: string; detail: string; afterMs?: number; account?: boolean }
  /** Refused for good. `captionSent`: the words beside the file left as a message of their own. */
  | { state: "failed"; reason: string; detail: string; captionSent?: true }
  /** Written, and no valid answer came. */
  | { state: "unknown"; reason: string; detail: string };
