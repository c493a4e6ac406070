/** What was sent to a chat on an operator's behalf also stands in the session of that chat, so that the agent knows it said so
 *  (protocol.md §13.2). Writing history never sends anything (R-OUT-4). */
import type { Logger } from "../../kernel/log.ts";
import type { World } from "../../kernel/world.ts";
import type { Store } from "../../store/store.ts";
import { type AgentDirectory, injectedMessage, normalizeAgentId } from "../agents/index.ts";
import type { Sessions } from "../sessions/index.ts";
import type { PipelineConfig } from "./pipeline/ports.ts";
import { routeOf } from "./pipeline/routing.ts";
import type { ChannelEntry, Target } from "./channel.ts";

export interface MirrorOptions {
  world: World;
  store: Store;
  log: Logger;
  sessions: Sessions;
  directory: AgentDirectory;
  config: { readonly current: PipelineConfig };
  /** The adapter of a channel, once it is there. */
  entry: (channel: string) => ChannelEntry | undefined;
}

export interface SentToChat {
  sessionKey?: string;
  agentId?: string;
  /** Session whose run sends it: there the call of the tool says so already. */
  fromSession?: string;
  channel: string;
  accountId: string;
  target: Target;
  text: string;
}

/** Never rejects: the message left, whatever happens to the note of it. */
export const mirror =
  ({ world, store, log, sessions, directory, config, entry }: MirrorOptions) =>
  async ({ sessionKey, agentId, fromSession, channel, accountId, target, text }: SentToChat): Promise<void> => {
    if (text.trim() === "") return;
    try {
      const { chatId: id, kind, threadId } = target;
      const route = routeOf({
        channel,
        accountId,
        message: { chat: { kind, id, ...(threadId === undefined ? {} : { threadId }) } },
        config: config.current,
        defaultAgent: directory.defaultId(),
        exists: (name) => directory.exists(name),
        normalizeAgentId,
        entry: entry(channel),
      });
      const key = sessionKey
        ? sessions.canonicalKey(sessionKey, agentId)
        : sessions.canonicalKey(route.key, agentId ?? route.agentId);
      if (key === fromSession) return;
      await store.commit((tx) => {
        sessions.ensure(tx, key, { channel, chatType: kind });
        sessions.append(tx, key, { type: "message", message: injectedMessage(text, world.now()) });
      });
    } catch (error) {
      log.warn("a sent message could not be noted in its session", { error, channel });
    }
  };
