/** The card of /status and of the tool session_status. */
import { modelOf, thinkingOf } from "../turn.ts";
import type { CommandCall } from "./command.ts";

export function statusText({
  run,
  deps,
  session,
  gateway,
}: Pick<CommandCall, "deps" | "session" | "gateway"> & {
  run: { request: { agentId: string }; sessionKey: string };
}): string {
  const model = modelOrProblem(() => modelOf(deps, run.request.agentId, session));
  const { defaults } = deps.config.current.agents;
  const window = typeof model === "string" ? undefined : model.contextWindow;
  const used = session?.totalTokens ?? 0;
  const percent = window ? ` (${Math.round((used / window) * 100)} %)` : "";
  const lines = [
    `OpenClaw ${gateway.version}`,
    typeof model === "string"
      ? `Model: ${model}`
      : `Model: ${model.api === "offline" ? "no model configured (offline/echo)" : model.ref} · credentials: ${model.auth}`,
    `Context: ${used}${window ? ` of ${window}` : ""} tokens${percent} · compactions: ${session?.compactionCount ?? 0}`,
    `Session: ${run.sessionKey}${session ? ` · id ${session.sessionId}` : ""}`,
    `Agent: ${run.request.agentId} · workspace: ${deps.directory.workspace(run.request.agentId)}`,
    `Thinking: ${typeof model === "string" ? "-" : thinkingOf(deps, model, session)} · verbose: ${session?.verboseLevel ?? defaults.verboseDefault} · usage: ${session?.responseUsage ?? "off"}`,
    `Runs: ${gateway.running()} running, ${gateway.waiting()} waiting`,
  ];
  return lines.join("\n");
}

function modelOrProblem<T>(resolve: () => T): T | string {
  try {
    return resolve();
  } catch (error) {
    // The session chose a model that is gone; saying so is what a status is for.
    return error instanceof Error ? error.message : "unknown";
  }
}
