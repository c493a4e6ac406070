/** What people type as a destination or a sender (channels.md §4.2, §7.4). */
import { GatewayError } from "@openclaw/protocol";
import type { Target } from "../channel.ts";

const forms =
  "a chat id like 123456789 or -1001234567890, a channel or public group like @name, or either with :topic:7";

/** Throws GatewayError("invalid") that shows the accepted forms. */
export function parseTarget(text: string): Target {
  const typed = text
    .trim()
    .replace(/^(?:(?:telegram|tg|group):\s*)+/iu, "")
    .replace(/^https?:\/\//iu, "");
  const [, chat = "", topic] = /^(.*?)(?::(?:topic:)?(\d{1,19}))?$/u.exec(typed) ?? [];
  const thread = topic === undefined ? {} : { threadId: topic };
  if (/^-?\d{1,19}$/u.test(chat) && !/^-?0/u.test(chat))
    return { chatId: chat, kind: chat.startsWith("-") ? "group" : "direct", ...thread };
  const name = /^(?:@|(?:www\.)?(?:t|telegram)\.me\/)([a-z][a-z0-9_]{3,31})\/?$/iu.exec(chat)?.[1];
  if (name !== undefined) return { chatId: `@${name}`, kind: "channel", ...thread };
  throw new GatewayError("invalid", `"${text.slice(0, 60)}" is no Telegram destination: use ${forms}.`);
}

/** A sender id as lists compare it: the number, or a name as `@name`. `*` stays. */
export function normalizeSender(id: string): string {
  const bare = id
    .trim()
    .replace(/^(?:(?:telegram|tg):\s*)+/iu, "")
    .toLowerCase();
  return /^(?:-?\d+|\*|@.*)$/u.test(bare) || bare === "" ? bare : `@${bare}`;
}
