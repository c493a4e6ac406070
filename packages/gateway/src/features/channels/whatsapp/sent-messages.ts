/** What this account sent lately: to know its own words when they come back (channels.md §6.7). Bounded, in memory. */
import type { World } from "../../../kernel/world.ts";

const keptIds = 5_000;
const keptTexts = 100;
/** An echo comes at once. Later the owner may well type the same word. */
const echoMs = 60_000;

export class SentMessages {
  readonly #world: World;
  readonly #ids = new Set<string>();
  readonly #texts: { text: string; at: number }[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Call before it leaves: the echo may be faster than the answer. */
  add(id: string, text: string): void {
    this.#ids.add(id);
    if (this.#ids.size > keptIds) {
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    if (text.trim() === "") return;
    this.#texts.push({ text: text.trim(), at: this.#world.monotonic() });
    if (this.#texts.length > keptTexts) this.#texts.shift();
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Whether we sent this very text a moment ago; each sent text is the reason of one echo. */
  takeEcho(text: string): boolean {
    const since = this.#world.monotonic() - echoMs;
    const index = this.#texts.findIndex((sent) => sent.at >= since && sent.text === text.trim());
    if (index >= 0) this.#texts.splice(index, 1);
    return index >= 0;
  }
}
