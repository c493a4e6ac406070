/** Rules between keys (config.md §3): what one key's type cannot say. */
import { isObject, type Issue } from "./validate.ts";
import type { Declared } from "./read.ts";

type Report = (path: string, message: string) => void;
type Json = Record<string, unknown>;

/** Issues that make the document invalid. */
export function crossChecks(document: unknown): Issue[] {
  const issues: Issue[] = [];
  if (!isObject(document)) return issues;
  const report: Report = (path, message) => void issues.push({ path, message });
  checkAgents(document, report);
  checkToolLists(document.tools, "tools", report);
  checkChannels(document, report);
  const { hooks, browser } = document;
  if (isObject(hooks)) checkHooks(hooks, document, report);
  if (isObject(browser)) {
    each(browser.profiles, (name, profile) => {
      const path = `browser.profiles.${name}`;
      if (!/^[a-z0-9][a-z0-9-]*$/u.test(name)) report(path, "profile names are lower-case letters, digits and dashes");
      if (profile.cdpPort === undefined && !profile.cdpUrl) report(path, "needs cdpPort or cdpUrl");
    });
  }
  return issues;
}

/** What is legal and deserves a word. */
export function warningsOf(document: unknown, { version, sections }: Declared): Issue[] {
  const warnings: Issue[] = [];
  if (!isObject(document)) return warnings;
  const { meta, session } = document;
  const touched = isObject(meta) ? meta.lastTouchedVersion : undefined;
  if (version && typeof touched === "string" && isNewer(touched, version)) {
    const message = `Config was last written by a newer OpenClaw (${touched}); current version is ${version}.`;
    warnings.push({ path: "meta.lastTouchedVersion", message });
  }
  if (isObject(session) && session.mainKey !== undefined && session.mainKey !== "main") {
    warnings.push({ path: "session.mainKey", message: 'session.mainKey is ignored; main session is always "main".' });
  }
  for (const section of sections) {
    if (section.later && section.announce && document[section.path] !== undefined) {
      warnings.push({ path: section.path, message: "is kept, but what it configures is not part of this release." });
    }
  }
  const known = agentIds(document);
  if (known && Array.isArray(document.bindings)) {
    for (const [i, binding] of document.bindings.entries()) {
      if (isObject(binding) && typeof binding.agentId === "string" && !known.has(binding.agentId.toLowerCase())) {
        warnings.push({ path: `bindings[${i}].agentId`, message: `no agent "${binding.agentId}" in agents.list` });
      }
    }
  }
  return warnings;
}

function agentIds(document: Json): Set<string> | undefined {
  const list = isObject(document.agents) ? document.agents.list : undefined;
  if (!Array.isArray(list)) return new Set(["main"]);
  return new Set(
    list.flatMap((agent) => (isObject(agent) && typeof agent.id === "string" ? [agent.id.toLowerCase()] : [])),
  );
}

