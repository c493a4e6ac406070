/** Agents: who answers, and every turn of an answer. Owns table `run`, the workspaces and the config sections `agents`,
 *  `messages` and `commands`.
 *
 *  Guarantees. A request is on disk before it is acknowledged. One run at a time per session, first in first out. A run ends
 *  exactly once: its reply, usage, totals and outcome are one commit, then its events go out, then its answer. After a stop was
 *  acknowledged nothing of that run starts or speaks. Runs a crash left open are resolved at start, before anything is served.
 *  Imports sessions, models and tools; knows nothing of sockets or channels. */
export { type AgentsRoomConfig, agentsSection, commandsSection, messagesSection } from "./agents.config.ts";
export { agentMethods } from "./agents.methods.ts";
export { agentTools } from "./agents.tool.ts";
export { type ActiveRun, Agents, type AgentsOptions } from "./agents.ts";
export { AgentDirectory, normalizeAgentId } from "./directory.ts";
export type { ChannelMessage } from "./channel-admission.ts";
export type { CallSettings, ClientMessage, ClientToolResult, ClientToolSpec } from "./client-admission.ts";
export { injectedMessage } from "./context.ts";
export { isStopWord, type Parsed } from "./commands/parse.ts";
export { stopText } from "./commands/session.ts";
export { commands } from "./commands/table.ts";
export type { EndingPort, ReplyRoute, RoutePort, RouteRequest, RunEnd } from "./delivery.ts";
export type { EndedRun, Steer } from "./live-run.ts";
export type { Payload, RunOutcome } from "./outcome.ts";
export type { HookFacts, RunRequest } from "./request.ts";
export { isSilent, spoken } from "./reserved.ts";
export { imageType, maxImageBytes } from "./attachments.ts";
export { runMigrations } from "./runs.store.ts";
export type { Acceptance } from "./runs.ts";
export { Workspaces } from "./workspace.ts";
