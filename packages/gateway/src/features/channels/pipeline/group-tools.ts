/** Which tools a run may use in a group: `tools` of the group, or what `toolsBySender` says about who is asking (agent.md §5.2).
 *  It can only narrow what the agent may do anyway. */
import type { Agents } from "../../agents/index.ts";
import type { ToolRules } from "../../tools/index.ts";
import { groupSettings } from "./access.ts";
import type { ChannelPort } from "./ports.ts";

export interface GroupToolsOptions {
  agents: Pick<Agents, "activeRequest">;
  channel: (id: string) => ChannelPort | undefined;
}

/** For `ToolsOptions.narrower`. */
export const groupTools =
  ({ agents, channel }: GroupToolsOptions) =>
  ({ sessionKey }: { sessionKey: string }): ToolRules[] => {
    const request = agents.activeRequest(sessionKey);
    // A run that another one started has the rights of that one's chat.
    const { route, sender: asker } = request?.behalf ?? request ?? { sender: "" };
    if (!request || !route || request.origin !== "channel" || route.kind === "direct") return [];
    const service = channel(route.channel);
    const access = service?.settings(route.accountId)?.access;
    const group = groupSettings(access?.groups, route.chatId, route.threadId);
    const sender = asker.slice(route.channel.length + 1);
    const rules = bySender(group?.toolsBySender, sender, service?.entry?.normalizeSender) ?? asRules(group?.tools);
    return rules ? [rules] : [];
  };

function bySender(map: unknown, sender: string, normalize: (id: string) => string = (id) => id): ToolRules | undefined {
  if (typeof map !== "object" || map === null) return undefined;
  const entries = Object.entries(map);
  const wanted = normalize(sender);
  const own = entries.find(([id]) => id !== "*" && normalize(id) === wanted) ?? entries.find(([id]) => id === "*");
  return asRules(own?.[1]);
}

const asRules = (value: unknown): ToolRules | undefined =>
  typeof value === "object" && value !== null ? (value as ToolRules) : undefined;
