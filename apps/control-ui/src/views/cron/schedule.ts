/** When a job runs, in words and in the fields of a form. Pure. */
import type { MethodResult } from "@openclaw/protocol";

export type Job = MethodResult<"cron.list">["jobs"][number];
export type Schedule = Job["schedule"];

const weekdays = ["Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays"];

export const units = { seconds: 1_000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;
export type Unit = keyof typeof units;

/** The largest unit in which the interval is a whole number. */
export function inUnits(everyMs: number): { count: number; unit: Unit } {
  for (const unit of ["days", "hours", "minutes"] as const)
    if (everyMs % units[unit] === 0) return { count: everyMs / units[unit], unit };
  return { count: everyMs / units.seconds, unit: "seconds" };
}

/** `every 2 hours`, `every day`. */
export function intervalWords(everyMs: number): string {
  const { count, unit } = inUnits(everyMs);
  return count === 1 ? `every ${unit.slice(0, -1)}` : `every ${count} ${unit}`;
}

/** What a common expression means; undefined for all others, which speak for themselves. */
export function expressionWords(expr: string): string | undefined {
  const [minute = "", hour = "", day, month, weekday = "", more] = expr.trim().split(/\s+/);
  if (more !== undefined || day !== "*" || month !== "*" || !/^\d{1,2}$/.test(minute)) return undefined;
  if (hour === "*" && weekday === "*") return minute === "0" ? "every full hour" : `every hour at minute ${minute}`;
  if (!/^\d{1,2}$/.test(hour)) return undefined;
  const time = `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  if (weekday === "*") return `every day at ${time}`;
  if (weekday === "1-5") return `on weekdays at ${time}`;
  const name = /^[0-7]$/.test(weekday) ? weekdays[Number(weekday) % 7] : undefined;
  return name === undefined ? undefined : `on ${name} at ${time}`;
}

/** Of a `datetime-local` field, in this browser's zone; seconds only when there are any. */
export function toLocalField(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const seconds = date.getSeconds() === 0 ? "" : `:${two(date.getSeconds())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}${seconds}`;
}

/** ms since the epoch; undefined when the field holds no moment. */
export function fromLocalField(text: string): number | undefined {
  const at = new Date(text).getTime();
  return text === "" || Number.isNaN(at) ? undefined : at;
}

/** The moment of an `at` schedule: times without a zone are UTC (protocol.md §13.12). */
export function momentOf(at: string): number | undefined {
  const zoned = /(Z|[+-]\d\d:?\d\d)$/i.test(at) ? at : `${at}Z`;
  const moment = new Date(zoned).getTime();
  return Number.isNaN(moment) ? undefined : moment;
}

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat(undefined, { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false; // The browser's own test for a zone's name.
  }
}
