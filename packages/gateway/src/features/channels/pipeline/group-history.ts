/** What was said in groups while the agent was not addressed (channels.md §5.7). In memory: after a restart it begins anew. */
import type { InboundMessage } from "../inbound.ts";
import { cut, defused, flatName, senderLabel } from "./envelope.ts";

const maxGroups = 1_000;
const maxMessageChars = 500;
/** Of the whole block in a prompt. */
const maxBlockChars = 12_000;

export interface HistoryBlock {
  text: string;
  /** The newest message in it. */
  upTo: number;
}

export class GroupHistory {
  /** The group heard of longest ago comes first. */
  readonly #byKey = new Map<string, { number: number; line: string }[]>();
  #last = 0;

  add(sessionKey: string, message: InboundMessage, limit: number): void {
    if (limit <= 0) return;
    const text = message.text.trim() || message.media.map(({ kind }) => `<${kind}>`).join(" ");
    if (text === "") return;
    const lines = this.#byKey.get(sessionKey) ?? [];
    this.#byKey.delete(sessionKey);
    this.#byKey.set(sessionKey, lines);
    // A line that begins at the margin names its speaker; further lines of a text must not look like one.
    const words = defused(cut(text, maxMessageChars)).replace(/\r\n?|[\n\u2028\u2029\v\f]/gu, "\n  ");
    const said = `${senderLabel(message)}: ${words}`;
    lines.push({ number: ++this.#last, line: `${said} [message_id: ${flatName(message.messageId, 128)}]` });
    lines.splice(0, Math.max(0, lines.length - limit));
    const oldest = this.#byKey.keys().next();
    if (this.#byKey.size > maxGroups && !oldest.done) this.#byKey.delete(oldest.value);
  }

  /** What waits, as it stands before the message that is answered. Undefined when there is nothing. */
  block(sessionKey: string): HistoryBlock | undefined {
    const waiting = this.#byKey.get(sessionKey) ?? [];
    const last = waiting.at(-1);
    if (!last) return undefined;
    let chars = 0;
    const newest = waiting.toReversed().filter(({ line }) => (chars += line.length + 1) <= maxBlockChars);
    const lines = newest.toReversed().map(({ line }) => line);
    const text = ["[Messages since your last reply, for context]", ...lines, "", "[Current message, answer this]"].join(
      "\n",
    );
    return { text, upTo: last.number };
  }

  /** A run has read these. What came since waits for the next one. */
  forget(sessionKey: string, { upTo }: HistoryBlock): void {
    const lines = this.#byKey.get(sessionKey)?.filter(({ number }) => number > upTo) ?? [];
    if (lines.length > 0) this.#byKey.set(sessionKey, lines);
    else this.#byKey.delete(sessionKey);
  }
}
