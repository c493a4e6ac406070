/** The time a message was written, told to the model in front of it: `[Fri 2026-02-13 18:26 UTC] ` (protocol.md §13.3). Made of
 *  the stored timestamp, so that the same transcript always gives the same context. */
const formats = new Map<string, Intl.DateTimeFormat>();

function format(timeZone: string | undefined): Intl.DateTimeFormat {
  const name = timeZone ?? "";
  let found = formats.get(name);
  if (!found) {
    const options: Intl.DateTimeFormatOptions = {
      weekday: "short",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      timeZoneName: "short",
    };
    try {
      found = new Intl.DateTimeFormat("en-US", { ...options, ...(timeZone ? { timeZone } : {}) });
    } catch {
      // The configured zone is unknown to this host: its own zone is the next best truth.
      found = new Intl.DateTimeFormat("en-US", options);
    }
    if (formats.size >= 32) formats.clear();
    formats.set(name, found);
  }
  return found;
}

const stamped = /^\[[^\]\n]*\d{4}-\d{2}-\d{2} \d{2}:\d{2}[^\]\n]*\] /;

/** Prefixes by zone and minute: a long conversation asks for the same ones at every turn. */
const prefixes = new Map<string, string>();
const maxPrefixes = 4_096;

function prefixOf(timestamp: number, timeZone: string | undefined): string {
  const key = `${Math.floor(timestamp / 60_000)} ${timeZone ?? ""}`;
  let found = prefixes.get(key);
  if (found === undefined) {
    const part: Record<string, string> = {};
    for (const { type, value } of format(timeZone).formatToParts(timestamp)) part[type] = value;
    found = `[${part["weekday"]} ${part["year"]}-${part["month"]}-${part["day"]} ${part["hour"]}:${part["minute"]} ${part["timeZoneName"]}] `;
    if (prefixes.size >= maxPrefixes) prefixes.clear();
    prefixes.set(key, found);
  }
  return found;
}

/** `text` with its time in front, unless one is there. */
export const withClock = (text: string, timestamp: number, timeZone: string | undefined): string =>
  stamped.test(text) ? text : `${prefixOf(timestamp, timeZone)}${text}`;
