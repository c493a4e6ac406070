import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Segments } from "../../ui/index.ts";

interface ChoiceProps<V extends string> {
  label: string;
  value: V;
  options: readonly { value: V; label: string }[];
  help?: ComponentChildren;
  onPick: (value: V) => void;
}

/** A visible name above one of a few. */
export function Choice<V extends string>({ label, help, ...rest }: ChoiceProps<V>) {
  const id = useId();
  return (
    <div class="field" role="group" aria-labelledby={id}>
      <span class="choice-name" id={id}>
        {label}
      </span>
      <div>
        <Segments label={label} {...rest} />
      </div>
      {help !== undefined && <p class="field-help">{help}</p>}
    </div>
  );
}
