/** What runs by itself in one generation: heartbeats, and the webhooks that start runs. */
import type { AgentDirectory, Agents } from "../features/agents/index.ts";
import {
  AutomationEndings,
  automationMethods,
  Heartbeats,
  Hooks,
  invokeRoute,
  type NotePort,
} from "../features/automation/index.ts";
import { channelRows } from "../features/channels/index.ts";
import { type Models, parseThinkingLevel } from "../features/models/index.ts";
import { isSubagentKey, type Sessions, type SystemEvents } from "../features/sessions/index.ts";
import type { ToolBox, ToolRules } from "../features/tools/index.ts";
import type { Bus } from "../kernel/bus.ts";
import type { HttpRoute } from "../kernel/http.ts";
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
  models: Models;
  tools: () => ToolBox;
  /** Folder of the config file. */
  configDir: string;
  systemEvents: SystemEvents;
  held: () => string | undefined;
}

/** Starts nothing: `heartbeats.start` does. */
export function buildAutomation(parts: AutomationParts) {
  const { world, store, bus, config, directory, sessions, agents, channels, systemEvents, held } = parts;
  systemEvents.load(store);
  const note: NotePort = (tx, key, text, wake) => systemEvents.keep(tx, key, text, wake);
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
    note,
    inner: channels.replies,
  });
  const methods = automationMethods({ heartbeats, mainKey: () => sessions.mainKey(), store, note });
  const hooks = new Hooks({
    world,
    log,
    config,
    agents,
    directory,
    sessions,
    heartbeats,
    store,
    note,
    waking: () => systemEvents.waking(store),
    held,
    routes: channels.routes,
    thinkingLevel: parseThinkingLevel,
    checkModel: (reference) => void parts.models.resolve(reference),
    channels: {
      ids: channelRows.map(({ id }) => id),
      aliases: Object.fromEntries(channelRows.flatMap(({ id, aliases }) => aliases.map((alias) => [alias, id]))),
    },
    configDir: parts.configDir,
  });
  const invoke = invokeRoute({
    world,
    config,
    tools: parts.tools,
    agents,
    directory,
    sessions,
    modelOf: (agentId) => parts.models.defaultModel(agentId),
    narrower: (sessionKey, channel, accountId) => [
      ...groupRules(channels, sessionKey, channel, accountId),
      ...(isSubagentKey(sessionKey) ? [config.current.tools.subagents?.tools ?? {}] : []),
    ],
    systemEvent: (key, text) => void systemEvents.enqueue(key, text),
  });
  const routes: HttpRoute[] = [hooks.route, invoke];
  return { heartbeats, endings, methods, hooks, routes };
}

/** What the group of a session allows: `agent:<id>:<channel>:group:<chat>`. */
function groupRules(
  channels: ChannelRooms,
  sessionKey: string,
  named: string | undefined,
  accountId: string | undefined,
): ToolRules[] {
  const [, inKey, chat] = /^agent:[^:]+:([^:]+):(?:group|channel):([^:]+)/.exec(sessionKey) ?? [];
  const service = channels.find(inKey ?? named ?? "");
  const account = accountId ?? service?.defaultAccountId();
  const groups = account === undefined ? undefined : service?.settings(account)?.access.groups;
  if (!groups || chat === undefined) return [];
  const group = Object.hasOwn(groups, chat) ? groups[chat] : groups["*"];
  const rules = group?.tools;
  return typeof rules === "object" && rules !== null ? [rules as ToolRules] : [];
}
