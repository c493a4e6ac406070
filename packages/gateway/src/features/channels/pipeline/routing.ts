/** Which agent and which session a message belongs to (channels.md §3, agent.md §6.1, §6.2). Pure. */
import type { Target } from "../channel.ts";
import type { InboundMessage } from "../inbound.ts";
import type { PipelineConfig } from "./ports.ts";

export interface RoutingInput {
  channel: string;
  accountId: string;
  message: Pick<InboundMessage, "chat">;
  config: Pick<PipelineConfig, "bindings" | "session">;
  defaultAgent: string;
  exists: (agentId: string) => boolean;
  normalizeAgentId: (text: string) => string;
}

export interface Route {
  agentId: string;
  /** Below `agent:<id>:`, or empty for the main session. */
  key: string;
  matchedBy: "binding.peer" | "binding.account" | "binding.channel" | "default";
}

type Binding = PipelineConfig["bindings"][number];

export function routeOf(input: RoutingInput): Route {
  const { binding, matchedBy } = findBinding(input);
  const named = binding ? input.normalizeAgentId(binding.agentId) : input.defaultAgent;
  return { agentId: input.exists(named) ? named : input.defaultAgent, key: keyOf(input), matchedBy };
}

function findBinding({ channel, accountId, message, config }: RoutingInput): {
  binding: Binding | undefined;
  matchedBy: Route["matchedBy"];
} {
  const fitting = config.bindings.filter(({ match }) => {
    if (match.channel.trim().toLowerCase() !== channel) return false;
    const account = match.accountId?.trim();
    return account === "*" || account === accountId || (!account && accountId === "default");
  });
  const { kind, id, threadId } = message.chat;
  // A group may be named with its topic; the more exact name is looked for first.
  const names = [...(threadId === undefined ? [] : [`${id}:topic:${threadId}`]), id].map((name) => name.toLowerCase());
  for (const name of names) {
    const binding = fitting.find(
      ({ match }) => match.peer && peerKind(match.peer.kind) === kind && match.peer.id.trim().toLowerCase() === name,
    );
    if (binding) return { binding, matchedBy: "binding.peer" };
  }
  const open = fitting.filter(({ match }) => !match.peer && !match.guildId && !match.teamId);
  const byAccount = open.find(({ match }) => match.accountId?.trim() !== "*");
  if (byAccount) return { binding: byAccount, matchedBy: "binding.account" };
  const [byChannel] = open;
  return byChannel
    ? { binding: byChannel, matchedBy: "binding.channel" }
    : { binding: undefined, matchedBy: "default" };
}

/** `dm` is the old name of `direct`. */
const peerKind = (kind: string): string => (kind === "dm" ? "direct" : kind);

function keyOf({ channel, accountId, message, config }: RoutingInput): string {
  const { chat } = message;
  if (chat.kind === "direct") {
    const thread = chat.threadId === undefined ? "" : `:thread:${chat.threadId}`;
    const base = directKey(channel, accountId, chat.id, config.session);
    return base === "" ? (thread === "" ? "" : `main${thread}`) : base + thread;
  }
  const topic = chat.kind === "group" ? ":topic:" : ":thread:";
  return `${channel}:${chat.kind}:${chat.id}${chat.threadId === undefined ? "" : topic + chat.threadId}`;
}

function directKey(channel: string, accountId: string, peerId: string, session: PipelineConfig["session"]): string {
  if (session.dmScope === "main") return "";
  const peer = linkedName(channel, peerId, session.identityLinks) ?? peerId;
  if (session.dmScope === "per-peer") return `dm:${peer}`;
  if (session.dmScope === "per-channel-peer") return `${channel}:dm:${peer}`;
  return `${channel}:${accountId}:dm:${peer}`;
}

/** The name under which somebody with several ids is known. */
function linkedName(
  channel: string,
  peerId: string,
  links: PipelineConfig["session"]["identityLinks"],
): string | undefined {
  const wanted = [peerId.toLowerCase(), `${channel}:${peerId}`.toLowerCase()];
  for (const [name, ids] of Object.entries(links ?? {}))
    if (ids.some((id) => wanted.includes(id.trim().toLowerCase()))) return name;
  return undefined;
}

/** Where an answer to a message goes. */
export function targetOf({ chat }: InboundMessage): Target {
  return {
    chatId: chat.replyId ?? chat.id,
    kind: chat.kind,
    ...(chat.threadId === undefined ? {} : { threadId: chat.threadId }),
  };
}

/** Names a chat of an account; everything that happens there happens in one order. */
export const chatKeyOf = (channel: string, accountId: string, { chat }: InboundMessage): string =>
  `${channel} ${accountId} ${chat.id} ${chat.threadId ?? ""}`;
