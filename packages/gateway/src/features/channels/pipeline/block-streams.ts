/** Block streaming (agent.md §13.1), off unless the account or `agents.defaults.blockStreamingDefault` says otherwise: finished
 *  pieces of an answer are sent while the rest is written. Each is a row of the outbox, written only while the run is live. */
import type { EventPayload } from "@openclaw/protocol";
import type { ReplyRoute } from "../../agents/index.ts";
import { type BlockRules, nextBlock } from "./block-chunker.ts";
import { echoChat, type Echoes } from "./echoes.ts";
import type { PipelineOptions } from "./ports.ts";
import { readSaid, replyParts } from "./reply-parts.ts";
import type { StreamedMessage } from "./streamed.ts";

interface Stream {
  route: ReplyRoute;
  sessionKey: string;
  rules: BlockRules;
  /** Pieces leave only when a whole message is there. */
  wholeOnly: boolean;
  messages: StreamedMessage[];
  blocks: number;
  /** One piece after the other. Never rejects. */
  chain: Promise<void>;
  /** Between two pieces, as a person would take. */
  pauseMs: () => number;
  /** Ends the pause that is running. */
  wake: (() => void) | undefined;
  /** A piece could not be sent: all that follows is left to the end of the run. */
  broken: boolean;
}

/** A piece of a message, from one place to another. */
interface Piece {
  number: number;
  body: string;
  from: number;
  until: number;
  /** Line that opens the fence again behind it. */
  reopen: string | undefined;
}

export type BlockStreamsOptions = Pick<
  PipelineOptions,
  "bus" | "config" | "world" | "agents" | "outbox" | "channel" | "sessions" | "log"
>;

