/** Compaction: a long conversation becomes a summary and its newest part (agent.md §7.1). */
import { GatewayError, type Message, messageText } from "@openclaw/protocol";
import type { Models } from "./turn-deps.ts";
import type { ModelEntry } from "../models/index.ts";
import type { AgentDefaults } from "./agents.config.ts";
import { type ContextEntry, estimateTokens } from "./context.ts";

/** Tokens at which the context counts as full. Of a small window at least half stays usable. */
export function compactionThreshold(window: number, settings: AgentDefaults["compaction"]): number {
  const reserve = Math.max(settings.reserveTokens, settings.reserveTokensFloor);
  return window - Math.min(reserve, Math.floor(window / 2));
}

export interface Cut {
  /** Messages that become the summary. */
  old: ContextEntry[];
  firstKeptEntryId: string;
}

/** Where the kept part begins: about `keepTokens` from the end, never at a tool result. Undefined when nothing would go. */
export function findCut(context: readonly ContextEntry[], keepTokens: number): Cut | undefined {
  let tokens = 0;
  let at = context.length;
  while (at > 0) {
    const entry = context[at - 1];
    if (!entry) break;
    tokens += estimateTokens(entry.message);
    if (tokens > keepTokens && at < context.length) break;
    at--;
  }
  while (at < context.length && context[at]?.message.role === "toolResult") at++;
  const kept = context[at];
  return kept && at > 0 ? { old: context.slice(0, at), firstKeptEntryId: kept.id } : undefined;
}

const instructions = `You write the summary with which an assistant continues a conversation whose beginning it can no longer see.
Use these headings: Goal, Constraints, Progress (done / in progress / blocked), Decisions, Next steps, Critical context.
Keep paths, ids, names, numbers and open questions exactly. If there is an earlier summary, bring it up to date instead of
summarising it again. Write nothing but the summary.`;

const maxPartChars = 4_000;

function transcriptText(entries: readonly ContextEntry[], maxChars: number): string {
  const lines = entries.map(({ message }) => `[${message.role}] ${said(message).slice(0, maxPartChars)}`);
  let text = "";
  for (const line of lines.toReversed()) {
    if (text.length + line.length > maxChars) return `[older messages left out]\n${text}`;
    text = `${line}\n${text}`;
  }
  return text;
}

function said(message: Message): string {
  if (message.role !== "assistant") return messageText(message);
  const calls = message.content.flatMap((part) =>
    part.type === "toolCall" ? [`(called ${part.name} ${JSON.stringify(part.arguments)})`] : [],
  );
  return [messageText(message), ...calls].filter((text) => text !== "").join("\n");
}

/** Asks the model for the summary. Throws GatewayError("unavailable") when it gives none. */
export async function summarize(
  models: Models,
  model: ModelEntry,
  entries: readonly ContextEntry[],
  options: {
    signal: AbortSignal;
    agentId: string;
    sessionKey: string;
    focus?: string;
    timestamp: number;
    alive?: () => void;
  },
): Promise<string> {
  const maxChars = Math.max(8_000, Math.floor(model.contextWindow * 4 * 0.6));
  const ask = `${options.focus ? `Pay attention to: ${options.focus}\n\n` : ""}Conversation:\n\n${transcriptText(entries, maxChars)}`;
  const request = {
    system: instructions,
    messages: [{ role: "user" as const, content: ask, timestamp: options.timestamp }],
    tools: [],
    thinking: "off" as const,
    sessionKey: options.sessionKey,
  };
  let why = "the model gave no text";
  for await (const event of models.stream(model, request, { signal: options.signal, agentId: options.agentId })) {
    options.alive?.();
    if (event.type === "failed") why = event.failure.message;
    if (event.type !== "done") continue;
    const text = messageText(event.message).trim();
    if (text !== "") return text;
  }
  throw new GatewayError(
    "unavailable",
    `The conversation could not be summarised: ${why}. Try /compact again, or /new to start over.`,
    { retryable: false },
  );
}
