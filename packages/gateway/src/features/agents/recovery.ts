/** What a former process left open is resolved before anything new is served (R-RUN-4, R-SHUT-2): a run without effects starts
 *  again, at most three times in all; one whose tools may have had effects ends as `interrupted`, and the transcript says so. */
import type { AssistantMessage, Message } from "@openclaw/protocol";
import { injectedMessage, lostResult, toolCallsOf } from "./context.ts";
import type { RunOutcome } from "./outcome.ts";
import type { RunRow } from "./runs.store.ts";
import type { TurnDeps } from "./turn-deps.ts";

export const maxAttempts = 3;

/** Rows to run again, in order of acceptance; all others that were open are ended, durably, when it resolves. */
export async function recoverRuns(deps: TurnDeps): Promise<{ again: RunRow[]; interrupted: number }> {
  const again: RunRow[] = [];
  let interrupted = 0;
  for (let last = 0; ;) {
    const rows = deps.table.open(last);
    if (rows.length === 0) return { again, interrupted };
    last = rows.at(-1)?.id ?? last;
    const verdicts = rows.map((row) =>
      !row.request.client && (row.state === "accepted" || (!row.effects && row.attempts < maxAttempts))
        ? "again"
        : "interrupt",
    );
    await deps.store.commit((tx) => {
      for (const [index, row] of rows.entries()) {
        if (verdicts[index] === "interrupt") interrupt(tx, row, deps);
        else if (row.state === "running") deps.table.requeue(tx, row.id);
      }
    });
    again.push(...rows.filter((_, index) => verdicts[index] === "again"));
    interrupted += verdicts.filter((verdict) => verdict === "interrupt").length;
  }
}

function interrupt(tx: Parameters<Parameters<TurnDeps["store"]["commit"]>[0]>[0], row: RunRow, deps: TurnDeps): void {
  const now = deps.world.now();
  const pending = row.pending === undefined ? undefined : (JSON.parse(row.pending) as AssistantMessage);
  const text = noticeText(row, pending);
  const session = row.sessionKey ? deps.sessions.get(row.sessionKey) : undefined;
  if (session && session.sessionId === row.sessionId) {
    const closed: Message[] = pending
      ? [
          pending,
          ...toolCallsOf(pending).map((call) =>
            lostResult(
              call,
              now,
              "The gateway stopped while this tool was running; whether it took effect is unknown.",
            ),
          ),
        ]
      : [];
    for (const message of [
      ...asked(row),
      ...closed,
      injectedMessage(text, now, { command: row.request.command !== undefined }),
    ])
      deps.sessions.append(tx, row.sessionKey, { type: "message", message });
  }
  const outcome: RunOutcome = {
    status: "error",
    summary: text,
    payloads: [],
    meta: {
      durationMs: Math.max(0, now - (row.startedAt ?? row.acceptedAt)),
      agentMeta: { sessionId: row.sessionId, provider: "", model: "" },
      aborted: false,
    },
  };
  deps.table.end(tx, row.id, { state: "interrupted", endedAt: now, outcome, userEntryId: row.userEntryId });
  deps.endings?.()?.store(tx, {
    id: row.id,
    runId: row.runId,
    family: row.family,
    sessionKey: row.sessionKey,
    agentId: row.request.agentId,
    state: "interrupted",
    exhausted: !row.effects,
    started: true,
    command: row.request.command !== undefined,
    texts: [],
    error: text,
    finish: (said) => said,
    ...(row.request.route ? { route: row.request.route } : {}),
    ...(row.request.hook ? { hook: row.request.hook } : {}),
  });
}

/** The message itself, where it is not in the transcript yet: a command enters it together with its answer. */
function asked({ userEntryId, request, acceptedAt }: RunRow): Message[] {
  return userEntryId === undefined && request.message !== ""
    ? [{ role: "user", content: [{ type: "text", text: request.message }], timestamp: acceptedAt }]
    : [];
}

function noticeText(row: RunRow, pending: AssistantMessage | undefined): string {
  if (row.request.client && !row.effects)
    return "The gateway stopped while this request was being answered, and the client that waited for it is gone.";
  if (!row.effects)
    return `The gateway stopped ${row.attempts} times while this message was being answered. It is not tried again by itself; send it again if it still matters.`;
  const names = pending ? [...new Set(toolCallsOf(pending).map((call) => call.name))].join(", ") : "";
  return `The gateway stopped in the middle of this run, after tools with effects had started or a part of the answer was sent${names ? ` (last: ${names})` : ""}. It was not repeated. Look at what was done before you ask again.`;
}
