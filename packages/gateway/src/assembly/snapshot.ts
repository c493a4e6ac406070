/** The snapshot of hello-ok (protocol.md §7), taken in the tick in which the connection's subscription begins. */
import type { AgentDirectory } from "../features/agents/index.ts";
import type { Presence } from "../features/presence/index.ts";
import type { Sessions } from "../features/sessions/index.ts";
import type { Health } from "../features/status/index.ts";
import type { Identity } from "../kernel/call.ts";
import type { World } from "../kernel/world.ts";
import type { SnapshotPort } from "../server/index.ts";
import type { EffectiveConfig } from "./sections.ts";

export interface SnapshotParts {
  world: Pick<World, "monotonic">;
  presence: Presence;
  health: Health;
  directory: AgentDirectory;
  sessions: Sessions;
  config: { readonly current: EffectiveConfig };
  configPath: string;
  stateDir: string;
  authMode: string;
}

export function snapshotPort(parts: SnapshotParts): SnapshotPort {
  const startedAt = parts.world.monotonic();
  const stateVersion = () => ({ presence: parts.presence.version, health: parts.health.version });
  return {
    stateVersion,
    snapshot: (identity: Identity) => {
      // Every connect is a reason to look again; the many of a burst share one look.
      parts.health.refreshSoon();
      const defaultAgentId = parts.directory.defaultId();
      return {
        presence: parts.presence.list(),
        health: parts.health.cached(),
        stateVersion: stateVersion(),
        uptimeMs: Math.round(parts.world.monotonic() - startedAt),
        ...(identity.can("operator.admin") ? { configPath: parts.configPath, stateDir: parts.stateDir } : {}),
        sessionDefaults: {
          defaultAgentId,
          mainKey: "main",
          mainSessionKey: parts.sessions.mainKey(defaultAgentId),
          scope: parts.config.current.session.scope,
        },
        authMode: parts.authMode,
      };
    },
  };
}
