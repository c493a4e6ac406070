/** Jobs on a schedule: what runs when, how it went, and everything that can be done about it. */
import { useState } from "preact/hooks";
import { CalendarClock, Plus } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { plural } from "../../app/format.ts";
import { useQuery } from "../../gateway/index.ts";
import { Ago, Button, Empty, Link, Loaded, Notice, Page, SearchField } from "../../ui/index.ts";
import "../../style/views.css";
import "./cron.css";
import { JobCard } from "./job-card.tsx";
import { JobForm } from "./job-form.tsx";
import type { Job } from "./schedule.ts";

/** With fewer nobody needs to search. */
const searchFrom = 6;

export default function CronView() {
  const { link, router } = useApp();
  const [adding, setAdding] = useState(false);
  const [text, setText] = useState("");
  const jobs = useQuery(link, "jobs", {
    load: (gateway) => gateway.call("cron.list", { includeDisabled: true }),
    on: ["cron"],
  });
  const status = useQuery(link, "cron-status", { load: (gateway) => gateway.call("cron.status", {}), on: ["cron"] });
  const refresh = () => {
    void jobs.refresh();
    void status.refresh();
  };
  const refused = !link.connected.value
    ? "There is no connection"
    : link.may("operator.admin")
      ? undefined
      : "Needs the scope operator.admin";
  const summary = status.state.value.data;
  const add = (
    <Button kind="primary" icon={Plus} disabled={refused !== undefined} title={refused} onClick={() => setAdding(true)}>
      New job
    </Button>
  );
  return (
    <Page
      title="Cron"
      lead={
        summary?.enabled === true && summary.nextWakeAtMs !== null && link.connected.value ? (
          <>
            What runs by itself. The next job is due <Ago at={summary.nextWakeAtMs} />.
          </>
        ) : (
          "What runs by itself, and when."
        )
      }
      actions={add}
    >
      {summary?.enabled === false && (
        <Notice tone="warn">
          <p>
            Scheduled jobs are switched off, so nothing here runs by itself. The switch is{" "}
            <Link href={router.href("/config", "", { path: "cron.enabled" })}>cron.enabled</Link> in the config.
          </p>
        </Notice>
      )}
      <Loaded query={jobs} what="scheduled jobs">
        {({ jobs: list }) => {
          if (list.length === 0)
            return (
              <Empty icon={CalendarClock} title="No job yet">
                <p>A job wakes an agent at a time of your choice: a reminder, a morning summary, a nightly check.</p>
              </Empty>
            );
          const found = list.filter((job) => matches(job, text));
          return (
            <div class="job-list">
              {list.length >= searchFrom && (
                <div class="toolbar">
                  <SearchField label="Search jobs" value={text} onText={setText} />
                  <span class="dim small">
                    {text === "" ? plural(list.length, "job") : `${found.length} of ${plural(list.length, "job")}`}
                  </span>
                </div>
              )}
              {found.length === 0 && <Empty title="No job fits" />}
              <ul class="cards">
                {found.map((job) => (
                  <JobCard key={job.id} job={job} refused={refused} onChanged={refresh} />
                ))}
              </ul>
            </div>
          );
        }}
      </Loaded>
      {adding && <JobForm job={undefined} onSaved={refresh} onClose={() => setAdding(false)} />}
    </Page>
  );
}

function matches({ name, description = "", payload }: Job, text: string): boolean {
  const all = `${name} ${description} ${payload.kind === "systemEvent" ? payload.text : payload.message}`.toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
