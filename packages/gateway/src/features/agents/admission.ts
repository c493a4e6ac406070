/** From the params of `agent` and `chat.send` to what a run row needs; everything wrong with them is said here, before anything
 *  is stored (protocol.md §13.3, §13.5). */
import { GatewayError, type MethodParams } from "@openclaw/protocol";
import { parseThinkingLevel } from "../models/index.ts";
import type { SessionEntry } from "../sessions/index.ts";
import { readImages } from "./attachments.ts";
import { findCommand } from "./commands/table.ts";
import { type Parsed, parseMessage } from "./commands/parse.ts";
import type { RunRequest } from "./request.ts";
import type { Acceptance } from "./runs.ts";
import type { TurnDeps } from "./turn-deps.ts";

/** Names `channel` and `replyChannel` may carry, configured or not. */
const knownChannels = new Set([
  "last",
  "webchat",
  "whatsapp",
  "telegram",
  "discord",
  "googlechat",
  "slack",
  "signal",
  "imessage",
]);

const minuteMs = 60_000;
export const maxRunMs = 24 * 60 * minuteMs;
export const maxWaitMs = 60 * minuteMs;

export interface Caller {
  principal: string;
  owner: boolean;
  /** For /whoami. */
  sender: string;
}

export type AdmissionDeps = Pick<TurnDeps, "sessions" | "models" | "directory" | "config" | "world" | "routes">;
type Deps = AdmissionDeps;

export function admitAgent(params: MethodParams<"agent">, caller: Caller, deps: Deps): Acceptance {
  for (const channel of [params.channel, params.replyChannel]) {
    const name = channel?.trim().toLowerCase();
    if (name && !knownChannels.has(name))
      throw new GatewayError("invalid", `invalid agent params: unknown channel: ${name.slice(0, 64)}`);
  }
  const target = chooseSession(params, deps);
  assertSendable(target.sessionKey, deps);
  const seconds = params.timeout;
  const timeoutMs =
    seconds === undefined ? defaultTimeoutMs(deps) : seconds === 0 ? maxRunMs : Math.min(seconds * 1_000, maxRunMs);
  const request = readMessage(
    { ...params, agentId: target.agentId, timeoutMs, waitMs: maxWaitMs },
    caller,
    target.sessionKey,
    deps,
  );
  if (params.extraSystemPrompt) request.extraSystemPrompt = params.extraSystemPrompt;
  const route = params.deliver === true ? routeOf(params, target.sessionKey, deps) : undefined;
  if (route) request.route = route;
  const seed: Partial<SessionEntry> = {
    ...target.seed,
    ...(params.label ? { label: params.label } : {}),
    ...(params.spawnedBy ? { spawnedBy: params.spawnedBy } : {}),
  };
  return {
    family: "agent",
    runId: params.idempotencyKey,
    principal: caller.principal,
    sessionKey: target.sessionKey,
    seed,
    request,
    direct: isDirect(request),
  };
}

export function admitChat(params: MethodParams<"chat.send">, caller: Caller, deps: Deps): Acceptance {
  const sessionKey = deps.sessions.canonicalKey(params.sessionKey);
  assertSendable(sessionKey, deps);
  const agentId = deps.sessions.agentOf(sessionKey);
  // Zero means no limit of its own; the ceiling holds for everybody.
  const timeoutMs =
    params.timeoutMs === undefined
      ? defaultTimeoutMs(deps)
      : params.timeoutMs === 0
        ? maxRunMs
        : Math.min(params.timeoutMs, maxRunMs);
  const expiryMs = Math.min(Math.max(timeoutMs + minuteMs, 2 * minuteMs), maxRunMs);
  const request = readMessage(
    { ...params, agentId, timeoutMs, waitMs: Math.min(expiryMs, maxWaitMs) },
    caller,
    sessionKey,
    deps,
  );
  if (request.message.trim() === "" && request.images.length === 0)
    throw new GatewayError("invalid", "message or attachment required");
  return {
    family: "chat",
    runId: params.idempotencyKey,
    principal: caller.principal,
    sessionKey,
    seed: { channel: "webchat" },
    request,
    direct: isDirect(request),
  };
}

