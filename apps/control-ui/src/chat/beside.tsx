/** What a person wants to read in full beside the conversation: the output of a tool. On wide windows only; the split is this
 *  browser's choice (control-ui.md §4.6). */
import { X } from "lucide-preact";
import { createContext } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app/app.ts";
import { clampSplit } from "../app/settings.ts";
import { CopyButton, IconButton, Segments } from "../ui/index.ts";
import { Markdown } from "./markdown-view.tsx";

export interface Beside {
  title: string;
  text: string;
}

/** Opens the panel; undefined where there is none. */
export const OpenBeside = createContext<((content: Beside) => void) | undefined>(undefined);

const stepOfKey = 0.02;

export function BesidePanel({ content, onClose }: { content: Beside; onClose: () => void }) {
  const [form, setForm] = useState<"raw" | "markdown">("raw");
  const close = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    close.current?.focus();
    const press = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) onClose();
    };
    addEventListener("keydown", press);
    return () => {
      removeEventListener("keydown", press);
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <>
      <Divider />
      <aside class="beside" aria-label={content.title} ref={close} tabIndex={-1}>
        <header class="beside-head">
          <h2>{content.title}</h2>
          <Segments
            label="Shown as"
            value={form}
            options={[
              { value: "raw", label: "Text" },
              { value: "markdown", label: "Markdown" },
            ]}
            onPick={setForm}
          />
          <CopyButton text={content.text} label="Copy all of it" />
          <IconButton icon={X} label="Close the panel" onClick={onClose} />
        </header>
        <div class="beside-body" tabIndex={0} role="region" aria-label="Content">
          {form === "raw" ? <pre>{content.text}</pre> : <Markdown text={content.text} />}
        </div>
      </aside>
    </>
  );
}

/** Moved by pointer or arrow keys. */
function Divider() {
  const { settings } = useApp();
  const { splitRatio } = settings.current;
  const move = (ratio: number) => settings.change({ splitRatio: clampSplit(ratio) });
  const drag = (event: PointerEvent) => {
    const handle = event.currentTarget;
    const row = handle instanceof HTMLElement ? handle.parentElement : null;
    if (!(handle instanceof HTMLElement) || !row) return;
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    const follow = (next: PointerEvent) => {
      const { left, width } = row.getBoundingClientRect();
      move((next.clientX - left) / width);
    };
    const end = () => {
      handle.removeEventListener("pointermove", follow);
      handle.removeEventListener("lostpointercapture", end);
    };
    handle.addEventListener("pointermove", follow);
    handle.addEventListener("lostpointercapture", end);
  };
  return (
    <div
      class="beside-divider"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the conversation"
      aria-valuenow={Math.round(splitRatio * 100)}
      aria-valuemin={40}
      aria-valuemax={70}
      tabIndex={0}
      onPointerDown={drag}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -stepOfKey, ArrowRight: stepOfKey }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        move(splitRatio + step);
      }}
    />
  );
}
