/** One platform and its accounts, as a service: it loads the adapter when the config names it, starts what is enabled, and after
 *  an edit restarts exactly the accounts whose own settings changed (channels.md §1.2). */
import type { Logger } from "../../kernel/log.ts";
import type { Service } from "../../kernel/lifecycle.ts";
import type { World } from "../../kernel/world.ts";
import type { Store } from "../../store/store.ts";
import { AccountRunner } from "./accounts/runner.ts";
import type { AccountState } from "./accounts/transitions.ts";
import type { AccountSettings, ChannelEntry, ChannelRow, MenuCommand } from "./channel.ts";
import type { InboundRow } from "./inbound.ts";
import type { Inbox } from "./ledger/inbox.ts";
import type { Outbox } from "./ledger/outbox.ts";

export interface ChannelServiceOptions {
  row: ChannelRow;
  world: World;
  log: Logger;
  store: Store;
  config: { readonly current: unknown };
  inbox: Inbox;
  outbox: Outbox;
  /** Takes over what was stored. */
  accept: (rows: InboundRow[]) => void;
  mediaDir: string;
  /** For the menus of platforms. */
  commands: () => readonly MenuCommand[];
  redact: (secret: string) => void;
  /** Why no account may connect now. */
  held: () => string | undefined;
  changed: () => void;
}

/** How long all accounts together get to stop. */
const stopMs = 2_000;
const roomCheckMs = 500;
/** Connections are renewed for an error of the SDK at most this often. */
const renewEveryMs = 60_000;

/** Whether the document says anything about this channel. */
export const isMentioned = (config: unknown, id: string): boolean => {
  const channels = (config as { channels?: Record<string, unknown> }).channels;
  return channels?.[id] !== undefined;
};

export class ChannelService implements Service {
  readonly name: string;
  readonly row: ChannelRow;
  readonly #o: ChannelServiceOptions;
  readonly #runners = new Map<string, AccountRunner>();
  /** What decides whether an account has to start again, as it was when it started. */
  readonly #started = new Map<string, string>();
  #entry: ChannelEntry | undefined;
  #broken: string | undefined;
  /** A config that is being taken over: readers of `config.current` see it a moment later. */
  #coming: { was: unknown; next: unknown } | undefined;
  #stopped = true;
  /** Monotonic. */
  #renewedAt = -Infinity;

  constructor(options: ChannelServiceOptions) {
    this.#o = options;
    this.row = options.row;
    this.name = options.row.id;
  }

  /** Undefined while the channel is not configured. */
  get entry(): ChannelEntry | undefined {
    return this.#entry;
  }
  get configured(): boolean {
    return this.#entry !== undefined && this.accounts().length > 0;
  }

