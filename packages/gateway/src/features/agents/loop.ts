/** The loop of one run: model call, tool calls, model call … until the model has nothing left to do (agent.md §8.1). It ends by
 *  returning an Ending, or undefined when the run was ended by somebody else; what it does after that is fenced by `run.live`. */
import {
  type AssistantMessage,
  emptyUsage,
  type Message,
  messageText,
  type ToolCallContent,
  type Usage,
} from "@openclaw/protocol";
import { checkContextWindow, type ModelEvent, type ModelRequest } from "../models/index.ts";
import { compactSession, needsCompaction } from "./compact-session.ts";
import { contextOf, fitFor, newestTurns, toolCallsOf } from "./context.ts";
import type { Ending } from "./ending.ts";
import { failureKind, failureText } from "./failure-text.ts";
import type { LiveRun } from "./live-run.ts";
import { isSilent, spoken } from "./reserved.ts";
import { isSteered, takeSteers } from "./steering.ts";
import { runToolCalls } from "./tool-calls.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { prepareTurn, type Turn } from "./turn.ts";

/** A turn is bounded (R-RUN-7). */
export const maxModelCalls = 100;
export const maxToolCalls = 200;

type Failed = Extract<ModelEvent, { type: "failed" }>;
type Reply = { message: AssistantMessage; invalid: Map<string, string> } | { failed: Failed } | undefined;

export async function runLoop(run: LiveRun, deps: TurnDeps): Promise<Ending | undefined> {
  const turn = await prepareTurn(run, deps);
  if (!run.live) return undefined;
  const window = checkContextWindow(turn.model, deps.world);
  if (window.verdict === "refuse") return { state: "error", error: window.message, errorKind: "context_length" };
  let context = readContext(run, turn, deps);
  const texts: string[] = [];
  const usage = emptyUsage();
  let overflowed = false;
  /** Not tried again in this run once it failed. */
  let mayCompact = true;
  let toolCalls = 0;
  for (let calls = 0; calls < maxModelCalls; calls++) {
    if (mayCompact && needsCompaction(turn, context)) {
      mayCompact = (await compactSession(run, turn, deps, { willRetry: false })) !== undefined;
      if (!run.live) return undefined;
      if (mayCompact) context = readContext(run, turn, deps);
    }
    const reply = await askModel(
      run,
      turn,
      context.map(({ message }) => message),
      deps,
    );
    if (!run.live || !reply) return undefined;
    if ("failed" in reply) {
      if (reply.failed.failure.reason === "context_overflow" && !overflowed) {
        overflowed = true;
        if (await compactSession(run, turn, deps, { willRetry: true })) {
          context = readContext(run, turn, deps);
          continue;
        }
        if (!run.live) return undefined;
      }
      return failedEnding(turn, reply.failed, texts, usage, deps);
    }
    const { message, invalid } = reply;
    addUsage(usage, message.usage);
    const text = messageText(message);
    const wanted = toolCallsOf(message);
    if (wanted.length === 0) return doneEnding(turn, message, [...texts, text], usage);
    const handed = handedOver(run, wanted, invalid);
    if (handed.length > 0) {
      const own = wanted.length > handed.length;
      if (own && !(await runToolCalls(run, message, invalid, turn, deps, handed))) return undefined;
      const ending = doneEnding(turn, message, [...texts, text], usage);
      return { ...ending, messages: own ? [] : [message], clientCalls: handed };
    }
    texts.push(text);
    toolCalls += wanted.length;
    if (toolCalls > maxToolCalls) return limitEnding(turn, `${maxToolCalls} tool calls`, texts, usage);
    const results = await runToolCalls(run, message, invalid, turn, deps);
    if (!results) return undefined;
    if (await takeSteers(run, deps)) context = readContext(run, turn, deps);
    else context.push(...[message, ...results].map((entry) => ({ id: "", message: entry })));
    if (!run.live) return undefined;
  }
  return limitEnding(turn, `${maxModelCalls} model calls`, texts, usage);
}

/** A message that was stopped while it waited enters the transcript when it is stopped, maybe in the middle of this run: it is
 *  no part of what this run answers. */
function readContext(run: LiveRun, turn: Turn, deps: TurnDeps) {
  // Clients of the HTTP APIs say themselves what the model reads.
  const silent = turn.model.api === "offline" || run.request.client !== undefined;
  const clock = silent ? undefined : { timeZone: turn.timeZone };
  const context = contextOf(deps.contexts.read(run.sessionId), clock);
  const asked = context.findIndex(({ id }) => id === run.userEntryId);
  const mine = context.filter(
    ({ id, message }, at) => asked < 0 || at <= asked || message.role !== "user" || isSteered(id),
  );
  return newestTurns(mine, run.request.historyTurns);
}