/** Versions are year.month.day or semver; only the numbers count. */
function isNewer(a: string, b: string): boolean {
  const parts = (version: string) => (version.match(/\d+/gu) ?? []).slice(0, 3).map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function each(value: unknown, visit: (name: string, item: Json) => void): void {
  if (isObject(value)) for (const [name, item] of Object.entries(value)) if (isObject(item)) visit(name, item);
}

function checkAgents(document: Json, report: Report): void {
  const agents = isObject(document.agents) ? document.agents : {};
  if (isObject(agents.defaults)) checkHeartbeat(agents.defaults.heartbeat, "agents.defaults.heartbeat", report);
  if (!Array.isArray(agents.list)) return;
  const ids = new Set<string>();
  const dirs = new Map<string, string>();
  for (const [i, agent] of agents.list.entries()) {
    if (!isObject(agent) || typeof agent.id !== "string") continue;
    const path = `agents.list[${i}]`;
    const id = agent.id.toLowerCase();
    if (ids.has(id)) report(`${path}.id`, `agent id "${id}" is used twice`);
    ids.add(id);
    checkHeartbeat(agent.heartbeat, `${path}.heartbeat`, report);
    checkToolLists(agent.tools, `${path}.tools`, report);
    const avatar = isObject(agent.identity) ? agent.identity.avatar : undefined;
    if (typeof avatar === "string" && /^(\/|~|[a-z]:[\\/]|(\.\.[\\/]))|[\\/]\.\.([\\/]|$)/iu.test(avatar)) {
      report(`${path}.identity.avatar`, "use a path inside the workspace, an http(s) URL or a data URI");
    }
    if (typeof agent.agentDir !== "string") continue;
    const other = dirs.get(agent.agentDir);
    if (other) report(`${path}.agentDir`, `agents "${other}" and "${id}" share one agentDir; give each its own`);
    dirs.set(agent.agentDir, id);
  }
}

const takenPaths = [
  "v1",
  "tools",
  "api",
  "__openclaw__",
  "health",
  "healthz",
  "startup",
  "startupz",
  "ready",
  "readyz",
];

function checkHooks(hooks: Json, document: Json, report: Report): void {
  if (hooks.enabled === true && !hooks.token) report("hooks.token", "is required when hooks.enabled is true");
  const gateway = isObject(document.gateway) ? document.gateway : {};
  const auth = isObject(gateway.auth) ? gateway.auth : {};
  // Both are texts of this very document: nothing can be learnt from how long it takes.
  const reused = [auth.token, auth.password].includes(hooks.token);
  if (hooks.token && reused) report("hooks.token", "must not be the secret of the gateway itself");
  if (typeof hooks.path === "string") {
    const path = hooks.path.trim().replace(/^\/+|\/+$/gu, "");
    const ui = isObject(gateway.controlUi) ? String(gateway.controlUi.basePath ?? "") : "";
    if (path === "") report("hooks.path", "must not be /");
    else if ([...takenPaths, ui.replace(/^\/+|\/+$/gu, "")].includes(path.split("/")[0] ?? ""))
      report("hooks.path", `/${path} is used by something else; choose another path`);
    else if (!/^[\w.~/-]+$/u.test(path) || path.includes("//") || /(^|\/)\.\.?(\/|$)/u.test(path))
      report("hooks.path", "may hold letters, digits, - _ . ~ and single slashes");
  }
  if (!Array.isArray(hooks.mappings)) return;
  for (const [i, mapping] of hooks.mappings.entries()) {
    const module = isObject(mapping) && isObject(mapping.transform) ? mapping.transform.module : undefined;
    if (typeof module === "string" && /^([\\/]|[a-z]:)|(^|[\\/])\.\.([\\/]|$)|\0/iu.test(module))
      report(`hooks.mappings[${i}].transform.module`, "must be a path inside hooks.transformsDir");
  }
}

function checkHeartbeat(heartbeat: unknown, path: string, report: Report): void {
  if (!isObject(heartbeat)) return;
  if (typeof heartbeat.every === "string" && !/^\s*\d+(\.\d+)?\s*(ms|s|m|h)?\s*$/u.test(heartbeat.every)) {
    report(`${path}.every`, "expected a duration such as 30m or 1h (units ms, s, m, h)");
  }
}

/** `allow` names everything, `alsoAllow` adds to a profile: both at once contradict each other. */
function checkToolLists(tools: unknown, path: string, report: Report): void {
  if (!isObject(tools)) return;
  if (tools.allow !== undefined && tools.alsoAllow !== undefined)
    report(path, "has both allow and alsoAllow; use one of them");
  each(tools.byProvider, (name, rules) => checkToolLists(rules, `${path}.byProvider.${name}`, report));
  for (const part of ["sandbox", "subagents"]) {
    const inner = tools[part];
    if (isObject(inner)) checkToolLists(inner.tools, `${path}.${part}.tools`, report);
  }
}

/** Platforms whose settings may stand in a shared config although nothing here speaks to them. */
export const knownChannels = [
  "whatsapp",
  "telegram",
  "discord",
  "slack",
  "signal",
  "imessage",
  "googlechat",
  "msteams",
  "mattermost",
  "matrix",
  "nostr",
  "zalo",
  "zalouser",
  "line",
  "bluebubbles",
  "feishu",
  "nextcloud-talk",
  "tlon",
  "twitch",
  "urbit",
  "webchat",
] as const;

function checkChannels(document: Json, report: Report): void {
  const { channels } = document;
  if (!isObject(channels)) return;
  const installed = pluginNames(document.plugins);
  for (const id of Object.keys(channels)) {
    if (id !== "defaults" && !(knownChannels as readonly string[]).includes(id) && !installed.has(id)) {
      report(`channels.${id}`, `unknown channel "${id}": no channel or plugin of that name is installed`);
    }
  }
  each(channels, (id, channel) => {
    checkOpen(channel, `channels.${id}`, report);
    each(channel.accounts, (name, account) =>
      checkOpen({ ...channel, ...account }, `channels.${id}.accounts.${name}`, report),
    );
  });
  const { telegram } = channels;
  if (isObject(telegram)) {
    const needsSecret = (account: Json, path: string) => {
      if (account.webhookUrl && !account.webhookSecret) report(`${path}.webhookSecret`, "is required with webhookUrl");
    };
    needsSecret(telegram, "channels.telegram");
    each(telegram.accounts, (name, account) =>
      needsSecret({ ...telegram, ...account }, `channels.telegram.accounts.${name}`),
    );
  }
}

function checkOpen(channel: Json, path: string, report: Report): void {
  if (channel.dmPolicy !== "open") return;
  const allowed = Array.isArray(channel.allowFrom) ? channel.allowFrom : [];
  if (!allowed.includes("*"))
    report(`${path}.allowFrom`, 'dmPolicy "open" lets everybody in: say so with allowFrom: ["*"]');
}

function pluginNames(plugins: unknown): Set<string> {
  if (!isObject(plugins)) return new Set();
  const named = [plugins.entries, plugins.installs].flatMap((map) => (isObject(map) ? Object.keys(map) : []));
  const allowed = Array.isArray(plugins.allow) ? plugins.allow.filter((name) => typeof name === "string") : [];
  return new Set([...named, ...allowed]);
}
