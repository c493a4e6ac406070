/** What the status room reads, collected from the rooms. */
import type { AgentDirectory, Agents } from "../features/agents/index.ts";
import type { Models } from "../features/models/index.ts";
import type { Sessions, SystemEvents } from "../features/sessions/index.ts";
import type { StatusSources } from "../features/status/index.ts";
import type { World } from "../kernel/world.ts";
import type { SqliteStore } from "../store/index.ts";
import { perCommit, perConfig } from "./remembered.ts";

export interface StatusParts {
  world: World;
  version: string;
  config: { readonly current: unknown };
  store: SqliteStore;
  sessions: Sessions;
  systemEvents: SystemEvents;
  agents: Agents;
  directory: AgentDirectory;
  models: Models;
  problems: () => { part: string; message: string }[];
  configPath: string;
  connections: () => number;
}

export function statusSources(parts: StatusParts): StatusSources {
  const { world, sessions, directory, models, store } = parts;
  const count = perCommit(store, (agentId) => sessions.count(agentId || undefined));
  const recent = perCommit(store, (key) => {
    const [limit, agentId] = key.split(" ");
    return sessions.recent(Number(limit), agentId || undefined);
  });
  return {
    world,
    version: parts.version,
    startedAt: world.now(),
    storePath: store.path,
    configPath: parts.configPath,
    defaultAgentId: () => directory.defaultId(),
    agents: () =>
      directory.list().map((id) => {
        const name = directory.listed(id)?.name;
        return name ? { id, name } : { id };
      }),
    sessionCount: (agentId = "") => count(agentId),
    recentSessions: (limit, agentId = "") => recent(`${limit} ${agentId}`),
    model: perConfig(parts.config, () => {
      const { model, offline } = models.describe();
      return {
        ref: model.ref,
        provider: model.provider,
        model: model.id,
        contextTokens: model.contextWindow,
        configured: !offline,
        auth: model.auth,
      };
    }),
    localModels: () =>
      models.local.map((offer) => ({ name: offer.name, models: offer.models, command: offer.command })),
    queuedSystemEvents: () =>
      [...parts.systemEvents.peekAll().values()]
        .flat()
        .map((event) => event.text)
        .slice(0, 100),
    runs: () => {
      const { running, waiting } = parts.agents.status();
      return { active: running, waiting };
    },
    connections: parts.connections,
    problems: parts.problems,
    usageDays: (fromMs, toMs) => sessions.usageDays(fromMs, toMs),
    commitStats: () => store.stats(),
  };
}
