/** Tools about sessions: sessions_list, sessions_history, sessions_send (agent.md §4.8). An agent sees its own sessions only, and
 *  in a chat of others only those of that chat. */
import { messageText } from "@openclaw/protocol";
import { Type } from "typebox";
import { errorResult, textResult, tool, type Tool, type ToolContext, type ToolResult } from "../tools/index.ts";
import type { SessionEntry } from "../sessions/index.ts";
import type { Agents } from "./agents.ts";
import type { RunRequest } from "./request.ts";

const maxRows = 50;
const maxHistory = 100;
const maxHistoryChars = 80_000;
const maxTextChars = 4_000;
const defaultSendSeconds = 30;
const maxSendSeconds = 600;
/** Well below the idle limit of a run. */
const signEveryMs = 20_000;

/** The canonical key, if the session belongs to the caller's agent; else the error result to return. */
export function ownSession(agents: Agents, given: string | undefined, context: ToolContext): string | ToolResult {
  const { sessions } = agents.deps;
  const key =
    given === undefined
      ? context.sessionKey
      : (sessions.bySessionId(given)?.key ?? sessions.canonicalKey(given, context.agentId));
  if (sessions.agentOf(key) !== context.agentId)
    return errorResult(`The session ${key} belongs to another agent. Sessions of other agents are not visible here.`);
  if (isVisible(agents, key, context)) return key;
  return errorResult(`The session ${key} is not visible from this conversation (tools.sessions.visibility).`);
}

/** Whether a session of the agent is shown to a run. What is said in a group is read by everybody there, and what is said to a
 *  guest by the guest: their runs see their own chat. */
function isVisible(agents: Agents, key: string, { agentId, runId, sessionKey, owner, origin }: ToolContext): boolean {
  const { sessions, config } = agents.deps;
  const visibility = config.current.tools?.sessions.visibility ?? "chat";
  if (key === sessionKey || visibility === "agent") return true;
  if (visibility !== "chat") return false;
  const chat = agents.chatOf(runId);
  if (!chat) return true;
  if (chat.kind === "direct") return owner || origin !== "channel";
  const group = sessions.canonicalKey(`${chat.channel}:${chat.kind}:${chat.chatId}`, agentId);
  return key === group || key.startsWith(`${group}:`);
}

function row(session: SessionEntry) {
  const {
    key,
    sessionId,
    updatedAt,
    label,
    displayName,
    channel,
    model,
    modelProvider,
    totalTokens,
    contextTokens,
    thinkingLevel,
    lastMessagePreview,
  } = session;
  return {
    key,
    sessionId,
    updatedAt,
    label,
    displayName,
    channel,
    modelProvider,
    model,
    totalTokens,
    contextTokens,
    thinkingLevel,
    preview: lastMessagePreview,
  };
}

const list = (agents: Agents): Tool =>
  tool({
    name: "sessions_list",
    description: "Sessions of this agent, the latest first.",
    params: Type.Object(
      {
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxRows })),
        activeMinutes: Type.Optional(Type.Integer({ minimum: 1 })),
        messageLimit: Type.Optional(
          Type.Integer({ minimum: 0, maximum: 20, description: "Newest messages to include per session." }),
        ),
      },
      { additionalProperties: false },
    ),
    effects: false,
    async run({ limit = 20, activeMinutes, messageLimit = 0 }, context) {
      const since = activeMinutes === undefined ? 0 : agents.deps.world.now() - activeMinutes * 60_000;
      const found = agents.deps.sessions
        .recent(maxRows, context.agentId)
        .filter(({ key, updatedAt }) => updatedAt >= since && isVisible(agents, key, context))
        .slice(0, limit);
      const rows = found.map((session) => ({
        ...row(session),
        ...(messageLimit > 0 ? { messages: history(agents, session.sessionId, messageLimit, false) } : {}),
      }));
      return textResult(JSON.stringify({ count: rows.length, sessions: rows }), { count: rows.length });
    },
  });

function history(
  agents: Agents,
  sessionId: string,
  limit: number,
  includeTools: boolean,
): { role: string; text: string; timestamp: number }[] {
  const lines: { role: string; text: string; timestamp: number }[] = [];
  let left = maxHistoryChars;
  for (const { body, timestamp } of agents.deps.sessions.entries(sessionId, { limit }).toReversed()) {
    if (body.type !== "message" || (body.message.role === "toolResult" && !includeTools)) continue;
    const text = messageText(body.message).slice(0, Math.min(maxTextChars, left)).toWellFormed();
    if (text === "") continue;
    left -= text.length;
    lines.unshift({ role: body.message.role, text, timestamp });
  }
  return lines;
}

