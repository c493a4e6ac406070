/** Updates of the platform, normalised (channels.md §5.1, §7.4, §7.5). What is passed over is named by a reason (R-IN-3). */
import type { Chat, Message, MessageReactionUpdated, Update, User, UserFromGetMe } from "grammy/types";
import type { InboundChat, InboundMessage, InboundSender } from "../inbound.ts";
import { addressing, chatTitle, contentOf, originName, personName, replyOf } from "./content.ts";
import { Pastes } from "./pastes.ts";

/** Asked for by name: the platform remembers the list between calls, whoever made them. */
export const allowedUpdates = [
  "message",
  "edited_message",
  "channel_post",
  "callback_query",
  "message_reaction",
  "my_chat_member",
] as const;

const albumWaitMs = 500;
/** The topic that messages without one belong to. */
export const generalTopic = "1";

export interface UpdateReaderOptions {
  me: UserFromGetMe;
  reactions: () => "off" | "own" | "all";
  /** Whether the bot wrote that message lately. */
  isOwn: (chatId: string, messageId: string) => boolean;
}

export type Reading = { message: InboundMessage } | { skipped: string; fact?: Record<string, string> };

/** Reads the updates of one bot in their order. */
export class UpdateReader {
  readonly #o: UpdateReaderOptions;
  readonly #pastes = new Pastes();

  constructor(options: UpdateReaderOptions) {
    this.#o = options;
  }

  /** Never throws: an update of an unknown shape is passed over. */
  read(update: Update): Reading {
    try {
      return this.#read(update);
    } catch {
      // Shapes that the platform does not promise; the counter tells that there were some.
      return { skipped: "unreadable" };
    }
  }

  #read(update: Update): Reading {
    if (update.message) return this.#message(update.message);
    if (update.message_reaction) return this.#reaction(update.update_id, update.message_reaction);
    if (update.edited_message) return { skipped: "edited" };
    if (update.channel_post) return { skipped: "channel-post" };
    if (update.callback_query) return { skipped: "button" };
    if (update.my_chat_member) {
      const { chat, new_chat_member: member } = update.my_chat_member;
      return { skipped: "membership", fact: { chat: String(chat.id), status: member.status } };
    }
    return { skipped: "unsupported" };
  }

  #message(message: Message): Reading {
    const { me } = this.#o;
    if (!isSound(message)) return { skipped: "unreadable" };
    if (message.from?.id === me.id) return { skipped: "own" };
    const sender = senderOf(message);
    if (!sender) return { skipped: "no-sender" };
    const common = {
      platformId: `m:${message.chat.id}:${message.message_id}`,
      messageId: String(message.message_id),
      at: message.date * 1_000,
      chat: chatOf(message.chat, message),
      sender,
    };
    if (message.migrate_to_chat_id !== undefined) {
      const to = String(message.migrate_to_chat_id);
      return {
        message: {
          ...common,
          text: "",
          media: [],
          mentions: { self: false, others: false },
          event: `The Telegram group ${common.chat.id} became a supergroup. Its id is now ${to}.`,
          movedTo: to,
        },
      };
    }
    const content = contentOf(message);
    if (!content) return { skipped: message.sticker ? "animated-sticker" : "service" };
    const { text, mentions, command } = addressing(message, me);
    const replyTo = replyOf(message, me.id);
    const join = this.#join(message, common, text, command, content.media.length > 0);
    return {
      message: {
        ...common,
        text: text === "" ? content.text : text,
        media: content.media,
        mentions,
        ...(replyTo ? { replyTo } : {}),
        ...(message.forward_origin ? { forwardedFrom: originName(message.forward_origin) } : {}),
        ...(content.location ? { location: content.location } : {}),
        ...(join ? { join } : {}),
      },
    };
  }

  #join(
    message: Message,
    at: { chat: InboundChat; sender: InboundSender; at: number },
    text: string,
    command: boolean,
    hasMedia: boolean,
  ): InboundMessage["join"] {
    if (message.media_group_id !== undefined)
      return { key: `album:${message.chat.id}:${message.media_group_id}`, waitMs: albumWaitMs, kind: "album" };
    if (hasMedia) return undefined;
    const who = `${at.chat.id}:${at.chat.threadId ?? ""}:${at.sender.id}`;
    return this.#pastes.join(who, { id: message.message_id, at: at.at, text, command });
  }

  #reaction(updateId: number, reaction: MessageReactionUpdated): Reading {
    const mode = this.#o.reactions();
    const { chat, message_id: id, user, actor_chat: actor } = reaction;
    if (mode === "off") return { skipped: "reactions-off" };
    if (user?.id === this.#o.me.id) return { skipped: "own" };
    if (mode === "own" && !this.#o.isOwn(String(chat.id), String(id))) return { skipped: "reaction-to-others" };
    const sender = user ? personSender(user) : actor ? chatSender(actor) : undefined;
    if (!sender) return { skipped: "no-sender" };
    const before = new Set(reaction.old_reaction.map(emojiOf));
    const added = reaction.new_reaction.map(emojiOf).filter((emoji) => !before.has(emoji));
    if (added.length === 0) return { skipped: "reaction-removed" };
    return {
      message: {
        platformId: `r:${updateId}`,
        messageId: String(id),
        at: reaction.date * 1_000,
        chat: chatOf(chat),
        sender,
        text: "",
        media: [],
        mentions: { self: false, others: false },
        event: `Telegram reaction added: ${added.join(" ")} by ${flat(sender.name ?? sender.id)} on msg ${id}`,
      },
    };
  }
}

/** What is stored must be what its type says, whoever answers at the address of the platform. */
function isSound({ message_id: id, date, chat, text, caption }: Message): boolean {
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  return [id, date, chat?.id].every(Number.isSafeInteger) && isText(text) && isText(caption);
}

function chatOf(chat: Chat, message?: Message): InboundChat {
  const id = String(chat.id);
  if (chat.type === "private") return { kind: "direct", id };
  const title = chatTitle(chat);
  const forum = chat.type === "supergroup" && chat.is_forum === true;
  // Elsewhere a thread id only says which message is answered.
  const topic =
    message?.is_topic_message && message.message_thread_id !== undefined
      ? String(message.message_thread_id)
      : generalTopic;
  return {
    kind: chat.type === "channel" ? "channel" : "group",
    id,
    ...(title === "" ? {} : { title }),
    ...(forum && message ? { threadId: topic } : {}),
  };
}

/** Who writes as the group itself (an unnamed administrator) or as a channel is known by the id of that chat alone. */
function senderOf(message: Message): InboundSender | undefined {
  const { from, sender_chat: chat } = message;
  if (chat) return chatSender(chat);
  return from && personSender(from);
}

function personSender(user: User): InboundSender {
  return {
    id: String(user.id),
    name: personName(user),
    ...(user.username === undefined ? {} : { username: user.username.toLowerCase() }),
    ...(user.is_bot ? { isBot: true } : {}),
  };
}

function chatSender(chat: Chat): InboundSender {
  const name = chatTitle(chat);
  return { id: String(chat.id), ...(name === "" ? {} : { name }) };
}

function emojiOf(reaction: { type: string; emoji?: string }): string {
  return reaction.emoji ?? (reaction.type === "paid" ? "⭐" : "a custom emoji");
}

/** A name that can forge neither a line nor an envelope. */
function flat(name: string): string {
  return name
    .replace(/[[\]\s]+/gu, " ")
    .trim()
    .slice(0, 64);
}