/** Whether a request is answered beside its lane: after a restart the row is asked again. */
export const isDirect = (request: RunRequest): boolean =>
  request.command !== undefined && findCommand(request.command.name)?.inLane !== true;

export const defaultTimeoutMs = (deps: Deps): number => deps.config.current.agents.defaults.timeoutSeconds * 1_000;

export function assertSendable(sessionKey: string, deps: Deps): void {
  if (sessionKey === "" || deps.sessions.maySend(deps.sessions.get(sessionKey) ?? { key: sessionKey })) return;
  throw new GatewayError("invalid", "send blocked by session policy");
}

interface Target {
  sessionKey: string;
  agentId: string;
  seed: Partial<SessionEntry>;
}

/** `sessionKey`, else `agentId` alone, else `sessionId`, else `to`. The key is empty when none of them is there. */
function chooseSession(params: MethodParams<"agent">, deps: Deps): Target {
  const { sessions, directory } = deps;
  const given = params.agentId === undefined ? undefined : directory.require("agent", params.agentId);
  const agentId = given ?? directory.defaultId();
  const sessionKey = params.sessionKey?.trim();
  const sessionId = params.sessionId?.trim();
  const to = params.to?.trim();
  if (sessionKey) {
    const key = sessions.canonicalKey(sessionKey, agentId);
    return { sessionKey: key, agentId: assertSameAgent("agent", given, key, deps), seed: {} };
  }
  if (given && !sessionId && !to) return { sessionKey: sessions.mainKey(given), agentId: given, seed: {} };
  if (sessionId) {
    const known = sessions.bySessionId(sessionId);
    if (known) return { sessionKey: known.key, agentId: assertSameAgent("agent", given, known.key, deps), seed: {} };
    return { sessionKey: sessions.canonicalKey(`explicit:${sessionId}`, agentId), agentId, seed: { sessionId } };
  }
  if (to) return { sessionKey: directKey(to, agentId, params.channel, deps), agentId, seed: {} };
  return { sessionKey: "", agentId, seed: {} };
}

/** Agent of the key. Throws GatewayError("invalid") when the caller named another one. */
export function assertSameAgent(
  method: string,
  agentId: string | undefined,
  sessionKey: string,
  deps: Pick<Deps, "sessions">,
): string {
  const owner = deps.sessions.agentOf(sessionKey);
  if (agentId !== undefined && agentId !== owner) {
    throw new GatewayError(
      "invalid",
      `invalid ${method} params: agent "${agentId}" does not match session key agent "${owner}"`,
    );
  }
  return owner;
}

/** The direct session of a sender, as `session.dmScope` groups them. */
function directKey(to: string, agentId: string, channel: string | undefined, deps: Deps): string {
  const scope = deps.config.current.session?.dmScope ?? "main";
  const peer = to.replace(/^[a-z]+:/i, "").replace(/[\s()]/g, "");
  const name = channel && channel !== "last" ? channel.trim().toLowerCase() : "webchat";
  if (scope === "main") return deps.sessions.mainKey(agentId);
  if (scope === "per-peer") return deps.sessions.canonicalKey(`dm:${peer}`, agentId);
  if (scope === "per-channel-peer") return deps.sessions.canonicalKey(`${name}:dm:${peer}`, agentId);
  return deps.sessions.canonicalKey(`${name}:default:dm:${peer}`, agentId);
}

interface Incoming {
  message: string;
  attachments?: readonly unknown[] | undefined;
  thinking?: string | undefined;
  agentId: string;
  timeoutMs: number;
  waitMs: number;
}

