/** Messages seen lately, by id: a quote and a reaction must name who wrote what they answer. Bounded, in memory. */
import { quoteText } from "./content.ts";
import type { Quotable } from "./outgoing.ts";
import type { WAMessage } from "./socket.ts";

const kept = 2_000;

export class RecentMessages {
  readonly #messages = new Map<string, Quotable>();

  add({ key, message }: WAMessage): void {
    if (!key.id || !key.remoteJid || !message) return;
    this.#messages.set(key.id, { key, text: (quoteText(message) ?? "").slice(0, 500) });
    if (this.#messages.size <= kept) return;
    for (const oldest of this.#messages.keys()) {
      this.#messages.delete(oldest);
      break;
    }
  }

  get(id: string): Quotable | undefined {
    return this.#messages.get(id);
  }
}
