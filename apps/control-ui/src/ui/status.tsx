import type { ComponentChildren } from "preact";

export type Tone = "ok" | "warn" | "bad" | "live" | "idle";

/** A dot with words beside it: the state is never told by colour alone. */
export function Status({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class="status">
      <span class={`dot ${tone}`} aria-hidden="true" />
      <span class="status-text">{children}</span>
    </span>
  );
}

/** A short label in a frame. */
export function Chip({ tone, children, title }: { tone?: Tone; children: ComponentChildren; title?: string }) {
  return (
    <span class={`chip ${tone ?? ""}`.trimEnd()} title={title}>
      {children}
    </span>
  );
}
