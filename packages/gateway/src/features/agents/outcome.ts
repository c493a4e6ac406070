/** How a run ended, as its row keeps it, and the answers made of it (protocol.md §9.5, §10.1). */
import { GatewayError, type MethodResult } from "@openclaw/protocol";
import type { RunRow } from "./runs.store.ts";

export interface Payload {
  text: string;
  mediaUrl: string | null;
}

export interface RunMeta {
  durationMs: number;
  agentMeta: {
    sessionId: string;
    provider: string;
    model: string;
    usage?: { input: number; output: number; cacheRead: number; cacheWrite: number; total: number };
  };
  aborted: boolean;
}

export interface RunOutcome {
  status: "ok" | "error" | "timeout";
  /** `completed`, `aborted`, or the text of the error. */
  summary: string;
  payloads: Payload[];
  meta: RunMeta;
}

type EndedRun = Pick<RunRow, "runId"> & { outcome: RunOutcome };

function failure(run: EndedRun): GatewayError {
  const { status, summary } = run.outcome;
  return new GatewayError(status === "timeout" ? "timeout" : "unavailable", summary, {
    retryable: false,
    payload: { runId: run.runId, status: "error", summary },
  });
}

/** Second answer of `agent`. Throws GatewayError with the payload for a run that failed. */
export function agentAnswer(run: EndedRun): MethodResult<"agent"> {
  if (run.outcome.status !== "ok") throw failure(run);
  const { summary, payloads, meta } = run.outcome;
  return { runId: run.runId, status: "ok", summary, result: { payloads, meta } };
}

/** Answer of a repeated `chat.send` whose run is over. Throws GatewayError with the payload for a run that failed. */
export function chatAnswer(run: EndedRun): MethodResult<"chat.send"> {
  if (run.outcome.status !== "ok") throw failure(run);
  return { runId: run.runId, status: "ok" };
}

/** Answer of `agent.wait` for a run that is over. */
export function waitAnswer(run: EndedRun & Pick<RunRow, "startedAt" | "endedAt">): MethodResult<"agent.wait"> {
  return {
    runId: run.runId,
    status: run.outcome.status,
    ...(run.startedAt === undefined ? {} : { startedAt: run.startedAt }),
    ...(run.endedAt === undefined ? {} : { endedAt: run.endedAt }),
    ...(run.outcome.status === "ok" ? {} : { error: run.outcome.summary }),
  };
}
