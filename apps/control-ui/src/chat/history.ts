/** The history of a session as the gateway tells it, page by page. */
import type { EventPayload, MethodResult } from "@openclaw/protocol";
import { isRecord } from "../gateway/storage.ts";
import type { HistoryMessage } from "./turns.ts";

export interface HistoryPage {
  /** Oldest first, each with an id. */
  messages: HistoryMessage[];
  sessionId: string | undefined;
  thinkingLevel: string | undefined;
}

interface HistoryPort {
  callAny(method: string, params?: unknown): Promise<unknown>;
}

/** The newest page, or the one before a message. Rejects as the call does. */
export async function readPage(
  port: HistoryPort,
  sessionKey: string,
  params: { limit: number; before?: string },
): Promise<HistoryPage> {
  const answer = await port.callAny("chat.history", { sessionKey, ...params });
  const result = answer as MethodResult<"chat.history">;
  const messages = result.messages.map((message, index): HistoryMessage => {
    const { id = `${message.timestamp}-${index}` } = message;
    return { ...message, id };
  });
  return { messages, sessionId: result.sessionId, thinkingLevel: result.thinkingLevel };
}

/** What stands in the message of a `chat` event. */
export function textOf(message: EventPayload<"chat">["message"]): string {
  if (!message) return "";
  const { content } = message as { content: unknown };
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map((part) => (isRecord(part) ? String(part.text ?? "") : "")).join("") : "";
}
