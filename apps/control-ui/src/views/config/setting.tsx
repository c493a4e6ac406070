/** One setting: its name, its help, its control, and whether it is changed. */
import { Undo2 } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Button, IconButton, Words } from "../../ui/index.ts";
import { ChoiceControl, isFew, NumberControl, SecretControl, SwitchControl, TextControl } from "./controls.tsx";
import { useDesk } from "./desk.ts";
import { shownValue, valueAt } from "./draft.ts";
import { Group, SettingsOf } from "./group.tsx";
import { pathKey } from "./json5.ts";
import { ListSetting } from "./list-setting.tsx";
import { MapSetting } from "./map-setting.tsx";
import { useFormParts, type ControlAttributes, type SettingProps } from "./recursion.ts";
import { controlOf, pathText, type Path } from "./schema.ts";

export function Setting({ path, schema, open, named = false }: SettingProps) {
  const { hint, draft, base, document, sensitive } = useDesk();
  const value = valueAt(document, path);
  const changed = draft.has(pathKey(path));
  // What is being typed may be anything; what was stored decides which control can show it.
  const control = controlOf(schema, changed ? undefined : value);
  const { label = String(path.at(-1)), help = schema.description } = hint(path);
  const name = named ? pathText(path) : label;
  if (control.kind === "object")
    return (
      <Group path={path} label={name} help={help} state={stateOf(value)} open={open}>
        {() => <SettingsOf path={path} properties={control.properties} open={open} />}
      </Group>
    );
  if (control.kind === "map")
    return (
      <Group path={path} label={name} help={help} state={stateOf(value)} open={open}>
        {() => <MapSetting path={path} schema={control.value} open={open} />}
      </Group>
    );
  if (control.kind === "list")
    return (
      <Group path={path} label={name} help={help} state={stateOf(value)} open={open}>
        {() => <ListSetting path={path} item={control.item} open={open} />}
      </Group>
    );
  const secret = control.kind === "text" && sensitive(path);
  return (
    <Row path={path} label={name} help={help} changed={changed} grouped={control.kind === "switch" || isFew(control)}>
      {(attributes) => {
        switch (control.kind) {
          case "text":
            return secret ? (
              <SecretControl
                path={path}
                value={value}
                stored={valueAt(base.snapshot.parsed, path)}
                label={name}
                attributes={attributes}
              />
            ) : (
              <TextControl path={path} value={value} attributes={attributes} />
            );
          case "number":
            return <NumberControl path={path} value={value} attributes={attributes} />;
          case "switch":
            return <SwitchControl path={path} value={value} label={name} />;
          case "choice":
            return (
              <ChoiceControl path={path} value={value} values={control.values} label={name} attributes={attributes} />
            );
          default:
            return <Unsupported path={path} value={value} />;
        }
      }}
    </Row>
  );
}

const stateOf = (value: unknown): string => {
  if (value === undefined) return "not set";
  const size = Array.isArray(value)
    ? value.length
    : typeof value === "object" && value !== null
      ? Object.keys(value).length
      : 1;
  return `${size} set`;
};

interface RowProps {
  path: Path;
  label: string;
  help: string | undefined;
  changed: boolean;
  grouped: boolean;
  children: (attributes: ControlAttributes) => ComponentChildren;
}

function Row({ path, label, help, changed, grouped, children }: RowProps) {
  const { issues, drop, mayEdit } = useDesk();
  const id = useId();
  const issue = issues.get(pathKey(path));
  const described = [help === undefined ? "" : `${id}-help`, issue ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div class={`setting ${changed ? "changed" : ""}`.trimEnd()} id={`setting:${path.join(".")}`}>
      <div class="setting-head">
        {/* Radio buttons have a legend of their own. */}
        {grouped ? (
          <span class="setting-name" aria-hidden="true">
            {label}
          </span>
        ) : (
          <label class="setting-name" for={id}>
            {label}
          </label>
        )}
        {changed && (
          <span class="setting-change">
            <span class="changed-mark">changed</span>
            <IconButton icon={Undo2} label={`Undo the change of ${label}`} onClick={() => drop(path)} />
          </span>
        )}
      </div>
      {help !== undefined && (
        <p class="field-help" id={`${id}-help`}>
          <Words text={help} />
        </p>
      )}
      {children({
        id,
        "aria-describedby": described === "" ? undefined : described,
        "aria-invalid": issue !== undefined,
        disabled: !mayEdit,
      })}
      {issue && (
        <p class="field-error" id={`${id}-error`} role="alert">
          {label} {issue.message}.
        </p>
      )}
    </div>
  );
}

/** Shown as it is and left alone. */
function Unsupported({ path, value }: { path: Path; value: unknown }) {
  const { base } = useDesk();
  const { openRaw } = useFormParts();
  return (
    <div class="unsupported">
      <code>{shownValue(value, base.hints, path)}</code>
      <Button kind="plain" onClick={openRaw}>
        Change it as text
      </Button>
    </div>
  );
}
