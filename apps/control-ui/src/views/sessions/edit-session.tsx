import { useState } from "preact/hooks";
import type { MethodParams } from "@openclaw/protocol";
import { useApp } from "../../app/app.ts";
import { sessionTitle, type SessionRow } from "../../chat/session-title.ts";
import { useQuery } from "../../gateway/index.ts";
import { Button, Dialog, ErrorNotice, Field, Select, useAction } from "../../ui/index.ts";

type Patch = Omit<MethodParams<"sessions.patch">, "key">;
const fields = ["label", "model", "thinkingLevel", "verboseLevel", "reasoningLevel", "responseUsage", "sendPolicy"] as const;
type Name = (typeof fields)[number];
/** Empty: inherited. */
export type Choices = Record<Name, string>;

const levels = (...values: string[]) => [
  { value: "", label: "As the default" },
  ...values.map((value) => ({ value, label: value })),
];

export function EditSession({ row, onSaved, onClose }: { row: SessionRow; onSaved: () => void; onClose: () => void }) {
  const { link, toasts } = useApp();
  const before = choicesOf(row);
  const [choices, setChoices] = useState(before);
  const action = useAction();
  const models = useQuery(link, "models", { load: (gateway) => gateway.call("models.list", {}) });
  const set = (name: Name) => (value: string) => setChoices({ ...choices, [name]: value });
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
  const select = (name: Name, label: string, options: { value: string; label: string }[]) => (
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

/** The model of a row is the one in use; whether it was chosen for this session is not told, so it starts as inherited. */
function choicesOf(row: SessionRow): Choices {
  return {
    label: row.label ?? "",
    model: "",
    thinkingLevel: row.thinkingLevel ?? "",
    verboseLevel: row.verboseLevel ?? "",
    reasoningLevel: row.reasoningLevel ?? "",
    responseUsage: row.responseUsage ?? "",
    sendPolicy: row.sendPolicy ?? "",
  };
}

/** Only what changed; an emptied choice is given back to the default. */
export function patchOf(before: Choices, after: Choices): Patch {
  const patch: Record<string, string | null> = {};
  for (const name of fields) {
    const value = after[name].trim();
    if (value !== before[name]) patch[name] = value === "" ? null : value;
  }
  return patch;
}
