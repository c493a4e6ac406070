/** What tests and the fake Bot API server say to each other. Platform objects are plain records, as they are on the wire. */

export type Json = Record<string, unknown>;

/** What a method call meets instead of its answer. With `apply` the call takes effect first: the client cannot know. */
export type Fault = { apply?: boolean } & (
  | { kind: "error"; code: number; description?: string; parameters?: Json; status?: number }
  /** An answer that is no envelope: a proxy's page, half a body, wrong types. */
  | { kind: "http"; status: number; body?: string; headers?: Record<string, string> }
  /** The connection ends: before the request is read, after it, or in the middle of the answer. */
  | { kind: "reset"; when: "before" | "after" | "middle" }
  /** Nothing comes any more, with or without a status line. */
  | { kind: "hang"; headers?: boolean }
  | { kind: "slow"; ms: number }
  /** A body that never ends. */
  | { kind: "endless" }
);

export interface LoggedRequest {
  at: number;
  token: string;
  method: string;
  params: Json;
  /** Uploads by field. */
  files: Readonly<Record<string, { name: string; bytes: number }>>;
  /** Port of the client's end: equal ports are the same connection. */
  clientPort: number;
  /** HTTP status of the answer; undefined while it waits, or when none was given. */
  status?: number;
  /** The client went away before the answer. */
  gone?: boolean;
}

/** Fate of one update as the platform saw it: the outside judge of crash tests. */
export interface UpdateFate {
  updateId: number;
  /** Answers that carried it in full. */
  delivered: number;
  /** An offset above it was received: the platform forgets it. */
  confirmed: boolean;
}

export interface SentMessage {
  method: string;
  chatId: string;
  messageId: number;
  threadId?: number;
  /** Text or caption as a reader sees it, without markup. */
  text: string;
  /** As it was sent. */
  source: string;
  entities: { type: string; offset: number; length: number; [more: string]: unknown }[];
  replyTo?: number;
  params: Json;
  files: LoggedRequest["files"];
  at: number;
}

export interface BotOptions {
  token?: string;
  id?: number;
  username?: string;
  canReadAllGroupMessages?: boolean;
}

export interface ChatOptions {
  id: number;
  type?: "private" | "group" | "supergroup" | "channel";
  title?: string;
  username?: string;
  first_name?: string;
  is_forum?: boolean;
  /** Topics of a forum, besides the general one. */
  topics?: number[];
  /** Sends answer 403. */
  blocked?: boolean;
}

export interface RateLimits {
  /** Least gap between two messages to a chat. */
  chatEveryMs?: number;
  groupPerMinute?: number;
  perSecond?: number;
}

/** What a method refuses, in the platform's envelope. */
export class ApiError extends Error {
  readonly code: number;
  readonly parameters: Json | undefined;

  constructor(code: number, description: string, parameters?: Json) {
    super(description);
    this.code = code;
    this.parameters = parameters;
  }
}
