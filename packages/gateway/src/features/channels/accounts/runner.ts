/** One account of one channel, kept connected (channels.md §1.2, reliability.md §3.6). Every start is a generation of its own;
 *  what an older one still calls is ignored. Nothing here ends the process or waits for another account. */
import { commandLine } from "../../../kernel/paths.ts";
import type { Logger } from "../../../kernel/log.ts";
import type { World } from "../../../kernel/world.ts";
import type {
  AccountSettings,
  ChannelAccount,
  ChannelEntry,
  ConnectionEnd,
  ConnectionEvents,
  MenuCommand,
} from "../channel.ts";
import type { InboundBatch } from "../inbound.ts";
import type { SendOutcome } from "../outbound.ts";
import { Attempt, endMs } from "./attempt.ts";
import { standardReconnect, waitMs } from "./backoff.ts";
import type { AccountFacts } from "./facts.ts";
import { isRenewal, notLinkedEnd } from "./ends.ts";
import { Login, type LoginResult } from "./login.ts";
import { type AccountState, isTransient, mayMove } from "./transitions.ts";

/** An open connection this old has earned a fresh count of attempts. */
export const steadyMs = 60_000;
const maxAgain = 5;

export interface RunnerOptions {
  entry: ChannelEntry;
  accountId: string;
  world: World;
  log: Logger;
  /** Read at use; undefined once the account is gone from the config. */
  settings: () => AccountSettings | undefined;
  config: () => unknown;
  /** Made once per generation; loads the SDK. Rejects with a text for people. */
  create: () => Promise<ChannelAccount>;
  /** Why nothing may run now (safe mode). */
  held: () => string | undefined;
  receive: (batch: InboundBatch) => Promise<void>;
  room: (signal: AbortSignal) => Promise<void>;
  cursor: (ownId: string) => { value: string; storedAt: number } | undefined;
  stored: (ownId: string, platformId: string) => boolean;
  confirmed: (clientMsgId: string, messageId: string) => void;
  /** What a platform's menu offers: our own commands, then skills. */
  commands: () => readonly MenuCommand[];
  /** The state or a fact changed: health, outbox and events follow. */
  changed: (change: { from: AccountState; to: AccountState }) => void;
}

interface Task {
  generation: number;
  stop: AbortController;
  done: Promise<void>;
}

export class AccountRunner {
  readonly facts: AccountFacts = { state: "stopped", reconnectAttempts: 0, noted: {} };
  readonly #o: RunnerOptions;
  #account: ChannelAccount | undefined;
  #task: Task | undefined;
  #generation = 0;
  #closed = false;
  /** Starts and stops follow each other. */
  #turn: Promise<void> = Promise.resolve();
  #login: Login | undefined;
  #wake: (() => void) | undefined;
  /** Monotonic; undefined while this attempt never opened. */
  #openSince: number | undefined;
  #attempt: Attempt | undefined;

  constructor(options: RunnerOptions) {
    this.#o = options;
  }

  get state(): AccountState {
    return this.facts.state;
  }
  get accountId(): string {
    return this.#o.accountId;
  }
  get entry(): ChannelEntry {
    return this.#o.entry;
  }
  get settings(): AccountSettings | undefined {
    return this.#o.settings();
  }
  /** The live account; undefined until it was started. */
  get account(): ChannelAccount | undefined {
    return this.#account;
  }
  get login(): Login | undefined {
    return this.#login;
  }

  /** No-op while it runs. */
  start(): Promise<void> {
    return this.#inTurn(() => this.#begin());
  }

  /** Resolves within `deadlineMs`, whatever the SDK does. */
  stop(deadlineMs = endMs): Promise<void> {
    return this.#inTurn(() => this.#end(deadlineMs));
  }

  /** Nothing starts any more: the gateway stops, and another generation may follow in this process. Call it before `stop`. */
  close(): void {
    this.#closed = true;
    this.#finishLogin({ connected: false, message: "The gateway is stopping. Begin the login again in a moment." });
  }

