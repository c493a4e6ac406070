/** Where the rows of a long list stand, from what was measured and a guess for the rest. Pure. */

export class RowHeights {
  readonly #known = new Map<string, number>();
  readonly #guess: number;
  /** Tops of the rows of the last `lay`, one more than rows: the last is the height of all. */
  #tops: Float64Array = new Float64Array(1);
  #keys: readonly string[] = [];

  constructor(guess: number) {
    this.#guess = guess;
  }

  /** True when the height differs from what was known. */
  measured(key: string, height: number): boolean {
    if (this.#known.get(key) === height) return false;
    this.#known.set(key, height);
    return true;
  }

  /** Places the rows anew; call after keys or heights changed. */
  lay(keys: readonly string[]): void {
    const tops = new Float64Array(keys.length + 1);
    for (let index = 0; index < keys.length; index++)
      tops[index + 1] = (tops[index] ?? 0) + (this.#known.get(keys[index] ?? "") ?? this.#guess);
    this.#tops = tops;
    this.#keys = keys;
    if (this.#known.size > 4 * keys.length + 200) {
      const present = new Set(keys);
      for (const key of this.#known.keys()) if (!present.has(key)) this.#known.delete(key);
    }
  }

  get total(): number {
    return this.#tops[this.#keys.length] ?? 0;
  }

  topOf(index: number): number {
    return this.#tops[Math.max(0, Math.min(index, this.#keys.length))] ?? 0;
  }

  indexOf(key: string): number {
    return this.#keys.indexOf(key);
  }

  keyAt(index: number): string | undefined {
    return this.#keys[index];
  }

  /** The row at a distance from the top; the last one below the end. */
  rowAt(distance: number): number {
    let low = 0;
    let high = this.#keys.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#tops[middle] ?? 0) <= distance) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  /** Rows to draw for a window, `[from, to)`. */
  window(top: number, height: number, beyond: number): [from: number, to: number] {
    if (this.#keys.length === 0) return [0, 0];
    return [this.rowAt(Math.max(0, top - beyond)), this.rowAt(top + height + beyond) + 1];
  }
}
