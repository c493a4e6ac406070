/** Turns: from an accepted message to a run of its session, now or when its turn comes. */
import { GatewayError, type ImageContent } from "@openclaw/protocol";
import type { Tx } from "../../../store/store.ts";
import type { ReplyRoute, RunRequest } from "../../agents/index.ts";
import type { ChannelAccount } from "../channel.ts";
import { BlockStreams } from "./block-streams.ts";
import type { Echoes } from "./echoes.ts";
import type { Arrival } from "./arrival.ts";
import { Courtesies } from "./courtesies.ts";
import type { Ends } from "./ends.ts";
import { envelopeStyle } from "./envelope.ts";
import type { GroupHistory } from "./group-history.ts";
import { type FetchedMedia, IncomingMedia } from "./incoming-media.ts";
import type { PipelineOptions } from "./ports.ts";
import { groupIntro, previewOf, type PromptParts, promptText } from "./prompt-text.ts";
import { type QueueItem, Queues } from "./queue.ts";
import { queueSettings } from "./queue-settings.ts";
import { targetOf } from "./routing.ts";
import { Typing } from "./typing.ts";
import { VerboseLines } from "./verbose-lines.ts";

export interface Turn extends QueueItem {
  arrival: Arrival;
  addressed: boolean;
  prepared: Promise<FetchedMedia>;
  /** Files, once `prepared` has resolved. */
  media: FetchedMedia;
  /** For the model, from just before the turn begins; undefined while it waits. */
  images: ImageContent[] | undefined;
  /** Takes the acknowledging reaction back. */
  unreact: (() => void) | undefined;
}

const maxImages = 8;

export class Turns {
  readonly queues: Queues<Turn>;
  readonly #o: PipelineOptions;
  readonly #history: GroupHistory;
  readonly #media: IncomingMedia;
  readonly #courtesies: Courtesies;
  readonly #typing: Typing;
  readonly #streams: BlockStreams;
  readonly #verbose: VerboseLines;
  /** Messages given to an active run that has not read them yet, by session. */
  readonly #steered = new Map<string, Set<Turn>>();
  readonly #stopping = new AbortController();
  #unsubscribe: (() => void) | undefined;

