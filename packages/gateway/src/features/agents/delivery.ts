/** What a run owes to a chat platform, as this room sees it: where its answer goes, and who writes it down. Plain data; the
 *  channels room implements the ports and this room never imports it. */
import type { Tx } from "../../store/store.ts";
import type { Ending } from "./ending.ts";
import type { HookFacts } from "./request.ts";
import type { TerminalState } from "./run-state.ts";
import type { RunFamily } from "./runs.store.ts";

/** Where the answer of a run goes (agent.md §13.4). Stands in the run's row: a restart changes nothing about it. */
export interface ReplyRoute {
  channel: string;
  accountId: string;
  /** As the platform names the chat. */
  chatId: string;
  kind: "direct" | "group" | "channel";
  threadId?: string;
  /** The message that is answered, where the platform can show that. */
  replyToId?: string;
  /** Put before each text where `messages.responsePrefix` says nothing. */
  prefix?: string;
}

/** Whether two routes lead to the same conversation. */
export const sameChat = (a: ReplyRoute, b: ReplyRoute): boolean =>
  a.channel === b.channel && a.accountId === b.accountId && a.chatId === b.chatId && a.threadId === b.threadId;

/** The end of a run that has a route or came from a channel. */
export interface RunEnd {
  /** Row id; 0 never occurs. */
  id: number;
  runId: string;
  family: RunFamily;
  sessionKey: string;
  agentId: string;
  state: TerminalState;
  /** Why it was aborted. */
  reason?: Ending["reason"];
  /** Its automatic attempts are used up (R-RUN-4). */
  exhausted?: boolean;
  /** Whether its turn had come. */
  started: boolean;
  /** The answer of a command, not of a model. */
  command: boolean;
  route?: ReplyRoute;
  /** As the model wrote them, reserved tokens and tags included, in order. */
  texts: readonly string[];
  error?: string;
  /** Set by who changes an end on its way to the outbox: how long it may wait, and what it is called there. */
  kind?: "heartbeat";
  /** The webhook that asked for it. */
  hook?: HookFacts;
  /** Adds the configured prefix and the usage footer. */
  finish(text: string, add: { prefix: boolean; footer: boolean }): string;
  /** What `prepare` returned. */
  prepared?: unknown;
}

export interface EndingPort {
  /** Called while the run is still live, before it ends well: time to fetch files. Must resolve soon after `signal` aborts. */
  prepare?(run: {
    runId: string;
    agentId: string;
    route: ReplyRoute;
    texts: readonly string[];
    signal: AbortSignal;
  }): Promise<unknown>;
  /** Called once inside the commit that ends a run, whatever its end, also for runs that recovery ends. Throws only what the store
   *  throws: the commit is then tried again as a whole. */
  store(tx: Tx, end: RunEnd): void;
}

export interface RouteRequest {
  sessionKey: string;
  channel?: string;
  to?: string;
  accountId?: string;
  threadId?: string;
}

/** Where the reply of an `agent` call with `deliver: true` goes. Throws GatewayError when it can go nowhere: "invalid",
 *  "not-linked" or "unavailable". Undefined: only to the caller. */
export type RoutePort = (request: RouteRequest) => ReplyRoute | undefined;
