/** Short texts made from messages: titles, previews, and user texts without what channels put in front of them. */
import { messageText, type Message } from "@openclaw/protocol";

const titleChars = 80;
const previewChars = 200;

/** A stamp or channel envelope the gateway wrote before the text: `[WhatsApp +1555 2026-02-13 18:26] `. The name in front of
 *  the date keeps a bracket a person typed. */
const envelope = /^\[[A-Z][^\]\n]{0,160}?\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}[^\]\n]{0,40}\][ \t]*/u;
const messageIdLine = /^[ \t]*\[message_id: [^\]\n]{0,200}\][ \t]*\n?/gmu;

/** A user's text as the person wrote it (protocol.md §13.5). */
export function withoutEnvelope(text: string): string {
  const bare = text.startsWith("[") ? text.replace(envelope, "") : text;
  return bare.includes("[message_id: ") ? bare.replace(messageIdLine, "").trimEnd() : bare;
}

/** The message as a client sees it: user texts lose their envelope. Returns the same object when nothing changes. */
export function cleaned(message: Message): Message {
  if (message.role !== "user") return message;
  if (typeof message.content === "string") {
    const text = withoutEnvelope(message.content);
    return text === message.content ? message : { ...message, content: text };
  }
  return {
    ...message,
    content: message.content.map((part) =>
      part.type === "text" ? { ...part, text: withoutEnvelope(part.text) } : part,
    ),
  };
}

/** At most `max` characters, cut at a code point, with an ellipsis when something is missing. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = text.slice(0, max - 1);
  return `${head.isWellFormed() ? head : head.slice(0, -1)}…`;
}

const oneLine = (text: string, max: number) =>
  cut(
    text
      .slice(0, max * 8)
      .replace(/\s+/gu, " ")
      .trim(),
    max,
  );

/** Title of a session from its first user message. Undefined when the message has no text. */
export function titleOf(message: Message): string | undefined {
  if (message.role !== "user") return undefined;
  return oneLine(withoutEnvelope(messageText(message)), titleChars) || undefined;
}

/** Last line of a session in a list. Tool results and messages without text leave the former preview. */
export function previewOf(message: Message): string | undefined {
  if (message.role === "toolResult") return undefined;
  const text = messageText(message);
  return oneLine(message.role === "user" ? withoutEnvelope(text) : text, previewChars) || undefined;
}
