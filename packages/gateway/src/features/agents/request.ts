/** What a run was asked to do, as its row keeps it. Plain JSON. */
import type { ImageContent } from "@openclaw/protocol";
import type { RunOrigin } from "../tools/tool.ts";
import type { ClientRequest } from "./client-admission.ts";
import type { ReplyRoute } from "./delivery.ts";

export interface RunRequest {
  /** Text as the person sent it; empty once it stands in the transcript. */
  message: string;
  images: ImageContent[];
  agentId: string;
  origin: RunOrigin;
  owner: boolean;
  /** Inline directives of this message. */
  thinking?: string;
  verbose?: string;
  model?: string;
  extraSystemPrompt?: string;
  /** Deadline of the run once it has started. */
  timeoutMs: number;
  /** How long it may wait for its turn. */
  waitMs: number;
  /** The slash command this message is, without the slash; it is then answered without a model. */
  command?: { name: string; args: string };
  /** A run started from within a run: it uses slots of its own, so that the two cannot wait for each other. */
  nested?: boolean;
  /** New session before this message (`/new text`). */
  fresh?: boolean;
  /** The session keeps this model from here on (`/new <model> …`). */
  sessionModel?: { provider: string; id: string };
  /** Who sent it, for /whoami. */
  sender: string;
  /** Chat that gets the answer; absent when only the caller does. */
  route?: ReplyRoute;
  /** Who is behind a run that was started from within a run of a chat: it may do no more than that one (agent.md §15). */
  behalf?: { sender: string; route: ReplyRoute };
  /** Turns of the person that the model is shown, where the chat has a limit of its own. */
  historyTurns?: number;
  /** The only skills the prompt names, where the chat has a list of its own. */
  skills?: string[];
  /** No person spoke: the session stays as old as it was, and is not started over because of its age. */
  background?: true;
  /** The webhook that started it, told to whoever hears of its end. */
  hook?: HookFacts;
  /** What a client of the HTTP APIs asked for beside the message. Nobody takes up such a run after a restart: its client is
   *  gone with the process. */
  client?: ClientRequest;
}

export interface HookFacts {
  /** Of the source, for people. */
  name: string;
  /** Session that hears how it ended, and whether that wakes its agent at once. */
  tellKey: string;
  wake: boolean;
}
