import { useId } from "preact/hooks";

interface SegmentsProps<V extends string> {
  /** What is chosen, for screen readers; not shown. */
  label: string;
  value: V;
  options: readonly { value: V; label: string; disabled?: boolean; title?: string | undefined }[];
  disabled?: boolean;
  onPick: (value: V) => void;
}

/** One of a few: radio buttons side by side, arrow keys included. */
export function Segments<V extends string>({ label, value, options, disabled = false, onPick }: SegmentsProps<V>) {
  const name = useId();
  return (
    <fieldset class="segments" disabled={disabled}>
      <legend class="sr-only">{label}</legend>
      {options.map((option) => (
        <label key={option.value} class={option.value === value ? "chosen" : ""} title={option.title}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            disabled={option.disabled === true}
            onChange={() => onPick(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
