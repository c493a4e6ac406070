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
}

export type BlockStreamsOptions = Pick<
  PipelineOptions,
  "bus" | "config" | "agents" | "outbox" | "channel" | "sessions" | "log"
>;

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
    this.#byRun.clear();
  }

  /** A run was accepted. */
  begin(runId: string, route: ReplyRoute, sessionKey: string): void {
    const settings = this.#o.channel(route.channel)?.settings(route.accountId);
    const { defaults } = this.#o.config.current.agents;
    const session = this.#o.sessions.get(sessionKey);
    const on = settings?.blockStreaming ?? defaults.blockStreamingDefault === "on";
    // What stands before each text depends on the model that answers, which is known at the end only.
    if (!on || !settings || this.#prefix(route) === undefined || (session && !this.#o.sessions.maySend(session)))
      return;
    const { minChars = 800, maxChars = 1_200, breakPreference = "paragraph" } = defaults.blockStreamingChunk ?? {};
    const most = Math.min(settings.blocks?.maxChars ?? maxChars, settings.textChunkLimit);
    this.#byRun.set(runId, {
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
    });
  }

  /** It is over. What was sent of it is known until its end is stored. */
  end(runId: string): void {
    this.#byRun.delete(runId);
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
      message = { text, queued: 0, sent: 0, reopen: undefined, held: false };
      stream.messages.push(message);
    }
    message.text = text;
    // Files are sent with the end of the run, and what follows them stays behind them.
    if (namesFile.test(text)) message.held = true;
    if (stream.wholeOnly) return;
    let open = message.reopen;
    for (;;) {
      const block = message.held ? undefined : nextBlock(text.slice(message.queued), stream.rules, open);
      if (!block) return;
      this.#send(runId, stream, message, message.queued + block.chars, open, block.close, block.reopen);
      open = block.reopen;
    }
  }

  #rest(runId: string, stream: Stream): void {
    const message = stream.messages.at(-1);
    if (message && !message.held && message.queued < message.text.length)
      this.#send(runId, stream, message, message.text.length, message.reopen, undefined, undefined);
  }

  #send(
    runId: string,
    stream: Stream,
    message: StreamedMessage,
    until: number,
    open: string | undefined,
    close: string | undefined,
    reopen: string | undefined,
  ): void {
    const { route, sessionKey } = stream;
    const piece = message.text.slice(message.queued, until);
    const body = `${open === undefined ? "" : `${open}\n`}${piece.trimEnd()}${close === undefined ? "" : `\n${close}`}`;
    const from = message.queued;
    const prefix = from === 0 ? (this.#prefix(route) ?? "") : "";
    message.queued = until;
    message.reopen = reopen;
    const number = ++stream.blocks;
    if (piece.trim() === "") return;
    const parts = this.#parts(route, prefix === "" ? body : `${prefix} ${body}`, number === 1);
    this.#o.agents
      .speak(runId, (tx, runRowId) => {
        const { channel, accountId } = route;
        const key = `block:${runId}:${number}`;
        const request = { key, family: "run-block", principal: "gateway", channel, accountId, kind: "reply" as const };
        this.#o.outbox.insert(tx, { ...request, parts, runRowId, sessionKey });
        message.sent = until;
      })
      .then(
        (spoken) => {
          if (spoken) this.#echoes.said(echoChat(route.channel, route.accountId, route.chatId), body);
          else message.held = true;
        },
        (error: unknown) => {
          // The end of the run sends what could not be sent here.
          message.held = true;
          message.sent = Math.min(message.sent, from);
          message.reopen = open;
          this.#o.log.warn("a part of an answer could not be sent early", { error });
        },
      );
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
