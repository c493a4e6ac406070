/** What both APIs make of a request that is read and judged: the message that begins a run. */
import type { ImageContent, ToolCallContent } from "@openclaw/protocol";
import type { Agents, CallSettings, ClientMessage, ClientToolResult } from "../agents/index.ts";
import type { ClientTools } from "./client-tools.ts";
import { attachedText, type Conversation, currentText, promptOf } from "./conversation.ts";
import { invalid } from "./fields.ts";
import type { Headers, SessionChoice } from "./target.ts";

/** Owner of the runs: the operator secret, as on the control plane (settled.md 6). */
const principal = "shared";

export interface Asked {
  runId: string;
  agentId: string;
  session: SessionChoice;
  conversation: Conversation;
  images: ImageContent[];
  /** Texts of files, ready for the prompt. */
  files: string[];
  /** First part of what the client adds to the system prompt. */
  instructions?: string | undefined;
  tools: ClientTools;
  settings: CallSettings;
  maxTokens: number | undefined;
  effort: string | undefined;
  headers: Headers;
}

/** `results`: those of calls the session waits for; they go before the message. */
export function messageOf(asked: Asked, results: ClientToolResult[]): ClientMessage {
  const { conversation, images, files, tools, maxTokens, effort, headers, session } = asked;
  const native = results.length > 0;
  const current = native ? conversation.current.filter(({ role }) => role !== "tool") : conversation.current;
  const attached = images.length + files.length;
  const said = currentText(current);
  const text = said.trim() === "" && attached > 0 && !native ? attachedText(attached) : said;
  const history = native ? [] : conversation.history;
  const extra = [asked.instructions ?? "", ...conversation.system, tools.instruction ?? "", ...files];
  const extraSystemPrompt = extra.filter((part) => part.trim() !== "").join("\n\n");
  const model = headers["x-openclaw-model"]?.trim();
  const channel = headers["x-openclaw-message-channel"]?.trim().toLowerCase();
  return {
    runId: asked.runId,
    principal,
    ...session,
    agentId: asked.agentId,
    text,
    body: (typed) => promptOf(history, typed),
    images,
    tools: tools.offered,
    results,
    settings: asked.settings,
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(extraSystemPrompt === "" ? {} : { extraSystemPrompt }),
    ...(effort === undefined ? {} : { thinking: effort }),
    ...(model ? { model } : {}),
    ...(channel && /^[a-z]{1,32}$/.test(channel) ? { channel } : {}),
  };
}

/** Calls a session waits for; a session of this request alone waits for none. */
export const pendingOf = (agents: Agents, { sessionKey, hidden }: SessionChoice): ToolCallContent[] =>
  hidden ? [] : agents.pendingCalls(sessionKey);

/** The results that answer `pending`, in its order; none when none of them is there. Throws HttpError 400 naming a call that is
 *  left without. */
export function resultsFor(
  pending: readonly ToolCallContent[],
  results: Conversation["results"],
  missing: (callId: string) => string,
): ClientToolResult[] {
  if (!pending.some(({ id }) => results.some(({ callId }) => callId === id))) return [];
  return pending.map(({ id, name }) => {
    const result = results.find(({ callId }) => callId === id);
    if (!result) throw invalid(missing(id.slice(0, 128)));
    return { callId: id, name, content: [{ type: "text", text: result.text }] };
  });
}
