/** What was said in groups while the agent was not addressed (channels.md §5.7). In memory: after a restart it begins anew. */
import type { InboundMessage } from "../inbound.ts";
import { cut, defused, senderLabel } from "./envelope.ts";

const maxGroups = 1_000;
const maxMessageChars = 500;
/** Of the whole block in a prompt. */
const maxBlockChars = 12_000;

export class GroupHistory {
  /** The group heard of longest ago comes first. */
  readonly #byKey = new Map<string, string[]>();

  add(sessionKey: string, message: InboundMessage, limit: number): void {
    if (limit <= 0) return;
    const text = message.text.trim() || message.media.map(({ kind }) => `<${kind}>`).join(" ");
    if (text === "") return;
    const lines = this.#byKey.get(sessionKey) ?? [];
    this.#byKey.delete(sessionKey);
    this.#byKey.set(sessionKey, lines);
    lines.push(`${senderLabel(message)}: ${defused(cut(text, maxMessageChars))}`);
    lines.splice(0, Math.max(0, lines.length - limit));
    const oldest = this.#byKey.keys().next();
    if (this.#byKey.size > maxGroups && !oldest.done) this.#byKey.delete(oldest.value);
  }

  /** What waits, as it stands before the message that is answered. Undefined when there is nothing. */
  block(sessionKey: string): string | undefined {
    const lines = this.#byKey.get(sessionKey);
    if (!lines || lines.length === 0) return undefined;
    let chars = 0;
    const newest = lines.toReversed().filter((line) => (chars += line.length + 1) <= maxBlockChars);
    return [
      "[Messages since your last reply, for context]",
      ...newest.toReversed(),
      "",
      "[Current message, answer this]",
    ].join("\n");
  }

  /** A run has it now. */
  clear(sessionKey: string): void {
    this.#byKey.delete(sessionKey);
  }
}
