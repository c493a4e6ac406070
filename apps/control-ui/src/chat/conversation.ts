/** One session as it is seen here: its history page by page, the reply being written, and what was sent from this tab.
 *  The gateway's history is the truth; everything else is shown until the history contains it. */
import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import { ClosedError, createIdempotencyKey, NotSentError } from "@openclaw/client";
import type { EventPayload, MethodResult } from "@openclaw/protocol";
import { plainError } from "../gateway/refusal.ts";
import { isRecord } from "../gateway/storage.ts";
import { readPage, textOf } from "./history.ts";
import { liveText, newRun, withText, withTool, type LiveRun } from "./live-run.ts";
import { maxWaiting, notStored, readOutgoing, storeOutgoing, type Attachment, type Outgoing } from "./outgoing.ts";
import { toTurns, turnText, type HistoryMessage, type Turn } from "./turns.ts";

export interface ChatPort {
  readonly connected: ReadonlySignal<boolean>;
  callAny(method: string, params?: unknown): Promise<unknown>;
}

export interface ConversationOptions {
  sessionKey: string;
  port: ChatPort;
  /** Said once to screen readers. */
  announce: (text: string) => void;
  now?: () => number;
}

/** A reply that ended without its text in the history. */
export interface Remains {
  runId: string;
  text: string;
  /** Undefined: it was stopped. */
  error: string | undefined;
}

export interface ConversationState {
  loaded: boolean;
  /** When the newest page was read last. */
  readAt: number;
  /** Whether there are messages before the oldest one here. */
  older: "none" | "some" | "loading";
  error: string | undefined;
}

const pageSize = 200;
const refreshSize = 100;
const stopWords = new Set(["/stop", "stop", "esc", "abort", "wait", "exit", "interrupt"]);
const maxEnded = 64;
/** Kept while somebody is at the end of a conversation that grows for days. */
const keptAtEnd = 600;
/** How long the end of a run may come without the `chat` event that tells it: those of heartbeats have none. */
const silentEndMs = 1_500;

