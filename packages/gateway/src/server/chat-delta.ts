/** `chat` deltas (protocol.md §16.5): `deltaText` is what was added since the delta that *this connection* got before. One
 *  encoding serves everybody who got the previous one; after a drop or a late join the whole text goes out with
 *  `replace: true`. */
import { messageText, type EventPayload, type Message } from "@openclaw/protocol";
import type { Outgoing } from "./writer.ts";

type ChatPayload = EventPayload<"chat">;

/** Runs whose text is remembered; the least recently started is forgotten first and its next delta replaces. */
const maxRuns = 1_024;

interface RunText {
  text: string;
  /** Number of the last delta, from 1. */
  count: number;
}

export type Encode = (payload: unknown) => Pick<Outgoing, "head" | "tail">;

interface DeltaOutgoing extends Outgoing {
  added: string;
  replace: boolean;
}

/** One delta, ready for two kinds of connections. */
export interface ChatDelta {
  runId: string;
  count: number;
  /** For connections that got delta `count - 1`. */
  next(): Outgoing;
  /** For all others. */
  whole(): Outgoing;
}

export class ChatDeltas {
  readonly #encode: Encode;
  readonly #runs = new Map<string, RunText>();

  constructor(encode: Encode) {
    this.#encode = encode;
  }

  delta(payload: ChatPayload): ChatDelta {
    const text = payload.message === undefined ? "" : messageText(payload.message as Message);
    const run = this.#runs.get(payload.runId) ?? this.#begin(payload.runId);
    const continues = run.count > 0 && text.startsWith(run.text);
    const added = continues ? text.slice(run.text.length) : text;
    const replaces = !continues && run.count > 0;
    run.text = text;
    run.count++;
    let next: Outgoing | undefined;
    let whole: Outgoing | undefined;
    return {
      runId: payload.runId,
      count: run.count,
      next: () => (next ??= this.#outgoing(payload, added, replaces)),
      whole: () => (whole ??= this.#outgoing(payload, text, true)),
    };
  }

  ended(runId: string): void {
    this.#runs.delete(runId);
  }

  #begin(runId: string): RunText {
    const oldest = this.#runs.size >= maxRuns ? this.#runs.keys().next().value : undefined;
    if (oldest !== undefined) this.#runs.delete(oldest);
    const run: RunText = { text: "", count: 0 };
    this.#runs.set(runId, run);
    return run;
  }

  #outgoing(payload: ChatPayload, added: string, replace: boolean): DeltaOutgoing {
    const { deltaText: _text, replace: _replace, ...rest } = payload;
    return {
      ...this.#encode({ ...rest, deltaText: added, ...(replace ? { replace } : {}) }),
      droppable: true,
      coalesce: `chat:${payload.runId}`,
      added,
      replace,
      join: (waiting) => this.#join(payload, waiting, added, replace),
    };
  }

  /** The waiting delta and this one as one. */
  #join(payload: ChatPayload, waiting: Outgoing, added: string, replace: boolean): Outgoing {
    const before = waiting as DeltaOutgoing;
    return replace
      ? this.#outgoing(payload, added, true)
      : this.#outgoing(payload, before.added + added, before.replace);
  }
}
