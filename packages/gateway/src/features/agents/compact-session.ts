/** Compaction of a session inside a run: decided, announced and stored (agent.md §7.1). */
import { findCut, summarize } from "./compaction.ts";
import { type ContextEntry, contextOf, contextTokens } from "./context.ts";
import type { LiveRun } from "./live-run.ts";
import type { Turn } from "./turn.ts";
import type { TurnDeps } from "./turn-deps.ts";

export const needsCompaction = (turn: Turn, context: readonly ContextEntry[]): boolean =>
  contextTokens(context) > turn.threshold;

export interface Compacted {
  tokensBefore: number;
  summary: string;
}

/** Summarises everything but the newest part. Undefined when there is nothing to summarise, when the model gave no summary, or
 *  when the run ended meanwhile; the session is then as it was. */
export async function compactSession(
  run: LiveRun,
  turn: Pick<Turn, "model" | "keepTokens">,
  deps: TurnDeps,
  options: { willRetry: boolean; focus?: string; silent?: boolean; failure?: (error: unknown) => void },
): Promise<Compacted | undefined> {
  const context = contextOf(deps.contexts.read(run.sessionId), undefined);
  const cut = findCut(context, turn.keepTokens);
  if (!cut) return undefined;
  const tokensBefore = contextTokens(context);
  // A command answers with one `chat` final and no agent events.
  if (!options.silent) run.announcer.compaction({ phase: "start" });
  try {
    const summary = await summarize(deps.models, turn.model, cut.old, {
      signal: run.signal,
      agentId: run.request.agentId,
      sessionKey: run.sessionKey,
      timestamp: deps.world.now(),
      alive: () => run.alive(),
      ...(options.focus ? { focus: options.focus } : {}),
    });
    if (!run.live) return undefined;
    const stored = await deps.store.commit((tx) => {
      const session = deps.sessions.get(run.sessionKey);
      if (session?.sessionId !== run.sessionId) return false;
      deps.sessions.append(tx, run.sessionKey, {
        type: "compaction",
        summary,
        firstKeptEntryId: cut.firstKeptEntryId,
        tokensBefore,
      });
      deps.sessions.update(tx, run.sessionKey, { compactionCount: (session.compactionCount ?? 0) + 1 });
      return true;
    });
    return stored ? { tokensBefore, summary } : undefined;
  } catch (error) {
    deps.log.warn("compaction failed; the session stays as it is", { sessionKey: run.sessionKey, error });
    options.failure?.(error);
    return undefined;
  } finally {
    if (run.live && !options.silent) run.announcer.compaction({ phase: "end", willRetry: options.willRetry });
  }
}
