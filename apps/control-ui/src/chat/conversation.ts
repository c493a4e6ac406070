/** One session as it is seen here: its history page by page, the reply being written, and what was sent from this tab.
 *  The gateway's history is the truth; everything else is shown until the history contains it. */
import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import { ClosedError, createIdempotencyKey, NotSentError } from "@openclaw/client";
import type { EventPayload, MethodResult } from "@openclaw/protocol";
import { plainError } from "../gateway/refusal.ts";
import { isRecord } from "../gateway/storage.ts";
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
  /** Runs whose end was seen; the oldest are forgotten. */
  readonly #ended = new Set<string>();
  #sessionId: string | undefined;
  #reading: Promise<void> | undefined;
  #readAgain = false;

  readonly turns: ReadonlySignal<readonly Turn[]> = computed(() => toTurns(this.#messages.value));
  /** A reply is being written or about to be. */
  readonly busy: ReadonlySignal<boolean> = computed(
    () => this.#live.value !== undefined || this.outgoing.value.some(({ state }) => state === "sending"),
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
    this.#live.value = undefined;
    await this.refresh();
    for (const message of this.outgoing.peek())
      if (message.state === "sending" || message.state === "accepted") void this.#transmit(message);
    this.#sendNext();
  }

  /** Reads the newest page. While a reading is under way, once more after it. */
  refresh(): Promise<void> {
    if (this.#reading) {
      this.#readAgain = true;
      return this.#reading;
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
      if (this.#readAgain) {
        this.#readAgain = false;
        void this.refresh();
      }
    });
    return this.#reading;
  }

  /** Reads the page before the oldest message shown. */
  async readOlder(): Promise<void> {
    const { older } = this.#state.peek();
    const first = this.#messages.peek()[0];
    if (older !== "some" || !first) return;
    this.#set({ older: "loading" });
    try {
      const page = await this.#history({ limit: pageSize, before: first.id });
      // The session may have been reset meanwhile.
      const still = this.#messages.peek()[0]?.id === first.id;
      if (still && page.messages.length > 0) this.#messages.value = [...page.messages, ...this.#messages.peek()];
      this.#set({ older: page.messages.length === pageSize ? "some" : "none" });
    } catch (error) {
      this.#set({ older: "some", error: plainError(error) });
    }
  }

  /** Sends, or lets the message wait for the reply before it. A word that means "stop" stops instead. */
  send(text: string, attachments: readonly Attachment[] = []): "sent" | "stopped" | "full" {
    if (attachments.length === 0 && stopWords.has(text.trim().toLowerCase()) && this.busy.peek()) {
      void this.stop();
      return "stopped";
    }
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
      if (this.#ended.has(runId) || (run && run.runId !== runId)) return;
      this.#live.value = withText(run ?? newRun(runId, this.#now()), textOf(event.message));
      return;
    }
    if (state !== "final" && state !== "error" && state !== "aborted") return;
    this.#noteEnd(runId);
    if (run && run.runId !== runId) return void this.refresh();
    const text = state === "final" ? textOf(event.message) : run ? liveText(run) : "";
    if (state === "final" && run) this.#live.value = withText(run, textOf(event.message));
    if (state === "error") this.#remains.value = { runId, text, error: event.errorMessage ?? "The reply failed." };
    if (state === "aborted" && text !== "") this.#remains.value = { runId, text, error: undefined };
    this.#announce({ final: "Reply complete.", error: "The reply failed.", aborted: "Stopped." }[state]);
    void this.refresh().then(() => {
      if (this.#live.peek()?.runId === runId) this.#live.value = undefined;
      this.#sendNext();
    });
  }

  agentEvent(event: EventPayload<"agent">): void {
    const { runId, stream } = event;
    const data = isRecord(event.data) ? event.data : {};
    if (this.#ended.has(runId)) return;
    const run = this.#live.peek();
    if (run && run.runId !== runId) return;
    if (stream === "lifecycle" && data.phase !== "start") return;
    const known = run ?? newRun(runId, this.#now());
    if (stream === "tool") this.#live.value = withTool(known, data, this.#now());
    else if (stream === "assistant") this.#live.value = withText(known, String(data.text ?? ""));
    else if (stream === "compaction") this.#live.value = { ...known, compacting: data.phase === "start" };
    else if (stream === "lifecycle") this.#live.value = known;
  }

  async #read(): Promise<void> {
    const known = this.#messages.peek();
    const limit = known.length === 0 ? pageSize : refreshSize;
    try {
      const page = await this.#history({ limit });
      batch(() => {
        const sameSession = page.sessionId === this.#sessionId;
        this.#sessionId = page.sessionId;
        const overlap = sameSession ? known.findIndex(({ id }) => id === page.messages[0]?.id) : -1;
        if (overlap > 0) this.#messages.value = [...known.slice(0, overlap), ...page.messages];
        else {
          this.#messages.value = page.messages;
          this.#set({ older: page.messages.length === limit ? "some" : "none" });
        }
        this.#set({ loaded: true, readAt: this.#now(), error: undefined });
        this.#thinking.value = page.thinkingLevel;
        this.#settle();
      });
    } catch (error) {
      this.#set({ error: plainError(error) });
    }
  }

  /** What the history holds now need not be shown twice. */
  #settle(): void {
    const turns = this.turns.peek();
    this.#keep(notStored(this.outgoing.peek(), turns, this.#ended));
    const remains = this.#remains.peek();
    const last = turns.at(-1);
    if (remains && last?.role === "assistant" && (last.stopped === true || last.error !== undefined)) {
      if (remains.error === undefined || last.error !== undefined) this.#remains.value = undefined;
      // Its words stand in the history, the reason does not.
      else if (remains.text !== "") this.#remains.value = { ...remains, text: "" };
    }
    const run = this.#live.peek();
    if (run && this.#ended.has(run.runId)) this.#live.value = undefined;
  }

  async #history(params: { limit: number; before?: string }) {
    const result = (await this.#port.callAny("chat.history", {
      sessionKey: this.sessionKey,
      ...params,
    })) as MethodResult<"chat.history">;
    const messages = result.messages.map((message, index): HistoryMessage => {
      const { id = `${message.timestamp}-${index}` } = message;
      return { ...message, id };
    });
    return { messages, sessionId: result.sessionId, thinkingLevel: result.thinkingLevel };
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
        this.#live.value ??= newRun(key, this.#now());
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
    this.#ended.add(runId);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= maxEnded) break;
      this.#ended.delete(oldest);
    }
  }

  #set(changes: Partial<ConversationState>): void {
    this.#state.value = { ...this.#state.peek(), ...changes };
  }
}

function textOf(message: EventPayload<"chat">["message"]): string {
  if (!message) return "";
  const { content } = message as { content: unknown };
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map((part) => (isRecord(part) ? String(part.text ?? "") : "")).join("") : "";
}
