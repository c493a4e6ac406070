/** When a session is stale and whether it may send (agent.md §6.3, §6.4). Pure. */
import { splitKey } from "./keys.ts";
import type { ResetPolicy, SessionConfig } from "./sessions.config.ts";
import type { SessionEntry } from "./types.ts";

type Described = Pick<SessionEntry, "key" | "chatType" | "channel" | "lastChannel">;

const minuteMs = 60_000;
const defaultHour = 4;
const defaultIdleMinutes = 60;

/** Channel wins over type, type over the base; `session.idleMinutes` alone is the old idle mode; else daily at 4. */
export function resetPolicyOf(entry: Described, config: SessionConfig): ResetPolicy {
  const channel = entry.channel ?? entry.lastChannel;
  const byChannel =
    channel && config.resetByChannel && Object.hasOwn(config.resetByChannel, channel)
      ? config.resetByChannel[channel]
      : undefined;
  const chosen = byChannel ?? byType(entry, config) ?? config.reset;
  if (chosen) return chosen;
  return config.idleMinutes === undefined ? { mode: "daily" } : { mode: "idle", idleMinutes: config.idleMinutes };
}

function byType(entry: Described, config: SessionConfig): ResetPolicy | undefined {
  const types = config.resetByType;
  if (!types) return undefined;
  if (entry.key.includes(":thread:") || entry.key.includes(":topic:")) return types.thread;
  if (entry.chatType === "group" || entry.chatType === "channel") return types.group;
  return types.direct ?? types.dm;
}

/** Whether the next message starts a new session. Counts messages of a person and the start, never heartbeats or cron. */
export function isStale(entry: SessionEntry, config: SessionConfig, now: number): boolean {
  const policy = resetPolicyOf(entry, config);
  const lastMs = Math.max(entry.lastInteractionAt, entry.sessionStartedAt);
  const mode = policy.mode ?? "daily";
  if (mode === "daily" && lastMs < dailyBoundary(now, policy.atHour ?? defaultHour)) return true;
  const idleMinutes = policy.idleMinutes ?? (mode === "idle" ? defaultIdleMinutes : undefined);
  return idleMinutes !== undefined && now - lastMs > idleMinutes * minuteMs;
}

/** The latest moment at or before `now` at which the local clock showed `hour`:00. */
export function dailyBoundary(now: number, hour: number): number {
  const day = new Date(now);
  day.setHours(hour, 0, 0, 0);
  if (day.getTime() > now) day.setDate(day.getDate() - 1);
  return day.getTime();
}

/** The session's own choice, else a matching deny, else a matching allow, else the default. */
export function maySend(
  entry: Pick<SessionEntry, "key" | "sendPolicy" | "chatType" | "channel" | "lastChannel">,
  config: SessionConfig,
): boolean {
  if (entry.sendPolicy === "allow" || entry.sendPolicy === "deny") return entry.sendPolicy === "allow";
  const rest = splitKey(entry.key)?.rest ?? entry.key;
  const channel = entry.channel ?? entry.lastChannel;
  let allowed: boolean | undefined;
  for (const { action, match } of config.sendPolicy?.rules ?? []) {
    const chatType = match?.chatType === "dm" ? "direct" : match?.chatType;
    if (match?.channel !== undefined && match.channel.toLowerCase() !== channel) continue;
    if (chatType !== undefined && chatType !== (entry.chatType ?? "direct")) continue;
    const prefix = match?.keyPrefix?.toLowerCase();
    if (prefix !== undefined && !rest.startsWith(prefix) && !entry.key.startsWith(prefix)) continue;
    if (action === "deny") return false;
    allowed = true;
  }
  return allowed ?? config.sendPolicy?.default !== "deny";
}
