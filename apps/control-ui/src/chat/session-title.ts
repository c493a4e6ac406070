import type { MethodResult } from "@openclaw/protocol";

export type SessionRow = MethodResult<"sessions.list">["sessions"][number];

/** The name a person knows a session by: their own label, else what it is about, else the readable part of its key. */
export function sessionTitle(row: Pick<SessionRow, "key" | "label" | "displayName" | "derivedTitle">): string {
  // What a main session is about changes daily; its name must not.
  const about = isMain(row.key) ? [row.label] : [row.label, row.displayName, row.derivedTitle];
  for (const name of about) if (name && name !== row.key) return name;
  return keyTitle(row.key);
}

export const isMain = (key: string): boolean => /^agent:[^:]+:main$/.test(key) || key === "global";

/** `agent:main:main` is the main session of its agent; of other keys the last part says most. */
export function keyTitle(key: string): string {
  const [kind, agent = "", ...rest] = key.split(":");
  if (kind !== "agent") return key;
  const name = rest.join(":");
  if (name === "main") return agent === "main" ? "Main session" : `Main session of ${agent}`;
  return name.startsWith("chat-") ? "New conversation" : name;
}

export interface SessionDefaults {
  defaultAgentId: string;
  mainKey: string;
  mainSessionKey: string;
}

/** The key as the gateway says it in events (protocol.md §10.5). */
export function canonicalKey(key: string, defaults: SessionDefaults | undefined): string {
  if (!defaults) return key;
  const { defaultAgentId, mainKey, mainSessionKey } = defaults;
  if (["", "main", mainKey, `agent:${defaultAgentId}:main`].includes(key)) return mainSessionKey;
  if (key === "global" || key === "unknown" || key.startsWith("agent:")) return key;
  return `agent:${defaultAgentId}:${key}`;
}
