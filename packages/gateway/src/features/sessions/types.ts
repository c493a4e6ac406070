/** Types of the sessions room, for its door and its callers. */
import type { Message } from "@openclaw/protocol";
import type { Tx } from "../../store/store.ts";

/** One conversation: the row behind a session key (agent.md §6.4). Absent fields are unset. Times are ms since the epoch. */
export interface SessionEntry {
  key: string;
  agentId: string;
  sessionId: string;
  createdAt: number;
  updatedAt: number;
  sessionStartedAt: number;
  /** Last message of a person; heartbeats and cron never move it. */
  lastInteractionAt: number;
  /** Not in `sessions.list` unless asked (settled.md 14). */
  hidden: boolean;
  chatType?: "direct" | "group" | "channel";
  label?: string;
  displayName?: string;
  channel?: string;
  subject?: string;
  spawnedBy?: string;
  /** Sub-agent nesting; set once. */
  spawnDepth?: number;
  systemSent?: boolean;
  abortedLastRun?: boolean;
  thinkingLevel?: string;
  verboseLevel?: string;
  reasoningLevel?: string;
  elevatedLevel?: string;
  responseUsage?: string;
  execHost?: string;
  execSecurity?: string;
  execAsk?: string;
  execNode?: string;
  /** How messages of chats wait while a run is active; unset follows `messages.queue`. */
  queue?: { mode?: string; debounceMs?: number; cap?: number; drop?: string };
  sendPolicy?: string;
  groupActivation?: string;
  providerOverride?: string;
  modelOverride?: string;
  /** Provider and model that answered last. */
  modelProvider?: string;
  model?: string;
  inputTokens?: number;
  outputTokens?: number;
  /** Tokens in context after the last call. */
  totalTokens?: number;
  contextTokens?: number;
  compactionCount?: number;
  lastChannel?: string;
  lastTo?: string;
  lastAccountId?: string;
  lastThreadId?: string;
  /** Text of the first user message, cut to 80 characters. */
  derivedTitle?: string;
  /** Text of the last message, cut to 200 characters. */
  lastMessagePreview?: string;
  /** Size of the system prompt by section, for /context. JSON. */
  systemPromptReport?: unknown;
}

/** What a transcript entry says (agent.md §6.5). */
export type EntryBody =
  | { type: "message"; message: Message }
  | { type: "compaction"; summary: string; firstKeptEntryId: string; tokensBefore: number }
  | { type: "model_change"; provider: string; modelId: string }
  | { type: "thinking_level_change"; thinkingLevel: string }
  | { type: "custom"; customType: string; data: unknown }
  | { type: "custom_message"; customType: string; content: string; display: boolean };

/** One append-only row of a transcript. `seq` grows by one per session id. */
export interface TranscriptEntry {
  id: string;
  sessionId: string;
  seq: number;
  parentId: string | null;
  timestamp: number;
  body: EntryBody;
}

/** What other rooms may do with sessions. All writes take the caller's transaction so that a message, its run row and the
 *  session summary change together (R-DB-7). The class `Sessions` in sessions.ts implements it and adds the RPC surface. */
export interface SessionLedger {
  /** Canonical key of what a client sent (protocol.md §10.5): `main` → `agent:<default>:main`. Pure.
   *  Throws GatewayError("invalid") for keys of unknown agents or with characters that are not allowed. */
  canonicalKey(input: string, agentId?: string): string;
  mainKey(agentId?: string): string;
  /** Agent id inside a canonical key. */
  agentOf(key: string): string;
  get(key: string): SessionEntry | undefined;
  bySessionId(sessionId: string): SessionEntry | undefined;
  /** The entry of a canonical key, created when missing. `seed` fills fields of a new entry only (a given sessionId is used
   *  for a new session). */
  ensure(tx: Tx, key: string, seed?: Partial<SessionEntry>): SessionEntry;
  /** Sets the given fields; `undefined` clears one. Touches `updatedAt` unless `touch` is false. */
  update(
    tx: Tx,
    key: string,
    patch: { [K in keyof SessionEntry]?: SessionEntry[K] | undefined },
    options?: { touch?: boolean },
  ): SessionEntry;
  /** Appends to the leaf of the session's transcript. Also keeps title and preview. Returns the stored entry. */
  append(tx: Tx, key: string, body: EntryBody, options?: { id?: string; timestamp?: number }): TranscriptEntry;
  /** New session id, counters zeroed, user choices kept (agent.md §6.3). The old transcript stays in the store. */
  rollover(tx: Tx, key: string, reason: "new" | "reset" | "daily" | "idle"): SessionEntry;
  /** Whether the reset policy says that the next message starts a new session. */
  isStale(entry: SessionEntry, now: number): boolean;
  /** Entries that make the model's context, oldest first: from the last compaction's first kept entry on, the compaction
   *  itself first. Bounded by the newest `limit` (default 2,000) entries. */
  contextEntries(sessionId: string, limit?: number): TranscriptEntry[];
  /** Newest `limit` entries, oldest first, optionally those before an entry id. */
  entries(sessionId: string, options: { limit: number; before?: string }): TranscriptEntry[];
}
