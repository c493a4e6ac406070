/** The terminal events of a run: exactly one lifecycle end or error, then exactly one terminal `chat` (protocol.md §10). */
import { messageText } from "@openclaw/protocol";
import type { Ending } from "./ending.ts";
import type { EndedRun, LiveRun } from "./live-run.ts";

export function tellEnding(run: LiveRun, ending: Ending, ended: EndedRun): void {
  const { announcer } = run;
  announcer.close();
  const { outcome, endedAt } = ended;
  const times = { ...(run.startedAt === undefined ? {} : { startedAt: run.startedAt }), endedAt };
  const wasAborted = ending.state === "aborted" && ending.reason !== "shutdown";
  if (run.request.command) announcer.skip();
  else if (wasAborted) announcer.end({ phase: "end", ...times, aborted: true });
  else if (outcome.status === "ok") announcer.end({ phase: "end", ...times });
  else announcer.end({ phase: "error", error: outcome.summary, ...times });

  if (wasAborted || ending.reason === "timeout") announcer.aborted(ending.reason ?? "rpc");
  else if (outcome.status !== "ok") announcer.failed(outcome.summary, ending.errorKind ?? "unknown");
  else announcer.final(finalMessage(ending, ended), "stop");
}

function finalMessage(ending: Ending, { footer, endedAt }: EndedRun): Parameters<LiveRun["announcer"]["final"]>[0] {
  const reply = ending.messages?.at(-1);
  if (ending.command && reply?.role === "assistant" && messageText(reply) !== "") {
    const { api, provider, model, usage, timestamp } = reply;
    return {
      role: "assistant",
      content: [{ type: "text", text: messageText(reply) }],
      timestamp,
      stopReason: "stop",
      usage,
      api,
      provider,
      model,
      command: true,
    };
  }
  if (ending.finalText === undefined) return undefined;
  return { role: "assistant", content: [{ type: "text", text: `${ending.finalText}${footer}` }], timestamp: endedAt };
}
