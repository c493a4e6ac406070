import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Words } from "../../ui/index.ts";
import { useDesk } from "./desk.ts";
import { valueAt } from "./draft.ts";
import { useFormParts } from "./recursion.ts";
import { controlOf, type Path, type Schema } from "./schema.ts";

interface SettingsOfProps {
  path: Path;
  properties: Readonly<Record<string, Schema>>;
  /** A path whose groups are open from the start. */
  open: Path;
}

/** The settings of an object: plain ones first, groups after them, each in the order of their hints. */
export function SettingsOf({ path, properties, open }: SettingsOfProps) {
  const { Setting } = useFormParts();
  const { hint, document } = useDesk();
  const rows = Object.entries(properties).map(([name, schema]) => {
    const at = [...path, name];
    const { kind } = controlOf(schema, valueAt(document, at));
    return { at, schema, group: kind === "object" || kind === "map" || kind === "list", order: hint(at).order ?? 0 };
  });
  rows.sort((a, b) => Number(a.group) - Number(b.group) || a.order - b.order);
  return (
    <div class="settings">
      {rows.map(({ at, schema }) => (
        <Setting key={at.join(".")} path={at} schema={schema} open={open} />
      ))}
    </div>
  );
}

interface GroupProps {
  path: Path;
  label: string;
  help: string | undefined;
  /** How much is set, in words. */
  state: string;
  open: Path;
  children: () => ComponentChildren;
}

/** A part that folds. What is folded away is not drawn, and a config has many parts. */
export function Group({ path, label, help, state, open, children }: GroupProps) {
  const asked = open.length >= path.length && path.every((name, index) => String(open[index]) === String(name));
  const [shown, setShown] = useState(asked);
  useEffect(() => {
    if (asked) setShown(true);
  }, [asked]);
  return (
    <details
      class="setting-group"
      id={`setting:${path.join(".")}`}
      open={shown}
      onToggle={(event) => setShown(event.currentTarget.open)}
    >
      <summary>
        <span class="group-name">{label}</span>
        <span class="dim small">{state}</span>
      </summary>
      {shown && (
        <div class="group-body">
          {help !== undefined && (
            <p class="dim small">
              <Words text={help} />
            </p>
          )}
          {children()}
        </div>
      )}
    </details>
  );
}
