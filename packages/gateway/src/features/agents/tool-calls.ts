/** The tool calls of one assistant message: run, announced, and committed together with the message (R-SES-1). Before a tool
 *  with effects starts, the run's row says so (R-RUN-4). */
import type { AssistantMessage, ToolCallContent, ToolResultMessage } from "@openclaw/protocol";
import { errorResult, type Tool, type ToolBox, type ToolContext, type ToolResult } from "../tools/index.ts";
import type { LiveRun } from "./live-run.ts";
import { lostResult, toolCallsOf } from "./context.ts";
import type { TurnDeps } from "./turn-deps.ts";

/** Calls without effects that run at the same time. */
const parallelCalls = 8;

export interface ToolSetting {
  tools: readonly Tool[];
  box: ToolBox;
  workspace: string;
}

/** Results in the order of the calls, already in the transcript. Undefined when the run ended meanwhile. Calls that are `handed`
 *  over to the client get theirs from a later request. */
export async function runToolCalls(
  run: LiveRun,
  message: AssistantMessage,
  invalid: ReadonlyMap<string, string>,
  setting: ToolSetting,
  deps: TurnDeps,
  handed: readonly ToolCallContent[] = [],
): Promise<ToolResultMessage[] | undefined> {
  const calls = toolCallsOf(message).filter((call) => !handed.includes(call));
  const batch = { message, results: new Map<string, ToolResultMessage>() };
  run.batch = batch;
  const named = (call: ToolCallContent) => setting.tools.find((tool) => tool.name === call.name);
  const effects = calls.some((call) => named(call)?.effects);
  if (effects) {
    await deps.store.commit((tx) => deps.table.markEffects(tx, run.id, JSON.stringify(message)));
    deps.world.mark("run.before-effect");
    if (!run.live) return undefined;
  }
  const one = async (call: ToolCallContent) => {
    const result = await runOne(run, call, named(call), invalid.get(call.id), setting, deps);
    if (!result || !run.live) return;
    batch.results.set(call.id, {
      role: "toolResult",
      toolCallId: call.id,
      toolName: call.name,
      content: result.content,
      ...(result.details === undefined ? {} : { details: result.details }),
      isError: result.isError === true,
      timestamp: deps.world.now(),
    });
  };
  const width = effects ? 1 : parallelCalls;
  for (let at = 0; at < calls.length; at += width) {
    await Promise.all(calls.slice(at, at + width).map(one));
    if (!run.live) return undefined;
    if (run.steers.length > 0) break;
  }
  for (const call of calls) {
    if (batch.results.has(call.id)) continue;
    const text = "Skipped: the person sent a new message meanwhile. Read it first.";
    batch.results.set(call.id, lostResult(call, deps.world.now(), text));
  }
  deps.world.mark("run.after-tool");
  const results = calls.flatMap((call) => batch.results.get(call.id) ?? []);
  // From here on the batch belongs to this commit; an abort that comes now finds nothing left to store.
  run.batch = undefined;
  await deps.store.commit((tx) => {
    if (deps.sessions.get(run.sessionKey)?.sessionId !== run.sessionId) return;
    for (const entry of [message, ...results])
      deps.sessions.append(tx, run.sessionKey, { type: "message", message: entry });
    deps.table.clearPending(tx, run.id);
  });
  return run.live ? results : undefined;
}

async function runOne(
  run: LiveRun,
  call: ToolCallContent,
  tool: Tool | undefined,
  invalid: string | undefined,
  setting: ToolSetting,
  deps: TurnDeps,
): Promise<ToolResult | undefined> {
  if (!run.live) return undefined;
  run.alive();
  run.announcer.toolStart(call.name, call.id, call.arguments);
  const result = await outcome(run, call, tool, invalid, setting, deps);
  run.alive();
  if (run.live) run.announcer.toolResult(call.name, call.id, result);
  return result;
}

async function outcome(
  run: LiveRun,
  call: ToolCallContent,
  tool: Tool | undefined,
  invalid: string | undefined,
  setting: ToolSetting,
  deps: TurnDeps,
): Promise<ToolResult> {
  if (invalid !== undefined)
    return errorResult(`The arguments of ${call.name.slice(0, 64)} are not valid JSON: ${invalid.slice(0, 200)}`);
  if (!tool)
    return errorResult(
      `There is no tool "${call.name.slice(0, 64)}" in this run. Available: ${setting.tools.map(({ name }) => name).join(", ") || "none"}.`,
    );
  const context: ToolContext = {
    runId: run.runId,
    agentId: run.request.agentId,
    sessionKey: run.sessionKey,
    workspace: setting.workspace,
    origin: run.request.origin,
    owner: run.request.owner,
    signal: run.signal,
    update: (partial) => {
      if (!run.live) return;
      run.alive();
      run.announcer.toolUpdate(tool.name, call.id, partial);
    },
    systemEvent: (text) => deps.queueSystemEvent(run.sessionKey, text),
    log: deps.log,
  };
  return setting.box.call(tool, call.arguments, context);
}
