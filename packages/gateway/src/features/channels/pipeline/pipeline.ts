/** Inbound: every stored message is judged, routed and led to its one end (channels.md §2, §3, §5; reliability.md §3.2). What is
 *  under way when the process dies is found open in the ledger and taken up again by `start`. */
import type { Service } from "../../../kernel/lifecycle.ts";
import type { Tx } from "../../../store/store.ts";
import { normalizeAgentId } from "../../agents/index.ts";
import type { InboundMessage, InboundRow } from "../inbound.ts";
import { judge } from "./access.ts";
import { Allowlist, type EditList } from "./allowlist.ts";
import type { Arrival } from "./arrival.ts";
import { BotGuard } from "./bot-guard.ts";
import { echoChat, type Echoes } from "./echoes.ts";
import { Ends, passes } from "./ends.ts";
import { GroupHistory } from "./group-history.ts";
import { GroupMoves } from "./group-moves.ts";
import { Intake } from "./intake.ts";
import { Joiner, joined, type Joining } from "./joiner.ts";
import { Mentions } from "./mention.ts";
import { OldMessages } from "./old-messages.ts";
import type { Pairing } from "./pairing.ts";
import type { PipelineOptions } from "./ports.ts";
import { chatKeyOf, routeOf, targetOf } from "./routing.ts";
import { Stops } from "./stops.ts";
import { typedText } from "./typed-text.ts";
import { Turns } from "./turns.ts";

/** A linked device gets old messages when it connects; strangers among them are not answered. */
const oldMessageMs = 30_000;
const retryMs = 5_000;
const maxTries = 3;

export interface PipelineParts extends PipelineOptions {
  pairing: Pairing;
  echoes: Echoes;
  /** Absent where the config cannot be written. */
  editList?: EditList;
}

export class Pipeline implements Service {
  readonly name = "inbound";
  readonly #o: PipelineParts;
  readonly #history = new GroupHistory();
  readonly #mentions: Mentions;
  readonly #guard: BotGuard;
  readonly #joiner: Joiner<Arrival & { joining: Joining["kind"] }>;
  readonly #turns: Turns;
  readonly #ends: Ends;
  readonly #moves: GroupMoves;
  readonly #old: OldMessages;
  readonly #allowlist: Allowlist;
  readonly #intake: Intake;
  readonly #stops: Stops;
  #stopped = false;

