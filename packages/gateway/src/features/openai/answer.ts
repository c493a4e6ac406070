/** How a run ended, in the words both APIs share: text, calls, usage, or the error its client gets (http.md §8.4, §8.10). */
import type { ToolCallContent, Usage } from "@openclaw/protocol";
import { type HttpCall, HttpError } from "../../kernel/http.ts";
import type { EndedRun } from "../agents/index.ts";
import type { ClientTools } from "./client-tools.ts";
import { messageGap } from "./follower.ts";

export interface Answer {
  /** All that was said, without directives and thinking; may be empty. */
  text: string;
  calls: ToolCallContent[];
  /** The model stopped at its limit of tokens. */
  cut: boolean;
  usage: Counts;
}

export interface Counts {
  input: number;
  cached: number;
  output: number;
}

/** Said where an answer must have a text and the agent said nothing. */
export const noReply = "No response from OpenClaw.";

/** Throws HttpError for a run that did not end well. */
export function answerOf({ ending, outcome }: EndedRun, tools: ClientTools): Answer {
  if (!ending || ending.state !== "ok") throw failureOf(ending, outcome.summary);
  const calls = ending.clientCalls ?? [];
  const { wanted } = tools;
  if (wanted && !calls.some(({ name }) => wanted.name === undefined || wanted.name === name)) {
    const what = wanted.name === undefined ? "required" : wanted.name;
    throw afterRun(502, `tool_choice=${what} was not satisfied by the agent response`);
  }
  return {
    text: (ending.texts ?? []).join(messageGap),
    calls,
    cut: ending.stopReason === "length",
    usage: countsOf(ending.usage),
  };
}

export const countsOf = (usage: Usage | undefined): Counts => ({
  input: (usage?.input ?? 0) + (usage?.cacheRead ?? 0) + (usage?.cacheWrite ?? 0),
  cached: usage?.cacheRead ?? 0,
  output: usage?.output ?? 0,
});

function failureOf(ending: EndedRun["ending"], summary: string): HttpError {
  if (!ending) return afterRun(500, summary);
  if (ending.state === "timeout" || ending.state === "expired") return afterRun(504, "agent timed out");
  if (ending.state === "aborted") {
    const stopped = ending.reason === "shutdown";
    return afterRun(stopped ? 503 : 500, stopped ? "The gateway is stopping." : "The run was stopped.");
  }
  if (ending.errorKind === "context_length")
    return afterRun(400, summary, { code: "context_length_exceeded", type: "invalid_request_error" });
  return afterRun(500, summary);
}

/** What a client that already reads a stream is told; a bug is told in the log only (http.md §1.8). */
export function streamError(error: unknown, call: Pick<HttpCall, "id" | "log">): HttpError {
  if (error instanceof HttpError) return error;
  call.log.error("a streamed answer failed", { id: call.id, error });
  return afterRun(500, "Internal Server Error");
}

/** A run has effects: what failed after it began is not tried again by an SDK on its own. */
function afterRun(status: number, message: string, more: { code?: string; type?: string } = {}): HttpError {
  return new HttpError(status, message, { ...more, headers: { "x-should-retry": "false" } });
}
