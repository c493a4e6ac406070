/** Sessions: the ledger for other rooms, and what clients may ask about it (protocol.md §13.6). */
import { GatewayError, messageText, type MethodParams, type MethodResult } from "@openclaw/protocol";
import type { Bus } from "../../kernel/bus.ts";
import type { Service } from "../../kernel/lifecycle.ts";
import type { Logger } from "../../kernel/log.ts";
import type { Timer, World } from "../../kernel/world.ts";
import { inject, readHistory } from "./history.ts";
import { Ledger, type LedgerOptions } from "./ledger.ts";
import { changesOf } from "./patch.ts";
import { modelOf, rowOf, type Defaults, type RowOptions, type SessionRow } from "./rows.ts";
import {
  countSessions,
  hiddenSessions,
  listSessions,
  matches,
  maxListed,
  readSession,
  readSessionByLabel,
  removeSession,
  type ListFilter,
} from "./sessions.store.ts";
import { type Due, dueHookSessions } from "./retention.ts";
import { SystemEvents } from "./system-events.ts";
import { cut, withoutEnvelope } from "./text.ts";
import { cutTranscript, endTranscript, eraseSome, lastEntry, readTranscript } from "./transcripts.store.ts";
import type { SessionEntry, TranscriptEntry } from "./types.ts";
import { foldUsage } from "./usage.store.ts";
import { usageDays, usageLogs, usageReport, usageTimeseries } from "./usage.ts";

/** Stops the run of a session and waits up to 15 s. False when it is still active then. */
export type StopSession = (key: string) => Promise<boolean>;

export interface SessionsOptions extends Omit<LedgerOptions, "world" | "systemEvents"> {
  world: World;
  bus: Bus;
  log: Logger;
  /** What a session without a choice of its own uses. */
  defaults(): Defaults & { thinkingLevel?: string };
  /** Throws a GatewayError whose text names the model. */
  resolveModel(ref: string): { provider: string; model: string };
  /** `provider/model` of those that know the thinking level xhigh. Without it every model may be asked. */
  xhighModels?(): readonly string[];
  stopSession?: StopSession;
  systemEvents?: SystemEvents;
}

const minuteMs = 60_000;
const hiddenKeptMs = 60 * minuteMs;
const sweepEveryMs = 10 * minuteMs;
const sweptAtOnce = 16;
/** Finding those of webhooks reads all of them. */
const foundAtOnce = 2_000;
/** Of one sweep; the next goes on. */
const sweptBatches = 2_500;
const previewBytes = 512 * 1024;

export class Sessions extends Ledger implements Service {
  readonly name = "sessions";
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #options: SessionsOptions;
  #stopSession: StopSession;
  #timer: Timer | undefined;
  #sweeping: Promise<number> | undefined;
  #sweepingHooks: Promise<number> | undefined;

  constructor(options: SessionsOptions) {
    super({ ...options, systemEvents: options.systemEvents ?? new SystemEvents({ world: options.world }) });
    this.#options = options;
    this.#bus = options.bus;
    this.#log = options.log;
    this.#stopSession = options.stopSession ?? (async () => true);
  }

  /** For an assembly that builds the agents after the sessions. */
  onStop(stopSession: StopSession): void {
    this.#stopSession = stopSession;
  }

  /** Sweeps hidden sessions and those of webhooks every ten minutes. */
  start(): void {
    this.#timer = this.#options.world.every(sweepEveryMs, () => {
      this.sweepHidden().catch((error: unknown) => this.#log.warn("hidden sessions could not be swept", { error }));
      this.sweepHooks().catch((error: unknown) => this.#log.warn("sessions of webhooks could not be swept", { error }));
    });
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    // An error was logged where the sweep was started.
    await this.#sweeping?.catch(() => {});
    await this.#sweepingHooks?.catch(() => {});
  }

