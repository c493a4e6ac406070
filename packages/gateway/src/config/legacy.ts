/** Keys of earlier releases and where their values live now (config.md §9). Reading migrates a copy in memory and says so; only
 *  `doctor --fix` writes the result (R-CFG-1). A value that already stands at the target is never overwritten. */
import { same } from "./diff.ts";
import { getIn, setIn } from "./edit.ts";
import { moveAgentKeys, moveModelKeys, moveRoutedAgents } from "./legacy-agents.ts";
import { isIndex, parsePath, unsafeKeys } from "./path.ts";
import { isObject, type Issue } from "./validate.ts";

export type Json = Record<string, unknown>;

export interface Migration {
  /** The document with the keys of today. The same object when nothing is old. */
  document: Json;
  /** One per old key that was found: where it went. */
  issues: Issue[];
  /** One line per change, for people. */
  changes: string[];
}

/** What a rule works with. */
export interface Migrating {
  readonly document: Json;
  get(path: string): unknown;
  set(path: string, value: unknown): void;
  /** Reports an old key once. `where` says what became of it. */
  found(path: string, where: string): void;
  change(line: string): void;
  /** Moves a value; objects are merged and what stands at the target wins. True when there was something to move. */
  move(from: string, to: string): boolean;
  /** Removes a value nobody reads any more. */
  drop(from: string, why: string): boolean;
}

interface Rule {
  /** The old key, for the table of tests. */
  old: string;
  run(at: Migrating): void;
}

const moved = (from: string, to: string): Rule => ({ old: from, run: (at) => void at.move(from, to) });
const gone = (from: string, why: string): Rule => ({ old: from, run: (at) => void at.drop(from, why) });

const channelIds = ["whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams"] as const;

/** In the order in which they run: later rules see what earlier ones moved. */
export const legacyRules: readonly Rule[] = [
  ...channelIds.map((id) => moved(id, `channels.${id}`)),
  { old: "routing.allowFrom", run: moveAllowFrom },
  { old: "routing.groupChat.requireMention", run: moveRequireMention },
  moved("channels.telegram.requireMention", 'channels.telegram.groups["*"].requireMention'),
  moved("routing.groupChat.mentionPatterns", "messages.groupChat.mentionPatterns"),
  moved("routing.groupChat.historyLimit", "messages.groupChat.historyLimit"),
  moved("routing.bindings", "bindings"),
  { old: "bindings[].match.provider", run: renameInBindings },
  { old: "routing.agents", run: moveRoutedAgents },
  moved("routing.agentToAgent", "tools.agentToAgent"),
  moved("routing.queue", "messages.queue"),
  moved("messages.queue.byProvider", "messages.queue.byChannel"),
  { old: "routing.transcribeAudio", run: (at) => moveTranscription(at, "routing.transcribeAudio") },
  { old: "audio.transcription", run: (at) => moveTranscription(at, "audio.transcription") },
  { old: "session.sendPolicy.rules[].match.provider", run: renameInSendPolicy },
  { old: "agent.model", run: moveModelKeys },
  { old: "agent", run: moveAgentKeys },
  { old: "identity", run: moveIdentity },
  moved("tools.bash", "tools.exec"),
  { old: "messages.tts.enabled", run: moveTts },
  { old: "gateway.token", run: moveGatewayToken },
  { old: 'auth.profiles["anthropic:claude-cli"].mode', run: fixClaudeProfile },
  { old: "browser.profiles.clawd", run: renameClawd },
  moved("session.resetByType.dm", "session.resetByType.direct"),
  gone("browser.controlUrl", "the browser is controlled through the gateway"),
  gone("browser.controlToken", "the browser is controlled through the gateway"),
  gone("bridge", "the bridge protocol is retired"),
];

/** Never throws and never changes `document`. */
export function migrateLegacy(document: Json): Migration {
  if (!mayBeOld(document)) return { document, issues: [], changes: [] };
  const copy = structuredClone(document);
  const issues: Issue[] = [];
  const changes: string[] = [];
  const at = migrating(copy, issues, changes);
  for (const rule of legacyRules) rule.run(at);
  for (const path of ["routing.groupChat", "routing", "audio", "agent"]) removeEmpty(copy, document, path);
  return changes.length > 0 ? { document: copy, issues, changes } : { document, issues: [], changes: [] };
}

const oldRoots: ReadonlySet<string> = new Set([...channelIds, "routing", "identity", "agent", "bridge", "audio"]);
const newRoots: ReadonlySet<string> = new Set([
  "channels",
  "bindings",
  "messages",
  "session",
  "tools",
  "gateway",
  "auth",
  "browser",
]);

