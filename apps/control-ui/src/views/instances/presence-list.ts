/** Who is here, kept up to date by what changed (settled.md 2). Pure. */
import type { EventPayload, MethodResult } from "@openclaw/protocol";

export type Entry = MethodResult<"system-presence">[number];

const plain = (text: string | undefined): string | undefined => {
  const trimmed = text?.trim().toLowerCase();
  return trimmed === "" ? undefined : trimmed;
};

/** What the gateway knows an entry by (protocol.md §12.2). Undefined when the entry itself does not say. */
export const presenceKey = (entry: Entry): string | undefined =>
  plain(entry.deviceId) ?? plain(entry.instanceId) ?? (entry.mode === "gateway" ? plain(entry.host) : undefined);

/** The list after an event; undefined when the event cannot be placed and the list has to be read. */
export function afterPresence(entries: readonly Entry[], event: EventPayload<"presence">): Entry[] | undefined {
  if (event.presence) return [...event.presence];
  const { upserted = [], removed = [] } = event.delta ?? {};
  const known = new Map<string, Entry>();
  for (const entry of entries) {
    const key = presenceKey(entry);
    if (key === undefined) return undefined;
    known.set(key, entry);
  }
  for (const key of removed) if (!known.delete(key)) return undefined;
  for (const entry of upserted) {
    const key = presenceKey(entry);
    if (key === undefined) return undefined;
    known.set(key, entry);
  }
  return [...known.values()].sort((a, b) => b.ts - a.ts);
}
