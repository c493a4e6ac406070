/** Which stored messages are led on, and when: in the order of the ledger, each once per process. What a former process left open
 *  comes first. Rows of an account that is off are parked, and follow as soon as it is on (reliability.md §3.2). */
import type { World } from "../../../kernel/world.ts";
import type { Store } from "../../../store/store.ts";
import type { InboundRow } from "../inbound.ts";
import { isOpen } from "./ends.ts";
import type { ChannelPort, InboxPort } from "./ports.ts";

/** Led on in one go: a burst must not keep everybody else waiting. */
const rowsAtOnce = 24;
/** After a change of the config all its readers have it within this time. */
const lookMs = 500;
/** How often a message is judged again after the first time; one that ends the process each time must not do so for ever (I3). */
const maxReplays = 2;

export interface IntakeOptions {
  store: Pick<Store, "commit">;
  world: Pick<World, "after" | "env">;
  inbox: Pick<InboxPort, "open" | "get" | "move">;
  config: { readonly current: unknown };
  channel: (id: string) => ChannelPort | undefined;
  /** True when the row belongs to a run that goes on by itself. */
  goesOn: (row: InboundRow) => boolean;
  /** Leads a row on. Must not throw. */
  lead: (row: InboundRow) => void;
  /** The row was tried too often. Must not throw. */
  exhausted: (row: InboundRow) => void;
}

export class Intake {
  readonly #o: IntakeOptions;
  /** Ids of rows whose account is off, by account, in order. Bounded by what the inbox lets in. */
  readonly #parked = new Map<string, number[]>();
  /** Stored, not led on yet. Bounded likewise. */
  readonly #fresh: InboundRow[] = [];
  /** Rows up to this id are the replay's; `accept` may be told of them a moment later. */
  #replayed = 0;
  #taking = false;
  #looking = false;
  /** `false` until the replay is through: it finds what comes meanwhile in the ledger. */
  #open = false;
  #stopped = false;
  #timer: { cancel(): void } | undefined;

  constructor(options: IntakeOptions) {
    this.#o = options;
  }

  /** Rows the inbox has just stored, in order. Never throws. */
  accept(rows: readonly InboundRow[]): void {
    if (!this.#open) return;
    for (const row of rows) {
      if (row.id <= this.#replayed) continue;
      // Behind those that came while the account was off.
      if (this.#parked.has(accountOf(row)) || this.#isOff(row)) this.#park(row);
      else this.#fresh.push(row);
    }
    if (!this.#taking) void this.#takeFresh();
    this.changed();
  }

  /** Takes up what a former process left open. */
  async start(): Promise<void> {
    this.#stopped = false;
    for (let last = 0; !this.#stopped;) {
      const rows = this.#o.inbox.open(last, rowsAtOnce);
      if (rows.length === 0) break;
      last = rows.at(-1)?.id ?? last;
      this.#replayed = last;
      await this.#replay(rows);
    }
    this.#open = !this.#stopped;
    this.changed();
  }

  /** The accounts, or the config, are not what they were. */
  changed(): void {
    if (this.#parked.size === 0 || this.#stopped || !this.#open) return;
    this.#timer ??= this.#o.world.after(lookMs, () => {
      this.#timer = undefined;
      void this.#look();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#open = false;
    this.#fresh.length = 0;
    this.#parked.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #replay(rows: readonly InboundRow[]): Promise<void> {
    const own = rows.filter((row) => !this.#o.goesOn(row));
    for (const row of own) if (this.#isOff(row)) this.#park(row);
    const on = own.filter((row) => !this.#isOff(row));
    while (on.length > 0) {
      // One that was counted before goes alone: if it ends the process, the others are not blamed.
      const again = on.findIndex(({ attempts }) => attempts > 0);
      const next = on.splice(0, again < 0 ? on.length : Math.max(1, again));
      await this.#pause(next.filter((row) => row.state === "stored" && row.attempts < maxReplays));
      if (this.#stopped) return;
      for (const row of next) {
        if (row.state === "stored" && row.attempts >= maxReplays) this.#o.exhausted(row);
        else this.#o.lead(row);
      }
    }
  }

  async #takeFresh(): Promise<void> {
    this.#taking = true;
    while (this.#fresh.length > 0) {
      for (const row of this.#fresh.splice(0, rowsAtOnce)) this.#o.lead(row);
      if (this.#fresh.length > 0) await this.#pause();
    }
    this.#taking = false;
  }

  /** Leads on what is parked for accounts that are on now. Never rejects. */
  async #look(): Promise<void> {
    // Accounts it has passed by already may be on only now.
    if (this.#looking) return this.changed();
    this.#looking = true;
    try {
      for (const [account, ids] of this.#parked) await this.#unpark(account, ids);
    } catch {
      // The store cannot be read now; it says so itself.
      this.changed();
    }
    this.#looking = false;
  }

  async #unpark(account: string, ids: number[]): Promise<void> {
    while (!this.#stopped && this.#isOnFor(ids[0])) {
      const rows = ids.slice(0, rowsAtOnce).flatMap((id) => this.#o.inbox.get(id) ?? []);
      ids.splice(0, rowsAtOnce);
      await this.#replay(rows.filter(({ state }) => isOpen(state)));
      if (ids.length > 0) continue;
      this.#parked.delete(account);
      return;
    }
  }

  /** Whether all readers of the config see the account of this row, and it is on. Otherwise it is looked at again. */
  #isOnFor(id: number | undefined): boolean {
    const row = id === undefined ? undefined : this.#o.inbox.get(id);
    if (!row) return true;
    if (this.#isOff(row)) return false;
    const { entry } = this.#o.channel(row.channel) ?? {};
    const seen = entry?.accounts(this.#o.config.current, this.#o.world.env) ?? [];
    const own = this.#o.channel(row.channel)?.settings(row.accountId);
    const agreed =
      seen.some(({ accountId, enabled }) => accountId === row.accountId && enabled) === (own !== undefined);
    if (!agreed) this.changed();
    return agreed;
  }

  /** An account that is not in the config any more is not off: its messages are judged, and end. */
  #isOff({ channel: id, accountId }: InboundRow): boolean {
    const channel = this.#o.channel(id);
    if (!channel?.entry) return true;
    try {
      const account = channel.settings(accountId);
      return account !== undefined && (!account.enabled || account.missing !== undefined);
    } catch {
      // What is wrong with the settings is found, and handled, where the message is judged.
      return false;
    }
  }

  #park(row: InboundRow): void {
    const ids = this.#parked.get(accountOf(row)) ?? [];
    this.#parked.set(accountOf(row), ids);
    ids.push(row.id);
  }

  /** Lets others have their turn; what is written meanwhile is in order. */
  async #pause(counted: readonly InboundRow[] = []): Promise<void> {
    const count = this.#o.store.commit((tx) => {
      for (const { id, attempts } of counted) this.#o.inbox.move(tx, id, "stored", { attempts: attempts + 1 });
    });
    // A disk that cannot write now refuses even nothing; the rows are judged all the same.
    await count.catch(() => {});
  }
}

const accountOf = ({ channel, accountId }: InboundRow): string => `${channel} ${accountId}`;
