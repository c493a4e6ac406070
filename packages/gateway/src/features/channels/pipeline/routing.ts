/** Which agent and which session a message belongs to (channels.md §3, agent.md §6.1, §6.2). Pure. */
import type { ChannelEntry, Target } from "../channel.ts";
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
  /** The platform's own reading of ids. Undefined while its adapter is not there: ids are then compared as they are typed. */
  entry?: Pick<ChannelEntry, "id" | "normalizeSender" | "parseTarget"> | undefined;
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

function findBinding({ channel, accountId, message, config, entry }: RoutingInput): {
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
  const named = fitting.flatMap((binding) => {
    const { peer } = binding.match;
    return peer && peerKind(peer.kind) === kind ? [{ binding, name: peerName(peer.id, kind, entry) }] : [];
  });
  for (const name of names) {
    const binding = named.find((one) => one.name === name)?.binding;
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

/** An id people typed, as the platform's messages name the same chat: `+1 555 123` and `1555123@s.whatsapp.net` are one person,
 *  `tg:-100:7` is a topic of a group. */
function peerName(typed: string, kind: InboundMessage["chat"]["kind"], entry: RoutingInput["entry"]): string {
  const bare = typed.trim();
  if (!entry) return bare.toLowerCase();
  if (kind === "direct") return entry.normalizeSender(withoutChannel(bare, entry.id)).toLowerCase();
  try {
    const { chatId, threadId } = entry.parseTarget(bare);
    return `${chatId}${threadId === undefined ? "" : `:topic:${threadId}`}`.toLowerCase();
  } catch {
    // No destination the platform knows; messages may name it so all the same.
    return withoutChannel(bare, entry.id).toLowerCase();
  }
}

const withoutChannel = (id: string, channel: string): string =>
  id.toLowerCase().startsWith(`${channel}:`) ? id.slice(channel.length + 1).trim() : id;

/** `dm` is the old name of `direct`. */
const peerKind = (kind: string): string => (kind === "dm" ? "direct" : kind);

function keyOf({ channel, accountId, message, config, entry }: RoutingInput): string {
  const { chat } = message;
  if (chat.kind === "direct") {
    const thread = chat.threadId === undefined ? "" : `:thread:${chat.threadId}`;
    const base = directKey(channel, accountId, chat.id, config.session, entry);
    return base === "" ? (thread === "" ? "" : `main${thread}`) : base + thread;
  }
  const topic = chat.kind === "group" ? ":topic:" : ":thread:";
  return `${channel}:${chat.kind}:${chat.id}${chat.threadId === undefined ? "" : topic + chat.threadId}`;
}

function directKey(
  channel: string,
  accountId: string,
  peerId: string,
  session: PipelineConfig["session"],
  entry: RoutingInput["entry"],
): string {
  if (session.dmScope === "main") return "";
  const peer = linkedName(channel, peerId, session.identityLinks, entry) ?? peerId;
  if (session.dmScope === "per-peer") return `dm:${peer}`;
  if (session.dmScope === "per-channel-peer") return `${channel}:dm:${peer}`;
  return `${channel}:${accountId}:dm:${peer}`;
}

/** The name under which somebody with several ids is known. An id may say its channel; one that does not is read as of this one. */
function linkedName(
  channel: string,
  peerId: string,
  links: PipelineConfig["session"]["identityLinks"],
  entry: RoutingInput["entry"],
): string | undefined {
  const wanted = peerId.toLowerCase();
  for (const [name, ids] of Object.entries(links ?? {}))
    if (ids.some((id) => peerName(withoutChannel(id.trim(), channel), "direct", entry) === wanted)) return name;
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
