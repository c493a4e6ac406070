/** What each method of the fake Bot API does (channels.md §9). */
import type { Body } from "./body.ts";
import type { FakeBot } from "./bot.ts";
import { type Chat, type Chats, publicChat } from "./chats.ts";
import { parseHtml } from "./html.ts";
import { ApiError, type Json, type LoggedRequest, type SentMessage } from "./types.ts";

export interface MethodCall {
  bot: FakeBot;
  chats: Chats;
  body: Body;
  files: LoggedRequest["files"];
  now: number;
}

type Method = (call: MethodCall) => unknown;

const reactions = new Set(["👍", "👎", "❤", "🔥", "🎉", "😁", "🤔", "👀", "🙏", "👌", "💯", "⚡"]);

export const methods: Readonly<Record<string, Method>> = {
  getMe: ({ bot }) => bot.me,
  logOut: () => true,
  close: () => true,
  deleteWebhook: ({ bot, body }) => {
    bot.webhook = undefined;
    if (body.params["drop_pending_updates"] === true) bot.dropPending();
    return true;
  },
  setWebhook: ({ bot, body: { params } }) => {
    const allowed = params["allowed_updates"];
    bot.webhook = {
      url: String(params["url"] ?? ""),
      ...(typeof params["secret_token"] === "string" ? { secret: params["secret_token"] } : {}),
      ...(Array.isArray(allowed) ? { allowed: allowed.map(String) } : {}),
    };
    if (bot.webhook.url === "") bot.webhook = undefined;
    return true;
  },
  getWebhookInfo: ({ bot }) => ({
    url: bot.webhook?.url ?? "",
    has_custom_certificate: false,
    pending_update_count: bot.pending,
  }),
  setMyCommands: ({ bot, body: { params } }) => {
    const commands = params["commands"];
    if (!Array.isArray(commands)) throw new ApiError(400, "Bad Request: can't parse commands");
    if (commands.length > 100) throw new ApiError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH");
    for (const one of commands as Json[])
      if (!/^[a-z0-9_]{1,32}$/u.test(String(one["command"])))
        throw new ApiError(400, "Bad Request: BOT_COMMAND_INVALID");
    bot.commands = commands as Json[];
    return true;
  },
  deleteMyCommands: ({ bot }) => {
    bot.commands = [];
    return true;
  },
  sendMessage: (call) => {
    const { params } = call.body;
    const { text, entities } = readText(params, "text", 4_096, "message is too long");
    if (text.trim() === "") throw new ApiError(400, "Bad Request: message text is empty");
    return send(call, "sendMessage", text, entities, { text, entities });
  },
  sendPhoto: (call) => sendFile(call, "sendPhoto", "photo"),
  sendVideo: (call) => sendFile(call, "sendVideo", "video"),
  sendAnimation: (call) => sendFile(call, "sendAnimation", "animation"),
  sendAudio: (call) => sendFile(call, "sendAudio", "audio"),
  sendVoice: (call) => sendFile(call, "sendVoice", "voice"),
  sendDocument: (call) => sendFile(call, "sendDocument", "document"),
  sendSticker: (call) => sendFile(call, "sendSticker", "sticker"),
  sendMediaGroup: (call) => {
    const media = call.body.params["media"];
    if (!Array.isArray(media) || media.length < 2 || media.length > 10)
      throw new ApiError(400, "Bad Request: group must contain 2-10 items");
    return media.map(() => send(call, "sendMediaGroup", "", [], {}));
  },
  sendPoll: (call) => {
    const { question, options } = call.body.params;
    const list = Array.isArray(options) ? (options as unknown[]) : [];
    if (list.length < 2 || list.length > 12) throw new ApiError(400, "Bad Request: poll must have 2-12 option");
    return send(call, "sendPoll", String(question), [], { poll: { id: "poll-1", question, options: list } });
  },
  sendMessageDraft: () => true,
  sendChatAction: ({ chats, body: { params } }) => {
    const chat = chats.target(params);
    if (params["message_thread_id"] !== 1) chats.checkThread(chat, params);
    return true;
  },
  setMessageReaction: ({ chats, body: { params } }) => {
    const chat = chats.target(params);
    for (const one of (Array.isArray(params["reaction"]) ? params["reaction"] : []) as Json[])
      if (one["type"] === "emoji" && !reactions.has(String(one["emoji"])))
        throw new ApiError(400, "Bad Request: REACTION_INVALID");
    if (!chats.messages.has(`${chat.id}:${Number(params["message_id"])}`))
      throw new ApiError(400, "Bad Request: message to react not found");
    return true;
  },
  editMessageText: ({ chats, body: { params } }) => {
    const message = stored(chats, params, "message to edit not found");
    const { text, entities } = readText(params, "text", 4_096, "message is too long");
    if (message["text"] === text)
      throw new ApiError(
        400,
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
      );
    Object.assign(message, { text, entities });
    return message;
  },
  editMessageReplyMarkup: ({ chats, body: { params } }) => stored(chats, params, "message to edit not found"),
  deleteMessage: ({ chats, body: { params } }) => {
    stored(chats, params, "message to delete not found");
    chats.messages.delete(`${Number(params["chat_id"])}:${Number(params["message_id"])}`);
    return true;
  },
  answerCallbackQuery: () => true,
  getFile: ({ chats, body: { params } }) => {
    const file = chats.files.get(String(params["file_id"]));
    if (!file) throw new ApiError(400, "Bad Request: wrong file_id or the file is temporarily unavailable");
    if (file.data.length > 20 * 1024 * 1024) throw new ApiError(400, "Bad Request: file is too big");
    return { file_id: params["file_id"], file_unique_id: "u", file_size: file.data.length, file_path: file.path };
  },
  getChat: ({ chats, body: { params } }) => publicChat(chats.target(params)),
  getChatMember: ({ chats, body: { params } }) => {
    chats.target(params);
    return { status: "member", user: { id: Number(params["user_id"]), is_bot: false, first_name: "Ann" } };
  },
};

