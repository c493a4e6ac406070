/** Which agents exist, where they live and how they present themselves (agent.md §1). Read from the running config at use. */
import { isAbsolute, join, resolve } from "node:path";
import { GatewayError, type MethodResult } from "@openclaw/protocol";
import type { ConfigSource } from "../../config/section.ts";
import { defaultWorkspace, expandHome, profileName, stateDir } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";
import type { AgentDefaults, AgentsRoomConfig, ListedAgent } from "./agents.config.ts";
import { type Identity, IdentityFiles } from "./identity.ts";

export const implicitAgentId = "main";

/** Lower-case letters, digits, `_` and `-`, at most 64; what else there is becomes `-`. Ids end up in paths. */
export function normalizeAgentId(text: string, fallback = implicitAgentId): string {
  const id = text
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^[-_]+|-+$/g, "")
    .slice(0, 64)
    .replace(/-+$/, "");
  return id === "" ? fallback : id;
}

export class AgentDirectory {
  readonly #config: ConfigSource<AgentsRoomConfig>;
  readonly #world: World;
  readonly #files: IdentityFiles;

  constructor(config: ConfigSource<AgentsRoomConfig>, world: World) {
    this.#config = config;
    this.#world = world;
    this.#files = new IdentityFiles();
  }

  /** Ids in order of the config, the default agent first. Never empty. */
  list(): string[] {
    const first = this.defaultId();
    return [
      first,
      ...this.#list()
        .map((agent) => normalizeAgentId(agent.id))
        .filter((id) => id !== first),
    ].filter((id, at, all) => all.indexOf(id) === at);
  }

  defaultId(): string {
    const list = this.#list();
    const chosen = list.find((agent) => agent.default === true) ?? list[0];
    return chosen ? normalizeAgentId(chosen.id) : implicitAgentId;
  }

  exists(agentId: string): boolean {
    return this.list().includes(agentId);
  }

  listed(agentId: string): ListedAgent | undefined {
    return this.#list().find((agent) => normalizeAgentId(agent.id) === agentId);
  }

  /** Absolute path of the agent's working directory. */
  workspace(agentId: string): string {
    const given = this.listed(agentId)?.workspace;
    if (given) return this.#absolute(given);
    if (agentId === this.defaultId()) {
      const shared = this.#config.current.agents.defaults.workspace;
      return shared ? this.#absolute(shared) : defaultWorkspace(this.#world);
    }
    const profile = profileName(this.#world);
    return join(
      this.#world.homedir(),
      ".openclaw",
      profile ? `workspace-${profile}-${agentId}` : `workspace-${agentId}`,
    );
  }

  /** Absolute path of the directory with the agent's credentials. */
  agentDir(agentId: string): string {
    const given = this.listed(agentId)?.agentDir;
    return given ? this.#absolute(given) : join(stateDir(this.#world), "agents", agentId, "agent");
  }

  /** From the config, completed by IDENTITY.md of the workspace. */
  identity(agentId: string): Identity {
    return { ...this.#files.read(this.workspace(agentId)), ...this.listed(agentId)?.identity };
  }

  /** `agents.list`. */
  summaries(): MethodResult<"agents.list"> {
    const defaultId = this.defaultId();
    const scope = this.#config.current.session?.scope === "global" ? "global" : "per-sender";
    const agents = this.list().map((id) => {
      const name = this.listed(id)?.name;
      const identity = this.identity(id);
      return { id, ...(name ? { name } : {}), ...(Object.keys(identity).length > 0 ? { identity } : {}) };
    });
    return { defaultId, mainKey: "main", scope, agents };
  }

  /** `agent.identity.get`. */
  card(agentId: string): MethodResult<"agent.identity.get"> {
    const identity = this.identity(agentId);
    const name = identity.name ?? this.listed(agentId)?.name ?? "Assistant";
    return {
      agentId,
      name,
      avatar: identity.avatar ?? identity.emoji ?? "A",
      ...(identity.emoji ? { emoji: identity.emoji } : {}),
    };
  }

  /** `agents.defaults.model` and what belongs to it, for the models room. */
  modelSelection(): {
    primary?: string;
    fallbacks: string[];
    allow: NonNullable<AgentDefaults["models"]>;
    contextTokens?: number;
  } {
    const { model, models, contextTokens } = this.#config.current.agents.defaults;
    return { ...chosen(model), allow: models ?? {}, ...(contextTokens === undefined ? {} : { contextTokens }) };
  }

  /** `agents.list[].model` of one agent; undefined when it follows the defaults. */
  agentModel(agentId: string): { primary?: string; fallbacks?: string[] } | undefined {
    const model = this.listed(agentId)?.model;
    if (model === undefined) return undefined;
    const { primary, fallbacks } = chosen(model);
    return { ...(primary ? { primary } : {}), ...(typeof model === "object" && model.fallbacks ? { fallbacks } : {}) };
  }

  /** The id, normalised. Throws GatewayError("invalid") for an unknown one; `method` names the call in the text. */
  require(method: string, agentId: string): string {
    const id = normalizeAgentId(agentId, "");
    if (id === "" || !this.exists(id))
      throw new GatewayError("invalid", `invalid ${method} params: unknown agent id "${agentId.slice(0, 64)}"`);
    return id;
  }

  #list(): readonly ListedAgent[] {
    return this.#config.current.agents.list ?? [];
  }

  #absolute(path: string): string {
    const expanded = expandHome(path, this.#world);
    return isAbsolute(expanded) ? expanded : resolve(this.#world.homedir(), expanded);
  }
}

function chosen(model: AgentDefaults["model"]): { primary?: string; fallbacks: string[] } {
  if (typeof model === "string") return { primary: model, fallbacks: [] };
  return { ...(model?.primary ? { primary: model.primary } : {}), fallbacks: model?.fallbacks ?? [] };
}
