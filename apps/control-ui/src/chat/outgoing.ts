/** Messages on their way: drawn at once, kept over reloads and restarts with the key they were given, dropped when the
 *  gateway's history holds them. Pure, but for storage. */
import { isRecord, keysOf, readJson, remove, writeJson } from "../gateway/storage.ts";
import { turnText, type Turn } from "./turns.ts";

export interface Attachment {
  name: string;
  mimeType: string;
  /** base64 without prefix. */
  data: string;
}

export interface Outgoing {
  /** Idempotency key and run id; one per message, whatever happens. */
  key: string;
  text: string;
  attachments: readonly Attachment[];
  at: number;
  /** `waiting`: for the reply before it. `sending`: no answer yet. `accepted`: the gateway has stored it. */
  state: "waiting" | "sending" | "accepted" | "failed";
  error?: string;
  /** The last message of the history when it was sent: it stands after that one. */
  afterId: string | undefined;
}

export const maxWaiting = 20;

const storagePrefix = "openclaw.outgoing:";
const storageKey = (sessionKey: string): string => `${storagePrefix}${sessionKey}`;

const isOutgoing = (value: unknown): value is Outgoing =>
  isRecord(value) &&
  typeof value.key === "string" &&
  typeof value.text === "string" &&
  Array.isArray(value.attachments) &&
  ["waiting", "sending", "accepted", "failed"].includes(String(value.state));

const isList = (value: unknown): value is unknown[] => Array.isArray(value);

export const readOutgoing = (sessionKey: string): Outgoing[] =>
  (readJson("session", storageKey(sessionKey), isList) ?? []).filter(isOutgoing).slice(0, maxWaiting);

export function storeOutgoing(sessionKey: string, list: readonly Outgoing[]): void {
  if (list.length === 0) remove("session", storageKey(sessionKey));
  else writeJson("session", storageKey(sessionKey), list);
}

/** Sessions in which something is on its way or waits, by the key they were written under. */
export const sessionsWithOutgoing = (): string[] =>
  keysOf("session", storagePrefix).map((key) => key.slice(storagePrefix.length));

/** Reads and forgets what was written under a key. */
export function takeOutgoing(sessionKey: string): Outgoing[] {
  const list = readOutgoing(sessionKey);
  storeOutgoing(sessionKey, []);
  return list;
}

/** What of `list` is not in the history yet. A stored message accounts for one sent message of the same text after the
 *  place where that was sent. `ended`: runs known to be over, whose message the history holds for certain. */
export function notStored(list: readonly Outgoing[], turns: readonly Turn[], ended: ReadonlySet<string>): Outgoing[] {
  const taken = new Set<string>();
  return list.filter((message) => {
    if (message.state === "waiting" || message.state === "failed") return true;
    if (ended.has(message.key)) return false;
    const from = turns.findLastIndex((turn) => turn.id === message.afterId) + 1;
    const stored = turns.slice(from).find((turn) => turn.role === "user" && !taken.has(turn.id) && same(turn, message));
    if (stored) taken.add(stored.id);
    return stored === undefined;
  });
}

const same = (turn: Turn, message: Outgoing): boolean => turnText(turn).trim() === message.text.trim();
