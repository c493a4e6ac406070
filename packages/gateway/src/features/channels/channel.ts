/** Contract of a chat platform (architecture §4, channels.md §1). A third channel needs a folder, a config section and a row in
 *  `catalogue.ts`; it enters through the suite in `channel.contract.ts`.
 *
 *  Three layers, each loaded only when it is needed. The row in the catalogue: names. `ChannelEntry`, for a configured channel:
 *  answers questions about config, targets and texts, synchronously and without an SDK. `ChannelAccount`, for an enabled account:
 *  one account of the platform with its SDK, connected or not. */
import type { Logger } from "../../kernel/log.ts";
import type { World } from "../../kernel/world.ts";
import type { Store } from "../../store/store.ts";
import type { InboundBatch, MediaRef } from "./inbound.ts";
import type { OutboundPart, RenderedText, SendOutcome } from "./outbound.ts";

export interface ChannelCapabilities {
  /** The platform drops a second message with the id the client chose: an interrupted send may be repeated (R-OUT-2). */
  clientMessageIds: boolean;
  polls: boolean;
  reactions: boolean;
  edit: boolean;
  delete: boolean;
  /** Topics or threads inside a chat. */
  threads: boolean;
  /** Logs in by a code shown to a person, rather than by a token in the config. */
  login: boolean;
  /** Messages that start with `/` are offered in a menu of the platform. */
  nativeCommands: boolean;
}

/** One account as the config describes it: base and account merged. `settings` is the adapter's own affair. */
export interface AccountSettings<S = unknown> {
  accountId: string;
  name?: string;
  enabled: boolean;
  /** Why it cannot start, in words a person can act on; undefined when it can. */
  missing?: string;
  access: AccessSettings;
  /** Largest file, both ways. */
  mediaMaxBytes: number;
  textChunkLimit: number;
  chunkMode: "length" | "newline";
  tables: "off" | "bullets" | "code";
  /** Finished pieces of an answer are sent early; undefined follows `agents.defaults.blockStreamingDefault`. */
  blockStreaming?: boolean;
  /** Size of such a piece, where the account has its own. */
  blocks?: { minChars?: number; maxChars?: number };
  /** Whether what happens in chats may change the config; absent means yes. */
  configWrites?: boolean;
  /** `channels.<id>.actions`: what is switched off here. Absent means allowed. */
  actions?: Readonly<Partial<Record<ChannelAction, boolean>>>;
  /** For `channels.status`: `config`, `file`, `env`, `none`. Never the secret. */
  tokenSource?: string;
  settings: S;
}

export type ChannelAction = "sendMessage" | "polls" | "reactions" | "editMessage" | "deleteMessage";

/** Who may write where (channels.md §2). */
export interface AccessSettings {
  dmPolicy: "pairing" | "allowlist" | "open" | "disabled";
  allowFrom: readonly string[];
  groupPolicy: "open" | "allowlist" | "disabled";
  /** Undefined: `allowFrom` holds. */
  groupAllowFrom?: readonly string[];
  /** Undefined: every group that the policy lets in. */
  groups?: Readonly<Record<string, GroupSettings>>;
  historyLimit: number;
  /** Turns of a direct chat the model is shown; undefined for all. `dms` by sender wins. */
  dmHistoryLimit?: number;
  dms?: Readonly<Record<string, { historyLimit?: number }>>;
  debounceMs: number;
  replyToMode: "off" | "first" | "all";
  ackReaction?: AckReaction;
  /** Commands are for owners only, whoever else may write (WhatsApp). */
  commandsNeedOwner: boolean;
}

export interface AckReaction {
  emoji: string;
  direct: boolean;
  group: "always" | "mentions" | "never";
}

export interface GroupSettings {
  enabled?: boolean;
  requireMention?: boolean;
  groupPolicy?: "open" | "allowlist" | "disabled";
  allowFrom?: readonly (string | number)[];
  systemPrompt?: string;
  skills?: readonly string[];
  tools?: unknown;
  toolsBySender?: unknown;
  topics?: Readonly<Record<string, GroupSettings>>;
}

/** A place to send to, in the platform's own words. */
export interface Target {
  /** Id of the chat as the platform and the session key name it. */
  chatId: string;
  kind: "direct" | "group" | "channel";
  threadId?: string;
}

