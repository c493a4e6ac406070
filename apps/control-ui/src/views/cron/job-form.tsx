import { useState } from "preact/hooks";
import { useApp } from "../../app/app.ts";
import { useQuery } from "../../gateway/index.ts";
import { Button, Dialog, ErrorNotice, Field, Select, Switch, useAction } from "../../ui/index.ts";
import { DeliveryFields } from "./delivery-fields.tsx";
import { draftOf, faultsOf, newDraft, patchOf, toJob, type Faults, type JobDraft } from "./job-draft.ts";
import { ScheduleFields } from "./schedule-fields.tsx";
import type { Job } from "./schedule.ts";
import { Choice } from "./choice.tsx";

export interface FormPart {
  draft: JobDraft;
  faults: Faults;
  set: (changes: Partial<JobDraft>) => void;
}

interface JobFormProps {
  /** Undefined: a new one. */
  job: Job | undefined;
  onSaved: () => void;
  onClose: () => void;
}

export function JobForm({ job, onSaved, onClose }: JobFormProps) {
  const { link, toasts } = useApp();
  const [before] = useState(() => (job === undefined ? newDraft(Date.now()) : draftOf(job, Date.now())));
  const [draft, setDraft] = useState(before);
  /** Faults are told once the person tried to save: nobody is scolded for what they have not written yet. */
  const [tried, setTried] = useState(false);
  const action = useAction();
  const agents = useQuery(link, "agents", { load: (gateway) => gateway.call("agents.list", {}) });
  const patch = patchOf(before, draft);
  // A moment that has passed is no fault of an edit that leaves it alone.
  const all = faultsOf(draft, Date.now());
  const faults: Faults = job !== undefined && patch.schedule === undefined ? { ...all, at: undefined } : all;
  const wrong = Object.values(faults).some((text) => text !== undefined);
  const shown = tried ? faults : {};
  const set = (changes: Partial<JobDraft>) => setDraft((present) => ({ ...present, ...changes }));
  const save = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (wrong) {
      const form = event.currentTarget;
      requestAnimationFrame(() => {
        if (form instanceof HTMLElement) form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
      });
      return;
    }
    const saved = await action.run("save", () =>
      job === undefined ? link.call("cron.add", toJob(draft)) : link.call("cron.update", { id: job.id, patch }),
    );
    if (!saved) return;
    toasts.show(job === undefined ? `${draft.name.trim()} is scheduled.` : `${draft.name.trim()} is saved.`, {
      tone: "ok",
    });
    onSaved();
    onClose();
  };
  const known = agents.state.value.data?.agents ?? [];
  const agentOptions = [
    { value: "", label: "The default agent" },
    ...known.map((agent) => ({ value: agent.id, label: agent.identity?.name ?? agent.name ?? agent.id })),
    ...(draft.agentId !== "" && !known.some(({ id }) => id === draft.agentId)
      ? [{ value: draft.agentId, label: draft.agentId }]
      : []),
  ];
  const part: FormPart = { draft, faults: shown, set };
  return (
    <Dialog title={job === undefined ? "New job" : `Change ${job.name}`} onClose={onClose} class="job-dialog">
      <form class="dialog-body job-form" noValidate onSubmit={(event) => void save(event)}>
        <div class="fields two">
          <Field label="Name" error={shown.name}>
            {(attributes) => (
              <input
                {...attributes}
                value={draft.name}
                autocomplete="off"
                autofocus
                onInput={(event) => set({ name: event.currentTarget.value })}
              />
            )}
          </Field>
          <Field label="Agent">
            {(attributes) => (
              <Select
                {...attributes}
                value={draft.agentId}
                options={agentOptions}
                onPick={(agentId) => set({ agentId })}
              />
            )}
          </Field>
        </div>
        <ScheduleFields {...part} />
        <Choice
          label="What happens"
          value={draft.target}
          options={[
            { value: "isolated", label: "A task in its own session" },
            { value: "main", label: "A note to the main session" },
          ]}
          help={
            draft.target === "main"
              ? "The agent reads the note with everything else it knows of the conversation."
              : "The agent starts with nothing but this text; the conversation is kept apart."
          }
          onPick={(target) => set({ target })}
        />
        <Field label={draft.target === "main" ? "Note" : "Task"} error={shown.text}>
          {(attributes) => (
            <textarea
              {...attributes}
              rows={4}
              value={draft.text}
              onInput={(event) => set({ text: event.currentTarget.value })}
            />
          )}
        </Field>
        {draft.target === "main" ? (
          <Switch
            label="Wake the agent at once, instead of at its next heartbeat"
            checked={draft.wakeMode === "now"}
            onSwitch={(at) => set({ wakeMode: at ? "now" : "next-heartbeat" })}
          />
        ) : (
          <DeliveryFields {...part} />
        )}
        <Field label="Description" help="For people; the agent does not see it.">
          {(attributes) => (
            <input
              {...attributes}
              value={draft.description}
              autocomplete="off"
              onInput={(event) => set({ description: event.currentTarget.value })}
            />
          )}
        </Field>
        {action.error !== undefined && <ErrorNotice text={action.error} />}
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            kind="primary"
            disabled={
              action.busy !== undefined ||
              !link.connected.value ||
              (job !== undefined && Object.keys(patch).length === 0)
            }
          >
            {job === undefined ? "Add job" : "Save"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
