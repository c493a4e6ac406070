import { Check, Copy } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "../app/app.ts";
import { IconButton } from "./button.tsx";

/** Works in insecure contexts too, where the clipboard interface is missing. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not allowed, or no secure context: the old way below.
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

export function CopyButton({
  text,
  label = "Copy",
  class: extra = "",
}: {
  text: string | (() => string);
  label?: string;
  class?: string;
}) {
  const { toasts } = useApp();
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1_500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async () => {
    const copied = await copyText(typeof text === "string" ? text : text());
    setDone(copied);
    if (copied) toasts.announce("Copied.");
    else toasts.show("The browser does not allow copying here.", { tone: "bad" });
  };
  return (
    <IconButton
      icon={done ? Check : Copy}
      label={done ? "Copied" : label}
      class={`copy ${extra}`}
      onClick={() => void copy()}
    />
  );
}

/** A command a person may run, exactly, with a copy button. */
export function Command({ text }: { text: string }) {
  return (
    <div class="command">
      <code tabIndex={0}>{text}</code>
      <CopyButton text={text} label="Copy the command" />
    </div>
  );
}
