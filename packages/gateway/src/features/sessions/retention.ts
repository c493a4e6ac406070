/** Which sessions go by themselves (agent.md §6.4, R-SES-4): those of webhooks, of which there is a new one for every request that
 *  names none. What a program named is a conversation and stays longer; everything else, and what a person gave a label, is the
 *  person's to delete. */
import type { Reader } from "../../store/index.ts";

const dayMs = 24 * 3_600_000;

export const hookRetention = {
  /** Made for one request: `hook:<uuid>`. */
  onceMs: 30 * dayMs,
  /** More of them than this are kept for a day. */
  onceKept: 1_000,
  /** Named by a mapping or a caller: `hook:<name>`. */
  namedMs: 90 * dayMs,
} as const;

export interface Due {
  key: string;
  sessionId: string;
  updatedAt: number;
}

const uuid = "????????-????-????-????-????????????";

/** Sessions of an agent's webhooks that go, oldest first. Reads the keys of its webhooks only. */
export function dueHookSessions(reader: Reader, agentId: string, now: number, limit: number): Due[] {
  const prefix = `agent:${agentId}:hook:`;
  return reader.all<Due & Record<string, never>>(
    `SELECT key, session_id AS sessionId, updated_at AS updatedAt FROM (
       SELECT key, session_id, updated_at, key GLOB ? AS once,
         row_number() OVER (PARTITION BY key GLOB ? ORDER BY updated_at DESC) AS place
       FROM session WHERE key >= ? AND key < ? AND label IS NULL
     ) WHERE updated_at < iif(once, ?, ?) OR (once AND place > ? AND updated_at < ?) ORDER BY updated_at LIMIT ?`,
    prefix + uuid,
    prefix + uuid,
    prefix,
    `agent:${agentId}:hook;`,
    now - hookRetention.onceMs,
    now - hookRetention.namedMs,
    hookRetention.onceKept,
    now - dayMs,
    limit,
  );
}
