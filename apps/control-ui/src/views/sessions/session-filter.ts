import { sessionTitle, type SessionRow } from "../../chat/session-title.ts";

/** Every word must be in the name, key, channel, subject or model. */
export function matching(rows: readonly SessionRow[], text: string, kind: string): SessionRow[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (kind !== "" && row.kind !== kind) return false;
    const all = [sessionTitle(row), row.key, row.channel, row.lastChannel, row.subject, row.model, row.modelProvider];
    const hay = all.filter(Boolean).join(" ").toLowerCase();
    return words.every((word) => hay.includes(word));
  });
}
