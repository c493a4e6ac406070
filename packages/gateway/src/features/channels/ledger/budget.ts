/** How fast one account may send (R-OUT-5): between two parts of a direct chat, in a group, and over the whole account. Counts
 *  from the moment a part really leaves; parts that were let through and have not left yet count as leaving now. All times are
 *  of the monotonic clock. */
import type { SendBudget } from "../channel.ts";

interface Chat {
  /** When the newest parts left, oldest first. */
  left: number[];
  /** Nothing leaves before. */
  heldUntil: number;
}

/** Chats remembered at once; more than an account lets through in the longest window. */
const maxChats = 10_000;
/** Parts remembered; no budget counts further. */
const maxPerChat = 100;
const maxPerAccount = 2_000;

export class Budget {
  readonly #chats = new Map<string, Chat>();
  #left: number[] = [];
  #leaving = 0;
  #heldUntil = 0;

  /** ms until the account may send to anybody; 0 when it may. Infinity when something must leave first. */
  accountWaitMs(budget: SendBudget, now: number): number {
    const { count, perMs } = budget.account;
    let gone = 0;
    while (gone < this.#left.length && (this.#left[gone] ?? 0) <= now - perMs) gone++;
    if (gone > 0) this.#left.splice(0, gone);
    const held = Math.max(0, this.#heldUntil - now);
    if (this.#left.length + this.#leaving < count) return held;
    // The oldest part that counts makes room for the next one.
    const oldest = this.#left[this.#left.length + this.#leaving - count];
    return oldest === undefined ? Infinity : Math.max(held, oldest + perMs - now);
  }

  /** ms until this chat may have its next part; 0 when it may. */
  chatWaitMs(budget: SendBudget, chatId: string, isGroup: boolean, now: number): number {
    const chat = this.#chats.get(chatId);
    if (!chat) return 0;
    const held = Math.max(0, chat.heldUntil - now);
    const last = chat.left.at(-1);
    if (last === undefined) return held;
    if (!isGroup) return Math.max(held, last + budget.directEveryMs - now);
    const { count, perMs, everyMs } = budget.group;
    const first = chat.left.length >= count ? (chat.left.at(-count) ?? -Infinity) : -Infinity;
    return Math.max(held, last + everyMs - now, first + perMs - now);
  }

  /** A part was let through: it counts until it has left or was kept back. */
  reserve(): void {
    this.#leaving++;
  }

  keptBack(): void {
    this.#leaving--;
  }

  hasLeft(chatId: string, now: number): void {
    this.#leaving--;
    this.record(chatId, now);
  }

  /** A part that left, perhaps before this process began. Calls come in order of time. */
  record(chatId: string, at: number): void {
    this.#left.push(at);
    if (this.#left.length > maxPerAccount) this.#left.shift();
    const { left } = this.#chat(chatId);
    left.push(at);
    if (left.length > maxPerChat) left.shift();
  }

  /** The platform asked for a pause; without a chat it concerns the whole account. */
  hold(until: number, chatId?: string): void {
    if (chatId === undefined) this.#heldUntil = Math.max(this.#heldUntil, until);
    else {
      const chat = this.#chat(chatId);
      chat.heldUntil = Math.max(chat.heldUntil, until);
    }
  }

  get chats(): number {
    return this.#chats.size;
  }

  #chat(chatId: string): Chat {
    const known = this.#chats.get(chatId) ?? { left: [], heldUntil: 0 };
    // Last used last, so that the first one is the one to forget.
    this.#chats.delete(chatId);
    this.#chats.set(chatId, known);
    if (this.#chats.size > maxChats) {
      const oldest = this.#chats.keys().next();
      if (!oldest.done) this.#chats.delete(oldest.value);
    }
    return known;
  }
}