const naturalMs = { least: 800, most: 2_500 } as const;
/** A block that takes longer is left to the end of the run. */
const maxPauseMs = 15_000;
const namesFile = /^[ \t]*`?MEDIA:/m;

export class BlockStreams {
  readonly #o: BlockStreamsOptions;
  readonly #echoes: Echoes;
  readonly #byRun = new Map<string, Stream>();
  #unsubscribe: (() => void) | undefined;

  constructor(options: BlockStreamsOptions, echoes: Echoes) {
    this.#o = options;
    this.#echoes = echoes;
  }

  start(): void {
    this.#unsubscribe ??= this.#o.bus.on("agent", (event) => this.#hear(event));
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    for (const runId of this.#byRun.keys()) this.end(runId);
  }

  /** A run was accepted. */
  begin(runId: string, route: ReplyRoute, sessionKey: string, agentId: string): void {
    const settings = this.#o.channel(route.channel)?.settings(route.accountId);
    const { defaults } = this.#o.config.current.agents;
    const on = settings?.blockStreaming ?? defaults.blockStreamingDefault === "on";
    // What stands before each text depends on the model that answers, which is known at the end only.
    if (!on || !settings || this.#prefix(route) === undefined) return;
    const { minChars = 800, maxChars = 1_200, breakPreference = "paragraph" } = defaults.blockStreamingChunk ?? {};
    const most = Math.min(settings.blocks?.maxChars ?? maxChars, settings.textChunkLimit);
    const stream: Stream = {
      route,
      sessionKey,
      rules: {
        minChars: Math.min(settings.blocks?.minChars ?? minChars, most),
        maxChars: most,
        breakAt: breakPreference,
      },
      wholeOnly: defaults.blockStreamingBreak === "message_end",
      messages: this.#echoes.streamed.of(runId),
      blocks: 0,
      chain: Promise.resolve(),
      pauseMs: this.#pauseOf(agentId),
      wake: undefined,
      broken: false,
    };
    this.#byRun.set(runId, stream);
    this.#echoes.streamed.settlesBy(runId, () => this.#settled(runId, stream));
  }

  /** It is over. What was sent of it is known until its end is stored. */
  end(runId: string): void {
    const stream = this.#byRun.get(runId);
    this.#byRun.delete(runId);
    stream?.wake?.();
  }

  /** It never began. */
  cancel(runId: string): void {
    this.end(runId);
    this.#echoes.streamed.forget(runId);
  }

  #hear({ runId, stream: kind, data }: EventPayload<"agent">): void {
    const stream = this.#byRun.get(runId);
    if (!stream) return;
    const { text, phase } = data as { text?: unknown; phase?: unknown };
    if (kind === "assistant" && typeof text === "string") this.#grow(runId, stream, text);
    // The message is complete when its tools start; the last one is left to the end of the run.
    else if (kind === "tool" && phase === "start") this.#rest(runId, stream);
  }

  #grow(runId: string, stream: Stream, text: string): void {
    let message = stream.messages.at(-1);
    if (!message || !text.startsWith(message.text)) {
      message = { text, queued: 0, sent: 0, reopen: undefined, reopenQueued: undefined, held: false };
      stream.messages.push(message);
    }
    message.text = text;
    // Files are sent with the end of the run, and what follows them stays behind them.
    if (namesFile.test(text)) message.held = true;
    if (stream.wholeOnly) return;
    for (;;) {
      const open = message.reopenQueued;
      const block = message.held ? undefined : nextBlock(text.slice(message.queued), stream.rules, open);
      if (!block) return;
      this.#send(runId, stream, message, { until: message.queued + block.chars, open, ...block });
    }
  }

  #rest(runId: string, stream: Stream): void {
    const message = stream.messages.at(-1);
    if (message && !message.held && message.queued < message.text.length)
      this.#send(runId, stream, message, { until: message.text.length, open: message.reopenQueued });
  }

  #send(
    runId: string,
    stream: Stream,
    message: StreamedMessage,
    cut: { until: number; open: string | undefined; close?: string; reopen?: string },
  ): void {
    const { until, open, close, reopen } = cut;
    const from = message.queued;
    const piece = message.text.slice(from, until);
    const prefix = from === 0 ? (this.#prefix(stream.route) ?? "") : "";
    message.queued = until;
    message.reopenQueued = reopen;
    if (piece.trim() === "") return;
    const said = `${open === undefined ? "" : `${open}\n`}${piece.trimEnd()}${close === undefined ? "" : `\n${close}`}`;
    const body = prefix === "" ? said : `${prefix} ${said}`;
    const made: Piece = { number: ++stream.blocks, body, from, until, reopen };
    stream.chain = stream.chain.then(() => this.#speak(runId, stream, message, made));
  }

  /** Never rejects. */
  async #speak(runId: string, stream: Stream, message: StreamedMessage, piece: Piece): Promise<void> {
    const { route, sessionKey } = stream;
    if (piece.number > 1) await this.#pause(runId, stream);
    const session = this.#o.sessions.get(sessionKey);
    if (session && !this.#o.sessions.maySend(session)) stream.broken = true;
    // What did not leave in time is part of what the end of the run says.
    if (stream.broken || this.#byRun.get(runId) !== stream) return;
    const { channel, accountId, chatId } = route;
    const { sent, reopen } = message;
    try {
      const parts = this.#parts(route, piece.body, piece.number === 1);
      const spoken = await this.#o.agents.speak(runId, (tx, runRowId) => {
        const key = `block:${runId}:${piece.number}`;
        const request = { key, family: "run-block", principal: "gateway", channel, accountId, kind: "reply" as const };
        this.#o.outbox.insert(tx, { ...request, parts, runRowId, sessionKey });
        message.sent = piece.until;
        message.reopen = piece.reopen;
      });
      if (spoken) this.#echoes.said(echoChat(channel, accountId, chatId), piece.body);
      else stream.broken = true;
    } catch (error) {
      // The end of the run sends what could not be sent here.
      Object.assign(message, { sent, reopen });
      stream.broken = true;
      this.#o.log.warn("a part of an answer could not be sent early", { error });
    }
  }

  async #settled(runId: string, stream: Stream): Promise<void> {
    await stream.chain;
    if (stream.blocks > 0) await this.#pause(runId, stream);
  }

  async #pause(runId: string, stream: Stream): Promise<void> {
    const ms = stream.pauseMs();
    if (ms <= 0 || stream.broken || this.#byRun.get(runId) !== stream) return;
    const over = Promise.withResolvers<void>();
    const timer = this.#o.world.after(ms, over.resolve);
    stream.wake = over.resolve;
    await over.promise;
    timer.cancel();
    stream.wake = undefined;
  }

  #pauseOf(agentId: string): () => number {
    const { defaults } = this.#o.config.current.agents;
    const {
      mode = "off",
      minMs,
      maxMs,
    } = this.#o.agents.directory.listed(agentId)?.humanDelay ?? defaults.humanDelay ?? {};
    if (mode === "off") return () => 0;
    const least = (mode === "custom" ? minMs : undefined) ?? naturalMs.least;
    const most = Math.min(maxPauseMs, Math.max(least, (mode === "custom" ? maxMs : undefined) ?? naturalMs.most));
    return () => least + (this.#o.world.randomBytes(2).readUInt16BE() / 65_536) * (most - least);
  }

  #parts(route: ReplyRoute, text: string, first: boolean) {
    const { chatId, kind, threadId } = route;
    const service = this.#o.channel(route.channel);
    const settings = service?.settings(route.accountId);
    if (!service?.entry || !settings) return [];
    const quotes = first || settings.access.replyToMode === "all";
    return replyParts({
      entry: service.entry,
      settings,
      target: { chatId, kind, ...(threadId === undefined ? {} : { threadId }) },
      replyToId: quotes ? route.replyToId : undefined,
      texts: [{ said: readSaid(text), text, files: [] }],
    });
  }

  /** Undefined when it names what is not known yet. */
  #prefix({ prefix }: ReplyRoute): string | undefined {
    const template = this.#o.config.current.messages.responsePrefix ?? prefix ?? "";
    return template === "auto" || template.includes("{") ? undefined : template;
  }
}
