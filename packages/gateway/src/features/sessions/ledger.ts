/** Ledger: the sessions and their transcripts as other rooms write them. Every write takes the caller's transaction. */
import { GatewayError } from "@openclaw/protocol";
import type { ConfigSource } from "../../config/section.ts";
import type { World } from "../../kernel/world.ts";
import type { Store, Tx } from "../../store/index.ts";
import { canonicalKey, checkedKey, mainKeyOf, splitKey, type KeyRules } from "./keys.ts";
import { isStale, maySend } from "./policies.ts";
import type { SessionConfig } from "./sessions.config.ts";
import { readSession, readSessionById, readSessionByLabel, removeSession, writeSession } from "./sessions.store.ts";
import type { SystemEvents } from "./system-events.ts";
import { previewOf, titleOf } from "./text.ts";
import {
  endTranscript,
  insertEntry,
  lastCompaction,
  lastEntry,
  openTranscript,
  readPage,
  readTranscript,
  renameTranscripts,
  seqOf,
} from "./transcripts.store.ts";
import type { EntryBody, SessionEntry, SessionLedger, TranscriptEntry } from "./types.ts";
import { recordUsage } from "./usage.store.ts";

export interface AgentDirectory {
  defaultId(): string;
  exists(id: string): boolean;
  list(): string[];
}

export interface LedgerOptions {
  store: Store;
  world: Pick<World, "now" | "uuid">;
  config: ConfigSource<{ session: SessionConfig }>;
  agents: AgentDirectory;
  systemEvents: SystemEvents;
}

type Patch = Parameters<SessionLedger["update"]>[2];

const maxContextEntries = 2_000;
const maxContextBytes = 64 * 1024 * 1024;

/** What a new session id starts without (agent.md §6.3). */
const cleared: Patch = {
  systemSent: false,
  abortedLastRun: false,
  compactionCount: 0,
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  contextTokens: undefined,
  derivedTitle: undefined,
  lastMessagePreview: undefined,
  systemPromptReport: undefined,
};

export class Ledger implements SessionLedger {
  readonly store: Store;
  readonly world: Pick<World, "now" | "uuid">;
  readonly agents: AgentDirectory;
  readonly systemEvents: SystemEvents;
  readonly #config: ConfigSource<{ session: SessionConfig }>;

  constructor(options: LedgerOptions) {
    this.store = options.store;
    this.world = options.world;
    this.agents = options.agents;
    this.systemEvents = options.systemEvents;
    this.#config = options.config;
  }