  runners(): AccountRunner[] {
    return [...this.#runners.values()];
  }
  runner(accountId: string): AccountRunner | undefined {
    return this.#runners.get(accountId);
  }
  /** The account people mean when they name none: `default` where it exists, else the first. */
  defaultAccountId(): string | undefined {
    const ids = this.accounts().map(({ accountId }) => accountId);
    return ids.includes("default") ? "default" : ids[0];
  }

  accounts(): AccountSettings[] {
    return this.#entry?.accounts(this.#config(), this.#o.world.env) ?? [];
  }
  settings(accountId: string): AccountSettings | undefined {
    return this.accounts().find((account) => account.accountId === accountId);
  }

  /** Loads the adapter of a configured channel; connects nothing. */
  async load(): Promise<void> {
    if (this.#entry || !isMentioned(this.#config(), this.row.id)) return;
    try {
      this.#entry = await this.row.load();
      this.#broken = undefined;
    } catch (error) {
      this.#broken = error instanceof Error ? error.message : String(error);
      this.#o.log.error(`the channel ${this.row.id} could not be loaded`, { error });
    }
  }

  /** Never waits for a connection. */
  async start(): Promise<void> {
    this.#stopped = false;
    if (this.#o.world.env["OPENCLAW_SKIP_CHANNELS"] === "1") return;
    await this.load();
    this.#align();
  }

  async reload(next: unknown): Promise<void> {
    this.#coming = { was: this.#o.config.current, next };
    await this.load();
    if (!this.#stopped && this.#o.world.env["OPENCLAW_SKIP_CHANNELS"] !== "1") await this.#align();
    this.#o.changed();
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true;
    for (const runner of this.#runners.values()) runner.close();
    await Promise.all(this.runners().map((runner) => runner.stop(Math.min(stopMs, deadlineMs))));
  }

  health(): string | undefined {
    if (this.#broken) return this.#broken;
    for (const runner of this.#runners.values()) {
      const { state, lastError, fix, reconnectAttempts } = runner.facts;
      const who = runner.accountId === "default" ? "" : `${runner.accountId}: `;
      if (state === "terminal") return `${who}${lastError ?? "stopped"}${fix ? ` ${fix}` : ""}`;
      if (state === "unconfigured") return `${who}${lastError ?? "not configured"}`;
      if (state === "backoff" && reconnectAttempts > 1) return `${who}reconnecting: ${lastError ?? "connection lost"}`;
    }
    return undefined;
  }

  woke(stalledMs: number): void {
    for (const runner of this.#runners.values()) runner.woke(stalledMs);
  }

  /** The SDK let an error escape: what is open is replaced, as after a sleep. */
  renew(error: unknown): void {
    const { world, log } = this.#o;
    const now = world.monotonic();
    // They come in floods, and a log must not be filled by them.
    if (now - this.#renewedAt < renewEveryMs) return;
    this.#renewedAt = now;
    log.warn("an error escaped from the channel's library; its connections are renewed", { error });
    for (const runner of this.#runners.values()) if (runner.state === "open") runner.woke(renewEveryMs);
  }

  /** Starts what is new, restarts what changed, stops what is gone. All at once: no account waits for another. */
  async #align(): Promise<void> {
    const wanted = new Map(this.accounts().map((account) => [account.accountId, account]));
    const moves: Promise<void>[] = [];
    for (const [accountId, runner] of this.#runners) {
      if (wanted.has(accountId)) continue;
      this.#runners.delete(accountId);
      this.#started.delete(accountId);
      moves.push(runner.stop());
    }
    for (const [accountId, account] of wanted) {
      const stamp = JSON.stringify([account.enabled, account.missing ?? null, account.settings]);
      const known = this.#runners.get(accountId);
      // What safe mode held may start as soon as it is over.
      const held = known?.state === "held" && this.#o.held() === undefined;
      if (known && !held && this.#started.get(accountId) === stamp) continue;
      this.#started.set(accountId, stamp);
      if (known) {
        moves.push(known.restart());
        continue;
      }
      const runner = this.#makeRunner(accountId);
      this.#runners.set(accountId, runner);
      moves.push(runner.start());
    }
    await Promise.all(moves);
  }

  #makeRunner(accountId: string): AccountRunner {
    const { world, inbox, outbox, accept, store, mediaDir, redact, held, commands, changed } = this.#o;
    const log = accountId === "default" ? this.#o.log : this.#o.log.child(accountId);
    const id = this.row.id;
    const entry = this.#entry;
    if (!entry) throw new Error(`the channel ${id} is not loaded`);
    const settings = () => this.settings(accountId);
    return new AccountRunner({
      entry,
      accountId,
      world,
      log,
      settings,
      config: () => this.#config(),
      create: async () =>
        (await entry.load()).createAccount({
          accountId,
          account: () => {
            const account = settings();
            if (!account) throw new Error(`the account ${accountId} is not in the config any more`);
            return account;
          },
          world,
          log,
          store,
          mediaDir,
          sentPart: (chatId, messageId) => outbox.sentPart(id, accountId, chatId, messageId),
          redact,
        }),
      held,
      commands,
      receive: async (batch) => {
        accept(await inbox.receive(id, accountId, batch));
      },
      room: (signal) => this.#room(accountId, signal),
      cursor: (ownId) => inbox.cursor(id, accountId, ownId),
      stored: (ownId, platformId) => inbox.has(id, accountId, ownId, platformId),
      confirmed: (clientMsgId, messageId) => outbox.confirmed(id, accountId, clientMsgId, messageId),
      changed: ({ from, to }: { from: AccountState; to: AccountState }) => {
        if (to === "open" && from !== "open") outbox.opened(id, accountId);
        else if (from === "open" && to !== "open") outbox.closed(id, accountId);
        changed();
      },
    });
  }

  /** Waits while the backlog is full (R-IN-4). */
  async #room(accountId: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#o.inbox.backlog(this.row.id, accountId).full) {
      await new Promise<void>((resolve) => {
        const timer = this.#o.world.after(roomCheckMs, resolve);
        signal.addEventListener(
          "abort",
          () => {
            timer.cancel();
            resolve();
          },
          { once: true },
        );
      });
    }
    if (signal.aborted) throw new Error("this connection is over");
  }

  #config(): unknown {
    const { current } = this.#o.config;
    if (this.#coming && current !== this.#coming.was) this.#coming = undefined;
    return this.#coming?.next ?? current;
  }
}
