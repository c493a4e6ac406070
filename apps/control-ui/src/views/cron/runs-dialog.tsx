import { useApp } from "../../app/app.ts";
import { duration } from "../../app/format.ts";
import { useQuery } from "../../gateway/index.ts";
import { Ago, Dialog, Empty, Link, Loaded, Status } from "../../ui/index.ts";
import type { Job } from "./schedule.ts";

const shownRuns = 50;
const states = {
  ok: { tone: "ok", text: "went well" },
  error: { tone: "bad", text: "failed" },
  skipped: { tone: "idle", text: "skipped" },
} as const;

/** What became of a job so far, the latest first. */
export function RunsDialog({ job, onClose }: { job: Job; onClose: () => void }) {
  const { link, router } = useApp();
  const runs = useQuery(link, `runs:${job.id}`, {
    load: (gateway) => gateway.call("cron.runs", { id: job.id, limit: shownRuns }),
    on: ["cron"],
  });
  return (
    <Dialog title={`Past runs of ${job.name}`} onClose={onClose} class="job-dialog">
      <Loaded query={runs} what="past runs" skeletonLines={3}>
        {({ entries }) =>
          entries.length === 0 ? (
            <Empty title="It has not run yet" />
          ) : (
            <ol class="runs">
              {entries.toReversed().map((run) => (
                <li key={`${run.ts}:${run.runAtMs ?? ""}`}>
                  <div class="row spread">
                    <Status tone={states[run.status ?? "ok"].tone}>{states[run.status ?? "ok"].text}</Status>
                    <span class="dim small">
                      <Ago at={run.runAtMs ?? run.ts} />
                      {run.durationMs !== undefined && `, took ${duration(run.durationMs)}`}
                    </span>
                  </div>
                  {run.error !== undefined && <p class="run-text bad-text">{run.error}</p>}
                  {run.summary !== undefined && run.summary !== "" && <p class="run-text">{run.summary}</p>}
                  {run.sessionKey !== undefined && (
                    <Link class="small" href={router.href("/chat", run.sessionKey)}>
                      Open its session
                    </Link>
                  )}
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
      {runs.state.value.data?.entries.length === shownRuns && (
        <p class="dim small">Only the latest {shownRuns} are shown.</p>
      )}
    </Dialog>
  );
}
