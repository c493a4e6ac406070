/** Contract between the run loop and model providers. A provider streams events; after `stream` returned it never throws:
 *  failure is the last event. */
import type { AssistantMessage, Message } from "@openclaw/protocol";
import type { CallFailure } from "./failure.ts";

export type ModelApi =
  | "openai-completions"
  | "openai-responses"
  | "anthropic-messages"
  | "google-generative-ai"
  | "offline";
export type ThinkingLevel = "off" | "minimal" | "low" | "medium" | "high" | "xhigh";

/** A model that can be asked, resolved from config, catalogue and environment. */
export interface ModelEntry {
  /** `provider/model`, split at the first slash. */
  ref: string;
  provider: string;
  id: string;
  name: string;
  api: ModelApi;
  reasoning: boolean;
  input: ("text" | "image")[];
  /** Tokens. */
  contextWindow: number;
  maxTokens: number;
  /** US dollars per million tokens; absent when unknown. */
  cost?: { input: number; output: number; cacheRead: number; cacheWrite: number };
  /** Where the credential comes from, for people: `env ANTHROPIC_API_KEY`, `config`, `none needed`, `missing`. Never the secret. */
  auth: string;
  available: boolean;
}

export interface ToolSpec {
  name: string;
  description: string;
  /** JSON Schema of an object. */
  parameters: Record<string, unknown>;
}

export interface ModelRequest {
  system: string;
  /** Already hygienic (agent.md §6.6): roles alternate as needed, every tool call has exactly one result. */
  messages: Message[];
  tools: ToolSpec[];
  thinking: ThinkingLevel;
  /** For offline/echo and providers that want a stable cache key. */
  sessionKey: string;
  maxTokens?: number;
  settings?: CallSettings;
}

/** Sampling and form of one answer, as clients of the HTTP APIs may ask for it. Best effort: a provider that does not know a
 *  setting leaves it out. */
export interface CallSettings {
  temperature?: number;
  topP?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  seed?: number;
  stopSequences?: string[];
  /** JSON, of this schema when there is one. */
  format?: { name?: string; schema?: Record<string, unknown> };
}

/** Why a model call failed (agent.md §3.5). `aborted`: by the caller's signal. `context_overflow`: compact, do not fail over. */
export type FailureReason =
  | "auth"
  | "rate_limit"
  | "billing"
  | "timeout"
  | "format"
  | "context_overflow"
  | "network"
  | "aborted"
  | "unknown";

export interface ModelFailure {
  reason: FailureReason;
  /** For people: short, no secrets, no raw bodies. */
  message: string;
  status?: number;
  retryAfterMs?: number;
}

export type ModelEvent =
  /** A call of this model begins; a second one means that retry or failover started over: drop what came before. */
  | { type: "start"; ref: string; provider: string; model: string; attempt: number }
  | { type: "text"; delta: string }
  /** An empty delta is a sign of life: bytes arrive, but nothing that could be shown (at most one in 10 s). */
  | { type: "thinking"; delta: string }
  /** A complete tool call; arguments are parsed, or `{}` with `invalid` set to the provider's text. */
  | { type: "toolCall"; id: string; name: string; arguments: Record<string, unknown>; invalid?: string }
  /** The stream ended well. `message` holds everything, usage and cost included. */
  | { type: "done"; message: AssistantMessage }
  /** The stream failed. `message` holds what had arrived (stopReason error or aborted), undefined when nothing had. */
  | {
      type: "failed";
      failure: ModelFailure;
      attempts: { ref: string; reason: FailureReason; message: string }[];
      message?: AssistantMessage;
    };

/** How a wire dialect reports a failed call; the retry loop makes `failed` of it, or tries again. */
export interface CallEnd {
  type: "ended";
  failure: CallFailure;
  /** What had arrived, undefined when nothing had. */
  message: AssistantMessage | undefined;
}

/** One wire dialect (openai-completions …). Implementations live in `dialects/`, each loaded on first use. Never throws; the
 *  last event is `done` or `ended`. */
export interface ModelProvider {
  stream(model: ModelEntry, request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent | CallEnd>;
}

/** What the agents room needs. `Models` in models.ts implements it. */
export interface ModelDirectory {
  /** The model a run uses without any override, and whether it is the offline one ("no model configured"). */
  defaultModel(agentId?: string): ModelEntry;
  /** Resolves a reference, alias or bare id. Throws GatewayError("invalid") naming the setting when unknown or not allowed. */
  resolve(reference: string): ModelEntry;
  list(): ModelEntry[];
  /** Streams one model call with in-run retries (429/5xx before any output: 3, honouring retry-after) and failover over
   *  `[model, …fallbacks]` (agent.md §3.5, 3.6). Never throws; the last event is `done` or `failed`. */
  stream(
    model: ModelEntry,
    request: ModelRequest,
    options: { signal: AbortSignal; agentId: string; noFallback?: boolean },
  ): AsyncIterable<ModelEvent>;
  /** Level a run uses when nobody chose one (agent.md §3.7). */
  defaultThinking(model: ModelEntry): ThinkingLevel;
}

/** Parses a level or one of its aliases; undefined when it is none. */
export function parseThinkingLevel(text: string): ThinkingLevel | undefined {
  const level = text.trim().toLowerCase();
  return levelNames[level];
}

const levelNames: Record<string, ThinkingLevel> = {
  __proto__: null as never,
  off: "off",
  minimal: "minimal",
  think: "minimal",
  low: "low",
  on: "low",
  enable: "low",
  thinkhard: "low",
  medium: "medium",
  mid: "medium",
  med: "medium",
  harder: "medium",
  thinkharder: "medium",
  high: "high",
  ultra: "high",
  ultrathink: "high",
  highest: "high",
  max: "high",
  xhigh: "xhigh",
  "x-high": "xhigh",
  x_high: "xhigh",
};
