/** From a message of a chat to what a run row needs. Who may write, and what they may command, was judged before. */
import type { ImageContent } from "@openclaw/protocol";
import type { Tx } from "../../store/store.ts";
import type { SessionEntry } from "../sessions/index.ts";
import { type AdmissionDeps, defaultTimeoutMs, isDirect, maxWaitMs, startingOver } from "./admission.ts";
import type { Parsed } from "./commands/parse.ts";
import type { ReplyRoute } from "./delivery.ts";
import type { RunRequest } from "./request.ts";
import type { Acceptance } from "./runs.ts";

export interface ChannelMessage {
  /** Unique among the runs of channels. */
  runId: string;
  /** Canonical. */
  sessionKey: string;
  agentId: string;
  /** Fields of a session that does not exist yet. */
  seed: Partial<SessionEntry>;
  /** What was typed, as `Agents.parse` read it. */
  parsed: Parsed;
  /** What the model reads for a text: with its envelope and context. */
  body: (text: string) => string;
  images: ImageContent[];
  owner: boolean;
  /** For /whoami. */
  sender: string;
  route: ReplyRoute;
  extraSystemPrompt?: string;
  historyTurns?: number;
  skills?: readonly string[];
  /** Further writes of the commit that stores the run. */
  write: (tx: Tx, runRowId: number) => void;
}

export function admitChannel(message: ChannelMessage, deps: AdmissionDeps): Acceptance {
  const { runId, sessionKey, agentId, seed, parsed, body, images, owner, sender, route, write } = message;
  const request: RunRequest = {
    message: parsed.text,
    images,
    agentId,
    origin: "channel",
    owner,
    sender,
    route,
    timeoutMs: defaultTimeoutMs(deps),
    waitMs: maxWaitMs,
    ...(parsed.thinking ? { thinking: parsed.thinking } : {}),
    ...(parsed.verbose ? { verbose: parsed.verbose } : {}),
    ...(parsed.model ? { model: parsed.model } : {}),
    ...(parsed.command ? { command: parsed.command } : {}),
    ...(message.extraSystemPrompt ? { extraSystemPrompt: message.extraSystemPrompt } : {}),
    ...(message.historyTurns === undefined ? {} : { historyTurns: message.historyTurns }),
    ...(message.skills ? { skills: [...message.skills] } : {}),
  };
  const name = parsed.command?.name;
  const final = name === "new" || name === "reset" ? startingOver(request, deps) : request;
  // A bare /new is the request for a greeting, and stays as it is.
  if (!final.command && !(final.fresh && /^\/(?:new|reset)$/i.test(final.message))) final.message = body(final.message);
  return {
    family: "channel",
    runId,
    principal: `channel:${route.channel}`,
    sessionKey,
    seed,
    request: final,
    direct: isDirect(final),
    write,
  };
}
