import { height, strokes, width } from "./strokes.ts";
import type { Sample } from "./vitals.ts";

interface SparklineProps {
  samples: readonly Sample[];
  /** Keeps small noise small. */
  least: number;
  /** ms of silence that are a hole in the line. */
  holeMs: number;
  label: string;
}

/** A line without axes; what it says stands beside it in words. */
export function Sparkline({ samples, least, holeMs, label }: SparklineProps) {
  const top = Math.max(least, ...samples.map(({ value }) => value));
  const lines = strokes(samples, top, holeMs);
  const [x, y] = lines.at(-1)?.split(" ").at(-1)?.split(",") ?? [];
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <line x1="0" x2={width} y1={height - 1} y2={height - 1} class="sparkline-ground" />
      {lines.map((points, index) => (
        <polyline key={index} points={points} />
      ))}
      {/* A stroke of no length: a circle would be stretched with the picture. */}
      {x !== undefined && y !== undefined && <path d={`M${x} ${y}h0.01`} />}
    </svg>
  );
}