/** Cheap look before a copy is made: most documents have none of these. */
function mayBeOld(document: Json): boolean {
  return Object.keys(document).some((key) => oldRoots.has(key) || newRoots.has(key));
}

function migrating(document: Json, issues: Issue[], changes: string[]): Migrating {
  const get = (path: string) => getIn(document, parsePath(path));
  // A parent that is no object is wrong anyway; validation says so, and the value stays where it was.
  const reachable = (keys: readonly string[]) =>
    keys.every((key, i) => {
      const parent = getIn(document, keys.slice(0, i));
      return parent === undefined || isObject(parent) || (Array.isArray(parent) && isIndex(key));
    });
  const set = (path: string, value: unknown) => {
    const keys = parsePath(path);
    if (reachable(keys)) setIn(document, { path: keys, value });
  };
  const found = (path: string, where: string) => {
    if (!issues.some((issue) => issue.path === path))
      issues.push({ path, message: `${where} (auto-migrated on load).` });
  };
  return {
    document,
    get,
    set,
    found,
    change: (line) => void changes.push(line),
    move(from, to) {
      const value = get(from);
      if (value === undefined || !reachable(parsePath(to))) return false;
      const present = get(to);
      found(from, `${from} moved to ${to}`);
      set(from, undefined);
      if (present === undefined) {
        set(to, value);
        changes.push(`Moved ${from} → ${to}.`);
      } else if (isObject(present) && isObject(value)) {
        set(to, mergeUnder(present, value));
        changes.push(`Merged ${from} → ${to}.`);
      } else changes.push(`Removed ${from} (${to} already set).`);
      return true;
    },
    drop(from, why) {
      if (get(from) === undefined) return false;
      found(from, `${from} was removed: ${why}`);
      set(from, undefined);
      changes.push(`Removed ${from} (${why}).`);
      return true;
    },
  };
}

/** `over` wins; what only `under` has is added. */
export function mergeUnder(over: Json, under: Json): Json {
  const result: Json = { ...over };
  for (const [key, value] of Object.entries(under)) {
    if (unsafeKeys.has(key)) continue;
    const present = Object.hasOwn(over, key) ? over[key] : undefined;
    result[key] =
      present === undefined ? value : isObject(present) && isObject(value) ? mergeUnder(present, value) : present;
  }
  return result;
}

/** A group that only held old keys goes with them. */
function removeEmpty(copy: Json, original: Json, path: string): void {
  const keys = path.split(".");
  const value = getIn(copy, keys);
  const before = getIn(original, keys);
  if (isObject(value) && Object.keys(value).length === 0 && !same(value, before))
    setIn(copy, { path: keys, value: undefined });
}

function moveAllowFrom(at: Migrating): void {
  if (at.get("channels.whatsapp") !== undefined) at.move("routing.allowFrom", "channels.whatsapp.allowFrom");
  else at.drop("routing.allowFrom", "WhatsApp is not configured");
}

function moveRequireMention(at: Migrating): void {
  const from = "routing.groupChat.requireMention";
  const value = at.get(from);
  if (value === undefined) return;
  const targets = ["whatsapp", "telegram", "imessage"].filter((id) => at.get(`channels.${id}`) !== undefined);
  if (targets.length === 0) return void at.drop(from, "no channel is configured that uses it");
  at.set(from, undefined);
  at.found(from, `${from} moved to channels.<id>.groups["*"].requireMention`);
  for (const id of targets) {
    const to = `channels.${id}.groups["*"].requireMention`;
    if (at.get(to) !== undefined) at.change(`Removed ${from} (${to} already set).`);
    else {
      at.set(to, value);
      at.change(`Moved ${from} → ${to}.`);
    }
  }
}

/** Renames a key of an object; an existing new one wins. */
export function renameKey(at: Migrating, holder: Json, path: string, old: string, name: string): void {
  if (!Object.hasOwn(holder, old)) return;
  at.found(`${path}.${old}`, `${path}.${old} is now ${path}.${name}`);
  at.change(
    Object.hasOwn(holder, name)
      ? `Removed ${path}.${old} (${path}.${name} already set).`
      : `Renamed ${path}.${old} → ${name}.`,
  );
  if (!Object.hasOwn(holder, name)) holder[name] = holder[old];
  delete holder[old];
}

