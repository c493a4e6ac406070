import { Search, X } from "lucide-preact";
import { useRef } from "preact/hooks";
import { IconButton } from "./button.tsx";

/** A filter as one types. Esc empties it. */
export function SearchField({
  label,
  placeholder = label,
  value,
  onText,
}: {
  label: string;
  placeholder?: string;
  value: string;
  onText: (text: string) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const clear = () => {
    onText("");
    input.current?.focus();
  };
  return (
    <div class="search-field">
      <Search size={16} aria-hidden="true" />
      <input
        ref={input}
        type="text"
        inputMode="search"
        aria-label={label}
        placeholder={placeholder}
        autocomplete="off"
        spellcheck={false}
        value={value}
        onInput={(event) => onText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || value === "") return;
          event.stopPropagation();
          clear();
        }}
      />
      {value !== "" && <IconButton icon={X} label="Empty the search" onClick={clear} />}
    </div>
  );
}
