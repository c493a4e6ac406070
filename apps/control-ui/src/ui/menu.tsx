import { MoreHorizontal, type LucideIcon } from "lucide-preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { IconButton } from "./button.tsx";

export interface MenuItem {
  label: string;
  icon?: LucideIcon;
  danger?: boolean;
  disabled?: boolean;
  /** Why it is disabled. */
  title?: string;
  run: () => void;
}

/** A button with a list of actions. Arrow keys move, Esc closes, the focus returns. */
export function Menu({
  label,
  items,
  icon = MoreHorizontal,
}: {
  label: string;
  items: readonly MenuItem[];
  icon?: LucideIcon;
}) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open) return;
    root.current?.querySelector<HTMLElement>("[role=menuitem]:not(:disabled)")?.focus();
    const outside = (event: PointerEvent) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const close = () => {
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  };
  const move = (event: KeyboardEvent) => {
    const list = [...(root.current?.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)") ?? [])];
    const at = list.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      if (event.key === "Escape") event.stopPropagation();
      close();
    } else if (to !== undefined) {
      event.preventDefault();
      list[(to + list.length) % list.length]?.focus();
    }
  };
  return (
    <div class="menu-root" ref={root}>
      <IconButton
        icon={icon}
        label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      />
      {open && (
        <div class="menu" role="menu" id={id} aria-label={label} onKeyDown={move}>
          {items.map(({ label: text, icon: Icon, danger, disabled, title, run }) => (
            <button
              key={text}
              type="button"
              role="menuitem"
              class={danger === true ? "danger" : ""}
              disabled={disabled === true}
              title={title}
              onClick={() => {
                close();
                run();
              }}
            >
              {Icon && <Icon size={16} aria-hidden="true" />}
              {text}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
