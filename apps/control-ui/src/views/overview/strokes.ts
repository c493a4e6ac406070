/** A series as strokes on a small sheet. Pure. */
import type { Sample } from "./vitals.ts";

export const width = 240;
export const height = 44;
/** Points of the strokes a series is drawn with; a silence longer than `holeMs` is a hole and ends a stroke. `top` is the value
 *  at the upper edge. */
export function strokes(samples: readonly Sample[], top: number, holeMs: number): string[] {
  const first = samples[0]?.at ?? 0;
  const span = Math.max(60_000, (samples.at(-1)?.at ?? 0) - first);
  const lines: string[][] = [];
  let before = -Infinity;
  for (const { at, value } of samples) {
    if (at - before > holeMs) lines.push([]);
    before = at;
    const x = ((at - first) / span) * (width - 6) + 2;
    const y = height - 3 - (Math.min(value, top) / top) * (height - 8);
    lines.at(-1)?.push(`${x.toFixed(1)},${y.toFixed(1)}`);
  }
  return lines.map((line) => line.join(" "));
}