  canonicalKey(input: string, agentId?: string): string {
    return canonicalKey(input, this.#rules(), agentId);
  }

  /** As canonicalKey, but the key of a stored session is accepted although its agent is gone, so that it can be read and
   *  deleted. */
  knownKey(input: string, agentId?: string): string {
    const key = checkedKey(input);
    const agent = splitKey(key)?.agentId;
    if (agent !== undefined && !this.agents.exists(agent) && this.get(key)) return key;
    return this.canonicalKey(input, agentId);
  }

  mainKey(agentId?: string): string {
    return mainKeyOf(agentId ?? this.agents.defaultId(), this.#config.current.session);
  }

  agentOf(key: string): string {
    return splitKey(key)?.agentId ?? this.agents.defaultId();
  }

  get(key: string): SessionEntry | undefined {
    return readSession(this.store, key);
  }

  bySessionId(sessionId: string): SessionEntry | undefined {
    return readSessionById(this.store, sessionId);
  }

  ensure(tx: Tx, key: string, seed: Partial<SessionEntry> = {}): SessionEntry {
    const found = readSession(tx, key);
    if (found) return found;
    const now = this.world.now();
    const entry: SessionEntry = {
      ...seed,
      key,
      agentId: this.agentOf(key),
      sessionId: freshId(tx, seed.sessionId) ?? this.world.uuid(),
      createdAt: now,
      updatedAt: now,
      sessionStartedAt: now,
      lastInteractionAt: seed.lastInteractionAt ?? now,
      hidden: seed.hidden ?? false,
    };
    if (entry.label !== undefined) assertLabelFree(tx, entry.label, key);
    openTranscript(tx, { sessionId: entry.sessionId, key, startedAt: now });
    writeSession(tx, entry);
    return entry;
  }

  /** The same conversation under another key of the same agent, transcripts included: its chat has a new id. False when there is
   *  none, or the other key has one of its own. Nothing may run in it. */
  rename(tx: Tx, from: string, to: string): boolean {
    const entry = readSession(tx, from);
    if (!entry || readSession(tx, to)) return false;
    removeSession(tx, from);
    writeSession(tx, { ...entry, key: to });
    renameTranscripts(tx, from, to);
    return true;
  }

  update(tx: Tx, key: string, patch: Patch, options: { touch?: boolean } = {}): SessionEntry {
    const entry = this.#required(tx, key);
    if (patch.label !== undefined && patch.label !== entry.label) assertLabelFree(tx, patch.label, key);
    const next = patched(entry, { ...patch, key: entry.key, agentId: entry.agentId });
    if (options.touch !== false) next.updatedAt = this.world.now();
    if (next.sessionId !== entry.sessionId)
      openTranscript(tx, { sessionId: next.sessionId, key, startedAt: next.sessionStartedAt });
    writeSession(tx, next);
    return next;
  }

  append(tx: Tx, key: string, body: EntryBody, options: { id?: string; timestamp?: number } = {}): TranscriptEntry {
    const session = this.#required(tx, key);
    const last = lastEntry(tx, session.sessionId);
    const stored: TranscriptEntry = {
      id: options.id ?? this.world.uuid(),
      sessionId: session.sessionId,
      seq: (last?.seq ?? 0) + 1,
      parentId: last?.id ?? null,
      timestamp: options.timestamp ?? this.world.now(),
      body,
    };
    insertEntry(tx, stored);
    const next: SessionEntry = { ...session, updatedAt: this.world.now() };
    if (body.type === "message") {
      recordUsage(tx, session, body.message, stored.timestamp);
      const title = session.derivedTitle ?? titleOf(body.message);
      const preview = previewOf(body.message) ?? session.lastMessagePreview;
      if (title !== undefined) next.derivedTitle = title;
      if (preview !== undefined) next.lastMessagePreview = preview;
    }
    writeSession(tx, next);
    return stored;
  }

  rollover(tx: Tx, key: string, reason: "new" | "reset" | "daily" | "idle"): SessionEntry {
    const old = this.#required(tx, key);
    const now = this.world.now();
    endTranscript(tx, old.sessionId, now, reason);
    // Nobody asked to forget when only time has passed: a note that came this moment waits for the next prompt.
    if (reason === "new" || reason === "reset") this.systemEvents.drop(tx, key);
    return this.update(tx, key, {
      ...cleared,
      sessionId: this.world.uuid(),
      sessionStartedAt: now,
      lastInteractionAt: now,
    });
  }

  isStale(entry: SessionEntry, now: number): boolean {
    return isStale(entry, this.#config.current.session, now);
  }

  /** Whether replies of this session may be delivered (`session.sendPolicy`, `/send`). */
  maySend(entry: Pick<SessionEntry, "key" | "sendPolicy" | "chatType" | "channel" | "lastChannel">): boolean {
    return maySend(entry, this.#config.current.session);
  }

  contextEntries(sessionId: string, limit = maxContextEntries): TranscriptEntry[] {
    const compaction = lastCompaction(this.store, sessionId);
    const firstSeq = readTranscript(this.store, sessionId)?.firstSeq ?? 1;
    const page = { limit, maxBytes: maxContextBytes };
    if (compaction?.body.type !== "compaction") return readPage(this.store, sessionId, { ...page, firstSeq });
    const kept = seqOf(this.store, sessionId, compaction.body.firstKeptEntryId) ?? compaction.seq + 1;
    const entries = readPage(this.store, sessionId, { ...page, firstSeq: Math.max(kept, firstSeq) });
    return [compaction, ...entries.filter((entry) => entry.body.type !== "compaction")];
  }

  entries(
    sessionId: string,
    options: { limit: number; before?: string; messagesOnly?: boolean; maxBytes?: number },
  ): TranscriptEntry[] {
    const beforeSeq = options.before === undefined ? undefined : seqOf(this.store, sessionId, options.before);
    if (options.before !== undefined && beforeSeq === undefined) {
      throw new GatewayError("not-found", `no message "${options.before.slice(0, 64)}" in this session`, {
        details: { code: "UNKNOWN_MESSAGE" },
      });
    }
    const { limit, messagesOnly, maxBytes } = options;
    const firstSeq = readTranscript(this.store, sessionId)?.firstSeq ?? 1;
    return readPage(this.store, sessionId, { limit, beforeSeq, firstSeq, messagesOnly, maxBytes });
  }

  #rules(): KeyRules {
    return {
      defaultAgent: this.agents.defaultId(),
      scope: this.#config.current.session.scope,
      exists: (agentId) => this.agents.exists(agentId),
    };
  }

  #required(tx: Tx, key: string): SessionEntry {
    const entry = readSession(tx, key);
    if (!entry)
      throw new GatewayError("not-found", `No session found: ${key}`, { details: { code: "UNKNOWN_SESSION" } });
    return entry;
  }
}

/** `entry` with the fields of `patch`; those set to undefined are removed. */
function patched(entry: SessionEntry, patch: Patch): SessionEntry {
  const merged = Object.entries({ ...entry, ...patch }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(merged) as unknown as SessionEntry;
}

export function assertLabelFree(tx: Tx, label: string, key: string): void {
  const owner = readSessionByLabel(tx, label);
  if (owner && owner.key !== key)
    throw new GatewayError("invalid", `label already in use: ${label}`, { details: { code: "LABEL_IN_USE" } });
}

/** A wished session id, unless a transcript has it or its form is odd. */
function freshId(tx: Tx, wished: string | undefined): string | undefined {
  if (wished === undefined || !/^[A-Za-z0-9][A-Za-z0-9:_.-]{0,127}$/u.test(wished)) return undefined;
  return readTranscript(tx, wished) || readSessionById(tx, wished) ? undefined : wished;
}
