import { useApp } from "../../app/app.ts";
import { useQuery } from "../../gateway/index.ts";
import { Field, Select } from "../../ui/index.ts";
import { Choice } from "./choice.tsx";
import { lastChannel } from "./job-draft.ts";
import type { FormPart } from "./job-form.tsx";

/** Where the answer of a task goes, and how long it may take. */
export function DeliveryFields({ draft, faults, set }: FormPart) {
  const { link } = useApp();
  const channels = useQuery(link, "channels", { load: (gateway) => gateway.call("channels.status", {}) });
  const { channelOrder = [], channelLabels = {} } = channels.state.value.data ?? {};
  const known = channelOrder.map((channel) => ({ value: channel, label: channelLabels[channel] ?? channel }));
  const options = [
    { value: lastChannel, label: "Where you wrote from last" },
    ...known,
    ...(draft.channel !== lastChannel && !channelOrder.includes(draft.channel)
      ? [{ value: draft.channel, label: draft.channel }]
      : []),
  ];
  return (
    <>
      <Choice
        label="The answer"
        value={draft.delivery}
        options={[
          { value: "announce", label: "Is sent" },
          { value: "none", label: "Stays in the session" },
          ...(draft.delivery === "webhook" ? [{ value: "webhook" as const, label: "Goes to a webhook" }] : []),
        ]}
        onPick={(delivery) => set({ delivery })}
      />
      <div class="fields two">
        {draft.delivery === "announce" && (
          <>
            <Field label="Channel" error={faults.channel}>
              {(attributes) => (
                <Select
                  {...attributes}
                  value={draft.channel}
                  options={options}
                  onPick={(channel) => set({ channel })}
                />
              )}
            </Field>
            <Field label="To" help="A number, user or chat of that channel. Empty: the last one.">
              {(attributes) => (
                <input
                  {...attributes}
                  value={draft.to}
                  autocomplete="off"
                  spellcheck={false}
                  onInput={(event) => set({ to: event.currentTarget.value })}
                />
              )}
            </Field>
          </>
        )}
        <Field label="Time limit in seconds" help="Empty: the agent's own." error={faults.timeoutSeconds}>
          {(attributes) => (
            <input
              {...attributes}
              type="number"
              min={1}
              inputMode="numeric"
              value={draft.timeoutSeconds}
              onInput={(event) => set({ timeoutSeconds: event.currentTarget.value })}
            />
          )}
        </Field>
      </div>
    </>
  );
}