/** A row of the catalogue. */
export interface ChannelRow {
  id: string;
  label: string;
  /** Spellings accepted instead of `id`. */
  aliases: readonly string[];
  summary: string;
  /** Whether a rejection nobody caught is one that this channel's SDK lets escape. */
  escapes?(error: unknown): boolean;
  /** Without the SDK. */
  load(): Promise<ChannelEntry>;
}

export interface ChannelEntry<S = unknown> {
  id: string;
  label: string;
  /** Guide in `docs/`. */
  docs: string;
  capabilities: ChannelCapabilities;
  /** Budgets of R-OUT-5. */
  budget: SendBudget;
  /** Accounts of a validated config, in order; empty when the channel is not configured. Reads no secret files. */
  accounts(config: unknown, env: Readonly<Record<string, string | undefined>>): AccountSettings<S>[];
  /** Waits between attempts; a standard policy when absent. */
  reconnect?(config: unknown): ReconnectPolicy;
  /** Reads what a person typed as a destination. Throws GatewayError("invalid") that shows the accepted forms. */
  parseTarget(text: string): Target;
  /** A sender id as lists compare it: trimmed, without prefix, E.164, lower case. */
  normalizeSender(id: string): string;
  /** Characters a text may have to travel with a file. */
  captionLimit: number;
  /** How ids of senders are called in the pairing reply ("Telegram user id"). */
  idLabel: string;
  /** Markdown as this platform shows it, cut into parts of at most `limit` characters (channels.md §4.3). Pure. */
  render(markdown: string, options: RenderOptions): RenderedText[];
  /** The SDK comes with it. Rejects with a text that names the package when it is not installed. */
  load(): Promise<ChannelModule<S>>;
}

/** Waits grow from `initialMs` by `factor` to `maxMs`; jitter only adds, as a share of the wait. */
export interface ReconnectPolicy {
  initialMs: number;
  maxMs: number;
  factor: number;
  jitter: number;
  /** Attempts in a row after which waits are 5 min; 0: never. */
  maxAttempts: number;
  /** An open connection this old has earned a fresh count of attempts; 60 s when absent. */
  steadyMs?: number;
}

export interface RenderOptions {
  limit: number;
  chunkMode: "length" | "newline";
  tables: "off" | "bullets" | "code";
}

export interface SendBudget {
  /** Between two parts in one direct chat. */
  directEveryMs: number;
  /** In one group. */
  group: { count: number; perMs: number; everyMs: number };
  /** Over the whole account. */
  account: { count: number; perMs: number };
}

export interface ChannelModule<S = unknown> {
  /** Opens nothing. */
  createAccount(deps: AccountDeps<S>): ChannelAccount;
}

export interface AccountDeps<S = unknown> {
  accountId: string;
  /** Read at use: policies change while the account runs. */
  account: () => AccountSettings<S>;
  world: World;
  log: Logger;
  /** For what only this adapter keeps, in its own tables. */
  store: Store;
  /** Files that came in or go out live here (0700). */
  mediaDir: string;
  /** Answers the platform's request for a message we sent (R-WA-5). Undefined after 24 h. */
  sentPart: (chatId: string, messageId: string) => OutboundPart | undefined;
  /** Registers a secret so that no log shows it. */
  redact: (secret: string) => void;
}

/** What one attempt to be connected tells while it lives. Calls of an attempt that is over are ignored. */
export interface ConnectionEvents {
  /** Stores the batch. Durable when it resolves: only then may the platform be acknowledged (R-IN-1). Rejects when the store
   *  cannot write; the adapter then ends the attempt without acknowledging. */
  receive(batch: InboundBatch): Promise<void>;
  /** Resolves when there is room for more; whoever fetches waits here first (R-IN-4). Rejects when the attempt is over. */
  room(): Promise<void>;
  /** Where the last receive stopped, for this own id; undefined when unknown or older than the platform's memory. */
  cursor(ownId: string): { value: string; storedAt: number } | undefined;
  /** Whether a message with this platform id is stored for this own id. For platforms that deliver again what cannot be read a
   *  second time. */
  stored(ownId: string, platformId: string): boolean;
  /** Connected and authenticated. */
  opened(self: { id: string; name?: string; username?: string; e164?: string }): void;
  /** A code to show to a person, valid until `expiresAt`. Only while a login runs. */
  loginCode?(code: LoginCode): void;
  /** The login itself is done; keys are stored. */
  linked?(): void;
  /** A frame or a poll answer arrived: the transport is alive. Cheap. */
  activity(): void;
  /** Facts for `channels.status`, merged into what is there. No secrets. */
  note(facts: Readonly<Record<string, unknown>>): void;
  /** A receipt or an echo proves that a part reached the platform (outbox row `unknown` becomes `sent`). */
  confirmed(clientMsgId: string, messageId: string): void;
}

