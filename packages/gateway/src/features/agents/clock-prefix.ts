/** The time a message was written, told to the model in front of it: `[Fri 2026-02-13 18:26 UTC] ` (protocol.md §13.3). Made of
 *  the stored timestamp, so that the same transcript always gives the same context. */
import { wallTime } from "../../kernel/wall-time.ts";

const stamped = /^\[[^\]\n]*\d{4}-\d{2}-\d{2} \d{2}:\d{2}[^\]\n]*\] /;

/** Prefixes by zone and minute: a long conversation asks for the same ones at every turn. */
const prefixes = new Map<string, string>();
const maxPrefixes = 4_096;

function prefixOf(timestamp: number, timeZone: string | undefined): string {
  const key = `${Math.floor(timestamp / 60_000)} ${timeZone ?? ""}`;
  let found = prefixes.get(key);
  if (found === undefined) {
    const { weekday, date, time, zone } = wallTime(timestamp, timeZone);
    found = `[${weekday} ${date} ${time} ${zone}] `;
    if (prefixes.size >= maxPrefixes) prefixes.clear();
    prefixes.set(key, found);
  }
  return found;
}

/** `text` with its time in front, unless one is there. */
export const withClock = (text: string, timestamp: number, timeZone: string | undefined): string =>
  stamped.test(text) ? text : `${prefixOf(timestamp, timeZone)}${text}`;
