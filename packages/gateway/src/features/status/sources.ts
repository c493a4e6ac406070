/** What the status room reads. Every function is cheap: it may be called for each request. */
import type { MethodResult } from "@openclaw/protocol";
import type { World } from "../../kernel/world.ts";
import type { SessionEntry } from "../sessions/index.ts";

export interface ModelInUse {
  ref: string;
  provider: string;
  model: string;
  contextTokens: number;
  /** False: nothing is configured and `offline/echo` answers. */
  configured: boolean;
  /** Where the credential comes from, never the credential. */
  auth: string;
}

export interface AgentHeartbeat {
  enabled: boolean;
  /** As people write it; `0m` while it is off. */
  every: string;
  everyMs: number | null;
  prompt: string;
  target: string;
  ackMaxChars: number;
  model?: string;
}

export interface UsageDay {
  /** YYYY-MM-DD, UTC */
  date: string;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  totalTokens: number;
  totalCost: number;
  inputCost: number;
  outputCost: number;
  cacheReadCost: number;
  cacheWriteCost: number;
  missingCostEntries: number;
}

/** The channel whose link decides NOT_LINKED. */
export interface LinkChannel {
  id: string;
  label: string;
  linked: boolean;
  authAgeMs: number | null;
}

export interface StatusSources {
  world: World;
  version: string;
  startedAt: number;
  storePath: string;
  defaultAgentId(): string;
  agents(): { id: string; name?: string }[];
  sessionCount(agentId?: string): number;
  /** Newest first, hidden ones left out. */
  recentSessions(limit: number, agentId?: string): SessionEntry[];
  model(): ModelInUse;
  /** Model servers found on this machine and the command that selects each. */
  localModels(): { name: string; models: string[]; command: string }[];
  queuedSystemEvents(): string[];
  runs(): { active: number; waiting: number };
  connections(): number;
  /** One line per part that is not well. */
  problems(): { part: string; message: string }[];
  usageDays(fromMs: number, toMs: number): UsageDay[];
  commitStats(): { p50Ms: number; p99Ms: number; maxMs: number } | undefined;
  /** What stands about channels in `health`. Absent where the room is not there. */
  channels?(): {
    channels: Record<string, Record<string, unknown>>;
    channelOrder: string[];
    channelLabels: Record<string, string>;
    linkChannel?: LinkChannel;
  };
  /** One line per configured channel. */
  channelSummary?(): string[];
  configPath: string;
  /** Which generation of the config runs (R-REL-1). */
  configState?(): MethodResult<"status">["config"];
  /** What stands about an agent's heartbeat. Absent where nothing beats. */
  heartbeat?(agentId: string): AgentHeartbeat;
  /** Why channels and automation are held, if they are (R-SVC-6). */
  safe?(): MethodResult<"status">["safe"];
}
