/** Where "is typing" is not shown for a while: chats that forbid it, and everywhere while the platform limits calls (§7.8). */
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
    if (code === 429) this.#until.set(everywhere, this.#world.monotonic() + (retryAfterMs ?? 5_000));
    if (code !== 400 && code !== 401 && code !== 403) return;
    if (this.#until.size >= maxChats) this.#until.delete(this.#until.keys().next().value ?? everywhere);
    this.#until.set(chatId, this.#world.monotonic() + this.#breakMs);
  }
}
