/** Text that was written and not sent, by session; it survives reloads of the page. */
import { keysOf, readText, remove, writeText } from "../gateway/storage.ts";

const prefix = "openclaw.draft:";

export const readDraft = (sessionKey: string): string => readText("session", prefix + sessionKey) ?? "";

export function storeDraft(sessionKey: string, text: string): void {
  if (text === "") remove("session", prefix + sessionKey);
  else writeText("session", prefix + sessionKey, text);
}

/** Brings each draft under the key that `rename` says; a draft that stands there already stays. */
export function renameDrafts(rename: (sessionKey: string) => string): void {
  for (const key of keysOf("session", prefix)) {
    const from = key.slice(prefix.length);
    const to = rename(from);
    if (to === from || readDraft(to) !== "") continue;
    storeDraft(to, readDraft(from));
    storeDraft(from, "");
  }
}