  restart(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#end(endMs);
      this.#begin();
    });
  }

  /** Begins a login, or joins the one in progress. The connection in use is ended first. */
  async beginLogin(options: { phone?: string }): Promise<Login> {
    if (this.#login) return this.#login;
    const login = new Login(this.#o.world.monotonic(), options.phone);
    if (this.#closed) {
      login.end({ connected: false, message: "The gateway is stopping. Begin the login again in a moment." });
      return login;
    }
    this.#login = login;
    await this.restart();
    return login;
  }

  /** Sends one part over the open connection; only the outbox calls it (R-OUT-4). Never rejects. */
  async send(...[part, attempt]: Parameters<ChannelAccount["send"]>): Promise<SendOutcome> {
    const account = this.#account;
    if (!account || this.state !== "open")
      return { state: "retry", reason: "not-connected", detail: "the account is not connected" };
    const outcome = await account.send(part, attempt);
    if (outcome.state === "sent") this.facts.lastOutboundAt = this.#o.world.now();
    return outcome;
  }

  /** Gives a login in progress up. */
  async cancelLogin(): Promise<void> {
    this.#finishLogin({ connected: false, message: "The login was given up for a newer one." });
    await this.stop();
  }

  /** Ends the link on both sides and stays off until a login. */
  async logout(): Promise<{ cleared: boolean; loggedOut: boolean }> {
    const account = this.#account ?? (await this.#o.create());
    if (!account.logout) return { cleared: false, loggedOut: false };
    const result = await account.logout();
    await this.restart();
    return result;
  }

  /** The process slept or stood still. */
  woke(stalledMs: number): void {
    if (this.state === "backoff") this.#wake?.();
    else if (this.state === "open") this.#account?.woke?.(stalledMs);
  }

  #inTurn(work: () => void | Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work, work);
    return this.#turn;
  }

  #begin(): void {
    if (this.#task || this.#closed) return;
    const settings = this.#o.settings();
    const held = this.#o.held();
    delete this.facts.fix;
    if (!settings) return;
    if (!settings.enabled) return this.#rest("disabled", "disabled in the config");
    if (settings.missing) return this.#rest("unconfigured", settings.missing);
    if (held) return this.#rest("held", held);
    const stop = new AbortController();
    const generation = ++this.#generation;
    this.facts.lastStartAt = this.#o.world.now();
    this.facts.reconnectAttempts = 0;
    this.#move("starting");
    this.#task = { generation, stop, done: this.#run(generation, stop.signal) };
  }

  #rest(state: AccountState, error: string): void {
    this.facts.lastError = error;
    this.#move(state);
    this.#finishLogin({ connected: false, message: error });
  }

  async #end(deadlineMs: number): Promise<void> {
    const task = this.#task;
    if (this.state !== "stopped") this.#move("stopping");
    this.#task = undefined;
    this.#generation++;
    task?.stop.abort();
    if (task) await within(this.#o.world, deadlineMs, task.done);
    this.#account = undefined;
    this.facts.lastStopAt = this.#o.world.now();
    if (this.state === "stopping") this.#move("stopped");
  }

  async #run(generation: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#live(generation, signal);
    } catch (error) {
      if (generation !== this.#generation) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#o.log.error("the account stopped working", { error });
      this.#terminal({
        kind: "terminal",
        reason: "version",
        message,
        fix: `Look at ${commandLine(this.#o.world, "logs")}.`,
      });
    }
  }

  async #live(generation: number, signal: AbortSignal): Promise<void> {
    const { world, entry } = this.#o;
    const current = () => generation === this.#generation && !signal.aborted;
    let account: ChannelAccount;
    try {
      account = await this.#o.create();
    } catch (error) {
      if (!current()) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#terminal({ kind: "terminal", reason: "version", message, fix: `See ${entry.docs}.` });
      return;
    }
    if (!current()) return;
    this.#account = account;
    let again = 0;
    for (let login = this.#login; current(); login = undefined) {
      if (!login && !account.linked()) return this.#notLinked();
      if (this.state !== "open") this.#move(login ? "linking" : "connecting");
      this.#openSince = undefined;
      const end = await this.#connect(account, signal, login);
      if (!current()) return;
      const steady = entry.reconnect?.(this.#o.config()).steadyMs ?? steadyMs;
      if (this.#openSince !== undefined && world.monotonic() - this.#openSince >= steady) {
        this.facts.reconnectAttempts = 0;
        again = 0;
      }
      this.#disconnected(end);
      if (end.kind === "aborted") return;
      if (end.kind === "terminal") return this.#terminal(end);
      if (end.kind === "again" && again < maxAgain) {
        again++;
        this.#move("connecting");
        continue;
      }
      // A login that found nobody is over: without a link there is nothing to come back to.
      if (login && !account.linked()) {
        this.#finishLogin({ connected: false, message: end.message });
        return this.#notLinked();
      }
      await this.#pause(end, signal);
    }
  }

  #connect(account: ChannelAccount, signal: AbortSignal, login: Login | undefined): Promise<ConnectionEnd> {
    const attempt = new Attempt(this.#o.world, signal, () => isTransient(this.state));
    this.#attempt = attempt;
    const options = login ? { login: login.phone ? { phone: login.phone } : {} } : undefined;
    return attempt.outcome(account.connect(this.#events(attempt), attempt.signal, options));
  }

  #events(attempt: Attempt): ConnectionEvents {
    const { world, receive, room, cursor, stored, confirmed } = this.#o;
    const live = () => this.#attempt === attempt && attempt.live;
    return {
      receive: async (batch) => {
        if (!live()) throw new Error("this connection is over");
        if (batch.messages.length > 0) this.facts.lastInboundAt = world.now();
        await receive(batch);
      },
      room: async () => {
        if (!live()) throw new Error("this connection is over");
        await room(attempt.signal);
      },
      cursor,
      stored,
      opened: (self) => {
        if (!live()) return;
        this.facts.self = self;
        this.facts.lastConnectedAt = world.now();
        this.#openSince = world.monotonic();
        delete this.facts.lastError;
        delete this.facts.nextAttemptAt;
        this.#move("open");
        this.#o.log.info("connected", { self: self.username ?? self.e164 ?? self.id });
        this.#finishLogin({ connected: true, message: `Linked as ${self.e164 ?? self.username ?? self.id}.` });
        void this.#account?.setCommands?.(this.#o.commands());
      },
      loginCode: (code) => {
        if (!live() || !this.#login) return;
        this.#login.show(code);
      },
      linked: () => {
        if (!live()) return;
        attempt.watch();
        if (this.state === "linking") this.#move("connecting");
      },
      activity: () => {
        if (live()) this.facts.lastEventAt = world.now();
      },
      note: (facts) => {
        if (!live()) return;
        Object.assign(this.facts.noted, facts);
        this.#o.changed({ from: this.state, to: this.state });
      },
      confirmed: (clientMsgId, messageId) => {
        if (live()) confirmed(clientMsgId, messageId);
      },
    };
  }

  #disconnected(end: ConnectionEnd): void {
    if (end.kind === "aborted") return;
    const loggedOut = end.kind === "terminal" && end.reason === "logged-out";
    // We gave up a connection that may have been dead: that is care, not a fault of anybody.
    if (!isRenewal(end)) this.facts.lastError = end.message;
    this.facts.lastDisconnect = {
      at: this.#o.world.now(),
      error: end.message,
      loggedOut,
      ...(end.status === undefined ? {} : { status: end.status }),
    };
  }

  async #pause(end: ConnectionEnd, signal: AbortSignal): Promise<void> {
    const { world, entry, config, log } = this.#o;
    const n = ++this.facts.reconnectAttempts;
    const policy = entry.reconnect?.(config()) ?? standardReconnect;
    const least = end.kind === "retry" ? (end.afterMs ?? 0) : 0;
    const ms = Math.max(least, waitMs(policy, n, world.randomBytes(2).readUInt16BE() / 65_536));
    const hint = end.kind === "retry" && end.hint ? ` ${end.hint}` : "";
    this.facts.nextAttemptAt = world.now() + ms;
    this.#move("backoff");
    const said = isRenewal(end) ? "connection renewed" : "connection lost";
    log[isRenewal(end) ? "info" : "warn"](`${said}; next attempt in ${Math.round(ms / 100) / 10} s.${hint}`, {
      error: this.facts.lastDisconnect?.error,
      attempt: n,
    });
    const rest = Promise.withResolvers<void>();
    const timer = world.after(ms, rest.resolve);
    this.#wake = rest.resolve;
    signal.addEventListener("abort", () => rest.resolve(), { once: true });
    await rest.promise;
    timer.cancel();
    this.#wake = undefined;
    delete this.facts.nextAttemptAt;
    if (!signal.aborted && this.state === "backoff") this.#move("connecting");
  }

  #notLinked(): void {
    this.#terminal(notLinkedEnd(this.#o));
  }

  #terminal(end: Extract<ConnectionEnd, { kind: "terminal" }>): void {
    this.facts.lastError = end.message;
    this.facts.fix = end.fix;
    this.facts.noted["terminal"] = end.reason;
    this.#move("terminal");
    if (end.reason === "not-linked") this.#o.log.info(`not linked; to link it: ${end.fix}`);
    else this.#o.log.error(`${end.message} Not tried again by itself. ${end.fix}`, { reason: end.reason });
    this.#finishLogin({ connected: false, message: `${end.message} ${end.fix}` });
  }

  #finishLogin(result: LoginResult): void {
    const login = this.#login;
    if (!login) return;
    this.#login = undefined;
    login.end(result);
  }

  #move(to: AccountState): void {
    const from = this.state;
    if (from === to) return;
    if (!mayMove(from, to)) {
      this.#o.log.error("a channel account cannot go from one state to another; left as it was", { from, to });
      return;
    }
    this.facts.state = to;
    if (to !== "terminal") delete this.facts.noted["terminal"];
    this.#o.changed({ from, to });
  }
}

async function within(world: World, ms: number, work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = world.after(ms, late.resolve);
  await Promise.race([work, late.promise]);
  timer.cancel();
}
