/** The old keys that described agents (config.md §9): `agent`, `routing.agents` and the model keys. */
import type { Json, Migrating } from "./legacy.ts";
import { isObject } from "./validate.ts";

/** `routing.agents` and `routing.defaultAgentId` become entries of `agents.list`; an entry that is there already wins. */
export function moveRoutedAgents(at: Migrating): void {
  const agents = at.get("routing.agents");
  const defaultId = at.get("routing.defaultAgentId");
  const list = at.get("agents.list");
  const entries: unknown[] = Array.isArray(list) ? list : [];
  const entryOf = (id: string) => entries.find((entry): entry is Json => isObject(entry) && entry.id === id);
  if (isObject(agents)) {
    at.found("routing.agents", "routing.agents moved to agents.list");
    for (const [id, old] of Object.entries(agents)) {
      if (entryOf(id)) at.change(`Removed routing.agents.${id} (agents.list has it already).`);
      else {
        entries.push(isObject(old) ? listed(id, old) : { id });
        at.change(`Moved routing.agents.${id} → agents.list.`);
      }
    }
    at.set("routing.agents", undefined);
  }
  if (typeof defaultId === "string") {
    at.found("routing.defaultAgentId", "routing.defaultAgentId moved to agents.list[].default");
    at.set("routing.defaultAgentId", undefined);
    if (entries.some((entry) => isObject(entry) && entry.default === true)) {
      at.change("Removed routing.defaultAgentId (an agent is marked default already).");
    } else {
      const entry = entryOf(defaultId);
      if (entry) entry.default = true;
      else entries.unshift({ id: defaultId, default: true });
      at.change(`Moved routing.defaultAgentId → agents.list (${defaultId}).`);
    }
  }
  if (entries.length > 0 && list === undefined) at.set("agents.list", entries);
}

function listed(id: string, old: Json): Json {
  const { mentionPatterns, sandbox, subagents, tools, groupChat, ...rest } = old;
  const entry: Json = { id, ...rest };
  if (mentionPatterns !== undefined || groupChat !== undefined) {
    entry.groupChat = {
      ...(mentionPatterns === undefined ? {} : { mentionPatterns }),
      ...(isObject(groupChat) ? groupChat : {}),
    };
  }
  const policy: Json = isObject(tools) ? { ...tools } : {};
  if (isObject(sandbox)) {
    const { tools: inner, ...others } = sandbox;
    if (inner !== undefined) policy.sandbox ??= { tools: inner };
    entry.sandbox = others;
  } else if (sandbox !== undefined) entry.sandbox = sandbox;
  if (isObject(subagents)) {
    const { tools: inner, ...others } = subagents;
    if (inner !== undefined) policy.subagents ??= { tools: inner };
    entry.subagents = others;
  } else if (subagents !== undefined) entry.subagents = subagents;
  if (Object.keys(policy).length > 0) entry.tools = policy;
  return entry;
}

/** Model names that stood in flat keys. Runs before `agent` itself moves. */
export function moveModelKeys(at: Migrating): void {
  for (const base of ["agent", "agents.defaults"]) {
    for (const [key, fallbacks] of [
      ["model", "modelFallbacks"],
      ["imageModel", "imageModelFallbacks"],
    ] as const) {
      const path = `${base}.${key}`;
      const primary = at.get(path);
      if (typeof primary === "string" && (base === "agent" || at.get(`${base}.${fallbacks}`) !== undefined)) {
        at.set(path, { primary });
        at.found(path, `${path} moved to agents.defaults.${key}.primary`);
        at.change(`Moved ${path} → agents.defaults.${key}.primary.`);
      }
      at.move(`${base}.${fallbacks}`, `${path}.fallbacks`);
    }
    moveAllowed(at, base);
    moveAliases(at, base);
  }
}

/** The list of models that may be chosen: keys of `models` now. */
function moveAllowed(at: Migrating, base: string): void {
  const allowed = at.get(`${base}.allowedModels`);
  if (!Array.isArray(allowed)) return;
  const models = modelsOf(at, base);
  for (const model of allowed) if (typeof model === "string") models[model] ??= {};
  at.set(`${base}.allowedModels`, undefined);
  at.set(`${base}.models`, models);
  at.found(`${base}.allowedModels`, `${base}.allowedModels moved to agents.defaults.models`);
  at.change(`Moved ${base}.allowedModels → agents.defaults.models.`);
}

function moveAliases(at: Migrating, base: string): void {
  const aliases = at.get(`${base}.modelAliases`);
  if (!isObject(aliases)) return;
  const models = modelsOf(at, base);
  for (const [alias, model] of Object.entries(aliases)) {
    if (typeof model !== "string") continue;
    const entry = isObject(models[model]) ? models[model] : {};
    models[model] = { alias, ...entry };
  }
  at.set(`${base}.modelAliases`, undefined);
  at.set(`${base}.models`, models);
  at.found(`${base}.modelAliases`, `${base}.modelAliases moved to agents.defaults.models.<model>.alias`);
  at.change(`Moved ${base}.modelAliases → agents.defaults.models.`);
}

function modelsOf(at: Migrating, base: string): Json {
  const models = at.get(`${base}.models`);
  return isObject(models) ? { ...models } : {};
}

/** `agent` as a whole: tools first, what is left are the defaults of all agents. */
export function moveAgentKeys(at: Migrating): void {
  at.move("agent.tools", "tools");
  at.move("agent.elevated", "tools.elevated");
  at.move("agent.bash", "tools.exec");
  for (const part of ["sandbox", "subagents"]) {
    at.move(`agent.${part}.tools`, `tools.${part}.tools`);
    at.move(`agents.defaults.${part}.tools`, `tools.${part}.tools`);
  }
  const agent = at.get("agent");
  if (!isObject(agent)) return;
  if (Object.keys(agent).length > 0) at.move("agent", "agents.defaults");
}