/** Calls that the client runs itself. Those whose arguments are not JSON go back to the model like any other mistake. */
function handedOver(run: LiveRun, calls: ToolCallContent[], invalid: ReadonlyMap<string, string>): ToolCallContent[] {
  const tools = run.request.client?.tools ?? [];
  return calls.filter((call) => !invalid.has(call.id) && tools.some(({ name }) => name === call.name));
}

/** One model call. Undefined when the run ended meanwhile. */
async function askModel(run: LiveRun, turn: Turn, messages: Message[], deps: TurnDeps): Promise<Reply> {
  const { client } = run.request;
  const request: ModelRequest = {
    system: turn.system,
    messages: fitFor(turn.model, messages),
    tools: turn.specs,
    thinking: turn.thinking,
    sessionKey: run.sessionKey,
    ...(client?.maxTokens === undefined ? {} : { maxTokens: client.maxTokens }),
    ...(client ? { settings: client.settings } : {}),
  };
  const invalid = new Map<string, string>();
  run.announcer.messageStart();
  run.alive();
  for await (const event of deps.models.stream(turn.model, request, {
    signal: run.signal,
    agentId: run.request.agentId,
  })) {
    if (!run.live) return undefined;
    run.alive();
    if (event.type === "start") {
      invalid.clear();
      run.partial = { text: "", api: turn.model.api, provider: event.provider, model: event.model };
      run.announcer.messageStart();
    } else if (event.type === "text") {
      run.partial ??= { text: "", api: turn.model.api, provider: turn.model.provider, model: turn.model.id };
      run.partial.text += event.delta;
      run.announcer.text(event.delta);
    } else if (event.type === "toolCall") {
      if (event.invalid !== undefined) invalid.set(event.id, event.invalid);
    } else if (event.type === "done") {
      run.partial = undefined;
      run.announcer.messageEnd();
      return { message: { ...event.message, timestamp: deps.world.now() }, invalid };
    } else if (event.type === "failed") {
      run.partial = undefined;
      return { failed: event };
    }
  }
  return {
    failed: {
      type: "failed",
      failure: { reason: "unknown", message: "The model's stream ended without an answer." },
      attempts: [],
    },
  };
}

function addUsage(total: Usage, one: Usage): void {
  for (const key of ["input", "output", "cacheRead", "cacheWrite", "totalTokens"] as const) total[key] += one[key];
  for (const key of ["input", "output", "cacheRead", "cacheWrite", "total"] as const) total.cost[key] += one.cost[key];
}

function sessionPatch(turn: Turn, last: AssistantMessage, usage: Usage): NonNullable<Ending["session"]> {
  const { input, cacheRead, cacheWrite } = last.usage;
  return {
    modelProvider: last.provider,
    model: last.model,
    inputTokens: usage.input + usage.cacheRead + usage.cacheWrite,
    outputTokens: usage.output,
    totalTokens: input + cacheRead + cacheWrite,
    contextTokens: turn.model.contextWindow,
    systemSent: true,
    ...(turn.reportChanged ? { systemPromptReport: turn.report } : {}),
  };
}

function doneEnding(turn: Turn, message: AssistantMessage, texts: string[], usage: Usage): Ending {
  const last = texts.at(-1) ?? "";
  const said = texts.map(spoken).filter((text) => text !== "");
  const finalText = isSilent(last) ? undefined : said.at(-1);
  return {
    state: "ok",
    messages: [message],
    texts: said,
    raw: texts,
    ...(finalText === undefined ? {} : { finalText }),
    stopReason: message.stopReason,
    session: sessionPatch(turn, message, usage),
    provider: message.provider,
    model: message.model,
    usage,
  };
}

function failedEnding(turn: Turn, failed: Failed, texts: string[], usage: Usage, deps: TurnDeps): Ending {
  const error = failureText(failed);
  const message: AssistantMessage = {
    role: "assistant",
    content: [],
    api: turn.model.api,
    provider: turn.model.provider,
    model: turn.model.id,
    usage: emptyUsage(),
    ...failed.message,
    stopReason: "error",
    errorMessage: error,
    timestamp: deps.world.now(),
  };
  // Calls of a message that broke off were never run and never will be.
  message.content = message.content.filter((part) => part.type !== "toolCall");
  return {
    state: "error",
    error,
    errorKind: failureKind(failed.failure.reason),
    messages: [message],
    texts: texts.map(spoken).filter((text) => text !== ""),
    raw: texts,
    provider: message.provider,
    model: message.model,
    usage,
  };
}

function limitEnding(turn: Turn, limit: string, texts: string[], usage: Usage): Ending {
  const error = `Stopped: one turn may not make more than ${limit}. Send a message to go on.`;
  return {
    state: "error",
    error,
    errorKind: "unknown",
    texts: texts.map(spoken).filter(Boolean),
    raw: texts,
    provider: turn.model.provider,
    model: turn.model.id,
    usage,
  };
}
