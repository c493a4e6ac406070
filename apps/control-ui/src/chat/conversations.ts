/** All sessions: which one is open, their list, the agents, models and commands to choose from. Hands each event to the
 *  conversation it belongs to; others only count as unread. */
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { MethodResult } from "@openclaw/protocol";
import { isRecord, type GatewayLink } from "../gateway/index.ts";
import type { Router } from "../app/router.ts";
import type { Settings } from "../app/settings.ts";
import type { Toasts } from "../app/toasts.ts";
import { Conversation } from "./conversation.ts";
import { renameDrafts } from "./draft.ts";
import { sessionsWithOutgoing, takeOutgoing } from "./outgoing.ts";
import { canonicalKey, type SessionRow } from "./session-title.ts";

export type AgentRow = MethodResult<"agents.list">["agents"][number];
export type ModelRow = MethodResult<"models.list">["models"][number];

export interface SlashCommand {
  name: string;
  aliases: readonly string[];
  args: string;
  description: string;
}

interface Parts {
  link: GatewayLink;
  router: Router;
  settings: Settings;
  toasts: Toasts;
}

/** Conversations kept in memory; the one not visited longest leaves first, unless something of it is on its way. */
const maxOpen = 8;
/** With something on its way; more are asked about when they are visited. */
const maxPending = 20;
const listLimit = 200;
/** Sessions whose unread replies are counted. */
const maxUnread = 500;

export class Conversations {
  readonly #parts: Parts;
  readonly #open = new Map<string, Conversation>();
  readonly #sessions = signal<readonly SessionRow[]>([]);
  readonly #agents = signal<readonly AgentRow[]>([]);
  readonly #models = signal<readonly ModelRow[]>([]);
  readonly #commands = signal<readonly SlashCommand[]>([]);
  readonly #defaultModel = signal<string | undefined>(undefined);
  readonly #unread = signal<Readonly<Record<string, number>>>({});
  #listing: ReturnType<typeof setTimeout> | undefined;

  /** The session the chat shows: of the address, else the one of last time, else the main one. */
  readonly currentKey: ReadonlySignal<string> = computed(() => {
    const { router, settings, link } = this.#parts;
    const { rest, query } = router.current;
    const asked = rest !== "" ? rest : (query.get("session") ?? settings.current.sessionKey);
    return canonicalKey(asked === "" ? "main" : asked, link.hello.value?.snapshot.sessionDefaults);
  });

