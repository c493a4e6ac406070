/** What time it is at the platform, which tells it at the login: the host's clock may be wrong, or be set while we are connected, and
 *  the age of a message must not depend on it. */
import type { World } from "../../../kernel/world.ts";

export class PlatformClock {
  readonly #world: Pick<World, "now" | "monotonic">;
  #told: { at: number; monotonic: number } | undefined;

  constructor(world: Pick<World, "now" | "monotonic">) {
    this.#world = world;
  }

  /** Stanzas as they come. */
  hear(node: { tag: string; attrs: Readonly<Record<string, string>> }): void {
    const seconds = Number(node.attrs["t"]);
    if (node.tag !== "success" || !Number.isSafeInteger(seconds) || seconds <= 0) return;
    this.#told = { at: seconds * 1_000, monotonic: this.#world.monotonic() };
  }

  /** ms since the epoch; the host's own time until the platform told its. */
  now(): number {
    if (!this.#told) return this.#world.now();
    return this.#told.at + (this.#world.monotonic() - this.#told.monotonic);
  }
}