  /** Removes hidden sessions untouched for an hour, with their transcripts (settled.md 14). Returns how many. A call during
   *  a sweep joins it. */
  sweepHidden(): Promise<number> {
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  /** Removes sessions of webhooks that are old or too many, with their transcripts (retention.ts). Returns how many. A call
   *  during a sweep joins it. */
  sweepHooks(): Promise<number> {
    this.#sweepingHooks ??= this.#sweepHooks().finally(() => {
      this.#sweepingHooks = undefined;
    });
    return this.#sweepingHooks;
  }

  /** Sessions in lists; of one agent when given. */
  count(agentId?: string): number {
    return countSessions(this.store, agentId);
  }

  /** Listed sessions, latest first. */
  recent(limit: number, agentId?: string): SessionEntry[] {
    return listSessions(this.store, { limit: Math.min(limit, maxListed), since: 0, agentId });
  }

  usageDays(fromMs: number, toMs: number) {
    return usageDays(this, fromMs, toMs);
  }

  list(params: MethodParams<"sessions.list">): MethodResult<"sessions.list"> {
    const now = this.world.now();
    const filter: ListFilter = {
      limit: Math.min(params.limit ?? maxListed, maxListed),
      since: params.activeMinutes === undefined ? 0 : now - params.activeMinutes * minuteMs,
      agentId: params.agentId?.trim().toLowerCase(),
      label: params.label?.trim(),
      spawnedBy: params.spawnedBy?.trim().toLowerCase(),
      search: params.search,
    };
    const found = listSessions(this.store, filter);
    const asked = [...(params.includeGlobal ? ["global"] : []), ...(params.includeUnknown ? ["unknown"] : [])];
    const shared = asked.flatMap((key) => this.get(key) ?? []).filter((entry) => matches(entry, filter));
    const entries =
      shared.length === 0
        ? found
        : [...found, ...shared].sort((a, b) => b.updatedAt - a.updatedAt).slice(0, filter.limit);
    const defaults = this.#options.defaults();
    const sessions = entries.map((entry) => rowOf(entry, defaults, params));
    const { modelProvider, model, contextTokens } = defaults;
    return {
      ts: now,
      path: this.store.path,
      count: sessions.length,
      defaults: { modelProvider, model, contextTokens },
      sessions,
    };
  }

  describe(params: MethodParams<"sessions.describe">): { session: SessionRow | null } {
    const entry = this.get(this.knownKey(params.key, params.agentId));
    const options: RowOptions = params;
    return { session: entry ? rowOf(entry, this.#options.defaults(), options) : null };
  }

  preview(params: MethodParams<"sessions.preview">): MethodResult<"sessions.preview"> {
    const limit = Math.min(params.limit ?? 12, 50);
    const maxChars = Math.min(params.maxChars ?? 240, 2_000);
    const previews = params.keys.slice(0, 64).map((key) => this.#previewOf(key, limit, maxChars));
    return { ts: this.world.now(), previews };
  }

  resolve(params: MethodParams<"sessions.resolve">): MethodResult<"sessions.resolve"> {
    const given = [params.key, params.sessionId, params.label].filter(
      (value) => value !== undefined && value.trim() !== "",
    );
    if (given.length > 1) throw new GatewayError("invalid", "Provide either key, sessionId, or label (not multiple)");
    if (given.length === 0) throw new GatewayError("invalid", "Either key, sessionId, or label is required");
    if (params.key !== undefined) {
      const key = this.knownKey(params.key, params.agentId);
      if (!this.get(key)) throw notFound(`No session found: ${params.key}`);
      return { ok: true, key };
    }
    const label = params.label?.trim() ?? "";
    const id = params.sessionId?.trim() ?? "";
    const entry =
      params.label !== undefined
        ? readSessionByLabel(this.store, label)
        : (this.bySessionId(id) ?? this.#byKeyText(id));
    const agentId = params.agentId?.trim().toLowerCase();
    const fits =
      entry &&
      (agentId === undefined || entry.agentId === agentId) &&
      (params.spawnedBy === undefined || entry.spawnedBy === params.spawnedBy) &&
      (entry.key !== "global" || params.includeGlobal !== false) &&
      (entry.key !== "unknown" || params.includeUnknown !== false);
    if (!fits)
      throw notFound(params.label !== undefined ? `No session found with label: ${label}` : `No session found: ${id}`);
    return { ok: true, key: entry.key };
  }

  async patch(params: MethodParams<"sessions.patch">): Promise<MethodResult<"sessions.patch">> {
    const key = this.knownKey(params.key);
    const defaults = this.#options.defaults();
    const xhighModels = this.#options.xhighModels?.();
    const context = { resolveModel: (ref: string) => this.#options.resolveModel(ref), defaults, xhighModels };
    const entry = await this.store.commit((tx) =>
      this.update(tx, key, changesOf(this.ensure(tx, key), params, context)),
    );
    return { ok: true, path: this.store.path, key, entry, resolved: modelOf(entry, defaults) };
  }

  async reset(params: MethodParams<"sessions.reset">): Promise<MethodResult<"sessions.reset">> {
    const key = this.knownKey(params.key);
    if (this.get(key)) await this.#stopped(key);
    const entry = await this.store.commit((tx) => {
      this.ensure(tx, key);
      return this.rollover(tx, key, params.reason ?? "reset");
    });
    return { ok: true, key, entry };
  }

  async delete(params: MethodParams<"sessions.delete">): Promise<MethodResult<"sessions.delete">> {
    const key = this.knownKey(params.key);
    if (this.#isMain(key)) throw new GatewayError("invalid", `Cannot delete the main session (${key}).`);
    if (!this.get(key)) return { ok: true, key, deleted: false, archived: [] };
    await this.#stopped(key);
    const archived = await this.store.commit((tx) => {
      const entry = readSession(tx, key);
      if (!entry || !removeSession(tx, key)) return undefined;
      endTranscript(tx, entry.sessionId, this.world.now(), "deleted");
      this.systemEvents.drop(tx, key);
      return params.deleteTranscript === false || !lastEntry(tx, entry.sessionId) ? [] : [this.store.path];
    });
    if (archived) this.#log.info("session deleted", { key });
    return { ok: true, key, deleted: archived !== undefined, archived: archived ?? [] };
  }

  compact(params: MethodParams<"sessions.compact">): Promise<MethodResult<"sessions.compact">> {
    const key = this.knownKey(params.key);
    const keep = params.maxLines ?? 400;
    return this.store.commit((tx) => {
      const entry = readSession(tx, key);
      if (!entry) return { ok: true, key, compacted: false, reason: "no sessionId" };
      const last = lastEntry(tx, entry.sessionId);
      if (!last) return { ok: true, key, compacted: false, reason: "no transcript" };
      const firstSeq = readTranscript(tx, entry.sessionId)?.firstSeq ?? 1;
      const entries = last.seq - firstSeq + 1;
      if (entries <= keep) return { ok: true, key, compacted: false, kept: entries };
      cutTranscript(tx, entry.sessionId, last.seq - keep + 1);
      this.update(tx, key, { totalTokens: undefined, inputTokens: undefined, outputTokens: undefined });
      return { ok: true, key, compacted: true, kept: keep, archived: `${entries - keep} entries` };
    });
  }

  history(params: MethodParams<"chat.history">): MethodResult<"chat.history"> {
    return readHistory(this, params, this.#options.defaults());
  }

  inject(params: MethodParams<"chat.inject">): Promise<MethodResult<"chat.inject">> {
    return inject(this, this.#bus, params);
  }

  usage(params: MethodParams<"sessions.usage">): MethodResult<"sessions.usage"> {
    return usageReport(this, params);
  }

  usageTimeseries(params: MethodParams<"sessions.usage.timeseries">): MethodResult<"sessions.usage.timeseries"> {
    return usageTimeseries(this, params);
  }

  usageLogs(params: MethodParams<"sessions.usage.logs">): MethodResult<"sessions.usage.logs"> {
    return usageLogs(this, params);
  }

  async #stopped(key: string): Promise<void> {
    if (await this.#stopSession(key)) return;
    throw new GatewayError("unavailable", `Session ${key} is still active; try again in a moment.`, {
      retryAfterMs: 1_000,
    });
  }

  #isMain(key: string): boolean {
    const agentId = this.agentOf(key);
    return key === this.mainKey(agentId) && this.agents.exists(agentId);
  }

  /** Some clients send a key where a session id is asked for. */
  #byKeyText(text: string): SessionEntry | undefined {
    try {
      return this.get(this.knownKey(text));
    } catch (error) {
      if (error instanceof GatewayError && error.kind === "invalid") return undefined;
      throw error;
    }
  }

  #previewOf(key: string, limit: number, maxChars: number): MethodResult<"sessions.preview">["previews"][number] {
    try {
      const entry = this.#byKeyText(key);
      if (!entry) return { key, status: "missing", items: [] };
      const page = this.entries(entry.sessionId, { limit, messagesOnly: true, maxBytes: previewBytes });
      const items = page.flatMap((stored) => previewItem(stored, maxChars));
      return { key, status: items.length > 0 ? "ok" : "empty", items };
    } catch (error) {
      this.#log.warn("a session could not be previewed", { key, error });
      return { key, status: "error", items: [] };
    }
  }

  #sweep(): Promise<number> {
    const before = this.world.now() - hiddenKeptMs;
    return this.#erase(() => hiddenSessions(this.store, before, sweptAtOnce));
  }

  async #sweepHooks(): Promise<number> {
    const now = this.world.now();
    let swept = 0;
    for (const agentId of this.agents.list())
      swept += await this.#erase(() => dueHookSessions(this.store, agentId, now, foundAtOnce));
    if (swept > 0) this.#log.info("old sessions of webhooks were deleted", { sessions: swept });
    return swept;
  }

  /** A batch per commit, until none is left: as many come in an hour as clients ask for. */
  async #erase(due: () => Due[]): Promise<number> {
    let erased = 0;
    for (let batches = 0, found = due(); found.length > 0 && batches < sweptBatches; batches++) {
      const batch = found.splice(0, sweptAtOnce);
      await this.store.commit((tx) => {
        for (const { key, sessionId, updatedAt } of batch) {
          const entry = readSession(tx, key);
          const same = entry?.sessionId === sessionId && entry.updatedAt === updatedAt;
          // What is not erased yet is found again.
          if (!same || !eraseSome(tx, sessionId) || !removeSession(tx, key)) continue;
          foldUsage(tx, sessionId);
          erased++;
        }
      });
      if (found.length === 0) found = due();
    }
    return erased;
  }
}

const notFound = (message: string) => new GatewayError("not-found", message, { details: { code: "UNKNOWN_SESSION" } });

function previewItem(
  { body }: TranscriptEntry,
  maxChars: number,
): { role: "user" | "assistant" | "tool"; text: string }[] {
  if (body.type !== "message") return [];
  const { message } = body;
  const text = messageText(message).trim();
  if (message.role === "toolResult") return text ? [{ role: "tool", text: cut(text, maxChars) }] : [];
  if (message.role === "user") {
    const said = withoutEnvelope(text);
    return said ? [{ role: "user", text: cut(said, maxChars) }] : [];
  }
  if (text) return [{ role: "assistant", text: cut(text, maxChars) }];
  const calls = message.content.flatMap((part) => (part.type === "toolCall" ? [part.name] : []));
  return calls.length > 0 ? [{ role: "tool", text: cut(`call ${calls.join(", ")}`, maxChars) }] : [];
}
