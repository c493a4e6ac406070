import { useEffect, useState } from "preact/hooks";
import { History, Pencil, Play, Trash2 } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { duration, exact, plural } from "../../app/format.ts";
import { Ago, Button, Chip, Confirm, ErrorNotice, Menu, spoken, Status, Switch, useAction } from "../../ui/index.ts";
import { JobForm } from "./job-form.tsx";
import { RunsDialog } from "./runs-dialog.tsx";
import { expressionWords, intervalWords, momentOf, type Job, type Schedule } from "./schedule.ts";

/** The call answers when the run ended, which may take as long as a turn may. */
const longestRunMs = 3_600_000;

type Asked = "edit" | "runs" | "remove" | undefined;

/** `refused`: why nothing can be changed now, for the tooltips. */
export function JobCard({ job, refused, onChanged }: { job: Job; refused: string | undefined; onChanged: () => void }) {
  const { link, toasts } = useApp();
  const [asked, setAsked] = useState<Asked>();
  const action = useAction();
  /** Shown at once; the gateway's word replaces it. */
  const [wanted, setWanted] = useState<boolean>();
  useEffect(() => {
    if (wanted === job.enabled) setWanted(undefined);
  }, [wanted, job.enabled]);
  const close = () => setAsked(undefined);
  const off = refused !== undefined;
  const running = job.state.runningAtMs !== undefined || action.busy === "run";
  const enable = async (enabled: boolean) => {
    setWanted(enabled);
    const done = await action.run("enable", async () => {
      await link.call("cron.update", { id: job.id, patch: { enabled } });
      onChanged();
    });
    if (!done) setWanted(undefined);
  };
  const runNow = () =>
    action.run("run", async () => {
      const params = { id: job.id, mode: "force" as const };
      const { ran, reason } = await link.call("cron.run", params, { timeoutMs: longestRunMs });
      if (!ran)
        toasts.show(reason === "already-running" ? `${job.name} is running already.` : `${job.name} did not run.`);
      onChanged();
    });
  const remove = async () => {
    await link.call("cron.remove", { id: job.id });
    toasts.show(`${job.name} was removed.`, { tone: "ok" });
    onChanged();
  };
  return (
    <li class="card job" aria-label={job.name}>
      <div class="card-head">
        <div class="card-title">
          <h2>{job.name}</h2>
          {job.agentId !== undefined && <Chip>{job.agentId}</Chip>}
          {job.deleteAfterRun === true && <Chip title="The job is forgotten once it ran well">once</Chip>}
        </div>
        <div class="job-tools" title={refused}>
          <Switch
            label="Active"
            checked={wanted ?? job.enabled}
            disabled={off || action.busy === "enable"}
            onSwitch={(enabled) => void enable(enabled)}
          />
          <Button icon={Play} disabled={off || running} onClick={() => void runNow()}>
            {running ? "Running…" : "Run now"}
          </Button>
          <Menu
            label={`Actions for ${job.name}`}
            items={[
              { label: "Change…", icon: Pencil, disabled: off, run: () => setAsked("edit") },
              { label: "Past runs", icon: History, run: () => setAsked("runs") },
              { label: "Remove…", icon: Trash2, danger: true, disabled: off, run: () => setAsked("remove") },
            ]}
          />
        </div>
      </div>
      {job.description !== undefined && job.description !== "" && <p class="dim">{job.description}</p>}
      <dl class="three-facts">
        <div>
          <dt>When</dt>
          <dd>
            <When schedule={job.schedule} />
          </dd>
        </div>
        <div>
          <dt>Next run</dt>
          <dd>
            <NextRun job={job} />
          </dd>
        </div>
        <div>
          <dt>Last run</dt>
          <dd>
            <LastRun job={job} />
          </dd>
        </div>
      </dl>
      <p class="job-text">{job.payload.kind === "systemEvent" ? job.payload.text : job.payload.message}</p>
      <p class="dim small">{placeWords(job)}</p>
      {job.state.lastStatus === "error" && <ErrorNotice text={failureWords(job)} />}
      {action.error !== undefined && <ErrorNotice text={action.error} />}
      {asked === "edit" && <JobForm job={job} onSaved={onChanged} onClose={close} />}
      {asked === "runs" && <RunsDialog job={job} onClose={close} />}
      {asked === "remove" && (
        <Confirm title={`Remove ${job.name}?`} action="Remove job" onConfirm={spoken(remove)} onClose={close}>
          <p>
            It will not run again, and the list of its past runs is gone. What the agent wrote stays in its sessions.
          </p>
        </Confirm>
      )}
    </li>
  );
}

function When({ schedule }: { schedule: Schedule }) {
  if (schedule.kind === "every") return <>{intervalWords(schedule.everyMs)}</>;
  if (schedule.kind === "at") {
    const at = momentOf(schedule.at);
    return <>once, {at === undefined ? schedule.at : exact(at)}</>;
  }
  const words = expressionWords(schedule.expr);
  return (
    <>
      {words === undefined ? <code>{schedule.expr}</code> : <span title={schedule.expr}>{words}</span>}
      <span class="dim small">{schedule.tz === undefined ? "by the gateway's clock" : schedule.tz}</span>
    </>
  );
}

function NextRun({ job }: { job: Job }) {
  const { runningAtMs, nextRunAtMs } = job.state;
  if (runningAtMs !== undefined)
    return (
      <Status tone="live">
        running, since <Ago at={runningAtMs} />
      </Status>
    );
  if (!job.enabled) return <Status tone="idle">off</Status>;
  if (nextRunAtMs === undefined) return <Status tone="idle">none</Status>;
  return <Ago at={nextRunAtMs} />;
}

function LastRun({ job: { state } }: { job: Job }) {
  if (state.lastRunAtMs === undefined) return <span class="dim">never</span>;
  const tone = { ok: "ok", error: "bad", skipped: "idle" } as const;
  const words = { ok: "went well", error: "failed", skipped: "skipped" };
  return (
    <>
      {state.lastStatus !== undefined && <Status tone={tone[state.lastStatus]}>{words[state.lastStatus]}</Status>}
      <span class="dim small">
        <Ago at={state.lastRunAtMs} />
        {state.lastDurationMs !== undefined && `, took ${duration(state.lastDurationMs)}`}
      </span>
    </>
  );
}

function failureWords({ state }: Job): string {
  const times = state.consecutiveErrors ?? 1;
  const count = times > 1 ? `${plural(times, "run")} in a row failed. ` : "The last run failed. ";
  return `${count}${state.lastError ?? "The gateway did not say why."}`;
}

function placeWords({ sessionTarget, wakeMode, delivery }: Job): string {
  if (sessionTarget === "main")
    return wakeMode === "now"
      ? "A note to the main session, at once"
      : "A note to the main session, with its next heartbeat";
  if (delivery?.mode === "webhook") return "A task in its own session; the answer goes to a webhook";
  if (delivery?.mode !== "announce") return "A task in its own session; the answer stays there";
  const channel =
    delivery.channel === undefined || delivery.channel === "last" ? "where you wrote from last" : delivery.channel;
  return `A task in its own session; the answer goes to ${channel}${delivery.to ? `, ${delivery.to}` : ""}`;
}
