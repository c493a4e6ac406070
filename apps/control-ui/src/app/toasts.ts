/** Short notices that pass, and words for screen readers. Bounded: the oldest notice leaves first. */
import { signal, type ReadonlySignal } from "@preact/signals";

export interface Toast {
  id: number;
  tone: "info" | "ok" | "bad";
  text: string;
  action?: { label: string; run: () => void };
}

const shown = 4;
const passingMs = 6_000;

export class Toasts {
  readonly #list = signal<readonly Toast[]>([]);
  readonly #spoken = signal("");
  #lastId = 0;

  get list(): ReadonlySignal<readonly Toast[]> {
    return this.#list;
  }

  /** What a screen reader says next; see `announce`. */
  get spoken(): ReadonlySignal<string> {
    return this.#spoken;
  }

  /** Bad news stays until it is dismissed. */
  show(text: string, options: { tone?: Toast["tone"]; action?: Toast["action"] } = {}): void {
    const { tone = "info", action } = options;
    this.#lastId += 1;
    const id = this.#lastId;
    this.#list.value = [...this.#list.peek(), { id, tone, text, ...(action ? { action } : {}) }].slice(-shown);
    if (tone !== "bad") setTimeout(() => this.dismiss(id), passingMs);
  }

  dismiss(id: number): void {
    this.#list.value = this.#list.peek().filter((toast) => toast.id !== id);
  }

  /** Says `text` once through the live region; nothing is shown. */
  announce(text: string): void {
    // The same words twice are only spoken again when the region changed in between.
    this.#spoken.value = this.#spoken.peek() === text ? `${text}\u00a0` : text;
  }
}