  constructor(options: PipelineOptions, history: GroupHistory, echoes: Echoes, ends: Ends) {
    this.#o = options;
    this.#history = history;
    const { world, log, bus, config, agents } = options;
    const account = (channel: string, accountId: string): ChannelAccount | undefined =>
      options.channel(channel)?.runner(accountId)?.account;
    this.#media = new IncomingMedia({ world, log });
    this.#courtesies = new Courtesies({ config, directory: agents.directory, log, account });
    this.#streams = new BlockStreams(options, echoes);
    this.#verbose = new VerboseLines(options);
    this.#typing = new Typing({ world, bus, config, account });
    this.queues = new Queues(world, {
      settings: ({ arrival }) =>
        queueSettings(config.current.messages.queue, arrival.channel, options.sessions.get(arrival.sessionKey)?.queue),
      busy: (sessionKey) => agents.isBusy(sessionKey),
      held: () => options.held?.() !== undefined,
      load: (turns) => this.#load(turns),
      run: (turns, dropped) => this.#run(turns, dropped),
      steer: (turn) => this.#steer(turn),
      interrupt: async (sessionKey) => {
        const [run] = agents.runs.lanes.of(sessionKey);
        // What an operator asked for is answered first; a chat only interrupts its own (settled.md 7).
        if (!run || run.family === "agent" || run.family === "chat") return;
        const { runId } = run;
        await agents.abort(sessionKey, { runId, reason: "stop" }).catch((error: unknown) => this.#failed(error));
      },
      drop: (turns, reason) => this.#drop(turns, reason, ends),
      giveUp: (turns) => ends.giveUp(turns.flatMap(({ arrival }) => arrival.rows)),
    });
  }

  start(): void {
    this.#typing.start();
    this.#streams.start();
    this.#verbose.start();
    this.#unsubscribe ??= this.#o.agents.runs.onIdle((sessionKey) => this.queues.idle(sessionKey));
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.queues.stop();
    this.#typing.stop();
    this.#streams.stop();
    this.#verbose.stop();
    this.#stopping.abort();
  }

  /** The message becomes a turn of its session, alone or with others. */
  enqueue(arrival: Arrival, addressed: boolean): void {
    const { settings, channel, accountId, message, sessionKey, rows, owner } = arrival;
    const runner = () => this.#o.channel(channel)?.runner(accountId);
    const media: FetchedMedia = { lines: [], pictures: [] };
    const prepared =
      message.media.length === 0
        ? Promise.resolve(media)
        : this.#media
            .fetch(message.media, runner, settings.mediaMaxBytes, this.#stopping.signal)
            .then((fetched) => Object.assign(media, fetched));
    const target = targetOf(message);
    const turn: Turn = {
      arrival,
      addressed,
      sessionKey,
      order: rows[0]?.id ?? 0,
      together: [channel, accountId, target.chatId, target.threadId ?? "", owner, rightsOf(arrival)].join(" "),
      preview: previewOf(arrival),
      prepared,
      media,
      images: undefined,
      unreact: this.#courtesies.accepted(arrival, addressed),
    };
    this.queues.push(turn);
    if (this.queues.holds(turn)) this.#keepWaiting(turn);
  }

  /** A run of a former process goes on: the chat sees that somebody types. */
  follow(runId: string, { route, command }: Pick<RunRequest, "route" | "command">): void {
    if (route && !command) this.#typing.begin(runId, route, route.kind === "direct");
  }

  /** A command, or the first message of a new session: past the queue, into its lane or beside it. */
  async submit(arrival: Arrival, addressed: boolean): Promise<void> {
    const media = await this.#media.fetch(
      arrival.message.media,
      () => this.#o.channel(arrival.channel)?.runner(arrival.accountId),
      arrival.settings.mediaMaxBytes,
      this.#stopping.signal,
    );
    const images = await this.#media.images(media.pictures);
    // What came before it in the chat goes before it into the lane.
    await this.queues.begun(arrival.sessionKey);
    const unreact = this.#courtesies.accepted(arrival, addressed);
    const prompt = this.#promptParts([{ arrival, media: media.lines }], []);
    await this.#start([arrival], {
      prompt,
      images,
      addressed,
      done: () => unreact?.(),
    });
  }

  /** The newest images of all of them together. */
  async #load(turns: readonly Turn[]): Promise<void> {
    let left = maxImages;
    for (const turn of turns.toReversed()) {
      turn.images = left > 0 ? (await this.#media.images(turn.media.pictures)).slice(-left) : [];
      left -= turn.images.length;
    }
  }

  async #run(turns: readonly Turn[], dropped: readonly string[]): Promise<void> {
    const prompt = this.#promptParts(
      turns.map(({ arrival, media }) => ({ arrival, media: media.lines })),
      dropped,
    );
    await this.#start(
      turns.map(({ arrival }) => arrival),
      {
        prompt,
        images: turns.flatMap(({ images }) => images ?? []),
        addressed: turns.some(({ addressed }) => addressed),
        done: () => turns.forEach(({ unreact }) => unreact?.()),
      },
    );
  }

  #promptParts(arrivals: PromptParts["arrivals"], dropped: readonly string[]): PromptParts {
    const sessionKey = arrivals[0]?.arrival.sessionKey ?? "";
    return {
      arrivals,
      dropped,
      style: envelopeStyle(this.#o.config.current.agents.defaults),
      previousAt: this.#o.sessions.get(sessionKey)?.lastInteractionAt,
      history: this.#history.block(sessionKey),
    };
  }

  /** Stores one run for the messages and lets it begin. Rejects with what the agents room says when it cannot be stored. */
  async #start(
    arrivals: readonly Arrival[],
    turn: { prompt: PromptParts; images: ImageContent[]; addressed: boolean; done: () => void },
  ): Promise<void> {
    const last = arrivals.at(-1);
    const row = arrivals[0]?.rows[0];
    if (!last || !row) return;
    const { agents } = this.#o;
    const runId = `channel:${row.id}`;
    const route = this.#routeOf(last);
    const parsed =
      arrivals.length === 1 ? last.parsed : { ...Object.assign({}, ...arrivals.map((one) => one.parsed)), text: "" };
    const limit = historyTurns(last);
    const always =
      this.#o.sessions.get(last.sessionKey)?.groupActivation === "always" || last.group?.requireMention === false;
    const intro = groupIntro(last, always);
    // Of a command the model reads nothing.
    let read = false;
    const body = (text: string) => {
      read = true;
      return promptText(turn.prompt, text);
    };
    const acceptance = agents.fromChannel({
      runId,
      sessionKey: last.sessionKey,
      agentId: last.agentId,
      seed: { channel: last.channel, chatType: last.message.chat.kind },
      parsed,
      body,
      images: turn.images,
      owner: arrivals.every(({ owner }) => owner),
      sender: senderOf(last),
      route,
      ...(intro ? { extraSystemPrompt: intro } : {}),
      ...(limit === undefined ? {} : { historyTurns: limit }),
      ...(last.group?.skills ? { skills: last.group.skills } : {}),
      write: (tx, runRowId) => this.#assign(tx, runRowId, arrivals, acceptance.direct === true),
    });
    if (!acceptance.direct) this.#typing.begin(runId, route, turn.addressed);
    if (!parsed.command) {
      this.#streams.begin(runId, route, last.sessionKey, last.agentId);
      this.#verbose.begin(runId, route, last.sessionKey, parsed.verbose);
    }
    try {
      const { ended } = await agents.submit(acceptance);
      if (read) this.#seen(last.sessionKey, turn.prompt);
      void ended.then(() => {
        this.#typing.end(runId);
        this.#streams.end(runId);
        this.#verbose.end(runId);
        turn.done();
      });
    } catch (error) {
      this.#typing.end(runId);
      this.#streams.cancel(runId);
      this.#verbose.end(runId);
      this.#failed(error);
      throw error;
    }
  }

  /** What a group said before was shown to a run. */
  #seen(sessionKey: string, { history }: PromptParts): void {
    if (history) this.#history.forget(sessionKey, history);
  }

  /** The rows name their run, and the session remembers where it was last spoken to. */
  #assign(tx: Tx, runRowId: number, arrivals: readonly Arrival[], direct: boolean): void {
    const { inbox, sessions } = this.#o;
    for (const { rows, sessionKey } of arrivals)
      for (const { id } of rows) inbox.move(tx, id, direct ? "command" : "waiting", { sessionKey, runRowId });
    const last = arrivals.at(-1);
    if (!last || !this.#movesRoute(last)) return;
    const { message, channel, accountId, sessionKey } = last;
    const target = targetOf(message);
    const title = message.chat.title?.slice(0, 200);
    sessions.update(tx, sessionKey, {
      channel,
      chatType: message.chat.kind,
      lastChannel: channel,
      lastTo: target.chatId,
      lastAccountId: accountId,
      lastThreadId: target.threadId,
      ...(title ? { subject: title, displayName: title } : {}),
    });
  }

  /** In the shared main session only the owner moves where heartbeats go, once it is clear who that is (agent.md §6.2). */
  #movesRoute({ message, sessionKey, agentId, settings, owner }: Arrival): boolean {
    if (message.chat.kind !== "direct" || sessionKey !== this.#o.sessions.mainKey(agentId)) return true;
    const { ownerAllowFrom } = this.#o.config.current.commands;
    const owners = (ownerAllowFrom?.length ? ownerAllowFrom : settings.access.allowFrom).filter(
      (entry) => String(entry).trim() !== "*",
    );
    return owners.length === 1 ? owner : true;
  }

  #routeOf({ channel, accountId, message, agentId }: Arrival): ReplyRoute {
    const { chatId, kind, threadId } = targetOf(message);
    const name = message.sender.isSelf ? (this.#o.agents.directory.identity(agentId).name ?? "openclaw") : undefined;
    return {
      channel,
      accountId,
      chatId,
      kind,
      replyToId: message.messageId,
      ...(threadId === undefined ? {} : { threadId }),
      ...(name === undefined ? {} : { prefix: `[${name}]` }),
    };
  }

  #steer(turn: Turn): boolean {
    const { inbox, agents } = this.#o;
    const { arrival, media, sessionKey } = turn;
    const { images } = turn;
    if (!images) return false;
    // Unless it is taken, it waits for a turn of its own, without them.
    turn.images = undefined;
    // A run has the rights of who began it.
    if (rightsOf(arrival) !== "" && agents.activeRequest(sessionKey)?.sender !== senderOf(arrival)) return false;
    const prompt = this.#promptParts([{ arrival, media: media.lines }], []);
    const taken = agents.steer(sessionKey, {
      message: promptText(prompt),
      images,
      route: this.#routeOf(arrival),
      owner: arrival.owner,
      write: (tx, runRowId) => {
        this.#forgetSteered(turn);
        for (const { id } of arrival.rows) inbox.move(tx, id, "waiting", { sessionKey, runRowId });
        tx.afterCommit(() => this.#seen(sessionKey, prompt));
      },
      missed: () => {
        if (this.#forgetSteered(turn)) this.queues.giveBack(turn);
      },
    });
    if (taken) this.#steered.set(sessionKey, (this.#steered.get(sessionKey) ?? new Set()).add(turn));
    return taken;
  }

  /** False when a stop took it away already. */
  #forgetSteered(turn: Turn): boolean {
    const turns = this.#steered.get(turn.sessionKey);
    const known = turns?.delete(turn) ?? false;
    if (turns?.size === 0) this.#steered.delete(turn.sessionKey);
    return known;
  }

  /** Takes every message of a session out that no run has read. */
  takeWaiting(sessionKey: string): Turn[] {
    const steered = [...(this.#steered.get(sessionKey) ?? [])];
    this.#steered.delete(sessionKey);
    return [...steered, ...this.queues.clear(sessionKey)];
  }

  #keepWaiting({ arrival, sessionKey }: Turn): void {
    this.#o.store
      .commit((tx) => {
        for (const { id } of arrival.rows) this.#o.inbox.move(tx, id, "waiting", { sessionKey });
      })
      .catch((error: unknown) => this.#failed(error));
  }

  /** Rows that will not be answered: the session and the log are told, which is their report. */
  #drop(turns: readonly Turn[], reason: "queue-full" | "superseded", ends: Ends): void {
    const { inbox, systemEvent, log } = this.#o;
    const [first] = turns;
    if (!first) return;
    const rows = turns.flatMap(({ arrival }) => arrival.rows);
    const many = rows.length === 1 ? "1 message" : `${rows.length} messages`;
    const why = reason === "queue-full" ? "too many waited" : "a newer one took its place";
    systemEvent(
      first.sessionKey,
      `${many} that waited for this session ${rows.length === 1 ? "was" : "were"} dropped: ${why}.`,
    );
    log.info("messages were dropped", { ids: rows.map(({ id }) => id), reason });
    ends.commit((tx) => {
      for (const { id } of rows) {
        inbox.move(tx, id, "waiting", { sessionKey: first.sessionKey });
        inbox.move(tx, id, "dropped", { reason });
      }
    });
  }

  #failed(error: unknown): void {
    const known = error instanceof GatewayError;
    this.#o.log[known ? "warn" : "error"]("a message could not be handed to its session; it is tried again", {
      error: known ? error.message : error,
    });
  }
}

const senderOf = ({ channel, message }: Arrival): string => `${channel}:${message.sender.id}`;

/** Whose rights a message has beside being the owner's or not: the sender's own, where the group has rules by sender. */
const rightsOf = (arrival: Arrival): string => (arrival.group?.toolsBySender === undefined ? "" : senderOf(arrival));

/** How many turns of a direct chat the model is shown, where the account limits that. */
function historyTurns({ message, settings }: Arrival): number | undefined {
  if (message.chat.kind !== "direct") return undefined;
  const { dmHistoryLimit, dms } = settings.access;
  return dms?.[message.sender.id]?.historyLimit ?? dmHistoryLimit;
}
