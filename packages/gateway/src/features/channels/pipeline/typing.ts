/** "Is typing" (agent.md §13.5): shown while a run works for a chat, refreshed, and gone with the run (R-RUN-3). */
import type { EventPayload } from "@openclaw/protocol";
import type { ConfigSource } from "../../../config/section.ts";
import type { Bus } from "../../../kernel/bus.ts";
import type { Timer, World } from "../../../kernel/world.ts";
import type { ReplyRoute } from "../../agents/index.ts";
import type { ChannelAccount } from "../channel.ts";
import type { PipelineConfig } from "./ports.ts";

/** Without a sign of life for this long it is not refreshed. */
export const typingTtlMs = 2 * 60_000;

export interface TypingOptions {
  world: World;
  bus: Bus;
  config: ConfigSource<Pick<PipelineConfig, "session" | "agents">>;
  account: (channel: string, accountId: string) => ChannelAccount | undefined;
}

interface Shown {
  route: ReplyRoute;
  mode: "instant" | "thinking" | "message";
  on: boolean;
  lastSign: number;
  timer: Timer | undefined;
}

export class Typing {
  readonly #o: TypingOptions;
  readonly #byRun = new Map<string, Shown>();
  #unsubscribe: (() => void) | undefined;

  constructor(options: TypingOptions) {
    this.#o = options;
  }

  start(): void {
    this.#unsubscribe ??= this.#o.bus.on("agent", (event) => this.#hear(event));
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    for (const runId of this.#byRun.keys()) this.end(runId);
  }

  /** A run was accepted. `addressed`: the person waits for an answer. */
  begin(runId: string, route: ReplyRoute, addressed: boolean): void {
    const { session, agents } = this.#o.config.current;
    const mode = session.typingMode ?? agents.defaults.typingMode ?? (addressed ? "instant" : "message");
    if (mode === "never" || this.#byRun.has(runId)) return;
    const shown: Shown = { route, mode, on: false, lastSign: this.#o.world.monotonic(), timer: undefined };
    this.#byRun.set(runId, shown);
    if (mode === "instant") this.#show(shown);
  }

  end(runId: string): void {
    const shown = this.#byRun.get(runId);
    if (!shown) return;
    this.#byRun.delete(runId);
    shown.timer?.cancel();
    if (shown.on) this.#send(shown, false);
  }

  #hear({ runId, stream, data }: EventPayload<"agent">): void {
    const shown = this.#byRun.get(runId);
    if (!shown) return;
    const phase = (data as { phase?: unknown } | undefined)?.phase;
    if (stream === "lifecycle" && (phase === "end" || phase === "error")) return this.end(runId);
    shown.lastSign = this.#o.world.monotonic();
    // Models do not tell when they begin to reason: the start of the run is the closest sign.
    const begins = stream === "assistant" || stream === "tool" || (stream === "lifecycle" && shown.mode !== "message");
    if (begins && !shown.on) this.#show(shown);
  }

  #show(shown: Shown): void {
    shown.on = true;
    this.#send(shown, true);
    const { session, agents } = this.#o.config.current;
    const everyMs = (agents.defaults.typingIntervalSeconds ?? session.typingIntervalSeconds) * 1_000;
    const refresh = () => {
      if (this.#o.world.monotonic() - shown.lastSign >= typingTtlMs) {
        shown.on = false;
        this.#send(shown, false);
        return;
      }
      this.#send(shown, true);
      shown.timer = this.#o.world.after(everyMs, refresh);
    };
    shown.timer = this.#o.world.after(everyMs, refresh);
  }

  #send({ route }: Shown, on: boolean): void {
    const { channel, accountId, chatId, kind, threadId } = route;
    const chat = { chatId, kind, ...(threadId === undefined ? {} : { threadId }) };
    // The indicator is a courtesy: an adapter that cannot show it says so in its own log.
    this.#o
      .account(channel, accountId)
      ?.typing(chat, on)
      .catch(() => {});
  }
}
