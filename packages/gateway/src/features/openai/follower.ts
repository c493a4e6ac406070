/** The text of a run as it grows, from its events. What was said is never taken back: when a model starts over, only what goes
 *  beyond is said (http.md §8.5). */
import type { EventPayload } from "@openclaw/protocol";

/** Between two messages of one run. */
export const messageGap = "\n\n";

export class Follower {
  readonly #say: (delta: string) => void;
  /** Of the present message. */
  #shown = "";
  #said = false;
  #toolsSince = false;
  #gap = "";

  constructor(say: (delta: string) => void) {
    this.#say = say;
  }

  hear({ stream, data }: EventPayload<"agent">): void {
    if (stream === "tool") this.#toolsSince = true;
    if (stream !== "assistant") return;
    const { text, delta } = data as { text?: unknown; delta?: unknown };
    if (typeof text !== "string") return;
    if (text === delta && this.#toolsSince) {
      this.#toolsSince = false;
      this.#shown = "";
      this.#gap = this.#said ? messageGap : "";
    }
    if (text.length <= this.#shown.length) return;
    const more = text.slice(this.#shown.length);
    this.#shown = text;
    this.#said = true;
    this.#say(this.#gap + more);
    this.#gap = "";
  }
}
