/** Stop words and `/new`: past every queue, debounce and lane (R-STOP-1, R-STOP-3). */
import { isStopWord, stopText } from "../../agents/index.ts";
import type { InboundRow } from "../inbound.ts";
import type { Arrival } from "./arrival.ts";
import type { Ends } from "./ends.ts";
import type { PipelineOptions } from "./ports.ts";
import type { Turns } from "./turns.ts";

export interface StopsOptions extends Pick<PipelineOptions, "agents" | "inbox"> {
  ends: Ends;
  turns: Turns;
  /** Takes messages of a session out that wait to be joined. */
  takeJoining: (sessionKey: string) => Arrival[];
  /** Whether the agent is spoken to. */
  isMeant: (arrival: Arrival) => boolean;
}

export class Stops {
  readonly #o: StopsOptions;
  #unsubscribe: (() => void) | undefined;

  constructor(options: StopsOptions) {
    this.#o = options;
  }

  start(): void {
    this.#unsubscribe ??= this.#o.agents.runs.onStop((sessionKey) => this.#dropStopped(sessionKey));
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  /** True when the message stops its session. A bare word does so only where the agent is spoken to; `/stop` everywhere. */
  take(arrival: Arrival, typed: string): boolean {
    if (!arrival.mayCommand || !isStopWord(typed)) return false;
    const everywhere = arrival.message.chat.kind === "direct" || typed.trim().startsWith("/");
    if (!everywhere && !this.#o.isMeant(arrival)) return false;
    this.#stop(arrival);
    return true;
  }

  /** What waits for the old session is not for the new one (agent.md §6.3). */
  newSession(sessionKey: string): void {
    const { turns, ends } = this.#o;
    const rows = turns.queues.clear(sessionKey, { begun: false }).flatMap(({ arrival }) => arrival.rows);
    if (rows.length > 0) ends.commit((tx) => ends.drop(tx, rows, "reset"));
  }

  #stop({ sessionKey, rows }: Arrival): void {
    const { agents, ends, inbox } = this.#o;
    const waiting = this.#waitingOf(sessionKey);
    const tell = (text: string) =>
      ends.commit((tx) => {
        ends.drop(tx, waiting, "stopped");
        for (const row of rows.slice(0, 1)) ends.notice(tx, row, "stop", text, sessionKey);
        for (const { id } of rows) {
          inbox.move(tx, id, "command", { sessionKey });
          inbox.move(tx, id, "answered");
        }
      });
    agents.abort(sessionKey, { reason: "stop" }).then(
      (runIds) => {
        const stopped = runIds.length + waiting.length;
        tell(stopped === 0 ? "There is nothing to stop." : stopText(runIds.length === 0 ? stopped + 1 : stopped));
      },
      (error: unknown) => tell(error instanceof Error ? `⚠️ ${error.message}` : "⚠️ The run could not be stopped."),
    );
  }

  /** Somebody stopped the session by other means: what waits for it does not begin in spite of that. */
  #dropStopped(sessionKey: string): void {
    const { ends } = this.#o;
    const rows = this.#waitingOf(sessionKey);
    if (rows.length > 0) ends.commit((tx) => ends.drop(tx, rows, "stopped"));
  }

  /** Rows of a session that have no run yet, taken out of every buffer. */
  #waitingOf(sessionKey: string): InboundRow[] {
    const { turns, takeJoining } = this.#o;
    const waiting = turns.takeWaiting(sessionKey).map(({ arrival }) => arrival);
    return [...takeJoining(sessionKey), ...waiting].flatMap(({ rows }) => rows);
  }
}
