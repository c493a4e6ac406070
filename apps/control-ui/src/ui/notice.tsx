import { CircleAlert, Inbox, type LucideIcon } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "./button.tsx";

/** Nothing here yet, and what would change that. */
export function Empty({
  icon: Icon = Inbox,
  title,
  children,
}: {
  icon?: LucideIcon;
  title: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon size={28} aria-hidden="true" />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** What went wrong and what to do: in place, where it went wrong. */
export function ErrorNotice({
  text,
  retry,
  children,
}: {
  text: string;
  retry?: (() => void) | undefined;
  children?: ComponentChildren;
}) {
  return (
    <div class="notice bad" role="alert">
      <CircleAlert size={18} aria-hidden="true" />
      <div class="notice-body">
        <p>{text}</p>
        {children}
      </div>
      {retry && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

export function Notice({
  tone = "info",
  icon: Icon,
  children,
}: {
  tone?: "info" | "warn";
  icon?: LucideIcon;
  children: ComponentChildren;
}) {
  return (
    <div class={`notice ${tone}`}>
      {Icon && <Icon size={18} aria-hidden="true" />}
      <div class="notice-body">{children}</div>
    </div>
  );
}

/** Grey lines where text will be; only after 150 ms, so that quick answers do not flicker. */
export function Skeleton({ lines = 3, label = "Loading" }: { lines?: number; label?: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 150);
    return () => clearTimeout(timer);
  }, []);
  if (!late) return <div class="skeleton" aria-hidden="true" />;
  return (
    <div class="skeleton" role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, index) => (
        <div key={index} class="skeleton-line" />
      ))}
    </div>
  );
}
