/** Tells the agent when an account lost its connection, and when it is back (channels.md §6.4): one line each in the session that
 *  direct chats of the account lead to. A blink is not worth a word, nor is a connection that was never there. */
import type { Service } from "../../kernel/lifecycle.ts";
import type { Timer, World } from "../../kernel/world.ts";
import type { AccountFacts } from "./accounts/facts.ts";
import { duration, flatName } from "./pipeline/envelope.ts";

/** An outage that is over by then is not told. */
export const blinkMs = 60_000;
const maxErrorChars = 200;

interface Watched {
  /** Monotonic. */
  downSince: number | undefined;
  told: boolean;
  timer: Timer | undefined;
}

export interface AccountView {
  channel: string;
  label: string;
  accountId: string;
  facts: Pick<AccountFacts, "state" | "lastDisconnect" | "self">;
}

export class ConnectionNotes implements Service {
  readonly name = "connection-notes";
  readonly #world: Pick<World, "after" | "monotonic">;
  readonly #accounts: () => readonly AccountView[];
  readonly #tell: (account: AccountView, text: string) => void;
  /** Accounts that were open in this process; one entry per account of the config. */
  readonly #watched = new Map<string, Watched>();
  #stopped = false;

  constructor(options: {
    world: Pick<World, "after" | "monotonic">;
    accounts: () => readonly AccountView[];
    tell: (account: AccountView, text: string) => void;
  }) {
    this.#world = options.world;
    this.#accounts = options.accounts;
    this.#tell = options.tell;
  }

  /** The state of some account changed. */
  look(): void {
    if (this.#stopped) return;
    const accounts = this.#accounts();
    const names = new Set(accounts.map(nameOf));
    for (const [name, watched] of this.#watched) {
      if (names.has(name)) continue;
      watched.timer?.cancel();
      this.#watched.delete(name);
    }
    for (const account of accounts) this.#lookAt(account);
  }

  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#watched.values()) timer?.cancel();
    this.#watched.clear();
  }

  #lookAt(account: AccountView): void {
    const { state } = account.facts;
    const watched = this.#watched.get(nameOf(account));
    if (state === "open") {
      watched?.timer?.cancel();
      if (watched?.told) this.#tell(account, this.#backAgain(account, watched));
      this.#watched.set(nameOf(account), { downSince: undefined, told: false, timer: undefined });
      return;
    }
    if (!watched) return;
    watched.downSince ??= this.#world.monotonic();
    if (watched.told) return;
    if (state === "terminal") this.#down(account, watched);
    else if (lost.has(state)) watched.timer ??= this.#world.after(blinkMs, () => this.#afterBlink(account));
    else {
      // Somebody switched it off.
      watched.timer?.cancel();
      watched.timer = undefined;
    }
  }

  #afterBlink({ channel, accountId }: AccountView): void {
    const account = this.#accounts().find((one) => one.channel === channel && one.accountId === accountId);
    const watched = account && this.#watched.get(nameOf(account));
    if (!watched || watched.told || !lost.has(account.facts.state)) return;
    this.#down(account, watched);
  }

  #down(account: AccountView, watched: Watched): void {
    watched.timer?.cancel();
    watched.timer = undefined;
    watched.told = true;
    const why = flatName(account.facts.lastDisconnect?.error ?? "", maxErrorChars);
    this.#tell(account, `${shown(account)} is disconnected${why === "" ? "" : `, ${why}`}`);
  }

  #backAgain(account: AccountView, { downSince }: Watched): string {
    const ms = this.#world.monotonic() - (downSince ?? this.#world.monotonic());
    return `${shown(account)} is connected again, after ${duration(ms)}`;
  }
}

const lost: ReadonlySet<string> = new Set(["connecting", "backoff"]);

const nameOf = ({ channel, accountId }: AccountView): string => `${channel} ${accountId}`;

const shown = ({ label, accountId }: AccountView): string =>
  accountId === "default" ? label : `${label} (${accountId})`;
