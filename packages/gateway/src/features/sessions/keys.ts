/** Session keys (protocol.md §10.5, agent.md §6.1): one grammar, read here and nowhere else. */
import { GatewayError } from "@openclaw/protocol";

/** The rest of every agent's main key. The config key `session.mainKey` is ignored. */
export const mainKeyName = "main";
export const maxKeyLength = 512;

export interface KeyRules {
  defaultAgent: string;
  scope: "per-sender" | "global";
  exists(agentId: string): boolean;
}

/** Slashes, control characters and line separators never occur in a key: it may end up in a log line or a name. */
const forbidden = /[\p{Cc}\u2028\u2029\ufeff/\\]/u;
const agentIdForm = /^[a-z0-9][a-z0-9_-]{0,63}$/u;

const refuse = (message: string) => new GatewayError("invalid", message, { details: { code: "INVALID_SESSION_KEY" } });

/** Agent id and rest of a key that starts with `agent:`. Undefined when it has another form. */
export function splitKey(key: string): { agentId: string; rest: string } | undefined {
  const colon = key.indexOf(":", 6);
  if (!key.startsWith("agent:") || colon < 7 || colon === key.length - 1) return undefined;
  return { agentId: key.slice(6, colon), rest: key.slice(colon + 1) };
}

/** Trimmed and lower-case. Throws `invalid` for what no key may contain. */
export function checkedKey(input: string): string {
  if (input.length > maxKeyLength) throw refuse(`invalid session key: longer than ${maxKeyLength} characters`);
  if (forbidden.test(input) || !input.isWellFormed()) {
    throw refuse("invalid session key: slashes, control characters and broken characters are not allowed");
  }
  const key = input.trim().toLowerCase();
  if (key.length > maxKeyLength) throw refuse(`invalid session key: longer than ${maxKeyLength} characters`);
  return key;
}

export function checkedAgentId(input: string, exists: (agentId: string) => boolean): string {
  const agentId = input.trim().toLowerCase();
  if (!agentIdForm.test(agentId) || !exists(agentId)) {
    throw new GatewayError("invalid", `unknown agent id "${input.slice(0, 64)}"`, {
      details: { code: "UNKNOWN_AGENT" },
    });
  }
  return agentId;
}

export function mainKeyOf(agentId: string, rules: Pick<KeyRules, "scope">): string {
  return rules.scope === "global" ? "global" : `agent:${agentId}:${mainKeyName}`;
}

/** Direct chats are written `dm`; newer clients say `direct`. Only the part that names the kind of chat is changed. */
const asWritten = (rest: string): string =>
  rest.replace(/^((?:(?!(?:dm|direct|group|channel):)[^:]*:){0,2})direct:/u, "$1dm:");

/** Throws GatewayError("invalid") for keys with forbidden characters, of a broken form or of an unknown agent. Idempotent:
 *  the canonical key of a canonical key is itself. */
export function canonicalKey(input: string, rules: KeyRules, agentId?: string): string {
  const key = checkedKey(input);
  if (key === "global" || key === "unknown") return key;
  if (key.startsWith("agent:")) {
    const parts = splitKey(key);
    if (!parts) throw refuse('invalid session key: expected "agent:<id>:<name>"');
    const agent = checkedAgentId(parts.agentId, rules.exists);
    const rest = parts.rest.trim();
    if (rest === "") throw refuse('invalid session key: expected "agent:<id>:<name>"');
    return rest === mainKeyName ? mainKeyOf(agent, rules) : `agent:${agent}:${asWritten(rest)}`;
  }
  const agent = agentId === undefined ? rules.defaultAgent : checkedAgentId(agentId, rules.exists);
  if (key === "" || key === mainKeyName) return mainKeyOf(agent, rules);
  const canonical = `agent:${agent}:${asWritten(key)}`;
  if (canonical.length > maxKeyLength) throw refuse(`invalid session key: longer than ${maxKeyLength} characters`);
  return canonical;
}

/** Key of the conversation a thread or topic belongs to; undefined when the key names none. */
export function parentKey(key: string): string | undefined {
  const at = Math.max(key.lastIndexOf(":thread:"), key.lastIndexOf(":topic:"));
  return at > 0 ? key.slice(0, at) : undefined;
}

/** Runs of cron jobs keep their transcript and stay out of lists. */
export const isCronRunKey = (key: string): boolean => /(?:^|:)cron:[^:]+:run:/u.test(key);

export const isSubagentKey = (key: string): boolean => splitKey(key)?.rest.startsWith("subagent:") ?? false;

/** What `sessions.list` calls the kind of a session. */
export function kindOf(key: string, chatType: string | undefined): "direct" | "group" | "global" | "unknown" {
  if (key === "global" || key === "unknown") return key;
  if (chatType === "group" || chatType === "channel" || key.includes(":group:") || key.includes(":channel:"))
    return "group";
  return "direct";
}
