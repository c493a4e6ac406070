/** How a turn ended, before it is stored and told. */
import type { Message, StopReason, ToolCallContent, Usage } from "@openclaw/protocol";
import type { SessionEntry } from "../sessions/index.ts";
import type { Tx } from "../../store/store.ts";
import type { ErrorKind } from "./announcer.ts";
import type { TerminalState } from "./run-state.ts";

export interface Ending {
  state: TerminalState;
  /** Messages that enter the transcript in the commit that ends the run. */
  messages?: Message[];
  /** What is said, one text per message of the run. */
  texts?: string[];
  /** The same as the model wrote them, reserved tokens and tags included. */
  raw?: string[];
  /** Text of the `chat` final; absent when nothing is to be said. */
  finalText?: string;
  /** The reply was made without a model. */
  command?: boolean;
  /** Text of the failure. */
  error?: string;
  errorKind?: ErrorKind;
  /** Why it was aborted. `shutdown`: the gateway stops; the caller is told an error. */
  reason?: "rpc" | "stop" | "timeout" | "shutdown";
  session?: { [K in keyof SessionEntry]?: SessionEntry[K] | undefined };
  provider?: string;
  model?: string;
  usage?: Usage;
  /** Why the model stopped. */
  stopReason?: StopReason;
  /** Calls of tools that the client runs; they ended the run. */
  clientCalls?: ToolCallContent[];
  /** What `EndingPort.prepare` returned. */
  prepared?: unknown;
  /** What a command changes, in the same commit. */
  write?: (tx: Tx) => void;
}
