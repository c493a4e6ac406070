/** The same text to the same chat, more than three times a minute, is a loop rather than a conversation: it is held (R-OUT-5). */
import { createHash } from "node:crypto";
import type { OutboundContent } from "../outbound.ts";

export const repeatLimits = { count: 3, perMs: 60_000 } as const;

interface Said {
  text: string;
  at: number;
}

/** Chats and texts per chat remembered at once. */
const maxChats = 10_000;
const maxTexts = 64;

export class Repeats {
  readonly #chats = new Map<string, Said[]>();

  /** ms until this text may be said once more in this chat; 0 when it may. */
  waitMs(chatId: string, text: string, now: number): number {
    const { count, perMs } = repeatLimits;
    const same = (this.#chats.get(chatId) ?? []).filter((said) => said.text === text && said.at > now - perMs);
    const first = same.at(-count);
    return first ? first.at + perMs - now : 0;
  }

  said(chatId: string, text: string, now: number): void {
    const recent = (this.#chats.get(chatId) ?? []).filter(({ at }) => at > now - repeatLimits.perMs);
    recent.push({ text, at: now });
    if (recent.length > maxTexts) recent.shift();
    this.#chats.delete(chatId);
    this.#chats.set(chatId, recent);
    if (this.#chats.size <= maxChats) return;
    const oldest = this.#chats.keys().next();
    if (!oldest.done) this.#chats.delete(oldest.value);
  }
}

/** What makes two messages the same: what their first part says, whatever it replies to. */
export const textOf = (content: OutboundContent): string =>
  createHash("sha256").update(JSON.stringify(content)).digest("base64");
