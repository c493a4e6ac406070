/** What a turn needs from the rest of the house, in one place. */
import type { ConfigSource } from "../../config/section.ts";
import type { Logger } from "../../kernel/log.ts";
import type { World } from "../../kernel/world.ts";
import type { Store } from "../../store/store.ts";
import type { ModelDirectory } from "../models/index.ts";
import type { SessionLedger, Sessions, SystemEvent } from "../sessions/index.ts";
import type { ToolBox } from "../tools/index.ts";
import type { AgentsRoomConfig } from "./agents.config.ts";
import type { ContextCache } from "./context-cache.ts";
import type { EndingPort, RoutePort } from "./delivery.ts";
import type { AgentDirectory } from "./directory.ts";
import type { PromptSkill } from "./prompt.ts";
import type { RunTable } from "./runs.store.ts";
import type { Workspaces } from "./workspace.ts";

export type Models = Pick<ModelDirectory, "defaultModel" | "resolve" | "list" | "stream" | "defaultThinking">;

export type AgentSessions = SessionLedger & Pick<Sessions, "maySend" | "recent">;

export interface TurnDeps {
  store: Store;
  sessions: AgentSessions;
  models: Models;
  /** Read when a run starts: the tools room is built after this one, because it offers this room's tools. */
  toolBox: () => ToolBox;
  /** Skills the system prompt of an agent names, in a stable order. */
  skillsPrompt: (agentId: string) => readonly PromptSkill[];
  world: World;
  log: Logger;
  config: ConfigSource<AgentsRoomConfig>;
  directory: AgentDirectory;
  workspaces: Workspaces;
  table: RunTable;
  contexts: ContextCache;
  drainSystemEvents: (sessionKey: string) => readonly SystemEvent[];
  queueSystemEvent: (sessionKey: string, text: string) => void;
  /** Read at use: the channels room is built after this one. Without it answers go to their callers only. */
  endings?: () => EndingPort | undefined;
  routes?: () => RoutePort | undefined;
}
