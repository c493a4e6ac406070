import { useId } from "preact/hooks";
import { Field, Select, Switch } from "../../ui/index.ts";
import { Choice } from "./choice.tsx";
import type { FormPart } from "./job-form.tsx";
import { expressionWords, units, type Unit } from "./schedule.ts";

const ownZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

export function ScheduleFields({ draft, faults, set }: FormPart) {
  return (
    <>
      <Choice
        label="When"
        value={draft.kind}
        options={[
          { value: "every", label: "Again and again" },
          { value: "at", label: "Once" },
          { value: "cron", label: "By the calendar" },
        ]}
        onPick={(kind) => set({ kind })}
      />
      {draft.kind === "at" && <AtFields draft={draft} faults={faults} set={set} />}
      {draft.kind === "every" && <EveryFields draft={draft} faults={faults} set={set} />}
      {draft.kind === "cron" && <CronFields draft={draft} faults={faults} set={set} />}
    </>
  );
}

function AtFields({ draft, faults, set }: FormPart) {
  return (
    <div class="fields two">
      <Field label="Date and time" help={`Of this browser's time zone, ${ownZone()}.`} error={faults.at}>
        {(attributes) => (
          <input
            {...attributes}
            type="datetime-local"
            value={draft.at}
            onInput={(event) => set({ at: event.currentTarget.value })}
          />
        )}
      </Field>
      <Switch
        label="Forget the job once it ran well"
        checked={draft.deleteAfterRun}
        onSwitch={(deleteAfterRun) => set({ deleteAfterRun })}
      />
    </div>
  );
}

function EveryFields({ draft, faults, set }: FormPart) {
  // Seconds only where a job has them already: they are rarely meant.
  const offered = (Object.keys(units) as Unit[]).filter((unit) => unit !== "seconds" || draft.unit === "seconds");
  return (
    <div class="fields two">
      <Field label="Every" error={faults.count}>
        {(attributes) => (
          <input
            {...attributes}
            type="number"
            min={1}
            step="any"
            inputMode="decimal"
            value={draft.count}
            onInput={(event) => set({ count: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label="Unit">
        {(attributes) => (
          <Select
            {...attributes}
            value={draft.unit}
            options={offered.map((unit) => ({ value: unit, label: unit }))}
            onPick={(unit) => set({ unit: unit as Unit })}
          />
        )}
      </Field>
    </div>
  );
}

function CronFields({ draft, faults, set }: FormPart) {
  const zones = useId();
  const words = expressionWords(draft.expr);
  return (
    <div class="fields two">
      <Field
        label="Expression"
        help={
          words === undefined ? (
            <>
              Minute, hour, day, month, weekday: <code>0 9 * * 1-5</code> is on weekdays at 09:00.
            </>
          ) : (
            `Runs ${words}.`
          )
        }
        error={faults.expr}
      >
        {(attributes) => (
          <input
            {...attributes}
            class="mono"
            value={draft.expr}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => set({ expr: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label="Time zone" help="Empty: the gateway's own." error={faults.tz}>
        {(attributes) => (
          <>
            <input
              {...attributes}
              value={draft.tz}
              list={zones}
              placeholder="Europe/Berlin"
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => set({ tz: event.currentTarget.value })}
            />
            <datalist id={zones}>
              {Intl.supportedValuesOf("timeZone").map((zone) => (
                <option key={zone} value={zone} />
              ))}
            </datalist>
          </>
        )}
      </Field>
    </div>
  );
}
