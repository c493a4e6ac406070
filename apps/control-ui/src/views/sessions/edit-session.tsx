import { useState } from "preact/hooks";
import { useApp } from "../../app/app.ts";
import { sessionTitle, type SessionRow } from "../../chat/session-title.ts";
import { useQuery } from "../../gateway/index.ts";
import { choicesOf, patchOf, type ChoiceName, type SessionDefaults } from "./session-choices.ts";
import { Button, Dialog, ErrorNotice, Field, Select, useAction } from "../../ui/index.ts";

const levels = (...values: string[]) => [
  { value: "", label: "As the default" },
  ...values.map((value) => ({ value, label: value })),
];

interface EditSessionProps {
  row: SessionRow;
  defaults: SessionDefaults;
  onSaved: () => void;
  onClose: () => void;
}

export function EditSession({ row, defaults, onSaved, onClose }: EditSessionProps) {
  const { link, toasts } = useApp();
  const before = choicesOf(row, defaults);
  const [choices, setChoices] = useState(before);
  const action = useAction();
  const models = useQuery(link, "models", { load: (gateway) => gateway.call("models.list", {}) });
  const set = (name: ChoiceName) => (value: string) => setChoices({ ...choices, [name]: value });
  const patch = patchOf(before, choices);
  const save = async (event: Event) => {
    event.preventDefault();
    const saved = await action.run("save", () => link.call("sessions.patch", { key: row.key, ...patch }));
    if (!saved) return;
    toasts.announce("Saved.");
    onSaved();
    onClose();
  };
  const known = (models.state.value.data?.models ?? []).map(({ provider, id, name }) => ({
    value: `${provider}/${id}`,
    label: `${name} (${provider})`,
  }));
  const modelOptions = [
    { value: "", label: "As the default" },
    ...known,
    ...(before.model !== "" && !known.some(({ value }) => value === before.model)
      ? [{ value: before.model, label: before.model }]
      : []),
  ];
  const select = (name: ChoiceName, label: string, options: { value: string; label: string }[]) => (
    <Field label={label}>
      {(attributes) => <Select {...attributes} value={choices[name]} options={options} onPick={set(name)} />}
    </Field>
  );
  return (
    <Dialog title={`Change ${sessionTitle(row)}`} onClose={onClose}>
      <form class="dialog-body" onSubmit={(event) => void save(event)}>
        <Field label="Label" help="A name of yours, at most 64 characters.">
          {(attributes) => (
            <input
              {...attributes}
              value={choices.label}
              maxLength={64}
              autocomplete="off"
              onInput={(event) => set("label")(event.currentTarget.value)}
            />
          )}
        </Field>
        <div class="fields two session-fields">
          {select("model", "Model", modelOptions)}
          {select("thinkingLevel", "Thinking", levels("minimal", "low", "medium", "high", "xhigh"))}
          {select("verboseLevel", "Tool reports", levels("off", "on", "full"))}
          {select("reasoningLevel", "Reasoning shown", levels("on", "stream"))}
          {select("responseUsage", "Usage line", levels("tokens", "full"))}
          {select("sendPolicy", "Sending", [
            { value: "", label: "As the default" },
            { value: "allow", label: "Allowed" },
            { value: "deny", label: "Denied" },
          ])}
        </div>
        {action.error !== undefined && <ErrorNotice text={action.error} />}
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            kind="primary"
            disabled={Object.keys(patch).length === 0 || action.busy !== undefined || !link.connected.value}
          >
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
