/** Counts of what is passed over, by reason: told once a second, for most of it needs no row and no receipt of its own. */
import type { Timer, World } from "../../../kernel/world.ts";

const everyMs = 1_000;

export class Skips {
  readonly #world: Pick<World, "after">;
  readonly #tell: (counts: Record<string, number>) => void;
  readonly #counts = new Map<string, number>();
  #timer: Timer | undefined;

  constructor(world: Pick<World, "after">, tell: (counts: Record<string, number>) => void) {
    this.#world = world;
    this.#tell = tell;
  }

  add(reason: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    this.#timer ??= this.#world.after(everyMs, () => {
      this.#timer = undefined;
      const counts = Object.fromEntries(this.#counts);
      this.#counts.clear();
      this.#tell(counts);
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