  constructor(options: PipelineParts) {
    this.#o = options;
    this.#mentions = new Mentions({ directory: options.agents.directory, log: options.log });
    this.#guard = new BotGuard(options.world);
    this.#joiner = new Joiner(options.world, (parts) => this.#safely(parts, () => this.#whole(parts)));
    this.#ends = new Ends(options);
    this.#old = new OldMessages(options);
    this.#allowlist = new Allowlist({ ...options, ends: this.#ends, editList: options.editList });
    this.#moves = new GroupMoves({
      ...options,
      ends: this.#ends,
      groupMoved: options.groupMoved,
      isBusy: (sessionKey) => options.agents.isBusy(sessionKey) || this.#turns.queues.isActive(sessionKey),
    });
    this.#turns = new Turns(options, this.#history, options.echoes, this.#ends);
    this.#stops = new Stops({
      ...options,
      ends: this.#ends,
      turns: this.#turns,
      takeJoining: (sessionKey) => this.#joiner.takeWhere((one) => one.sessionKey === sessionKey),
      isMeant: (arrival) =>
        !this.#needsMention(arrival) ||
        this.#mentions.isAddressed(arrival.message, arrival.agentId, options.config.current),
    });
    this.#intake = new Intake({
      ...options,
      goesOn: (row) => this.#goesOn(row),
      lead: (row) => this.#safely([{ rows: [row] }], () => this.#take(row)),
      exhausted: (row) => this.#ends.exhausted(row),
    });
  }

  /** Rows the inbox has just stored, in order. Never throws. */
  accept(rows: readonly InboundRow[]): void {
    this.#intake.accept(rows);
  }

  /** Takes up what a former process left open. */
  async start(): Promise<void> {
    this.#stopped = false;
    this.#turns.start();
    this.#stops.start();
    await this.#intake.start();
  }

  stop(): void {
    this.#stopped = true;
    this.#intake.stop();
    this.#stops.stop();
    this.#joiner.stop();
    this.#turns.stop();
    this.#moves.stop();
    this.#old.stop();
    this.#ends.stop();
  }

  /** What was held (safe mode) may run. */
  release(): void {
    this.#turns.queues.release();
  }

  /** The state of an account, or the config of a channel, is not what it was: messages of accounts that are on now go on. */
  accountsChanged(): void {
    this.#intake.changed();
  }

  /** The agents room takes its runs up by itself, and their end is the end of the row. */
  #goesOn({ id, runRowId }: InboundRow): boolean {
    try {
      const run = runRowId === undefined ? undefined : this.#o.agents.deps.table.byId(runRowId);
      if (!run || run.outcome !== undefined) return false;
      this.#turns.follow(run.runId, run.request);
    } catch (error) {
      // It stays open in the ledger; one such row must not keep the gateway from starting.
      this.#o.log.error("the run of a message could not be looked up", { id, error });
    }
    return true;
  }

  // ---- one row

  #take(row: InboundRow): void {
    if (row.runRowId !== undefined) return this.#ends.lost(row);
    const { channel: id, accountId, message } = row;
    const channel = this.#o.channel(id);
    // The intake leads nothing on of a channel that is not there.
    if (!channel?.entry) return;
    const { entry } = channel;
    const configured = channel.settings(accountId);
    if (!configured) return this.#ends.ignore([row], "account-gone");
    const settings = this.#moves.settings(row, configured);
    if (this.#isEcho(row)) return this.#ends.ignore([row], "own-echo");
    if (message.movedTo !== undefined) return this.#move(row, message.movedTo, settings.configWrites !== false);
    const { access } = settings;
    const verdict = judge({
      message,
      access,
      entry,
      isPaired: (senderId) => this.#o.pairing.isAllowed(id, accountId, senderId),
      commands: this.#o.config.current.commands,
    });
    if (verdict.kind === "drop") return this.#ends.ignore([row], verdict.reason);
    if (verdict.kind === "pair")
      return message.event === undefined ? this.#pair(row) : this.#ends.ignore([row], "dm-not-allowed");
    const { agentId, ...route } = this.#route(row, message);
    if (message.event === undefined && this.#old.isOld(row)) {
      // Of what nobody would have answered anyway nothing is told.
      if (message.chat.kind === "direct" || message.mentions.self)
        this.#old.passOver(entry.label, this.#o.sessions.mainKey(agentId));
      return this.#ends.ignore([row], "too-old");
    }
    const sessionKey = this.#moves.keyNow(route.sessionKey);
    if (message.event !== undefined) {
      this.#o.systemEvent(sessionKey, message.event);
      return this.#ends.ignore([row], "event");
    }
    const typed = typedText(
      message,
      channel.runner(accountId)?.facts.self?.username,
      this.#o.config.current.session.resetTriggers,
    );
    const mayCommand = verdict.mayCommand && !typed.forOther;
    const arrival: Arrival = {
      rows: [row],
      message,
      channel: id,
      accountId,
      entry,
      settings,
      chat: chatKeyOf(id, accountId, message),
      agentId,
      sessionKey,
      group: verdict.group,
      owner: verdict.owner,
      mayCommand,
      parsed: mayCommand ? this.#o.agents.parse(typed.text) : { text: message.text },
    };
    if (this.#stops.take(arrival, typed.text)) return;
    if (!this.#o.config.current.commands.text || !this.#allowlist.take(arrival, typed.text)) this.#join(arrival);
  }

  #route({ channel, accountId }: InboundRow, message: Pick<InboundMessage, "chat">) {
    const { directory } = this.#o.agents;
    const { agentId, key } = routeOf({
      channel,
      accountId,
      message,
      config: this.#o.config.current,
      defaultAgent: directory.defaultId(),
      exists: (name) => directory.exists(name),
      normalizeAgentId: (text) => normalizeAgentId(text),
      entry: this.#o.channel(channel)?.entry,
    });
    return { agentId, key, sessionKey: this.#o.sessions.canonicalKey(key, agentId) };
  }

  /** The platform's own word, whoever may write there. The agent stays the one the group had. */
  #move(row: InboundRow, chatId: string, configWrites: boolean): void {
    const { agentId, sessionKey: from } = this.#route(row, row.message);
    const { key } = this.#route(row, { chat: { ...row.message.chat, id: chatId } });
    void this.#moves.take(row, from, { chatId, configWrites, sessionKey: this.#o.sessions.canonicalKey(key, agentId) });
  }

  /** Own words that came back: to the account itself, or from another account of this gateway. */
  #isEcho({ channel, accountId, message }: InboundRow): boolean {
    return (
      message.sender.isSelf === true &&
      this.#o.echoes.isOwn(echoChat(channel, accountId, targetOf(message).chatId), message.text)
    );
  }

  #join(arrival: Arrival): void {
    const { message, parsed, chat } = arrival;
    const joining = this.#joiningOf(arrival);
    if (!joining || parsed.command) {
      this.#joiner.add(chat, { ...arrival, joining: "debounce" }, undefined);
    } else {
      this.#joiner.add(
        chat,
        { ...arrival, joining: joining.kind },
        { ...joining, key: `${message.sender.id} ${joining.key}` },
      );
    }
  }

  #joiningOf({ message, settings }: Arrival): Joining | undefined {
    if (message.join) return message.join;
    const plain = message.media.length === 0 && !message.location && !message.replyTo && message.text !== "";
    const waitMs = settings.access.debounceMs;
    return plain && waitMs > 0 ? { key: "debounce", waitMs, kind: "debounce" } : undefined;
  }

  /** A message with all its parts. */
  #whole(parts: readonly (Arrival & { joining: Joining["kind"] })[]): void {
    const first = parts[0];
    if (!first) return;
    const { joining, ...alone } = first;
    if (parts.length === 1) return this.#admit(alone);
    const message = joined(
      parts.map((part) => part.message),
      joining,
    );
    const { owner, mayCommand } = alone;
    const parsed = mayCommand ? this.#o.agents.parse(message.text) : { text: message.text };
    // What was typed as several messages is no command, even if it looks like one as a whole.
    const { command: _none, ...words } = parsed;
    this.#admit({ ...alone, rows: parts.flatMap(({ rows }) => rows), message, owner, parsed: words });
  }

  #admit(arrival: Arrival): void {
    const { message, sessionKey, parsed, mayCommand, settings } = arrival;
    const group = message.chat.kind !== "direct";
    const addressed = !group || this.#mentions.isAddressed(message, arrival.agentId, this.#o.config.current);
    const command = parsed.command !== undefined && !message.mentions.others;
    if (group && !mayCommand && this.#o.agents.parse(message.text).command)
      return this.#ends.ignore(arrival.rows, "command-not-allowed");
    if (group && !addressed && !command && this.#needsMention(arrival)) {
      const own = this.#o.agents.directory.listed(arrival.agentId)?.groupChat?.historyLimit;
      this.#history.add(sessionKey, message, own ?? settings.access.historyLimit);
      return this.#ends.ignore(arrival.rows, "not-mentioned");
    }
    if (message.text.trim() === "" && message.media.length === 0 && !message.location)
      return this.#ends.ignore(arrival.rows, "empty");
    if (this.#refusesBot(arrival)) return;
    if (parsed.command) return void this.#command(arrival, addressed, 1);
    this.#turns.enqueue(arrival, addressed);
  }

  #needsMention({ sessionKey, group }: Arrival): boolean {
    const activation = this.#o.sessions.get(sessionKey)?.groupActivation;
    if (activation === "always") return false;
    return activation === "mention" || group?.requireMention !== false;
  }

  /** S34: true when the message was refused; the chat is told once. */
  #refusesBot(arrival: Arrival): boolean {
    const { message, channel, accountId, chat } = arrival;
    const own = this.#o.channel(channel)?.accounts() ?? [];
    const isBot =
      message.sender.isBot === true ||
      own.some(
        ({ accountId: id }) =>
          this.#o.channel(channel)?.runner(id)?.facts.self?.id === message.sender.id && !message.sender.isSelf,
      ) ||
      this.#o.echoes.isOwn(echoChat(channel, accountId, targetOf(message).chatId), message.text);
    if (!isBot) return false;
    const verdict = this.#guard.count(chat);
    if (verdict === "go") return false;
    const text = "Another bot and this one answer each other. Its messages are not answered for a while.";
    const [row] = arrival.rows;
    const told = verdict === "tell" && row ? (tx: Tx) => this.#ends.notice(tx, row, "bot-loop", text) : undefined;
    this.#ends.ignore(arrival.rows, "bot-loop", told);
    return true;
  }

  // ---- commands

  async #command(arrival: Arrival, addressed: boolean, attempt: number): Promise<void> {
    const name = arrival.parsed.command?.name;
    if (attempt === 1 && (name === "new" || name === "reset")) this.#stops.newSession(arrival.sessionKey);
    try {
      await this.#turns.submit(arrival, addressed);
    } catch (error) {
      // Said where it happened.
      if (this.#stopped) return;
      const next = passes(error) ? Math.max(2, attempt) : attempt + 1;
      if (next > maxTries) this.#ends.giveUp(arrival.rows);
      else this.#o.world.after(retryMs, () => void (this.#stopped || this.#command(arrival, addressed, next)));
    }
  }

  #pair(row: InboundRow): void {
    const { channel, accountId, message } = row;
    const service = this.#o.channel(channel);
    const since = service?.runner(accountId)?.facts.lastConnectedAt ?? row.receivedAt;
    const old = service?.entry?.capabilities.login === true && message.at < since - oldMessageMs;
    this.#ends.ignore([row], "not-paired", (tx) => {
      this.#o.pairing.request(tx, channel, accountId, message, {
        silent: old || message.catchUp === true || message.unasked === true,
      });
    });
  }

  /** Work on messages that must not fail: tried again a few times, then ended with a notice. */
  #safely(parts: readonly { rows: readonly InboundRow[] }[], work: () => void, attempt = 1): void {
    try {
      work();
    } catch (error) {
      const rows = parts.flatMap((part) => part.rows);
      this.#o.log.error("a message could not be handled", { ids: rows.map(({ id }) => id), attempt, error });
      if (attempt >= maxTries) this.#ends.giveUp(rows);
      else this.#o.world.after(retryMs, () => !this.#stopped && this.#safely(parts, work, attempt + 1));
    }
  }
}
