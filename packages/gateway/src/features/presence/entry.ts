/** One line of the presence list and how it is merged (protocol.md §12.1, §12.2). */
import type { EventPayload } from "@openclaw/protocol";

export type PresenceEntry = NonNullable<EventPayload<"presence">["presence"]>[number];

/** A field that is absent or undefined keeps what is there. */
export type PresencePatch = { [K in Exclude<keyof PresenceEntry, "ts">]?: PresenceEntry[K] | undefined };

const united = (a: readonly string[] | undefined, b: readonly string[] | undefined): string[] | undefined => {
  const all = [...new Set([...(a ?? []), ...(b ?? [])])];
  return all.length > 0 ? all : undefined;
};

/** Given fields win; roles and scopes are united, never reduced; `ts` is now. */
export function merge(existing: PresenceEntry | undefined, patch: PresencePatch, ts: number): PresenceEntry {
  const merged: Record<string, unknown> = { ...existing };
  for (const [field, value] of Object.entries(patch)) if (value !== undefined) merged[field] = value;
  const roles = united(existing?.roles, patch.roles);
  const scopes = united(existing?.scopes, patch.scopes);
  if (roles) merged["roles"] = roles;
  else delete merged["roles"];
  if (scopes) merged["scopes"] = scopes;
  else delete merged["scopes"];
  return { ...merged, ts };
}

/** Trimmed, lower case; undefined when nothing is left. */
export function presenceKey(text: string | undefined): string | undefined {
  const key = text?.trim().toLowerCase();
  return key ? key : undefined;
}