  constructor(parts: Parts) {
    this.#parts = parts;
    const { link } = parts;
    link.onRefresh((why) => void this.#reload(why));
    link.on("chat", (event) => {
      const key = event.sessionKey;
      this.#open.get(key)?.chatEvent(event);
      if (event.state === "final" && !this.#watched(key)) this.#countUnread(key);
      if (event.state !== "delta") this.#listSoon();
    });
    link.on("agent", (event) => {
      if (event.sessionKey !== undefined) this.#open.get(event.sessionKey)?.agentEvent(event);
    });
  }

  get sessions(): ReadonlySignal<readonly SessionRow[]> {
    return this.#sessions;
  }

  get agents(): ReadonlySignal<readonly AgentRow[]> {
    return this.#agents;
  }

  get models(): ReadonlySignal<readonly ModelRow[]> {
    return this.#models;
  }

  get commands(): ReadonlySignal<readonly SlashCommand[]> {
    return this.#commands;
  }

  /** `provider/model` that counts where a session chose none. */
  get defaultModel(): ReadonlySignal<string | undefined> {
    return this.#defaultModel;
  }

  /** Replies that ended in sessions nobody looked at, by key. */
  get unread(): ReadonlySignal<Readonly<Record<string, number>>> {
    return this.#unread;
  }

  row(key: string): SessionRow | undefined {
    return this.#sessions.value.find((row) => row.key === key);
  }

  /** Key of a session that does not exist before something is sent into it. */
  newKey(): string {
    const agentId = /^agent:([^:]+):/.exec(this.currentKey.peek())?.[1];
    const fallback = this.#parts.link.hello.peek()?.snapshot.sessionDefaults?.defaultAgentId ?? "main";
    const random = Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => byte.toString(36).padStart(2, "0"));
    return `agent:${agentId ?? fallback}:chat-${random.join("")}`;
  }

  /** The conversation of a canonical key, read when it is new. */
  get(key: string): Conversation {
    const known = this.#open.get(key);
    const conversation =
      known ??
      new Conversation({
        sessionKey: key,
        port: this.#parts.link,
        announce: (text) => {
          if (this.#watched(key)) this.#parts.toasts.announce(text);
        },
      });
    this.#open.delete(key);
    this.#open.set(key, conversation);
    for (const [oldest, { idle }] of this.#open) {
      if (this.#open.size <= maxOpen) break;
      if (oldest !== key && (idle || this.#open.size > maxOpen + maxPending)) this.#open.delete(oldest);
    }
    if (!known && this.#parts.link.connected.peek()) void conversation.reconnected();
    return conversation;
  }

  /** Somebody looks at it now. */
  visited(key: string): void {
    this.#parts.settings.change({ sessionKey: key, lastActiveSessionKey: key });
    // Another client may have made it since the list was read.
    if (!this.row(key)) this.#listSoon();
    if (this.#unread.peek()[key] === undefined) return;
    const { [key]: _read, ...rest } = this.#unread.peek();
    this.#unread.value = rest;
  }

  /** After a session was deleted: its conversation must not come back from memory. */
  forget(key: string): void {
    this.#open.delete(key);
    this.#sessions.value = this.#sessions.peek().filter((row) => row.key !== key);
  }

  async list(): Promise<void> {
    const { link } = this.#parts;
    try {
      const { sessions, defaults } = await link.call("sessions.list", { limit: listLimit, includeDerivedTitles: true });
      this.#sessions.value = sessions;
      this.#defaultModel.value =
        defaults.model === null ? undefined : [defaults.modelProvider, defaults.model].filter(Boolean).join("/");
    } catch {
      // The list of before stays; the connection's state is shown elsewhere.
    }
  }

  #listSoon(): void {
    if (this.#listing !== undefined) return;
    this.#listing = setTimeout(() => {
      this.#listing = undefined;
      if (this.#parts.link.connected.peek()) void this.list();
    }, 300);
  }

  async #reload(why: "hello" | "gap"): Promise<void> {
    const { link } = this.#parts;
    const current = this.#open.get(this.currentKey.peek());
    if (why === "gap") {
      // What the runbook asks for; the answers also reach whoever shows them.
      void link.callAny("health").catch(ignore);
      void link.callAny("system-presence").catch(ignore);
      await current?.refresh();
      return;
    }
    this.#resume(current);
    await Promise.all([this.list(), this.#readAgents(), this.#readModels(), this.#readCommands()]);
  }

  /** Conversations in the background read again when they are visited. Those that have something on its way ask about it now,
   *  also when it was written before the page was loaded anew, or under a name the gateway does not use. */
  #resume(current: Conversation | undefined): void {
    const defaults = this.#parts.link.hello.peek()?.snapshot.sessionDefaults;
    const rename = (key: string) => canonicalKey(key, defaults);
    renameDrafts(rename);
    const fresh = new Set<Conversation>();
    for (const key of sessionsWithOutgoing().slice(0, maxPending)) {
      const canonical = rename(key);
      const known = this.#open.has(canonical);
      // A new one asks about its messages itself.
      const conversation = this.get(canonical);
      if (canonical !== key) {
        conversation.adopt(takeOutgoing(key));
        this.#open.delete(key);
      }
      if (!known) fresh.add(conversation);
    }
    for (const [key, conversation] of this.#open) {
      if (conversation !== current && conversation.idle) this.#open.delete(key);
      else if (!fresh.has(conversation)) void conversation.reconnected();
    }
  }

  async #readAgents(): Promise<void> {
    await this.#parts.link.call("agents.list", {}).then(({ agents }) => (this.#agents.value = agents), ignore);
  }

  async #readModels(): Promise<void> {
    await this.#parts.link.call("models.list", {}).then(({ models }) => (this.#models.value = models), ignore);
  }

  async #readCommands(): Promise<void> {
    if (!this.#parts.link.offers("commands.list")) return;
    const result = await this.#parts.link.callAny("commands.list", {}).catch(ignore);
    const list = isRecord(result) && Array.isArray(result.commands) ? result.commands.filter(isRecord) : [];
    this.#commands.value = list.map((entry) => ({
      name: String(entry.name ?? "").replace(/^\//, ""),
      aliases: Array.isArray(entry.aliases) ? entry.aliases.map(String) : [],
      args: String(entry.args ?? ""),
      description: String(entry.description ?? ""),
    }));
  }

  #watched(key: string): boolean {
    return (
      key === this.currentKey.peek() &&
      this.#parts.router.current.path === "/chat" &&
      document.visibilityState === "visible"
    );
  }

  #countUnread(key: string): void {
    const unread = this.#unread.peek();
    if (unread[key] === undefined && Object.keys(unread).length >= maxUnread) return;
    this.#unread.value = { ...unread, [key]: (unread[key] ?? 0) + 1 };
  }
}

const ignore = (): undefined => undefined;
