/** Keeps what a library says over and over from filling the disk: floods of "Bad MAC" have (channels.md §6.1). */
import type { World } from "../../../kernel/world.ts";

const everyMs = 60_000;
const maxKinds = 100;

/** Passes a line on at once, and the same line at most once a minute from then on, with how often it came meanwhile. Lines are told
 *  apart by their first words; beyond a hundred of these all others are one. */
export function sparing(
  world: Pick<World, "monotonic">,
  tell: (line: string, more: { times: number }) => void,
): (line: string) => void {
  const kinds = new Map<string, { toldAt: number; times: number }>();
  return (line) => {
    const words = line.slice(0, 40);
    const kind = kinds.has(words) || kinds.size < maxKinds ? words : "";
    const known = kinds.get(kind);
    const now = world.monotonic();
    if (known && now - known.toldAt < everyMs) {
      known.times++;
      return;
    }
    kinds.set(kind, { toldAt: now, times: 0 });
    tell(line, { times: 1 + (known?.times ?? 0) });
  };
}
