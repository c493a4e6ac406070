import { X } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Button, IconButton } from "./button.tsx";

interface DialogProps {
  title: string;
  /** Esc, the cross, a click outside. */
  onClose: () => void;
  /** A question that must be answered: no cross, Esc does nothing. */
  modalOnly?: boolean;
  class?: string;
  children: ComponentChildren;
}

/** A modal: the browser traps and returns the focus. Rendered only while open. */
export function Dialog({ title, onClose, modalOnly = false, class: extra = "", children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = ref.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      // Closed before it is taken away: nothing else can have the focus while a modal is open.
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={`dialog ${extra}`.trimEnd()}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        if (!modalOnly) onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current && !modalOnly) onClose();
      }}
    >
      <div class="dialog-inner">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          {!modalOnly && <IconButton icon={X} label="Close" onClick={onClose} />}
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What will be gone, in plain words. */
  children: ComponentChildren;
  /** The verb: `Delete session`. */
  action: string;
  danger?: boolean;
  /** Must be typed before the button works: for what cannot be undone. */
  typed?: string;
  /** A rejection is shown and the dialog stays. */
  onConfirm: () => Promise<void> | void;
  /** Called at the end, whatever was chosen. */
  onClose: () => void;
  /** Called before `onClose` when the person said no. */
  onRefuse?: () => void;
}

export function Confirm({ title, children, action, danger = true, typed, onConfirm, onClose, onRefuse }: ConfirmProps) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const id = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
      setBusy(false);
    }
  };
  const refuse = () => {
    onRefuse?.();
    onClose();
  };
  return (
    <Dialog title={title} onClose={refuse}>
      <form class="dialog-body" onSubmit={(event) => void submit(event)}>
        {children}
        {typed !== undefined && (
          <div class="field">
            <label for={id}>
              Type <b>{typed}</b> to confirm
            </label>
            <input id={id} value={text} autocomplete="off" onInput={(event) => setText(event.currentTarget.value)} />
          </div>
        )}
        {error !== undefined && (
          <p class="field-error" role="alert">
            {error}
          </p>
        )}
        <div class="dialog-actions">
          <Button onClick={refuse}>Cancel</Button>
          <Button
            type="submit"
            kind={danger ? "danger" : "primary"}
            disabled={busy || (typed !== undefined && text !== typed)}
          >
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
