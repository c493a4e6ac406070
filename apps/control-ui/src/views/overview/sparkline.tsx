import type { Sample } from "./vitals.ts";

const width = 240;
const height = 44;
/** A longer silence is a hole, not a line. */
const holeMs = 20_000;

/** Points of the strokes a series is drawn with; a hole ends a stroke. `top` is the value at the upper edge. */
export function strokes(samples: readonly Sample[], top: number): string[] {
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

/** A line without axes; what it says stands beside it in words. `least` keeps small noise small. */
export function Sparkline({ samples, least, label }: { samples: readonly Sample[]; least: number; label: string }) {
  const top = Math.max(least, ...samples.map(({ value }) => value));
  const lines = strokes(samples, top);
  const [x, y] = lines.at(-1)?.split(" ").at(-1)?.split(",") ?? [];
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <line x1="0" x2={width} y1={height - 1} y2={height - 1} class="sparkline-ground" />
      {lines.map((points, index) => (
        <polyline key={index} points={points} />
      ))}
      {x !== undefined && y !== undefined && <circle cx={x} cy={y} r="2.5" />}
    </svg>
  );
}
