/** From a request of the HTTP APIs to what a run row needs. The APIs read their dialects; here stands what is the same for all of
 *  them (http.md §8, §9). */
import { GatewayError, type ImageContent, type TextContent, type ToolCallContent } from "@openclaw/protocol";
import { type CallSettings, parseThinkingLevel, type ToolSpec } from "../models/index.ts";
import type { SessionEntry } from "../sessions/index.ts";
import {
  type AdmissionDeps,
  assertSendable,
  defaultTimeoutMs,
  isDirect,
  maxWaitMs,
  parseText,
  startingOver,
} from "./admission.ts";
import { toolCallsOf } from "./context.ts";
import type { Parsed } from "./commands/parse.ts";
import type { RunRequest } from "./request.ts";
import type { Acceptance } from "./runs.ts";
import { modelOf } from "./turn.ts";
import type { TurnDeps } from "./turn-deps.ts";

export type { CallSettings } from "../models/index.ts";

/** A tool that the client runs itself: a call of it ends the run. */
export type ClientToolSpec = ToolSpec;

export interface ClientToolResult {
  callId: string;
  name: string;
  content: (TextContent | ImageContent)[];
}

/** Plain JSON, as the run's row keeps it. */
export interface ClientRequest {
  tools: ClientToolSpec[];
  /** Results of calls that an earlier run of the session handed over; they go before the message. */
  results: ClientToolResult[];
  settings: CallSettings;
  maxTokens?: number;
}

export interface ClientMessage extends ClientRequest {
  /** On the wire of the control plane too. Unique. */
  runId: string;
  principal: string;
  /** Canonical. */
  sessionKey: string;
  agentId: string;
  /** The session exists for this request only (settled.md 14). */
  hidden: boolean;
  /** What the person wrote; directives at its start count (http.md §8.9). */
  text: string;
  /** What the model reads for it: with the history the client sent. */
  body: (text: string) => string;
  images: ImageContent[];
  extraSystemPrompt?: string;
  /** As a thinking directive says it. */
  thinking?: string;
  /** Reference of a model for this run only. */
  model?: string;
  /** Channel the agent is told it speaks on. */
  channel?: string;
}

const sender = "an API client with the shared secret";

/** Throws GatewayError("invalid"): a name of the client's tools that the agent has itself, an unknown model or level. */
export function admitClient(message: ClientMessage, deps: AdmissionDeps & Pick<TurnDeps, "toolBox">): Acceptance {
  const { runId, principal, sessionKey, agentId, hidden, images, tools, results, settings, maxTokens } = message;
  assertSendable(sessionKey, deps);
  const parsed: Parsed = message.text === "" ? { text: "" } : parseText(message.text, deps);
  const thinking = levelOf(message.thinking) ?? parsed.thinking;
  const model = message.model === undefined ? parsed.model : deps.models.resolve(message.model).ref;
  const request: RunRequest = {
    message: parsed.text === message.text.trim() ? message.text : parsed.text,
    images,
    agentId,
    origin: "operator",
    owner: true,
    sender,
    timeoutMs: defaultTimeoutMs(deps),
    waitMs: maxWaitMs,
    client: { tools, results, settings, ...(maxTokens === undefined ? {} : { maxTokens }) },
    ...(message.extraSystemPrompt ? { extraSystemPrompt: message.extraSystemPrompt } : {}),
    ...(thinking ? { thinking } : {}),
    ...(parsed.verbose ? { verbose: parsed.verbose } : {}),
    ...(model ? { model } : {}),
    ...(parsed.command ? { command: parsed.command } : {}),
  };
  const name = parsed.command?.name;
  const final = name === "new" || name === "reset" ? startingOver(request, deps) : request;
  if (!final.command && final.message !== "") final.message = message.body(final.message);
  assertNoCollision(final, sessionKey, deps);
  const seed: Partial<SessionEntry> = { hidden, channel: message.channel ?? "webchat" };
  return { family: "agent", runId, principal, sessionKey, seed, request: final, direct: isDirect(final) };
}

/** Calls without a result in the last message of a session's agent. Reads the newest entries only. */
export function pendingCalls(sessionKey: string, deps: Pick<TurnDeps, "sessions">): ToolCallContent[] {
  const session = deps.sessions.get(sessionKey);
  if (!session) return [];
  const answered = new Set<string>();
  for (const { body } of deps.sessions.entries(session.sessionId, { limit: 256 }).toReversed()) {
    if (body.type !== "message") continue;
    if (body.message.role === "toolResult") answered.add(body.message.toolCallId);
    else if (body.message.role === "user") return [];
    else return toolCallsOf(body.message).filter((call) => !answered.has(call.id));
  }
  return [];
}

function assertNoCollision(
  request: RunRequest,
  sessionKey: string,
  deps: Pick<TurnDeps, "toolBox" | "models" | "sessions">,
) {
  const tools = request.client?.tools ?? [];
  if (tools.length === 0) return;
  const { agentId, owner, origin } = request;
  const { provider, id } = modelOf(deps, agentId, deps.sessions.get(sessionKey), request.model);
  const own = deps.toolBox().forRun({ agentId, provider, model: id, owner, origin, sessionKey });
  const taken = tools.find(({ name }) => own.some((tool) => tool.name === name.toLowerCase()));
  if (!taken) return;
  throw new GatewayError(
    "invalid",
    `The tool name '${taken.name}' is taken by a tool of the agent; choose another one.`,
  );
}

function levelOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const level = parseThinkingLevel(text);
  if (level) return level;
  throw new GatewayError("invalid", `Unknown thinking level '${text.slice(0, 40)}'.`);
}
