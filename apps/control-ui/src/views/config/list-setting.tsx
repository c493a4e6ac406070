import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-preact";
import { Button, IconButton } from "../../ui/index.ts";
import { useDesk } from "./desk.ts";
import { holdsSecret, valueAt } from "./draft.ts";
import { useFormParts } from "./recursion.ts";
import { controlOf, isSensitive, type Path, type Schema } from "./schema.ts";

/** A list: single values as rows, objects as groups. A stored secret is found again by its place only, so behind the first
 *  one nothing may move. */
export function ListSetting({ path, item, open }: { path: Path; item: Schema; open: Path }) {
  const { Setting } = useFormParts();
  const { document, edit, mayEdit, base } = useDesk();
  const value = valueAt(document, path);
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  const { kind } = controlOf(item);
  const plain = kind === "text" || kind === "number";
  const set = (next: readonly unknown[]) => edit(path, next.length === 0 ? undefined : next);
  const fixed = (from: number) => items.slice(from).some(holdsSecret);
  const why = (from: number) =>
    fixed(from) ? "Holds a stored secret, which is found by its place: change it as text" : undefined;
  const remove = (index: number) => set(items.filter((_, other) => other !== index));
  const swap = (index: number, other: number) => {
    const next = [...items];
    [next[index], next[other]] = [next[other], next[index]];
    set(next);
  };
  const tools = (index: number) => (
    <span class="list-tools">
      <IconButton
        icon={ArrowUp}
        label={`Move entry ${index + 1} up`}
        disabled={!mayEdit || index === 0 || fixed(index - 1)}
        onClick={() => swap(index, index - 1)}
      />
      <IconButton
        icon={ArrowDown}
        label={`Move entry ${index + 1} down`}
        disabled={!mayEdit || index === items.length - 1 || fixed(index)}
        onClick={() => swap(index, index + 1)}
      />
      <IconButton
        icon={Trash2}
        label={why(index) ?? `Take out entry ${index + 1}`}
        disabled={!mayEdit || fixed(index)}
        onClick={() => remove(index)}
      />
    </span>
  );
  return (
    <div class="list">
      {items.length === 0 && <p class="dim small">Nothing in it.</p>}
      {items.map((entry, index) => (
        <div key={index} class={plain ? "list-row" : "list-group"}>
          {plain ? (
            <input
              aria-label={`Entry ${index + 1}`}
              type={isSensitive(base.hints, [...path, index]) ? "password" : "text"}
              disabled={!mayEdit || holdsSecret(entry)}
              value={holdsSecret(entry) ? "" : String(entry ?? "")}
              placeholder={holdsSecret(entry) ? "•••••••• is set" : ""}
              autocomplete="off"
              spellcheck={false}
              onInput={(event) =>
                set(items.map((old, other) => (other === index ? typed(old, kind, event.currentTarget.value) : old)))
              }
            />
          ) : (
            <Setting path={[...path, index]} schema={item} open={open} named />
          )}
          {tools(index)}
        </div>
      ))}
      <div>
        <Button icon={Plus} disabled={!mayEdit} onClick={() => set([...items, emptyOf(item)])}>
          Add an entry
        </Button>
      </div>
    </div>
  );
}

/** Numbers stay numbers while they are numbers. */
function typed(old: unknown, kind: string, text: string): unknown {
  const number = Number(text);
  const numeric = text.trim() !== "" && Number.isFinite(number);
  return (kind === "number" || typeof old === "number") && numeric ? number : text;
}

function emptyOf(schema: Schema): unknown {
  const control = controlOf(schema);
  if (control.kind === "object" || control.kind === "map") return {};
  if (control.kind === "list") return [];
  if (control.kind === "switch") return false;
  if (control.kind === "choice") return control.values[0];
  return "";
}
