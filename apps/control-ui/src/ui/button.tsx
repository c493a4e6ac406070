import type { LucideIcon } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";

export interface ButtonProps extends Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, "icon" | "size"> {
  /** `plain` has no frame until it is pointed at. */
  kind?: "primary" | "plain" | "danger" | "default";
  icon?: LucideIcon;
  children?: ComponentChildren;
}

export function Button({
  kind = "default",
  icon: Icon,
  children,
  class: extra = "",
  type = "button",
  ...rest
}: ButtonProps) {
  return (
    <button type={type} class={`button ${kind} ${String(extra)}`.trimEnd()} {...rest}>
      {Icon && <Icon size={16} aria-hidden="true" />}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonProps, "children" | "kind"> {
  icon: LucideIcon;
  /** Name for people who do not see the icon; also the tooltip. */
  label: string;
}

export function IconButton({ icon: Icon, label, class: extra = "", type = "button", ...rest }: IconButtonProps) {
  return (
    <button type={type} class={`icon-button ${String(extra)}`.trimEnd()} aria-label={label} title={label} {...rest}>
      <Icon size={18} aria-hidden="true" />
    </button>
  );
}