const read = (agents: Agents): Tool =>
  tool({
    name: "sessions_history",
    description: "Messages of one of this agent's sessions, oldest first. Tool results are left out unless asked for.",
    params: Type.Object(
      {
        sessionKey: Type.String({ minLength: 1, description: "Key or session id." }),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxHistory })),
        includeTools: Type.Optional(Type.Boolean()),
      },
      { additionalProperties: false },
    ),
    effects: false,
    async run({ sessionKey, limit = 20, includeTools = false }, context) {
      const key = ownSession(agents, sessionKey, context);
      if (typeof key !== "string") return key;
      const session = agents.deps.sessions.get(key);
      if (!session) return errorResult(`There is no session ${key}.`);
      return textResult(
        JSON.stringify({ sessionKey: key, messages: history(agents, session.sessionId, limit, includeTools) }),
      );
    },
  });

const send = (agents: Agents): Tool =>
  tool({
    name: "sessions_send",
    description:
      "Sends a message into another session of this agent and waits for the reply. timeoutSeconds 0 does not wait.",
    params: Type.Object(
      {
        sessionKey: Type.String({ minLength: 1, description: "Key or session id." }),
        message: Type.String({ minLength: 1 }),
        timeoutSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: maxSendSeconds })),
      },
      { additionalProperties: false },
    ),
    effects: true,
    async run({ sessionKey, message, timeoutSeconds = defaultSendSeconds }, context) {
      const key = ownSession(agents, sessionKey, context);
      if (typeof key !== "string") return key;
      const sender = agents.runs
        .all()
        .find((run) => run.runId === context.runId && run.sessionKey === context.sessionKey);
      if (key === context.sessionKey || sender?.holds(key))
        return errorResult("That session is waiting for this very run; answer instead of sending to it.");
      return deliver(
        agents,
        { key, message, timeoutSeconds, asked: sender?.request, parent: timeoutSeconds > 0 ? sender : undefined },
        context,
      );
    },
  });

async function deliver(
  agents: Agents,
  letter: {
    key: string;
    message: string;
    timeoutSeconds: number;
    /** What the run that sends it was asked. */
    asked: RunRequest | undefined;
    parent: ReturnType<Agents["runs"]["all"]>[number] | undefined;
  },
  context: ToolContext,
): Promise<ToolResult> {
  const { world, config } = agents.deps;
  const { asked } = letter;
  const behalf = asked?.behalf ?? (asked?.route && { sender: asked.sender, route: asked.route });
  const { runId, ended } = await agents.submit({
    family: "agent",
    runId: world.uuid(),
    principal: "gateway",
    sessionKey: letter.key,
    parent: letter.parent,
    request: {
      message: `[From session ${context.sessionKey}] ${letter.message}`,
      images: [],
      agentId: context.agentId,
      origin: context.origin,
      owner: context.owner,
      nested: true,
      timeoutMs: config.current.agents.defaults.timeoutSeconds * 1_000,
      waitMs: 3_600_000,
      sender: `session ${context.sessionKey}`,
      ...(behalf ? { behalf } : {}),
    },
  });
  if (letter.timeoutSeconds === 0) return textResult(JSON.stringify({ runId, status: "accepted" }));
  const late = Promise.withResolvers<undefined>();
  const timer = world.after(letter.timeoutSeconds * 1_000, () => late.resolve(undefined));
  const signs = world.every(signEveryMs, () => context.update(textResult("waiting for the reply")));
  const stop = () => late.resolve(undefined);
  context.signal.addEventListener("abort", stop, { once: true });
  try {
    const end = await Promise.race([ended, late.promise]);
    if (!end) return textResult(JSON.stringify({ runId, status: "timeout" }));
    const reply = end.outcome.payloads.map(({ text }) => text).join("\n\n");
    const answer =
      end.outcome.status === "ok"
        ? { runId, status: "ok", reply }
        : { runId, status: end.outcome.status, error: end.outcome.summary };
    return { ...textResult(JSON.stringify(answer)), isError: end.outcome.status !== "ok" };
  } finally {
    timer.cancel();
    signs.cancel();
    context.signal.removeEventListener("abort", stop);
  }
}

export const sessionTools = (agents: Agents): Tool[] => [list(agents), read(agents), send(agents)];
