/** Long texts that the platform cut into messages: which parts belong together (channels.md §7.5). Decided by ids and the
 *  platform's own times, so that it does not depend on when updates arrive. */
import type { InboundMessage } from "../inbound.ts";

const cutChars = 4_000;
const waitMs = 1_500;
/** Ids of the parts may have one other message between them. */
const maxIdGap = 2;
const maxParts = 12;
const maxChars = 50_000;
/** Conversations remembered at once. */
const maxOpen = 200;

interface Open {
  key: string;
  lastId: number;
  lastAt: number;
  parts: number;
  chars: number;
}

export class Pastes {
  readonly #open = new Map<string, Open>();

  /** How this message is joined with its neighbours, if it is a part. `who` names sender and conversation. */
  join(who: string, part: { id: number; at: number; text: string; command: boolean }): InboundMessage["join"] {
    const before = this.#open.get(who);
    this.#open.delete(who);
    const { id, at, text, command } = part;
    const long = text.length >= cutChars;
    if (command || text === "") return undefined;
    // The platform tells whole seconds.
    const follows =
      before !== undefined &&
      id > before.lastId &&
      id - before.lastId <= maxIdGap &&
      at - before.lastAt <= waitMs + 1_000 &&
      before.parts < maxParts &&
      before.chars + text.length <= maxChars;
    if (!follows && !long) return undefined;
    const key = follows ? before.key : `paste:${who}:${id}`;
    const sum = follows ? before : { parts: 0, chars: 0 };
    if (long) {
      if (this.#open.size >= maxOpen) this.#open.delete(this.#open.keys().next().value ?? "");
      this.#open.set(who, { key, lastId: id, lastAt: at, parts: sum.parts + 1, chars: sum.chars + text.length });
    }
    return { key, waitMs, kind: "paste" };
  }
}
