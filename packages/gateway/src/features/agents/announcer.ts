/** The events of one run: `agent` events numbered from 1 without gaps over all streams, and the `chat` events made of them
 *  (protocol.md §10.2, §10.4). Once closed it announces nothing but the terminal events; what comes late is counted. */
import type { ToolResult } from "../tools/tool.ts";
import type { Bus, ToolDetail } from "../../kernel/bus.ts";
import type { Timer, World } from "../../kernel/world.ts";
import type { EventPayload } from "@openclaw/protocol";
import { showable, spoken } from "./reserved.ts";

/** Least time between two deltas of a run. */
export const deltaIntervalMs = 150;

type ChatEvent = Omit<EventPayload<"chat">, "runId" | "sessionKey" | "seq" | "agentId">;
type ChatMessage = NonNullable<EventPayload<"chat">["message"]>;
export type ErrorKind = NonNullable<EventPayload<"chat">["errorKind"]>;

export class Announcer {
  /** Late announcements that were dropped. */
  dropped = 0;
  readonly #bus: Bus;
  readonly #world: World;
  readonly #run: { runId: string; sessionKey: string; agentId: string; toolDetail: () => ToolDetail };
  #seq = 0;
  #open = true;
  #raw = "";
  #shown = "";
  /** Text of the last delta that was sent. */
  #sent = "";
  #sentAt = -Infinity;
  #flush: Timer | undefined;

  constructor(
    bus: Bus,
    world: World,
    run: { runId: string; sessionKey: string; agentId: string; toolDetail: () => ToolDetail },
  ) {
    this.#bus = bus;
    this.#world = world;
    this.#run = run;
  }

  get seq(): number {
    return this.#seq;
  }

  /** From here on only `end` and `chat` of the terminal events pass. */
  close(): void {
    this.#open = false;
    this.#flush?.cancel();
    this.#flush = undefined;
  }

  started(startedAt: number): void {
    this.#agent("lifecycle", { phase: "start", startedAt });
  }

  compaction(data: { phase: "start" } | { phase: "end"; willRetry: boolean }): void {
    this.#agent("compaction", data);
  }

  toolStart(name: string, toolCallId: string, args: unknown): void {
    this.#agent("tool", { phase: "start", name, toolCallId, args }, this.#run.toolDetail());
  }
  toolUpdate(name: string, toolCallId: string, partialResult: ToolResult): void {
    this.#agent("tool", { phase: "update", name, toolCallId, partialResult }, this.#run.toolDetail());
  }
  toolResult(name: string, toolCallId: string, result: ToolResult): void {
    const { isError = false, ...shown } = result;
    this.#agent("tool", { phase: "result", name, toolCallId, isError, result: shown }, this.#run.toolDetail());
  }

  /** A new assistant message begins, or the present one starts over: its text counts from nothing. */
  messageStart(): void {
    this.#raw = "";
    this.#shown = "";
  }

  text(delta: string): void {
    this.#raw += delta;
    this.#show(showable(this.#raw));
  }

  /** The message is complete: what was held back and is no token comes out. */
  messageEnd(): void {
    this.#show(spoken(this.#raw));
  }

  /** Terminal `agent` event. Always passes; call it once, after `close`. */
  end(
    data:
      | { phase: "end"; startedAt?: number; endedAt: number; aborted?: true }
      | { phase: "error"; error: string; startedAt?: number; endedAt: number },
  ): void {
    this.#publish("lifecycle", data);
  }

  /** Terminal `chat` event. Clients of protocol 4 add deltas up (§16.5), so text that no delta carried yet goes to them as a
   *  last one; to the others it would come too soon after the one before. */
  final(message: ChatMessage | undefined, stopReason?: string): void {
    const text = message?.content.map((part) => part.text).join("") ?? "";
    if (this.#sent !== "" && message && text !== this.#sent) this.#chat(this.#deltaOf(text), { since: 4 });
    this.#chat({ state: "final", ...(message ? { message } : {}), ...(stopReason ? { stopReason } : {}) });
  }
  failed(errorMessage: string, errorKind: ErrorKind): void {
    this.#chat({ state: "error", errorMessage, errorKind });
  }
  aborted(stopReason: string): void {
    this.#chat({ state: "aborted", stopReason });
  }

  /** Next number without an `agent` event, for a reply made without a model. */
  skip(): void {
    this.#seq++;
  }

  #show(text: string): void {
    if (text.length <= this.#shown.length) return;
    const delta = text.slice(this.#shown.length);
    this.#shown = text;
    if (!this.#agent("assistant", { text, delta })) return;
    const waitMs = this.#sentAt + deltaIntervalMs - this.#world.monotonic();
    if (waitMs <= 0) this.#sendDelta();
    else this.#flush ??= this.#world.after(waitMs, () => this.#sendDelta());
  }

  #sendDelta(): void {
    this.#flush?.cancel();
    this.#flush = undefined;
    if (!this.#open || this.#shown === "" || this.#shown === this.#sent) return;
    this.#sentAt = this.#world.monotonic();
    this.#chat(this.#deltaOf(this.#shown));
  }

  #deltaOf(text: string): ChatEvent {
    const change = this.#delta(text);
    this.#sent = text;
    const content = [{ type: "text" as const, text }];
    return { state: "delta", message: { role: "assistant", content, timestamp: this.#world.now() }, ...change };
  }

  #delta(text: string): { deltaText?: string; replace?: true } {
    if (text === this.#sent) return {};
    return text.startsWith(this.#sent)
      ? { deltaText: text.slice(this.#sent.length) }
      : { deltaText: text, replace: true };
  }

  #agent(stream: string, data: Record<string, unknown>, toolDetail?: ToolDetail): boolean {
    if (!this.#open) {
      this.dropped++;
      return false;
    }
    this.#publish(stream, data, toolDetail);
    return true;
  }

  #publish(stream: string, data: Record<string, unknown>, toolDetail?: ToolDetail): void {
    const { runId, sessionKey, agentId } = this.#run;
    const payload = {
      runId,
      stream,
      data,
      ...(sessionKey ? { sessionKey } : {}),
      agentId,
      seq: ++this.#seq,
      ts: this.#world.now(),
    };
    this.#bus.publish("agent", payload, toolDetail ? { toolDetail } : {});
  }

  /** A run without a session has no chat window. */
  #chat(payload: ChatEvent, routing: { since?: 4 } = {}): void {
    const { runId, sessionKey, agentId } = this.#run;
    if (sessionKey) this.#bus.publish("chat", { runId, sessionKey, agentId, seq: this.#seq, ...payload }, routing);
  }
}
