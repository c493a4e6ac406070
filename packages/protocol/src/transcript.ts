/** Schemas of transcript messages; the TypeScript side stands in message.ts. */
import { Type } from "typebox";
import { bool, choice, json, list, model, ms, num, open, opt, str } from "./fields.ts";
import type { Message } from "./message.ts";

const TextContent = model("TextContent", { type: Type.Literal("text"), text: str, textSignature: opt(str) });
const ImageContent = model("ImageContent", { type: Type.Literal("image"), data: str, mimeType: str });
const ThinkingContent = model("ThinkingContent", {
  type: Type.Literal("thinking"),
  thinking: str,
  thinkingSignature: opt(str),
});
const ToolCallContent = model("ToolCallContent", {
  type: Type.Literal("toolCall"),
  id: str,
  name: str,
  arguments: open({}),
  thoughtSignature: opt(str),
});

export const UsageSchema = model("Usage", {
  input: num,
  output: num,
  cacheRead: num,
  cacheWrite: num,
  totalTokens: num,
  cost: open({ input: num, output: num, cacheRead: num, cacheWrite: num, total: num }),
});

const stopReason = choice("stop", "length", "toolUse", "aborted", "error");

const UserMessage = model("UserMessage", {
  id: opt(str),
  role: Type.Literal("user"),
  content: Type.Union([str, list(Type.Union([TextContent, ImageContent]))]),
  timestamp: ms,
});
const AssistantMessage = model("AssistantMessage", {
  id: opt(str),
  role: Type.Literal("assistant"),
  content: list(Type.Union([TextContent, ThinkingContent, ToolCallContent])),
  api: str,
  provider: str,
  model: str,
  usage: UsageSchema,
  stopReason,
  errorMessage: opt(str),
  timestamp: ms,
  command: opt(bool),
});
const ToolResultMessage = model("ToolResultMessage", {
  id: opt(str),
  role: Type.Literal("toolResult"),
  toolCallId: str,
  toolName: str,
  content: list(Type.Union([TextContent, ImageContent])),
  details: opt(json),
  isError: bool,
  timestamp: ms,
});

/** A message as `chat.history` returns it. `id` is what `before` of the next page takes. */
export const TranscriptMessage = Type.Unsafe<Message & { id?: string }>({
  $id: "TranscriptMessage",
  anyOf: [UserMessage, AssistantMessage, ToolResultMessage],
});

/** The message inside a `chat` event: text only while it streams, complete for replies made without a model. */
export const ChatEventMessage = model("ChatEventMessage", {
  role: Type.Literal("assistant"),
  content: list(TextContent),
  timestamp: ms,
  stopReason: opt(stopReason),
  usage: opt(UsageSchema),
  api: opt(str),
  provider: opt(str),
  model: opt(str),
  command: opt(bool),
});
