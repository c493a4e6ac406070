/** Where "is typing" is not shown for a while: chats that forbid it, chats whose messages have to wait, and everywhere while the
 *  platform limits such calls (channels.md §7.8). */
import type { World } from "../../../kernel/world.ts";
import type { Failure } from "./failure.ts";

const maxChats = 500;
const everywhere = "";

export class TypingBreaker {
  readonly #world: Pick<World, "monotonic">;
  readonly #breakMs: number;
  /** Monotonic time until which a chat is left alone. */
  readonly #until = new Map<string, number>();

  constructor(world: Pick<World, "monotonic">, breakMs: number) {
    this.#world = world;
    this.#breakMs = breakMs;
  }

  allows(chatId: string): boolean {
    const now = this.#world.monotonic();
    return (this.#until.get(chatId) ?? 0) <= now && (this.#until.get(everywhere) ?? 0) <= now;
  }

  failed(chatId: string, failure: Failure): void {
    if (failure.kind !== "refused") return;
    const { code, retryAfterMs } = failure;
    if (code === 429) this.#rest(everywhere, retryAfterMs ?? 5_000);
    if (code === 400 || code === 401 || code === 403) this.#rest(chatId, this.#breakMs);
  }

  /** A message to the chat has to wait: what is only shown goes without. */
  throttled(chatId: string, ms: number): void {
    this.#rest(chatId, ms);
  }

  #rest(name: string, ms: number): void {
    const until = Math.max(this.#until.get(name) ?? 0, this.#world.monotonic() + ms);
    this.#until.delete(name);
    if (this.#until.size >= maxChats) this.#until.delete(this.#until.keys().next().value ?? everywhere);
    this.#until.set(name, until);
  }
}