export class Conversation {
  readonly sessionKey: string;
  readonly #port: ChatPort;
  readonly #announce: (text: string) => void;
  readonly #now: () => number;
  readonly #messages = signal<readonly HistoryMessage[]>([]);
  readonly #state = signal<ConversationState>({
    loaded: false,
    readAt: 0,
    older: "none",
    error: undefined,
  });
  readonly #live = signal<LiveRun | undefined>(undefined);
  readonly #outgoing: ReturnType<typeof signal<readonly Outgoing[]>>;
  readonly #remains = signal<Remains | undefined>(undefined);
  readonly #thinking = signal<string | undefined>(undefined);
  /** Pictures of a message that is being written. */
  readonly drafted = signal<readonly Attachment[]>([]);
  /** Whether older messages may be let go: nobody is reading among them. */
  readerAtEnd = true;
  /** Runs whose end was seen, with the number of the reading that was the last to begin before; the oldest are forgotten. */
  readonly #ended = new Map<string, number>();
  #sessionId: string | undefined;
  #reading: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #readings = 0;

  readonly turns: ReadonlySignal<readonly Turn[]> = computed(() => toTurns(this.#messages.value));
  /** A reply is being written or about to be. */
  readonly busy: ReadonlySignal<boolean> = computed(
    () => this.#live.value?.over === false || this.outgoing.value.some(({ state }) => state === "sending"),
  );

  constructor(options: ConversationOptions) {
    this.sessionKey = options.sessionKey;
    this.#port = options.port;
    this.#announce = options.announce;
    this.#now = options.now ?? Date.now;
    this.#outgoing = signal<readonly Outgoing[]>(readOutgoing(options.sessionKey));
  }

  get state(): ReadonlySignal<ConversationState> {
    return this.#state;
  }

  get live(): ReadonlySignal<LiveRun | undefined> {
    return this.#live;
  }

  get outgoing(): ReadonlySignal<readonly Outgoing[]> {
    return this.#outgoing as ReadonlySignal<readonly Outgoing[]>;
  }

  get remains(): ReadonlySignal<Remains | undefined> {
    return this.#remains;
  }

  /** Thinking level of the session as the gateway last said it. */
  get thinking(): ReadonlySignal<string | undefined> {
    return this.#thinking;
  }

  /** A new connection: what streamed before is lost, its end stands in the history. Asks about everything that was sent and
   *  not answered, with the key it had. */
  async reconnected(): Promise<void> {
    const before = this.#live.peek();
    await this.refresh();
    // What was written of the reply stays in view until the history is there; if it goes on, its next delta has all of it.
    if (this.#live.peek() === before) this.#live.value = undefined;
    const asked = this.outgoing.peek().filter(({ state }) => state === "sending" || state === "accepted");
    void Promise.all(asked.map((message) => this.#transmit(message))).then(() => this.#sendNext());
  }

  /** Messages that were written before the session's right key was known. */
  adopt(list: readonly Outgoing[]): void {
    this.#keep([...this.outgoing.peek(), ...list].slice(0, maxWaiting));
  }

  /** Nothing of it would be lost if it were forgotten. */
  get idle(): boolean {
    return this.outgoing.peek().length === 0 && this.drafted.peek().length === 0;
  }

  /** Reads the newest page. While a reading is under way, once more after it: resolves when what is there now was read. */
  refresh(): Promise<void> {
    if (!this.#reading) {
      this.#reading = this.#read().finally(() => (this.#reading = undefined));
      return this.#reading;
    }
    this.#following ??= this.#reading.then(() => {
      this.#following = undefined;
      return this.refresh();
    });
    return this.#following;
  }

  /** Reads the page before the oldest message shown. */
  async readOlder(): Promise<void> {
    const { older } = this.#state.peek();
    const first = this.#messages.peek()[0];
    if (older !== "some" || !first) return;
    this.#set({ older: "loading" });
    try {
      const page = await readPage(this.#port, this.sessionKey, { limit: pageSize, before: first.id });
      // The session may have been reset meanwhile.
      const still = this.#messages.peek()[0]?.id === first.id;
      if (still && page.messages.length > 0) this.#messages.value = [...page.messages, ...this.#messages.peek()];
      this.#set({ older: page.messages.length === pageSize ? "some" : "none" });
    } catch (error) {
      this.#set({ older: "some", error: plainError(error) });
    }
  }

  /** Sends, or lets the message wait for the reply before it. `stop`: the text is a word that means so while a reply is being
   *  written, and nothing was sent. */
  send(text: string, attachments: readonly Attachment[] = []): "sent" | "stop" | "full" {
    if (attachments.length === 0 && stopWords.has(text.trim().toLowerCase()) && this.busy.peek()) return "stop";
    const list = this.outgoing.peek();
    if (list.length >= maxWaiting) return "full";
    const message: Outgoing = {
      key: createIdempotencyKey(),
      text,
      attachments,
      at: this.#now(),
      state: this.busy.peek() || list.some(({ state }) => state === "waiting") ? "waiting" : "sending",
      afterId: this.#messages.peek().at(-1)?.id,
    };
    this.#remains.value = undefined;
    this.#keep([...list, message]);
    if (message.state === "sending") void this.#transmit(message);
    return "sent";
  }

  /** The same message with the same key: if it did arrive, nothing happens twice. */
  retry(key: string): void {
    const message = this.#change(key, { state: "sending" });
    if (message) void this.#transmit(message);
  }

  /** Takes back what was not sent yet or failed. */
  discard(key: string): void {
    this.#keep(this.outgoing.peek().filter((message) => message.key !== key || message.state === "accepted"));
    this.#sendNext();
  }

  dismissRemains(): void {
    this.#remains.value = undefined;
  }

  /** Sends the last message of the person once more, as a new one. */
  askAgain(): void {
    const asked = this.turns.peek().findLast((turn) => turn.role === "user");
    this.dismissRemains();
    if (asked) this.send(turnText(asked));
  }

  async stop(): Promise<string | undefined> {
    const run = this.#live.peek();
    try {
      await this.#port.callAny("chat.abort", { sessionKey: this.sessionKey, ...(run ? { runId: run.runId } : {}) });
      return undefined;
    } catch (error) {
      return plainError(error);
    }
  }

  /** Events of this session only. */
  chatEvent(event: EventPayload<"chat">): void {
    const { runId, state } = event;
    const run = this.#live.peek();
    if (state === "delta") {
      if (this.#ended.has(runId) || this.#isOther(runId)) return;
      this.#live.value = withText(this.#runOf(runId), textOf(event.message));
      return;
    }
    if (state !== "final" && state !== "error" && state !== "aborted") return;
    this.#noteEnd(runId);
    if (run && run.runId !== runId) return void this.refresh();
    const text = state === "final" ? textOf(event.message) : run ? liveText(run) : "";
    // What was seen stays in view until the history has it; the words of a reply that was cut short stand in `remains`.
    if (run && state === "final") this.#live.value = { ...withText(run, text), over: true };
    else if (run) this.#live.value = text === "" ? { ...run, over: true } : undefined;
    if (state === "error") this.#remains.value = { runId, text, error: event.errorMessage ?? "The reply failed." };
    if (state === "aborted" && text !== "") this.#remains.value = { runId, text, error: undefined };
    this.#announce({ final: "Reply complete.", error: "The reply failed.", aborted: "Stopped." }[state]);
    void this.refresh().then(() => this.#sendNext());
  }

  agentEvent(event: EventPayload<"agent">): void {
    const { runId, stream } = event;
    const data = isRecord(event.data) ? event.data : {};
    if (this.#ended.has(runId)) return;
    if (this.#isOther(runId)) return;
    if (stream === "lifecycle" && data.phase !== "start") {
      if (this.#live.peek()) setTimeout(() => this.#endSilently(runId), silentEndMs);
      return;
    }
    const known = this.#runOf(runId);
    if (stream === "tool") this.#live.value = withTool(known, data, this.#now());
    else if (stream === "assistant") this.#live.value = withText(known, String(data.text ?? ""));
    else if (stream === "compaction") this.#live.value = { ...known, compacting: data.phase === "start" };
    else if (stream === "lifecycle") this.#live.value = known;
  }

  /** Another run is shown; one that is over makes room. */
  #isOther(runId: string): boolean {
    const run = this.#live.peek();
    return run !== undefined && run.runId !== runId && !run.over;
  }

  #runOf(runId: string): LiveRun {
    const run = this.#live.peek();
    return run?.runId === runId ? run : newRun(runId, this.#now());
  }

  #endSilently(runId: string): void {
    if (this.#ended.has(runId) || this.#live.peek()?.runId !== runId) return;
    this.#noteEnd(runId);
    void this.refresh().then(() => this.#sendNext());
  }

  async #read(): Promise<void> {
    const known = this.#messages.peek();
    const limit = known.length === 0 ? pageSize : refreshSize;
    this.#readings += 1;
    const reading = this.#readings;
    try {
      const page = await readPage(this.#port, this.sessionKey, { limit });
      batch(() => {
        const sameSession = page.sessionId === this.#sessionId;
        this.#sessionId = page.sessionId;
        const overlap = sameSession ? known.findIndex(({ id }) => id === page.messages[0]?.id) : -1;
        if (overlap > 0) {
          const all = [...known.slice(0, overlap), ...page.messages];
          const tooMany = this.readerAtEnd && all.length > keptAtEnd;
          this.#messages.value = tooMany ? all.slice(-pageSize) : all;
          if (tooMany) this.#set({ older: "some" });
        } else {
          this.#messages.value = page.messages;
          this.#set({ older: page.messages.length === limit ? "some" : "none" });
        }
        this.#set({ loaded: true, readAt: this.#now(), error: undefined });
        this.#thinking.value = page.thinkingLevel;
        this.#settle(reading);
      });
    } catch (error) {
      this.#set({ error: plainError(error) });
    }
  }

  /** What the history holds now need not be shown twice. A run that ended while it was being read may not be in it yet. */
  #settle(reading: number): void {
    const turns = this.turns.peek();
    const told = new Set([...this.#ended].filter(([, before]) => before < reading).map(([runId]) => runId));
    this.#keep(notStored(this.outgoing.peek(), turns, told));
    const remains = this.#remains.peek();
    const last = turns.at(-1);
    if (remains && last?.role === "assistant" && (last.stopped === true || last.error !== undefined)) {
      if (remains.error === undefined || last.error !== undefined) this.#remains.value = undefined;
      // Its words stand in the history, the reason does not.
      else if (remains.text !== "") this.#remains.value = { ...remains, text: "" };
    }
    const run = this.#live.peek();
    if (run && told.has(run.runId)) this.#live.value = undefined;
  }

  async #transmit(message: Outgoing): Promise<void> {
    const { key, text, attachments } = message;
    try {
      const answer = (await this.#port.callAny("chat.send", {
        sessionKey: this.sessionKey,
        message: text,
        deliver: false,
        idempotencyKey: key,
        ...(attachments.length === 0
          ? {}
          : {
              attachments: attachments.map(({ name, mimeType, data }) => ({
                type: "image",
                mimeType,
                fileName: name,
                content: data,
              })),
            }),
      })) as MethodResult<"chat.send">;
      if (!("status" in answer)) {
        this.#keep(this.outgoing.peek().filter((other) => other.key !== key));
        return;
      }
      this.#change(key, { state: "accepted" });
      if ((answer.status === "started" || answer.status === "in_flight") && !this.#ended.has(key)) {
        if (!this.#isOther(key)) this.#live.value = this.#runOf(key);
        this.#announce("Replying.");
      } else if (answer.status === "ok" || answer.status === "error") {
        this.#noteEnd(key);
        await this.refresh();
        this.#sendNext();
      }
    } catch (error) {
      // Without a connection the message keeps its state and its key; `reconnected` sends it again.
      if (error instanceof ClosedError || error instanceof NotSentError) return;
      // What was accepted stays accepted: asking about it again may fail without consequence.
      if (this.outgoing.peek().find((other) => other.key === key)?.state === "accepted") return;
      this.#change(key, { state: "failed", error: plainError(error) });
    }
  }

  #sendNext(): void {
    if (this.busy.peek() || !this.#port.connected.peek()) return;
    const next = this.outgoing.peek().find(({ state }) => state === "waiting");
    if (!next) return;
    const message = this.#change(next.key, { state: "sending" });
    if (message) void this.#transmit(message);
  }

  #change(key: string, change: { state: Outgoing["state"]; error?: string }): Outgoing | undefined {
    let changed: Outgoing | undefined;
    this.#keep(
      this.outgoing.peek().map((message) => {
        if (message.key !== key) return message;
        const { error: _old, ...rest } = message;
        const afterId = message.state === "waiting" ? this.#messages.peek().at(-1)?.id : message.afterId;
        changed = { ...rest, afterId, ...change };
        return changed;
      }),
    );
    return changed;
  }

  #keep(list: readonly Outgoing[]): void {
    if (list.length === 0 && this.outgoing.peek().length === 0) return;
    this.#outgoing.value = list;
    storeOutgoing(this.sessionKey, list);
  }

  #noteEnd(runId: string): void {
    if (!this.#ended.has(runId)) this.#ended.set(runId, this.#readings);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= maxEnded) break;
      this.#ended.delete(oldest);
    }
  }

  #set(changes: Partial<ConversationState>): void {
    this.#state.value = { ...this.#state.peek(), ...changes };
  }
}
