import { now } from "../app/clock.ts";
import { clockTime, exact, relative } from "../app/format.ts";

/** `4 min ago`, with the exact moment on hover and for screen readers. Redraws only itself. */
export function Ago({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)}>
      {relative(at, now().value)}
    </time>
  );
}

/** `14:05`, with the exact moment on hover. */
export function Clock({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)}>
      {clockTime(at, now().peek())}
    </time>
  );
}

/** Seconds left until a moment, never below zero: `in 4 s`. */
export function Countdown({ until }: { until: number }) {
  const seconds = Math.max(0, Math.ceil((until - now().value) / 1000));
  return <span class="number">{seconds === 0 ? "now" : `in ${seconds} s`}</span>;
}
