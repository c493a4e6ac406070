/** A moment as people of one time zone read it, for the texts a model sees: always the same form, whatever the host's language. */
export interface WallTime {
  /** `Fri` */
  weekday: string;
  /** `2026-02-13` */
  date: string;
  /** `18:26` */
  time: string;
  /** `UTC`, `GMT+1` */
  zone: string;
}

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
const maxFormats = 32;
/** By zone; making one costs more than using it a hundred times. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string | undefined): Intl.DateTimeFormat {
  const name = timeZone ?? "";
  let found = formats.get(name);
  if (!found) {
    try {
      found = new Intl.DateTimeFormat("en-US", { ...options, ...(timeZone ? { timeZone } : {}) });
    } catch {
      // The configured zone is unknown to this host: its own zone is the next best truth.
      found = new Intl.DateTimeFormat("en-US", options);
    }
    if (formats.size >= maxFormats) formats.clear();
    formats.set(name, found);
  }
  return found;
}

/** `at` in ms since the epoch; without a zone, or with one the host does not know, the host's. */
export function wallTime(at: number, timeZone: string | undefined): WallTime {
  const part: Record<string, string> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(at)) part[type] = value;
  return {
    weekday: part["weekday"] ?? "",
    date: `${part["year"]}-${part["month"]}-${part["day"]}`,
    time: `${part["hour"]}:${part["minute"]}`,
    zone: part["timeZoneName"] ?? "",
  };
}
