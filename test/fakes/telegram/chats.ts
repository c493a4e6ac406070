/** Chats, people, messages and files of the fake platform, and what happens in them. */
import type { FakeBot } from "./bot.ts";
import { ApiError, type ChatOptions, type Json, type RateLimits, type SentMessage } from "./types.ts";

export interface Chat extends Required<Pick<ChatOptions, "id" | "type">> {
  fields: Json;
  topics: Set<number>;
  blocked: boolean;
  /** When the bot wrote here. */
  sentAt: number[];
}

export class Chats {
  readonly byId = new Map<number, Chat>();
  /** What bots sent, in order. */
  readonly sent: SentMessage[] = [];
  readonly files = new Map<string, { path: string; data: Buffer }>();
  readonly messages = new Map<string, Json>();
  rateLimits: RateLimits = {};
  #lastMessageId = 100;
  #lastFile = 0;
  #sentAt: number[] = [];

  nextMessageId(): number {
    return ++this.#lastMessageId;
  }

  add(options: ChatOptions): Chat {
    const { topics = [], blocked = false, ...fields } = options;
    const type = options.type ?? (options.id < 0 ? "supergroup" : "private");
    const names = type === "private" ? { first_name: `User ${options.id}` } : { title: `Group ${options.id}` };
    const chat: Chat = {
      id: options.id,
      type,
      fields: { ...names, ...fields, type },
      topics: new Set(topics),
      blocked,
      sentAt: [],
    };
    this.byId.set(options.id, chat);
    return chat;
  }

  ensure(id: number): Chat {
    return this.byId.get(id) ?? this.add({ id });
  }

  /** The chat a call names. Refuses as the platform does. */
  target(params: Json): Chat {
    const wanted = params["chat_id"];
    const chat =
      typeof wanted === "string" && wanted.startsWith("@")
        ? [...this.byId.values()].find((one) => `@${String(one.fields["username"])}` === wanted)
        : this.byId.get(Number(wanted));
    if (!chat) throw new ApiError(400, "Bad Request: chat not found");
    if (chat.blocked) throw new ApiError(403, "Forbidden: bot was blocked by the user");
    const migrated = chat.fields["migrated_to"];
    if (typeof migrated === "number")
      throw new ApiError(400, "Bad Request: group chat was upgraded to a supergroup chat", {
        migrate_to_chat_id: migrated,
      });
    return chat;
  }

  checkThread(chat: Chat, params: Json): number | undefined {
    const thread = params["message_thread_id"];
    if (thread === undefined) return undefined;
    if (!chat.topics.has(Number(thread))) throw new ApiError(400, "Bad Request: message thread not found");
    return Number(thread);
  }

  /** Counts a message against the limits, or answers 429. */
  admit(chat: Chat, now: number): void {
    const { chatEveryMs, groupPerMinute, perSecond } = this.rateLimits;
    const refuse = (ms: number) => {
      const seconds = Math.max(1, Math.ceil(ms / 1_000));
      throw new ApiError(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
    };
    const last = chat.sentAt.at(-1) ?? -Infinity;
    if (chatEveryMs !== undefined && now - last < chatEveryMs) refuse(chatEveryMs - (now - last));
    const minute = chat.sentAt.filter((at) => now - at < 60_000);
    if (groupPerMinute !== undefined && chat.id < 0 && minute.length >= groupPerMinute)
      refuse(60_000 - (now - (minute[0] ?? now)));
    const second = this.#sentAt.filter((at) => now - at < 1_000);
    if (perSecond !== undefined && second.length >= perSecond) refuse(1_000);
    chat.sentAt = [...minute, now];
    this.#sentAt = [...second, now];
  }

  storeFile(data: Buffer, name: string): { file_id: string; file_unique_id: string; file_size: number } {
    const id = `file-${++this.#lastFile}`;
    this.files.set(id, { path: `documents/${id}-${name.replace(/[^\w.-]/gu, "_")}`, data });
    return { file_id: id, file_unique_id: `u-${id}`, file_size: data.length };
  }

  /** A message from a person, as an update. Returns message id and update id. */
  message(bot: FakeBot, chatId: number, fields: Json, kind = "message"): { messageId: number; updateId: number } {
    const chat = this.ensure(chatId);
    const messageId = typeof fields["message_id"] === "number" ? fields["message_id"] : this.nextMessageId();
    const from =
      chat.type === "private"
        ? { ...chat.fields, is_bot: false }
        : { id: 1_001, is_bot: false, first_name: "Ann", username: "ann" };
    const { type: _type, ...sender } = from as Json;
    const message: Json = {
      message_id: messageId,
      from: sender,
      chat: publicChat(chat),
      date: Math.floor(Date.now() / 1_000),
      ...fields,
    };
    this.messages.set(`${chatId}:${messageId}`, message);
    return { messageId, updateId: bot.push({ [kind]: message }) };
  }
}

export function publicChat(chat: Chat): Json {
  const { migrated_to: _migrated, ...fields } = chat.fields;
  return { ...fields, id: chat.id };
}
