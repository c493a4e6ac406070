/** Which agent answers a request, and in which session (http.md §8.1, §8.2). */
import { createHash } from "node:crypto";
import type { AgentDirectory } from "../agents/index.ts";
import { invalid } from "./fields.ts";

export type Headers = Readonly<Record<string, string | undefined>>;

const agentIdForm = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const modelForm = /^(?:openclaw[:/]|agent:)([a-z0-9][a-z0-9_-]{0,63})$/;

/** The header wins over `model`. Throws HttpError 400 for what names no agent. */
export function agentOf(
  model: string | undefined,
  headers: Headers,
  directory: Pick<AgentDirectory, "defaultId" | "exists">,
): string {
  const asked = (headers["x-openclaw-agent-id"] ?? headers["x-openclaw-agent"])?.trim().toLowerCase();
  if (asked) {
    if (!agentIdForm.test(asked)) throw invalid("Invalid `x-openclaw-agent-id`.");
    return known(asked, directory);
  }
  const name = model?.trim().toLowerCase() ?? "";
  if (name === "" || name === "openclaw") return directory.defaultId();
  const agentId = modelForm.exec(name)?.[1];
  if (agentId === undefined) throw invalid("Invalid `model`. Use `openclaw` or `openclaw/<agentId>`.", "model");
  if (agentId === "default" && !directory.exists(agentId)) return directory.defaultId();
  return known(agentId, directory);
}

function known(agentId: string, directory: Pick<AgentDirectory, "exists">): string {
  if (directory.exists(agentId)) return agentId;
  throw invalid(`Unknown agent '${agentId}'.`, "model");
}

export interface SessionChoice {
  /** Canonical. */
  sessionKey: string;
  /** For this request only: in no list, gone after an hour (settled.md 14). */
  hidden: boolean;
}

/** Rooms of their own kind; a client may not speak in them. */
const reserved = /^agent:[^:]+:(?:subagent|cron|acp)(?::|$)/;
const maxUserChars = 256;
const maxUserPart = 300;

/** The session named by the header, the one of `user`, else a fresh one. `kind`: `openai` or `openresponses`. */
export function sessionOf(
  given: { headers: Headers; user: string | undefined; agentId: string; kind: string; fresh: string },
  sessions: { canonicalKey(key: string, agentId?: string): string; agentOf(key: string): string },
): SessionChoice {
  const { headers, agentId, kind } = given;
  const named = headers["x-openclaw-session-key"]?.trim();
  if (named) {
    const sessionKey = sessions.canonicalKey(named, agentId);
    if (reserved.test(sessionKey))
      throw invalid("`x-openclaw-session-key` cannot use reserved internal session namespaces.");
    if (sessions.agentOf(sessionKey) !== agentId)
      throw invalid(`\`x-openclaw-session-key\` belongs to another agent than '${agentId}'.`);
    return { sessionKey, hidden: false };
  }
  const user = userPart(given.user ?? "");
  if (user !== "") return { sessionKey: sessions.canonicalKey(`${kind}-user:${user}`, agentId), hidden: false };
  return { sessionKey: sessions.canonicalKey(`${kind}:${given.fresh}`, agentId), hidden: true };
}

/** A user as one part of a key: no control characters, nothing that structures keys or paths, and short enough for one. Within
 *  the first 256 characters two users never share one. */
function userPart(user: string): string {
  const plain = user
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029\ufeff]/gu, "")
    .trim();
  const capped = [...plain].slice(0, maxUserChars).join("");
  const part = capped.replace(/[%/\\:]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  return part.length <= maxUserPart ? part : `%${createHash("sha256").update(part).digest("hex")}`;
}
