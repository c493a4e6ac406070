/** Hours at which heartbeats run. */
export interface ActiveHours {
  start?: string;
  end?: string;
  /** `user`, `local` or an IANA zone. */
  timezone?: string;
}

const dayMinutes = 24 * 60;

/** Whether `now` (ms since the epoch) lies in the hours: the start counts, the end does not. Hours that begin later than they end
 *  go over midnight; equal ones never come. A zone nobody knows counts as the user's, then as the machine's. */
export function withinHours(hours: ActiveHours | undefined, now: number, userZone: string | undefined): boolean {
  if (!hours || (hours.start === undefined && hours.end === undefined)) return true;
  const start = minutesOf(hours.start) ?? 0;
  const end = minutesOf(hours.end) ?? dayMinutes;
  if (start === end) return false;
  const at = minuteOfDay(now, zoneOf(hours.timezone, userZone));
  return start < end ? at >= start && at < end : at >= start || at < end;
}

function minutesOf(time: string | undefined): number | undefined {
  const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(time?.trim() ?? "") ?? [];
  return hour === undefined ? undefined : Math.min(dayMinutes, Number(hour) * 60 + Number(minute));
}

function zoneOf(named: string | undefined, userZone: string | undefined): string | undefined {
  if (named === "local") return undefined;
  return named === undefined || named === "user" || !isZone(named) ? userZone : named;
}

function isZone(zone: string): boolean {
  try {
    Intl.DateTimeFormat("en-GB", { timeZone: zone });
    return true;
  } catch {
    return false; // The zone is not known here.
  }
}

function minuteOfDay(now: number, zone: string | undefined): number {
  const known = zone !== undefined && isZone(zone) ? { timeZone: zone } : {};
  const parts = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...known })
    .formatToParts(now)
    .map(({ type, value }) => [type, Number(value)] as const);
  const part = (name: string) => parts.find(([type]) => type === name)?.[1] ?? 0;
  return part("hour") * 60 + part("minute");
}
