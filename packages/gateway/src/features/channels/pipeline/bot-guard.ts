/** Two bots, or the gateway and itself, do not talk for ever (S34): at most 20 turns of a chat within 10 minutes are started by
 *  senders known as bots, by own accounts, or with our own words. */
import type { World } from "../../../kernel/world.ts";

export const maxBotTurns = 20;
export const botWindowMs = 10 * 60_000;
const maxChats = 1_000;

export class BotGuard {
  readonly #world: Pick<World, "monotonic">;
  readonly #byChat = new Map<string, { turns: number[]; told: number | undefined }>();

  constructor(world: Pick<World, "monotonic">) {
    this.#world = world;
  }

  /** Counts a turn a bot wants to start. `tell`: refused, and for the first time in this window. */
  count(chat: string): "go" | "refuse" | "tell" {
    const now = this.#world.monotonic();
    const entry = this.#byChat.get(chat) ?? { turns: [], told: undefined };
    this.#byChat.delete(chat);
    this.#byChat.set(chat, entry);
    const oldest = this.#byChat.keys().next();
    if (this.#byChat.size > maxChats && !oldest.done) this.#byChat.delete(oldest.value);
    entry.turns = entry.turns.filter((at) => now - at < botWindowMs);
    if (entry.turns.length < maxBotTurns) {
      entry.turns.push(now);
      return "go";
    }
    if (entry.told !== undefined && now - entry.told < botWindowMs) return "refuse";
    entry.told = now;
    return "tell";
  }
}
