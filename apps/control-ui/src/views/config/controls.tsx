/** The controls of single values. An emptied field takes the setting out, so that its default counts. */
import { Eye, EyeOff } from "lucide-preact";
import { useState } from "preact/hooks";
import { Button, IconButton, Segments, Select } from "../../ui/index.ts";
import { useDesk } from "./desk.ts";
import { redacted, type Control, type Path } from "./schema.ts";
import type { ControlAttributes } from "./recursion.ts";

interface ControlProps {
  path: Path;
  value: unknown;
  attributes: ControlAttributes;
}

/** At most so many choices stand side by side. */
const sideBySide = 5;

export const isFew = (control: Control): boolean => control.kind === "choice" && control.values.length <= sideBySide;

const asText = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

function useFallbackText(path: Path): string {
  const { fallback, hint } = useDesk();
  const value = fallback(path);
  if (typeof value === "string" || typeof value === "number") return value === redacted ? "" : `Default: ${value}`;
  return hint(path).placeholder ?? "";
}

export function TextControl({ path, value, attributes }: ControlProps) {
  const { edit } = useDesk();
  const wasNumber = typeof value === "number";
  const change = (text: string) => {
    if (text === "") edit(path, undefined);
    else edit(path, wasNumber && /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text);
  };
  return (
    <input
      {...attributes}
      value={asText(value)}
      placeholder={useFallbackText(path)}
      autocomplete="off"
      spellcheck={false}
      onInput={(event) => change(event.currentTarget.value)}
    />
  );
}

export function NumberControl({ path, value, attributes }: ControlProps) {
  const { edit } = useDesk();
  const change = (text: string) => {
    const number = Number(text.trim());
    // What is no number stays as it was typed, and is said to be wrong.
    edit(path, text.trim() === "" ? undefined : Number.isFinite(number) ? number : text);
  };
  return (
    <input
      {...attributes}
      class="short"
      inputMode="decimal"
      value={asText(value)}
      placeholder={useFallbackText(path)}
      autocomplete="off"
      onChange={(event) => change(event.currentTarget.value)}
      onInput={(event) => {
        // A number that is still being typed, such as `1.`, must not be rewritten under the cursor.
        if (!/[.eE-]$/.test(event.currentTarget.value)) change(event.currentTarget.value);
      }}
    />
  );
}

export function SwitchControl({ path, value, label }: { path: Path; value: unknown; label: string }) {
  const { edit, fallback, mayEdit } = useDesk();
  const byDefault = fallback(path);
  const word = value === undefined && typeof byDefault === "boolean" ? (byDefault ? " (on)" : " (off)") : "";
  return (
    <Segments
      label={label}
      value={value === true ? "on" : value === false ? "off" : "default"}
      disabled={!mayEdit}
      options={[
        { value: "default", label: `Default${word}` },
        { value: "on", label: "On" },
        { value: "off", label: "Off" },
      ]}
      onPick={(picked) => edit(path, picked === "default" ? undefined : picked === "on")}
    />
  );
}

interface ChoiceProps extends ControlProps {
  values: readonly unknown[];
  label: string;
}

export function ChoiceControl({ path, value, values, label, attributes }: ChoiceProps) {
  const { edit, fallback, mayEdit } = useDesk();
  const byDefault = fallback(path);
  const options = [
    {
      value: "",
      label: value === undefined && values.includes(byDefault) ? `Default (${String(byDefault)})` : "Default",
    },
    ...values.map((item) => ({ value: JSON.stringify(item), label: String(item) })),
  ];
  const chosen = value === undefined ? "" : JSON.stringify(value);
  const pick = (text: string) =>
    edit(path, text === "" ? undefined : values.find((item) => JSON.stringify(item) === text));
  if (values.length <= sideBySide)
    return <Segments label={label} value={chosen} disabled={!mayEdit} options={options} onPick={pick} />;
  return <Select {...attributes} value={chosen} options={options} onPick={pick} />;
}

/** The stored secret is never here: it can be kept, replaced or removed. */
export function SecretControl({
  path,
  value,
  stored,
  label,
  attributes,
}: ControlProps & { stored: unknown; label: string }) {
  const { edit } = useDesk();
  const [replacing, setReplacing] = useState(false);
  const [shown, setShown] = useState(false);
  const kept = stored === redacted && value === redacted;
  if (kept && !replacing)
    return (
      <div class="row">
        <span class="secret-kept">•••••••• is set</span>
        <Button aria-label={`Replace ${label}`} disabled={attributes.disabled} onClick={() => setReplacing(true)}>
          Replace
        </Button>
        <Button
          kind="plain"
          aria-label={`Remove ${label}`}
          disabled={attributes.disabled}
          onClick={() => edit(path, undefined)}
        >
          Remove
        </Button>
      </div>
    );
  return (
    <div class="secret">
      <input
        {...attributes}
        type={shown ? "text" : "password"}
        autocomplete="off"
        spellcheck={false}
        placeholder={value === redacted ? "Empty: the stored one is kept" : ""}
        value={value === redacted ? "" : asText(value)}
        onInput={(event) => {
          const text = event.currentTarget.value;
          edit(path, text !== "" ? text : stored === redacted ? redacted : undefined);
        }}
      />
      <IconButton
        icon={shown ? EyeOff : Eye}
        label={shown ? "Hide what is typed" : "Show what is typed"}
        aria-pressed={shown}
        onClick={() => setShown(!shown)}
      />
    </div>
  );
}
