/** A channel that lives in memory: the third one of the contract suite, and the platform of tests that are about the room. The test
 *  plays the platform: it opens, breaks and refuses connections, delivers messages and sees what was sent. */
import { GatewayError } from "@openclaw/protocol";
import type {
  AccountSettings,
  ChannelAccount,
  ChannelEntry,
  ConnectionEnd,
  ConnectionEvents,
  Target,
} from "./channel.ts";
import type { InboundMessage } from "./inbound.ts";
import type { OutboundPart, SendOutcome } from "./outbound.ts";

export interface Delivered {
  part: OutboundPart;
  clientMsgId: string | undefined;
}

export const memorySettings = (change: Partial<AccountSettings> = {}): AccountSettings => ({
  accountId: "default",
  enabled: true,
  access: {
    dmPolicy: "open",
    allowFrom: ["*"],
    groupPolicy: "open",
    historyLimit: 50,
    debounceMs: 0,
    replyToMode: "off",
    commandsNeedOwner: false,
  },
  mediaMaxBytes: 5_000_000,
  textChunkLimit: 4_000,
  chunkMode: "length",
  tables: "off",
  settings: {},
  ...change,
});

/** The account as the platform sees it. */
export class MemoryAccount implements ChannelAccount {
  isLinked = true;
  /** Connections that were begun. */
  connects = 0;
  live = 0;
  readonly delivered: Delivered[] = [];
  /** What the next sends answer; afterwards they succeed. */
  readonly outcomes: SendOutcome[] = [];
  events: ConnectionEvents | undefined;
  /** Opens by itself as soon as it is dialed. */
  opensAtOnce = true;
  /** Does not end when it is told to. */
  ignoresAbort = false;
  #end: ((end: ConnectionEnd) => void) | undefined;
  #ids = 0;

  linked(): boolean {
    return this.isLinked;
  }

  connect(events: ConnectionEvents, signal: AbortSignal): Promise<ConnectionEnd> {
    this.connects++;
    this.live++;
    this.events = events;
    return new Promise((resolve) => {
      this.#end = (end) => {
        this.live--;
        resolve(end);
      };
      if (!this.ignoresAbort) signal.addEventListener("abort", () => this.end({ kind: "aborted" }), { once: true });
      if (this.opensAtOnce) this.open();
    });
  }

  open(): void {
    this.events?.opened({ id: "me", username: "memory" });
  }

  /** The platform ends the connection. */
  end(end: ConnectionEnd): void {
    const resolve = this.#end;
    this.#end = undefined;
    resolve?.(end);
  }

  receive(...messages: InboundMessage[]): Promise<void> {
    if (!this.events) throw new Error("not connected");
    return this.events.receive({ ownId: "me", messages });
  }

  send(part: OutboundPart, { clientMsgId }: { clientMsgId?: string }): Promise<SendOutcome> {
    const outcome = this.outcomes.shift() ?? { state: "sent", messageId: `m${++this.#ids}` };
    if (outcome.state === "sent" || outcome.state === "unknown") this.delivered.push({ part, clientMsgId });
    return Promise.resolve(outcome);
  }

  download(): Promise<never> {
    return Promise.reject(new GatewayError("invalid", "This channel has no files."));
  }
  typing(): Promise<void> {
    return Promise.resolve();
  }
  probe() {
    return Promise.resolve({ ok: true, elapsedMs: 1 });
  }
}

/** An entry whose accounts are `accounts()`; `account` gives the platform's side of each. */
export function memoryEntry(options: {
  accounts: () => AccountSettings[];
  account: (accountId: string) => ChannelAccount;
  id?: string;
}): ChannelEntry {
  const id = options.id ?? "memory";
  return {
    id,
    label: "Memory",
    docs: "docs/channels/memory.md",
    capabilities: {
      clientMessageIds: false,
      polls: true,
      reactions: false,
      edit: false,
      delete: false,
      threads: true,
      login: false,
      nativeCommands: false,
    },
    budget: {
      directEveryMs: 0,
      group: { count: 1_000, perMs: 1_000, everyMs: 0 },
      account: { count: 1_000, perMs: 1_000 },
    },
    captionLimit: 1_000,
    idLabel: "Memory id",
    accounts: () => options.accounts(),
    parseTarget(text): Target {
      const chatId = text.trim().replace(/^memory:/u, "");
      if (!/^[a-z0-9-]+$/u.test(chatId)) throw new GatewayError("invalid", `"${text}" is no chat: use a-z and 0-9.`);
      return { chatId, kind: chatId.startsWith("group") ? "group" : "direct" };
    },
    normalizeSender: (sender) => sender.trim().toLowerCase(),
    render: (markdown, { limit }) => {
      const parts: string[] = [];
      for (const word of markdown.split(/\s+/u).filter(Boolean)) {
        const last = parts.at(-1);
        if (last !== undefined && last.length + word.length < limit) parts[parts.length - 1] = `${last} ${word}`;
        else parts.push(word);
      }
      return parts.map((text) => ({ text, plain: text }));
    },
    load: () => Promise.resolve({ createAccount: ({ accountId }) => options.account(accountId) }),
  };
}

export const memoryMessage = (n: number, change: Partial<InboundMessage> = {}): InboundMessage => ({
  platformId: String(n),
  messageId: String(n),
  at: 1_770_000_000_000 + n,
  chat: { kind: "direct", id: "ann" },
  sender: { id: "ann", name: "Ann" },
  text: `message ${n}`,
  media: [],
  mentions: { self: false, others: false },
  ...change,
});
