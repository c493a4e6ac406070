/** Contract of a slash command (agent.md §9). */
import type { Tx } from "../../../store/store.ts";
import type { SessionEntry } from "../../sessions/index.ts";
import type { GatewayPort } from "../../tools/index.ts";
import type { LiveRun } from "../live-run.ts";
import type { TurnDeps } from "../turn-deps.ts";

/** What commands may do to the gateway itself. */
export type GatewayCare = Pick<GatewayPort, "restart" | "configGet">;

export interface GatewayFacts {
  version: string;
  running: () => number;
  waiting: () => number;
  /** Absent where nothing can be restarted or configured. */
  care?: GatewayCare;
}

export interface CommandCall {
  run: LiveRun;
  /** What follows the name, trimmed. */
  args: string;
  deps: TurnDeps;
  session: SessionEntry | undefined;
  /** Ends every other run of a session; returns their ids. */
  abortSession(sessionKey: string): Promise<string[]>;
  gateway: GatewayFacts;
}

export interface CommandReply {
  text: string;
  /** Changes that belong into the commit that ends the run. */
  write?: (tx: Tx) => void;
}

export interface Command {
  name: string;
  aliases?: readonly string[];
  /** For /help: what may follow the name. */
  args?: string;
  summary: string;
  /** Takes its turn in the session's lane; the others are answered at once. */
  inLane?: boolean;
  /** May throw GatewayError: its text is then the error of the run. */
  run(call: CommandCall): CommandReply | Promise<CommandReply>;
}
