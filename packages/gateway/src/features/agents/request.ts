/** What a run was asked to do, as its row keeps it. Plain JSON. */
import type { ImageContent } from "@openclaw/protocol";
import type { RunOrigin } from "../tools/tool.ts";
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
  /** Turns of the person that the model is shown, where the chat has a limit of its own. */
  historyTurns?: number;
}
