/** Numbers and times as people read them. Every number carries its unit. */

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `3 s`, `4 min`, `2 h 5 min`, `6 d 3 h`. */
export function duration(ms: number): string {
  const value = Math.max(0, ms);
  if (value < 1_000) return `${Math.round(value)} ms`;
  if (value < 10_000) return `${(value / 1_000).toFixed(1)} s`;
  if (value < minuteMs) return `${Math.round(value / 1_000)} s`;
  if (value < hourMs) return `${Math.floor(value / minuteMs)} min`;
  if (value < dayMs) return two(value, hourMs, "h", minuteMs, "min");
  return two(value, dayMs, "d", hourMs, "h");
}

function two(value: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((value % large) / small);
  return rest === 0
    ? `${Math.floor(value / large)} ${largeName}`
    : `${Math.floor(value / large)} ${largeName} ${rest} ${smallName}`;
}

/** `just now`, `12 s ago`, `in 3 min`. */
export function relative(at: number, now: number): string {
  const ms = now - at;
  if (Math.abs(ms) < 5_000) return "just now";
  const text = nearest(Math.abs(ms));
  return ms >= 0 ? `${text} ago` : `in ${text}`;
}

/** In one unit, rounded: two of them are more than anybody reads. */
function nearest(ms: number): string {
  if (ms < 59_500) return `${Math.round(ms / 1_000)} s`;
  if (ms < 59.5 * minuteMs) return `${Math.round(ms / minuteMs)} min`;
  if (ms < 23.5 * hourMs) return `${Math.round(ms / hourMs)} h`;
  return `${Math.round(ms / dayMs)} d`;
}

/** Date and time with seconds, in the reader's own manner. */
export const exact = (at: number): string =>
  new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** `14:05`, with the date when it is not today. */
export function clockTime(at: number, now: number): string {
  const date = new Date(at);
  const time = date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === new Date(now).toDateString()) return time;
  return `${date.toLocaleDateString(undefined, { day: "numeric", month: "short" })}, ${time}`;
}

/** `0 B`, `12 KB`, `3.4 MB`. */
export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = count;
  let unit = -1;
  do {
    value /= 1024;
    unit += 1;
  } while (value >= 1024 && unit < units.length - 1);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? "TB"}`;
}

/** `950`, `12.3k`, `1.2M`. Say the unit after it. */
export function count(value: number): string {
  if (value < 1_000) return String(value);
  if (value < 1_000_000) return `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)}k`;
  return `${(value / 1_000_000).toFixed(1)}M`;
}

/** `1 session`, `2 sessions`. */
export const plural = (value: number, noun: string): string => `${value} ${noun}${value === 1 ? "" : "s"}`;
