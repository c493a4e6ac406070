/** Files that could not be uploaded although the connection stands (channels.md §6.8): tried three times, for nothing else is sent to
 *  that chat meanwhile. Bounded, in memory. */
const attempts = 3;
const kept = 200;

export class Uploads {
  readonly #failures = new Map<string, number>();

  /** Counts a failure of the message; true when it was the last one. */
  failed(id: string): boolean {
    const failures = (this.#failures.get(id) ?? 0) + 1;
    this.#failures.delete(id);
    if (failures >= attempts) return true;
    this.#failures.set(id, failures);
    if (this.#failures.size > kept)
      for (const oldest of this.#failures.keys()) if (this.#failures.delete(oldest)) break;
    return false;
  }
}
