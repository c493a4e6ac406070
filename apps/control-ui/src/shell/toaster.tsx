import { X } from "lucide-preact";
import { useApp } from "../app/app.ts";
import { Button, IconButton } from "../ui/index.ts";

/** Notices in the corner, and the live region that screen readers follow. */
export function Toaster() {
  const { toasts } = useApp();
  return (
    <>
      <div class="toasts" role="region" aria-label="Notices">
        {toasts.list.value.map((toast) => (
          <div key={toast.id} class={`toast ${toast.tone}`} role={toast.tone === "bad" ? "alert" : "status"}>
            <p>{toast.text}</p>
            {toast.action && (
              <Button
                kind="plain"
                onClick={() => {
                  toast.action?.run();
                  toasts.dismiss(toast.id);
                }}
              >
                {toast.action.label}
              </Button>
            )}
            <IconButton icon={X} label="Dismiss" onClick={() => toasts.dismiss(toast.id)} />
          </div>
        ))}
      </div>
      <div class="sr-only" aria-live="polite" role="status">
        {toasts.spoken.value}
      </div>
    </>
  );
}
