import { Plus, Trash2 } from "lucide-preact";
import { useState } from "preact/hooks";
import { isRecord } from "../../gateway/index.ts";
import { Button, Field, IconButton } from "../../ui/index.ts";
import { useDesk } from "./desk.ts";
import { valueAt } from "./draft.ts";
import { useFormParts } from "./recursion.ts";
import { controlOf, type Path, type Schema } from "./schema.ts";

/** Settings under names of the person's own. */
export function MapSetting({ path, schema, open }: { path: Path; schema: Schema; open: Path }) {
  const { Setting } = useFormParts();
  const { document, edit, mayEdit } = useDesk();
  const value = valueAt(document, path);
  const names = isRecord(value) ? Object.keys(value) : [];
  const [name, setName] = useState("");
  const trimmed = name.trim();
  const taken = names.includes(trimmed);
  const add = (event: Event) => {
    event.preventDefault();
    if (trimmed === "" || taken) return;
    const { kind, ...rest } = controlOf(schema);
    const first = "values" in rest ? rest.values[0] : "";
    edit(
      [...path, trimmed],
      kind === "object" || kind === "map" ? {} : kind === "list" ? [] : kind === "switch" ? true : first,
    );
    setName("");
  };
  return (
    <div class="list">
      {names.length === 0 && <p class="dim small">Nothing in it.</p>}
      {names.map((each) => (
        <div key={each} class="list-group">
          <Setting path={[...path, each]} schema={schema} open={open} />
          <span class="list-tools">
            <IconButton
              icon={Trash2}
              label={`Take out ${each}`}
              disabled={!mayEdit}
              onClick={() => edit([...path, each], undefined)}
            />
          </span>
        </div>
      ))}
      <form class="inline-form" onSubmit={add}>
        <Field label="New name" error={taken ? `${trimmed} is there already.` : undefined}>
          {(attributes) => (
            <input
              {...attributes}
              value={name}
              disabled={!mayEdit}
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        <Button type="submit" icon={Plus} disabled={!mayEdit || trimmed === "" || taken}>
          Add
        </Button>
      </form>
    </div>
  );
}