function renameInBindings(at: Migrating): void {
  const bindings = at.get("bindings");
  if (!Array.isArray(bindings)) return;
  for (const [i, binding] of bindings.entries()) {
    if (!isObject(binding) || !isObject(binding.match)) continue;
    const path = `bindings[${i}].match`;
    renameKey(at, binding.match, path, "provider", "channel");
    renameKey(at, binding.match, path, "accountID", "accountId");
    if (isObject(binding.match.peer)) renameDirect(at, binding.match.peer, `${path}.peer`, "kind");
  }
}

function renameInSendPolicy(at: Migrating): void {
  const rules = at.get("session.sendPolicy.rules");
  if (!Array.isArray(rules)) return;
  for (const [i, rule] of rules.entries()) {
    if (!isObject(rule) || !isObject(rule.match)) continue;
    renameKey(at, rule.match, `session.sendPolicy.rules[${i}].match`, "provider", "channel");
    renameDirect(at, rule.match, `session.sendPolicy.rules[${i}].match`, "chatType");
  }
}

function renameDirect(at: Migrating, holder: Json, path: string, key: string): void {
  if (holder[key] !== "dm") return;
  holder[key] = "direct";
  at.found(`${path}.${key}`, `the value "dm" of ${path}.${key} is now "direct"`);
  at.change(`Changed ${path}.${key} from "dm" to "direct".`);
}

/** A command line that turned speech into text is one of the media models now. */
function moveTranscription(at: Migrating, from: string): void {
  const old = at.get(from);
  if (old === undefined) return;
  const words = isObject(old) ? old.command : undefined;
  const [command, ...args] =
    Array.isArray(words) && words.every((word) => typeof word === "string") ? (words as string[]) : [];
  if (!command || /[;&|`$<>\n]/u.test(command)) return void at.drop(from, "its command is not supported");
  const to = "tools.media.audio.models";
  if (at.get(to) !== undefined) {
    at.found(from, `${from} moved to ${to}`);
    at.set(from, undefined);
    return at.change(`Removed ${from} (${to} already set).`);
  }
  const seconds = isObject(old) && typeof old.timeoutSeconds === "number" ? { timeoutSeconds: old.timeoutSeconds } : {};
  at.set(from, undefined);
  at.set(to, [{ type: "cli", command, ...(args.length > 0 ? { args } : {}), ...seconds }]);
  at.found(from, `${from} moved to ${to}`);
  at.change(`Moved ${from} → ${to}.`);
}

/** To the default agent, which is the one marked so, else the first, else a new `main`. */
function moveIdentity(at: Migrating): void {
  if (!isObject(at.get("identity"))) return;
  const list = at.get("agents.list");
  if (!Array.isArray(list) || list.length === 0) at.set("agents.list", [{ id: "main" }]);
  const agents = at.get("agents.list");
  if (!Array.isArray(agents)) return;
  const index = Math.max(
    0,
    agents.findIndex((agent) => isObject(agent) && agent.default === true),
  );
  at.move("identity", `agents.list[${index}].identity`);
}

function moveTts(at: Migrating): void {
  const from = "messages.tts.enabled";
  const value = at.get(from);
  if (value === undefined) return;
  const set = at.get("messages.tts.auto") !== undefined;
  at.set(from, undefined);
  at.found(from, `${from} moved to messages.tts.auto`);
  if (!set) at.set("messages.tts.auto", value === true ? "always" : "off");
  at.change(set ? `Removed ${from} (messages.tts.auto already set).` : `Moved ${from} → messages.tts.auto.`);
}

function moveGatewayToken(at: Migrating): void {
  if (!at.move("gateway.token", "gateway.auth.token")) return;
  if (at.get("gateway.auth.mode") === undefined) at.set("gateway.auth.mode", "token");
}

function fixClaudeProfile(at: Migrating): void {
  const path = 'auth.profiles["anthropic:claude-cli"].mode';
  if (at.get(path) !== "token") return;
  at.set(path, "oauth");
  at.found(path, `${path} "token" is now "oauth"`);
  at.change(`Changed ${path} from "token" to "oauth".`);
}

function renameClawd(at: Migrating): void {
  const browser = at.get("browser");
  if (!isObject(browser)) return;
  const rename = (holder: Json, key: string, path: string) => {
    if (holder[key] !== "clawd") return;
    holder[key] = "openclaw";
    at.found(path, `the value "clawd" of ${path} is now "openclaw"`);
    at.change(`Changed ${path} from "clawd" to "openclaw".`);
  };
  rename(browser, "defaultProfile", "browser.defaultProfile");
  at.move("browser.profiles.clawd", "browser.profiles.openclaw");
  for (const [name, profile] of Object.entries(isObject(browser.profiles) ? browser.profiles : {})) {
    if (isObject(profile)) rename(profile, "driver", `browser.profiles.${name}.driver`);
  }
}