function stored(chats: Chats, params: Json, refusal: string): Json {
  const chat = chats.target(params);
  const message = chats.messages.get(`${chat.id}:${Number(params["message_id"])}`);
  if (!message) throw new ApiError(400, `Bad Request: ${refusal}`);
  return message;
}

function readText(params: Json, name: string, most: number, refusal: string) {
  const source = params[name] === undefined ? "" : String(params[name]);
  const { text, entities } = params["parse_mode"] === "HTML" ? parseHtml(source) : { text: source, entities: [] };
  if (text.length > most) throw new ApiError(400, `Bad Request: ${refusal}`);
  return { text, entities };
}

function sendFile(call: MethodCall, method: string, field: string): Json {
  const value = call.body.params[field];
  const attached = /^attach:\/\/(.+)$/u.exec(String(value))?.[1] ?? field;
  const upload = call.body.uploads[attached];
  if (!upload && (value === undefined || String(value).startsWith("attach://")))
    throw new ApiError(400, `Bad Request: there is no ${field} in the request`);
  if (upload && upload.data.length === 0) throw new ApiError(400, "Bad Request: file must be non-empty");
  const { text, entities } = readText(call.body.params, "caption", 1_024, "message caption is too long");
  const file = upload ? call.chats.storeFile(upload.data, upload.name) : { file_id: String(value) };
  if (
    field === "voice" &&
    call.chats.target(call.body.params).fields["has_restricted_voice_and_video_messages"] === true
  )
    throw new ApiError(400, "Bad Request: VOICE_MESSAGES_FORBIDDEN");
  return send(call, method, text, entities, {
    ...(text === "" ? {} : { caption: text, caption_entities: entities }),
    [field]: field === "photo" ? [{ ...file, width: 10, height: 10 }] : { ...file, file_name: upload?.name },
  });
}

function send(call: MethodCall, method: string, text: string, entities: SentMessage["entities"], content: Json): Json {
  const { bot, chats, body, now } = call;
  const { params } = body;
  const chat = chats.target(params);
  const threadId = chats.checkThread(chat, params);
  const replyTo = replyOf(chats, chat, params);
  checkButtons(params);
  chats.admit(chat, now);
  const messageId = chats.nextMessageId();
  const message: Json = {
    message_id: messageId,
    from: bot.me,
    chat: publicChat(chat),
    date: Math.floor(now / 1_000),
    ...(threadId === undefined ? {} : { message_thread_id: threadId, is_topic_message: true }),
    ...content,
  };
  chats.messages.set(`${chat.id}:${messageId}`, message);
  chats.sent.push({
    method,
    chatId: String(chat.id),
    messageId,
    ...(threadId === undefined ? {} : { threadId }),
    text,
    source: String(params["text"] ?? params["caption"] ?? ""),
    entities,
    ...(replyTo === undefined ? {} : { replyTo }),
    params,
    files: call.files,
    at: now,
  });
  return message;
}

function replyOf(chats: Chats, chat: Chat, params: Json): number | undefined {
  const reply = params["reply_parameters"] as Json | undefined;
  if (!reply) return undefined;
  const id = Number(reply["message_id"]);
  if (chats.messages.has(`${chat.id}:${id}`)) return id;
  if (reply["allow_sending_without_reply"] === true) return undefined;
  throw new ApiError(400, "Bad Request: message to be replied not found");
}

function checkButtons(params: Json): void {
  const markup = params["reply_markup"] as Json | undefined;
  const rows = Array.isArray(markup?.["inline_keyboard"]) ? (markup["inline_keyboard"] as Json[][]) : [];
  for (const button of rows.flat())
    if (Buffer.byteLength(String(button["callback_data"] ?? "")) > 64)
      throw new ApiError(400, "Bad Request: BUTTON_DATA_INVALID");
}
