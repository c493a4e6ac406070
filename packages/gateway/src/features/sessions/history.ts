/** `chat.history` and `chat.inject` (protocol.md §13.5). */
import {
  emptyUsage,
  GatewayError,
  type AssistantMessage,
  type Message,
  type MethodParams,
  type MethodResult,
} from "@openclaw/protocol";
import type { Bus } from "../../kernel/bus.ts";
import type { Ledger } from "./ledger.ts";
import { cleaned } from "./text.ts";

export interface HistoryDefaults {
  thinkingLevel?: string | undefined;
}

const defaultMessages = 200;
const maxMessages = 1_000;
/** Of messages in one answer; the rest of 6 MiB is room for ids and the envelope. */
const maxBytes = 6 * 1024 * 1024 - 128 * 1024;
const maxTextChars = 512 * 1024;

export function readHistory(
  ledger: Ledger,
  params: MethodParams<"chat.history">,
  defaults: HistoryDefaults,
): MethodResult<"chat.history"> {
  const entry = ledger.get(ledger.knownKey(params.sessionKey));
  const thinkingLevel = entry?.thinkingLevel ?? defaults.thinkingLevel ?? "off";
  if (!entry) return { sessionKey: params.sessionKey, messages: [], thinkingLevel };
  const limit = Math.min(params.limit ?? defaultMessages, maxMessages);
  const page = ledger.entries(entry.sessionId, {
    limit,
    messagesOnly: true,
    maxBytes,
    ...(params.before === undefined ? {} : { before: params.before }),
  });
  const messages = page.flatMap(({ id, body }) =>
    body.type === "message" ? [{ ...fitting(cleaned(body.message)), id }] : [],
  );
  return {
    sessionKey: params.sessionKey,
    sessionId: entry.sessionId,
    messages,
    thinkingLevel,
    ...(entry.verboseLevel === undefined ? {} : { verboseLevel: entry.verboseLevel }),
  };
}

/** The newest message is shown even when it alone is too big for an answer: then without images, its texts cut. */
function fitting(message: Message): Message {
  if (typeof message.content === "string") {
    return message.content.length * 2 < maxBytes
      ? message
      : ({ ...message, content: message.content.slice(0, maxTextChars) } as Message);
  }
  let size = 0;
  for (const part of message.content) {
    if (part.type === "image") size += part.data.length;
    if (part.type === "text") size += part.text.length * 2;
  }
  if (size < maxBytes) return message;
  const content = message.content.map((part) => {
    if (part.type === "image")
      return { type: "text", text: `[image left out: ${part.data.length} characters of base64]` };
    return part.type === "text" ? { ...part, text: part.text.slice(0, maxTextChars) } : part;
  });
  return { ...message, content } as Message;
}

/** Appends an assistant message nobody generated and announces it as a finished reply. */
export async function inject(
  ledger: Ledger,
  bus: Bus,
  params: MethodParams<"chat.inject">,
): Promise<MethodResult<"chat.inject">> {
  const key = ledger.knownKey(params.sessionKey);
  if (!ledger.get(key))
    throw new GatewayError("not-found", "session not found", { details: { code: "UNKNOWN_SESSION" } });
  const label = params.label?.trim();
  const text = label ? `[${label}]\n\n${params.message}` : params.message;
  const timestamp = ledger.world.now();
  const message: AssistantMessage = {
    role: "assistant",
    content: [{ type: "text", text }],
    api: "openclaw",
    provider: "openclaw",
    model: "gateway-injected",
    usage: emptyUsage(),
    stopReason: "stop",
    timestamp,
  };
  try {
    const { id } = await ledger.store.commit((tx) =>
      ledger.append(tx, key, { type: "message", message }, { timestamp }),
    );
    bus.publish("chat", {
      runId: `inject-${id}`,
      sessionKey: key,
      seq: 0,
      state: "final",
      message: { role: "assistant", content: [{ type: "text", text }], timestamp, stopReason: "stop" },
    });
    return { ok: true, messageId: id };
  } catch (error) {
    if (!(error instanceof GatewayError) || error.kind !== "unavailable") throw error;
    throw new GatewayError("unavailable", `failed to write transcript: ${error.message}`, {
      cause: error,
      ...(error.details ? { details: error.details } : {}),
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    });
  }
}