export type LoginCode =
  | { kind: "qr"; text: string; expiresAt: number }
  | { kind: "code"; code: string; expiresAt: number };

/** How an attempt ended (channels.md §6.4, R-TG-2; reliability.md §3.6). `status` is the platform's number, if it gave one. */
export type ConnectionEnd =
  | { kind: "aborted" }
  /** Wait, then try again; `afterMs` is a least wait the platform asked for. */
  | { kind: "retry"; status?: number; message: string; afterMs?: number; hint?: string }
  /** The platform wants a new connection at once (WhatsApp 515). */
  | { kind: "again"; status?: number; message: string }
  /** No attempt makes sense before a person acts. */
  | {
      kind: "terminal";
      reason: "logged-out" | "forbidden" | "replaced" | "bad-token" | "version" | "not-linked";
      status?: number;
      message: string;
      /** What to do, as a command where there is one. */
      fix: string;
    };

/** An entry of a platform's command menu. */
export interface MenuCommand {
  name: string;
  description: string;
  /** A skill of the agent; the others are our own commands. */
  skill?: boolean;
}

export interface ChannelAccount {
  /** Whether it could connect without a person: a token, or a stored link. */
  linked(): boolean;
  /** One connection, from dialing to its end. Resolves with how it ended, never rejects. After `signal` aborts it resolves
   *  within 2 s and calls nothing any more. At most one runs at a time. */
  connect(
    events: ConnectionEvents,
    signal: AbortSignal,
    options?: { login?: { phone?: string } },
  ): Promise<ConnectionEnd>;
  /** An id of the client's choosing for the next message; only with `clientMessageIds`. */
  newMessageId?(): string;
  /** Sends one part over the open connection. Never rejects; resolves within 60 s. Only the outbox calls it (R-OUT-4). */
  send(part: OutboundPart, attempt: { clientMsgId?: string; signal: AbortSignal }): Promise<SendOutcome>;
  /** Fetches a file named by an inbound message into `mediaDir`. Throws GatewayError with a text for the chat. */
  download(
    ref: MediaRef,
    limits: { maxBytes: number; signal: AbortSignal },
  ): Promise<{ path: string; mimeType: string; sizeBytes: number }>;
  /** Shows or ends "is typing". Failures are swallowed by the adapter. */
  typing(chat: Target, on: boolean): Promise<void>;
  /** Marks messages as read, where the platform knows that. Failures are swallowed. */
  markRead?(receipts: readonly unknown[]): Promise<void>;
  react?(
    chat: Target,
    messageId: string,
    emoji: string,
    options: { remove?: boolean; receipt?: unknown },
  ): Promise<void>;
  edit?(chat: Target, messageId: string, text: RenderedText): Promise<void>;
  delete?(chat: Target, messageId: string): Promise<void>;
  /** Asks the platform whether the account works. Never rejects. */
  probe(timeoutMs: number): Promise<{ ok: boolean; elapsedMs: number; error?: string; [fact: string]: unknown }>;
  /** Registers the command menu; called when a connection opens. Never rejects: failures are logged by the adapter. */
  setCommands?(commands: readonly MenuCommand[]): Promise<void>;
  /** Ends the link on both sides; what belongs to it is set aside or deleted. */
  logout?(): Promise<{ cleared: boolean; loggedOut: boolean }>;
  /** The process woke from sleep or a stall: a connection that may be dead is replaced. */
  woke?(stalledMs: number): void;
}
