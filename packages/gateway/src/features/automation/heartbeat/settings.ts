/** What the config says about heartbeats (agent.md §11.2): which agents beat, how often, when and to whom. */
import type { AgentsRoomConfig } from "../../agents/index.ts";

export interface HeartbeatSettings {
  /** As written, for people. */
  every: string;
  /** 0: off. */
  everyMs: number;
  prompt: string;
  /** `last`, `none` or a channel. */
  target: string;
  to?: string;
  accountId?: string;
  ackMaxChars: number;
  activeHours?: { start?: string; end?: string; timezone?: string };
  /** Key of the session that beats; absent: the agent's main one. */
  session?: string;
  model?: string;
}

export const defaultPrompt =
  "Heartbeat. If HEARTBEAT.md is in your workspace, read it and follow it. Do not take up old tasks of this conversation again. " +
  "If nothing needs attention, reply HEARTBEAT_OK.";

const defaultEvery = "30m";
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A bare number counts minutes. Undefined when it is no duration. */
export function parseEvery(text: string): number | undefined {
  const [, amount, unit = "m"] = /^\s*(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|h)?\s*$/u.exec(text) ?? [];
  return amount === undefined ? undefined : Math.round(Number(amount) * (unitMs[unit] ?? 0));
}

type Config = Pick<AgentsRoomConfig, "agents">;

/** The agents that beat: those with a block of their own, else the default one. */
export function beating(
  config: Config,
  agents: { list(): string[]; defaultId(): string },
  idOf: (id: string) => string,
) {
  const named = (config.agents.list ?? []).filter((agent) => agent.heartbeat !== undefined).map(({ id }) => idOf(id));
  return named.length > 0 ? agents.list().filter((id) => named.includes(id)) : [agents.defaultId()];
}

export function settingsOf(config: Config, agentId: string, idOf: (id: string) => string): HeartbeatSettings {
  const own = config.agents.list?.find((agent) => idOf(agent.id) === agentId)?.heartbeat;
  const given = { ...config.agents.defaults.heartbeat, ...own };
  const every = given.every ?? defaultEvery;
  const { to, accountId, activeHours, session, model } = given;
  return {
    every,
    everyMs: parseEvery(every) ?? 0,
    prompt: given.prompt ?? defaultPrompt,
    target: given.target?.trim().toLowerCase() ?? "last",
    ackMaxChars: given.ackMaxChars ?? 300,
    ...(to ? { to } : {}),
    ...(accountId ? { accountId } : {}),
    ...(activeHours ? { activeHours } : {}),
    ...(session ? { session } : {}),
    ...(model ? { model } : {}),
  };
}
