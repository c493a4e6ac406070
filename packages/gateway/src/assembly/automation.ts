/** What runs by itself in one generation: heartbeats, and the webhooks that start runs. */
import type { AgentDirectory, Agents } from "../features/agents/index.ts";
import { AutomationEndings, automationMethods, Heartbeats } from "../features/automation/index.ts";
import type { Sessions } from "../features/sessions/index.ts";
import type { Bus } from "../kernel/bus.ts";
import type { Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";
import type { Store } from "../store/index.ts";
import type { ChannelRooms } from "./channels.ts";
import type { EffectiveConfig } from "./sections.ts";

export interface AutomationParts {
  world: World;
  log: Logger;
  store: Store;
  bus: Bus;
  config: { readonly current: EffectiveConfig };
  directory: AgentDirectory;
  sessions: Sessions;
  agents: Agents;
  channels: ChannelRooms;
  systemEvent: (sessionKey: string, text: string) => void;
  held: () => string | undefined;
}

/** Starts nothing: `heartbeats.start` does. */
export function buildAutomation(parts: AutomationParts) {
  const { world, store, bus, config, directory, sessions, agents, channels, systemEvent, held } = parts;
  const log = parts.log.child("automation");
  const heartbeats = new Heartbeats({
    world,
    log,
    store,
    bus,
    config,
    directory,
    agents,
    sessions,
    held,
    routes: {
      routes: channels.routes,
      allowed: (channel, accountId) => {
        const service = channels.find(channel);
        const list = service?.settings(accountId)?.access.allowFrom;
        const entry = service?.entry;
        return list && entry ? { list, normalize: (id) => entry.normalizeSender(id) } : undefined;
      },
    },
  });
  const endings = new AutomationEndings({
    world,
    log,
    config,
    heartbeats,
    sessions,
    systemEvent,
    inner: channels.replies,
  });
  const methods = automationMethods({ heartbeats, mainKey: () => sessions.mainKey(), systemEvent });
  return { heartbeats, endings, methods };
}