function readMessage(incoming: Incoming, caller: Caller, sessionKey: string, deps: Deps): RunRequest {
  const { agentId, timeoutMs, waitMs } = incoming;
  const images = readImages(incoming.attachments);
  const parsed: Parsed = sessionKey ? parseText(incoming.message, deps) : { text: incoming.message };
  const thinking = levelOf(incoming.thinking) ?? parsed.thinking;
  const request: RunRequest = {
    message: parsed.text === incoming.message.trim() ? incoming.message : parsed.text,
    images,
    agentId,
    origin: "operator",
    owner: caller.owner,
    timeoutMs,
    waitMs,
    sender: caller.sender,
    ...(thinking ? { thinking } : {}),
    ...(parsed.verbose ? { verbose: parsed.verbose } : {}),
    ...(parsed.model ? { model: parsed.model } : {}),
    ...(parsed.command ? { command: parsed.command } : {}),
  };
  const name = parsed.command?.name;
  return name === "new" || name === "reset" ? startingOver(request, deps) : request;
}

export const parseText = (text: string, deps: Pick<Deps, "models" | "config">): Parsed =>
  deps.config.current.commands.text ? parseMessage(text, (word) => namedModel(word, deps) !== undefined) : { text };

/** `deliver: true`: the person named, else where the session was last spoken to. */
function routeOf(params: MethodParams<"agent">, sessionKey: string, deps: Deps) {
  const channel = params.replyChannel ?? params.channel;
  const to = params.replyTo ?? params.to;
  const accountId = params.replyAccountId ?? params.accountId;
  try {
    return deps.routes?.()?.({
      sessionKey,
      ...(channel ? { channel: channel.trim().toLowerCase() } : {}),
      ...(to ? { to } : {}),
      ...(accountId ? { accountId } : {}),
      ...(params.threadId ? { threadId: params.threadId } : {}),
    });
  } catch (error) {
    if (params.bestEffortDeliver === true && error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** `/new [model] [text]`: the text, or a greeting, is the first message of the new session. */
export function startingOver(request: RunRequest, deps: Deps): RunRequest {
  const [first = "", ...others] = (request.command?.args ?? "").split(/\s+/);
  const model = first === "" ? undefined : namedModel(first, deps);
  const text = model ? others.join(" ") : (request.command?.args ?? "");
  const answering = model ?? deps.models.defaultModel(request.agentId);
  const { command, ...rest } = request;
  const chosen = model ? { sessionModel: { provider: model.provider, id: model.id } } : {};
  if (text !== "") return { ...rest, ...chosen, message: text, fresh: true };
  // Without a model there is nobody to greet; the command answers by itself.
  if (answering.api === "offline" && command) return { ...rest, ...chosen, command };
  return { ...rest, ...chosen, message: `/${command?.name ?? "new"}`, fresh: true };
}

/** A model somebody named on purpose: a full reference, an alias, or the id of a listed model. */
function namedModel(word: string, deps: Pick<Deps, "models" | "config">) {
  const aliases = Object.values(deps.config.current.agents.defaults.models ?? {}).map(({ alias }) =>
    alias?.toLowerCase(),
  );
  const listed = () => deps.models.list().some((model) => model.id === word || model.ref === word);
  if (!/^[\w.:@/-]{1,200}$/.test(word) || !(aliases.includes(word.toLowerCase()) || listed())) return undefined;
  return deps.models.resolve(word);
}

/** A level given beside the message. Throws GatewayError("invalid") when it is none. */
function levelOf(text: string | undefined): string | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const level = parseThinkingLevel(text);
  if (!level)
    throw new GatewayError(
      "invalid",
      `invalid thinking level "${text.slice(0, 40)}" (use off|minimal|low|medium|high|xhigh)`,
    );
  return level;
}

/** A key in use belongs to who used it first. Throws GatewayError("invalid") for anybody else. */
export function assertOwner(principal: string, caller: Caller, runId: string): void {
  if (principal === caller.principal) return;
  throw new GatewayError(
    "invalid",
    `idempotencyKey "${runId.slice(0, 128)}" is in use by another client; choose a new one`,
    { details: { code: "IDEMPOTENCY_KEY_IN_USE" } },
  );
}
