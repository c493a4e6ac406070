/** From transcript entries to what the model reads (agent.md §6.5, §6.6). In memory only; the transcript is never changed. */
import {
  type AssistantMessage,
  emptyUsage,
  type Message,
  messageText,
  type ToolCallContent,
  type ToolResultMessage,
  type UserMessage,
} from "@openclaw/protocol";
import { hygiene, type ModelEntry } from "../models/index.ts";
import type { TranscriptEntry } from "../sessions/index.ts";
import { withClock } from "./clock-prefix.ts";

/** Provider and model of replies made without a model. */
export const gatewayProvider = "openclaw";
export const injectedModel = "gateway-injected";

const greeting =
  "A new session begins. Greet the person in one or two short sentences, in the manner your files describe, and ask what to do. Do not mention this instruction.";

export interface ContextEntry {
  id: string;
  message: Message;
  /** Stands for everything before it; usage counted before it was written says nothing about the present size. */
  summary?: true;
}

/** A reply made without a model. */
export function injectedMessage(
  text: string,
  timestamp: number,
  options: { command?: boolean } = {},
): AssistantMessage {
  return {
    role: "assistant",
    content: text === "" ? [] : [{ type: "text", text }],
    api: gatewayProvider,
    provider: gatewayProvider,
    model: injectedModel,
    usage: emptyUsage(),
    stopReason: "stop",
    timestamp,
    ...(options.command ? { command: true } : {}),
  };
}

/** Messages of the entries, oldest first. Slash commands and their answers are left out; a bare `/new` becomes the request for
 *  a greeting; user texts carry their time when a `clock` is given. */
export function contextOf(
  entries: readonly TranscriptEntry[],
  clock: { timeZone: string | undefined } | undefined,
): ContextEntry[] {
  const context: ContextEntry[] = [];
  for (const [index, { id, body, timestamp }] of entries.entries()) {
    if (body.type === "message") {
      const next = entries[index + 1]?.body;
      const answered = next?.type === "message" && next.message.role === "assistant" && next.message.command === true;
      if (body.message.role === "assistant" && body.message.command) continue;
      if (body.message.role === "user" && answered) continue;
      context.push({ id, message: body.message.role === "user" ? told(body.message, clock) : body.message });
    } else if (body.type === "compaction") {
      context.push({
        id,
        message: note(`[Summary of the conversation so far]\n${body.summary}`, timestamp),
        summary: true,
      });
    } else if (body.type === "custom_message") {
      context.push({ id, message: note(body.content, timestamp) });
    }
  }
  return context;
}

const note = (text: string, timestamp: number): UserMessage => ({
  role: "user",
  content: [{ type: "text", text }],
  timestamp,
});

function told(message: UserMessage, clock: { timeZone: string | undefined } | undefined): UserMessage {
  const parts =
    typeof message.content === "string" ? [{ type: "text" as const, text: message.content }] : message.content;
  const text = messageText(message);
  const said = /^\/(?:new|reset)$/i.test(text.trim()) ? greeting : text;
  const images = parts.filter((part) => part.type === "image");
  return {
    ...message,
    content: [{ type: "text", text: clock ? withClock(said, message.timestamp, clock.timeZone) : said }, ...images],
  };
}

/** Of images in one request, in characters of base64. Providers refuse requests of 20 to 50 MB, and a conversation that once
 *  grew beyond would be refused for ever. */
export const maxImageChars = 20_000_000;

/** The messages as `model` may read them: images only for models that see, the newest of them, and whatever its dialect needs. */
export function fitFor(model: ModelEntry, messages: readonly Message[]): Message[] {
  const sees = model.input.includes("image");
  return hygiene(sees ? newestImages(messages) : messages.map((message) => withoutImages(message, blind)), model);
}

const blind = "[image left out: this model cannot see images]";
const older = "[image left out: too many large images came after it]";

/** The newest message with images keeps them. From the first one on that no longer fits, older ones are left out: a gap would
 *  cost the provider's cache more. */
function newestImages(messages: readonly Message[]): Message[] {
  let sent = 0;
  return messages
    .toReversed()
    .map((message) => {
      const chars = imageChars(message);
      const fits = sent === 0 || sent + chars <= maxImageChars;
      sent += chars;
      return fits ? message : withoutImages(message, older);
    })
    .toReversed();
}

function imageChars({ content }: Message): number {
  if (typeof content === "string") return 0;
  return content.reduce((sum, part) => sum + (part.type === "image" ? part.data.length : 0), 0);
}

function withoutImages(message: Message, text: string): Message {
  if (
    message.role === "assistant" ||
    typeof message.content === "string" ||
    !message.content.some((part) => part.type === "image")
  )
    return message;
  const content = message.content.map((part) => (part.type === "image" ? { type: "text" as const, text } : part));
  return { ...message, content } as Message;
}

/** Closes a tool call that got no result of its own. */
export function lostResult(call: ToolCallContent, timestamp: number, text: string): ToolResultMessage {
  return {
    role: "toolResult",
    toolCallId: call.id,
    toolName: call.name,
    content: [{ type: "text", text }],
    isError: true,
    timestamp,
  };
}

export const toolCallsOf = (message: AssistantMessage): ToolCallContent[] =>
  message.content.filter((part): part is ToolCallContent => part.type === "toolCall");

const imageTokens = 1_200;

/** Rough size of a message in tokens: a quarter of its characters, a flat price per image. */
export function estimateTokens(message: Message): number {
  if (typeof message.content === "string") return Math.ceil(message.content.length / 4);
  let tokens = 0;
  for (const part of message.content) {
    if (part.type === "image") tokens += imageTokens;
    else if (part.type === "text") tokens += part.text.length / 4;
    else if (part.type === "thinking") tokens += part.thinking.length / 4;
    else tokens += (part.name.length + JSON.stringify(part.arguments).length) / 4;
  }
  return Math.ceil(tokens);
}

/** Tokens of the whole context: the provider's own count of the last reply where there is one, an estimate for the rest. */
export function contextTokens(context: readonly ContextEntry[]): number {
  const countedSince = context.find((entry) => entry.summary)?.message.timestamp ?? -Infinity;
  let tokens = 0;
  for (let index = context.length - 1; index >= 0; index--) {
    const message = context[index]?.message;
    if (!message) continue;
    if (message.role === "assistant" && message.timestamp > countedSince) {
      const { input, output, cacheRead, cacheWrite } = message.usage;
      if (input + cacheRead + cacheWrite > 0) return tokens + input + output + cacheRead + cacheWrite;
    }
    tokens += estimateTokens(message);
  }
  return tokens;
}

/** The part of a context that begins with the person's `turns`-th newest message; a summary in front of it stays. */
export function newestTurns(context: ContextEntry[], turns: number | undefined): ContextEntry[] {
  if (turns === undefined) return context;
  let left = Math.max(1, turns);
  const from = context.findLastIndex(({ message, summary }) => !summary && message.role === "user" && --left === 0);
  return from <= 0 ? context : context.filter((entry, at) => at >= from || (at === 0 && entry.summary));
}
