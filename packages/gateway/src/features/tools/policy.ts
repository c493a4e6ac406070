/** Which tools a run may use (agent.md §5): groups, aliases, profiles and layers, each of which may only narrow. */

export interface ToolRules {
  profile?: string;
  allow?: readonly string[];
  alsoAllow?: readonly string[];
  deny?: readonly string[];
}

/** One place of the configuration that says something about tools. */
export interface ToolPolicyConfig extends ToolRules {
  byProvider?: Readonly<Record<string, ToolRules>>;
}

export const toolGroups: Readonly<Record<string, readonly string[]>> = {
  "group:fs": ["read", "write", "edit", "apply_patch"],
  "group:runtime": ["exec", "process"],
  "group:sessions": ["sessions_list", "sessions_history", "sessions_send", "sessions_spawn", "session_status"],
  "group:memory": ["memory_search", "memory_get"],
  "group:web": ["web_search", "web_fetch"],
  "group:ui": ["browser", "canvas"],
  "group:automation": ["cron", "gateway"],
  "group:messaging": ["message"],
  "group:nodes": ["nodes"],
};

const beyondGroups = ["agents_list", "image", "tts"];

/** Every name the gateway has a meaning for, present in this build or not: a rule naming one is no typo. */
const builtIn: ReadonlySet<string> = new Set([...Object.values(toolGroups).flat(), ...beyondGroups]);

export const toolProfiles: Readonly<Record<string, readonly string[]>> = {
  minimal: ["session_status"],
  coding: ["group:fs", "group:runtime", "group:sessions", "group:memory", "image"],
  messaging: ["group:messaging", "sessions_list", "sessions_history", "sessions_send", "session_status"],
  full: ["*"],
};

const aliases: Readonly<Record<string, string>> = { bash: "exec", "apply-patch": "apply_patch" };

/** Canonical name: trimmed, lower case, aliases resolved. */
export function toolName(name: string): string {
  const lower = name.trim().toLowerCase();
  return Object.hasOwn(aliases, lower) ? (aliases[lower] ?? lower) : lower;
}

interface Matcher {
  matches(name: string): boolean;
  /** Whether any pattern names a tool, a group or a wildcard this gateway knows. */
  known: boolean;
}

function matcher(patterns: readonly string[], registered: ReadonlySet<string>): Matcher {
  const names = new Set<string>();
  const globs: RegExp[] = [];
  let known = false;
  const openclaw = (name: string) =>
    builtIn.has(name) && !toolGroups["group:fs"]?.includes(name) && !toolGroups["group:runtime"]?.includes(name);
  for (const pattern of patterns) {
    const name = toolName(pattern);
    if (name === "group:openclaw") {
      for (const one of builtIn) if (openclaw(one)) names.add(one);
      known = true;
    } else if (Object.hasOwn(toolGroups, name)) {
      for (const one of toolGroups[name] ?? []) names.add(one);
      known = true;
    } else if (name.includes("*")) {
      globs.push(new RegExp(`^${name.split("*").map(escaped).join(".*")}$`, "u"));
      known = true;
    } else if (name !== "") {
      names.add(name);
      known ||= registered.has(name) || builtIn.has(name);
    }
  }
  if (names.has("exec")) names.add("apply_patch");
  return { known, matches: (name) => names.has(name) || globs.some((glob) => glob.test(name)) };
}

const escaped = (text: string): string => text.replaceAll(/[.+?^${}()|[\]\\]/gu, "\\$&");

export interface PolicyRequest {
  /** Canonical names of all registered tools. */
  tools: readonly string[];
  provider: string;
  model: string;
  global: ToolPolicyConfig;
  agent?: ToolPolicyConfig | undefined;
  /** Layers 7 to 9, in order: group and sender, sandbox, sub-agent. Absent ones are left out. */
  narrower?: readonly ToolRules[];
  /** Hears of rules that were ignored. */
  warn?: (text: string) => void;
}

/** Names that survive every layer, in the order of `tools`. In a layer deny wins; an empty or absent allow means all. */
export function allowedTools(request: PolicyRequest): string[] {
  const registered = new Set(request.tools);
  const warn = request.warn ?? (() => {});
  let left = [...request.tools];
  const narrow = (rules: ToolRules, where: string) => {
    const deny = rules.deny?.length ? matcher(rules.deny, registered) : undefined;
    let allow = rules.allow?.length ? matcher([...rules.allow, ...(rules.alsoAllow ?? [])], registered) : undefined;
    if (allow && !allow.known) {
      warn(`${where}.allow names no tool this gateway knows and is ignored: ${rules.allow?.join(", ")}`);
      allow = undefined;
    }
    left = left.filter((name) => !deny?.matches(name) && (allow?.matches(name) ?? true));
  };
  const narrowToProfile = (rules: ToolRules, where: string) => {
    if (rules.profile === undefined) return;
    const profile = Object.hasOwn(toolProfiles, rules.profile) ? toolProfiles[rules.profile] : undefined;
    if (!profile) {
      warn(
        `${where}.profile "${rules.profile}" is unknown and is ignored; known: ${Object.keys(toolProfiles).join(", ")}`,
      );
      return;
    }
    const allow = matcher([...profile, ...(rules.alsoAllow ?? [])], registered);
    left = left.filter((name) => allow.matches(name));
  };

  const { global, agent } = request;
  const globalForProvider = forProvider(global, request);
  const agentForProvider = agent && forProvider(agent, request);
  if (agent?.profile === undefined) {
    const alsoAllow = [...(global.alsoAllow ?? []), ...(agent?.alsoAllow ?? [])];
    narrowToProfile({ ...global, alsoAllow }, "tools");
  } else narrowToProfile(agent, "agents.list[].tools");
  if (globalForProvider) narrowToProfile(globalForProvider.rules, `tools.byProvider.${globalForProvider.key}`);
  narrow(global, "tools");
  if (globalForProvider) narrow(globalForProvider.rules, `tools.byProvider.${globalForProvider.key}`);
  if (agent) narrow(agent, "agents.list[].tools");
  if (agentForProvider) {
    const where = `agents.list[].tools.byProvider.${agentForProvider.key}`;
    narrowToProfile(agentForProvider.rules, where);
    narrow(agentForProvider.rules, where);
  }
  for (const rules of request.narrower ?? []) narrow(rules, "a narrower layer");
  return left;
}

/** The entry for `provider/model` wins over the one for `provider`. Keys compare without case. */
function forProvider(config: ToolPolicyConfig, run: { provider: string; model: string }) {
  const provider = run.provider.toLowerCase();
  const wanted = [`${provider}/${run.model.toLowerCase()}`, provider];
  for (const name of wanted) {
    for (const [key, rules] of Object.entries(config.byProvider ?? {})) {
      if (key.trim().toLowerCase() === name) return { key, rules };
    }
  }
  return undefined;
}
