import { useState } from "preact/hooks";
import { Plus, X } from "lucide-preact";
import { Ago, Button, Field, IconButton, VerbatimText } from "../../ui/index.ts";
import { allowedOf, patternFault, withAllowed, withoutAllowed, type RulesFile } from "./exec-rules.ts";

interface AllowedListProps {
  file: RulesFile;
  scope: string;
  disabled: boolean;
  onChange: (file: RulesFile) => void;
}

/** Programs that run without asking, and when each did last. */
export function AllowedList({ file, scope, disabled, onChange }: AllowedListProps) {
  const [pattern, setPattern] = useState("");
  const [fault, setFault] = useState<string>();
  const add = (event: Event) => {
    event.preventDefault();
    const wrong = patternFault(file, scope, pattern.trim());
    setFault(wrong);
    if (wrong !== undefined) return;
    onChange(withAllowed(file, scope, pattern.trim()));
    setPattern("");
  };
  const list = allowedOf(file, scope);
  return (
    <div class="allowed">
      <h3>The list</h3>
      {list.length === 0 ? (
        <p class="dim">No program yet. “Always allow” adds one, or you do it here.</p>
      ) : (
        <ul class="allowed-rows">
          {list.map((entry, index) => (
            <li key={entry.id ?? entry.pattern}>
              <div class="allowed-text">
                <code>
                  <VerbatimText text={entry.pattern} />
                </code>
                <p class="dim small">
                  {entry.lastUsedAt === undefined ? (
                    "Not used yet"
                  ) : (
                    <>
                      Used <Ago at={entry.lastUsedAt} />
                    </>
                  )}
                  {entry.lastUsedCommand !== undefined && (
                    <>
                      {": "}
                      <code>
                        <VerbatimText text={entry.lastUsedCommand.slice(0, 200)} />
                      </code>
                    </>
                  )}
                </p>
              </div>
              <IconButton
                icon={X}
                label={`Take ${entry.pattern} off the list`}
                disabled={disabled}
                onClick={() => onChange(withoutAllowed(file, scope, index))}
              />
            </li>
          ))}
        </ul>
      )}
      <form class="inline-form" onSubmit={add}>
        <Field label="Add a program" help="A path; * stands for part of a name, ** for folders." error={fault}>
          {(attributes) => (
            <input
              {...attributes}
              class="mono"
              value={pattern}
              placeholder="/usr/bin/rg"
              autocomplete="off"
              spellcheck={false}
              disabled={disabled}
              onInput={(event) => {
                setPattern(event.currentTarget.value);
                setFault(undefined);
              }}
            />
          )}
        </Field>
        <Button type="submit" icon={Plus} disabled={disabled || pattern.trim() === ""}>
          Add
        </Button>
      </form>
    </div>
  );
}
