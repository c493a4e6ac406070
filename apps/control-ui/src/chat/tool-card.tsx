/** One line per tool call: name, what it is about, how long, how it went. It opens to arguments and output. */
import {
  Check,
  ChevronRight,
  CircleDashed,
  FileText,
  Globe,
  type LucideIcon,
  PanelRightOpen,
  Terminal,
  TriangleAlert,
  Wrench,
} from "lucide-preact";
import { useContext, useState } from "preact/hooks";
import { now } from "../app/clock.ts";
import { count, duration } from "../app/format.ts";
import { isRecord } from "../gateway/index.ts";
import { CopyButton, IconButton } from "../ui/index.ts";
import { OpenBeside } from "./beside.tsx";
import type { ToolCall } from "./turns.ts";
import { Picture } from "./picture.tsx";

const icons: readonly (readonly [RegExp, LucideIcon])[] = [
  [/exec|process|bash|shell/, Terminal],
  [/read|write|edit|patch|file/, FileText],
  [/web|browser|fetch|search/, Globe],
];

export function ToolCard({ call }: { call: ToolCall }) {
  const [open, setOpen] = useState(false);
  const Icon = icons.find(([pattern]) => pattern.test(call.name))?.[1] ?? Wrench;
  return (
    <div class={`tool ${call.state}`}>
      <button type="button" class="tool-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <ChevronRight size={14} aria-hidden="true" class="tool-chevron" />
        <Icon size={15} aria-hidden="true" />
        <span class="tool-name">{call.name}</span>
        <span class="tool-detail">{detailOf(call.args)}</span>
        <ToolState call={call} />
      </button>
      {open && <ToolBody call={call} />}
    </div>
  );
}

function ToolState({ call }: { call: ToolCall }) {
  if (call.state === "running")
    return (
      <span class="tool-state">
        <CircleDashed size={14} aria-hidden="true" class="turning" />
        <span class="number">
          {call.startedAt === undefined ? "running" : duration(Math.max(0, now().value - call.startedAt))}
        </span>
        <span class="sr-only">running</span>
      </span>
    );
  if (call.state === "open") return <span class="tool-state">no result</span>;
  const time = call.durationMs === undefined ? "" : duration(call.durationMs);
  return (
    <span class={`tool-state ${call.state}`}>
      {call.state === "failed" ? (
        <>
          <TriangleAlert size={14} aria-hidden="true" /> failed
        </>
      ) : (
        <>
          <Check size={14} aria-hidden="true" />
          <span class="sr-only">done</span>
        </>
      )}
      <span class="number">{time}</span>
    </span>
  );
}

function ToolBody({ call }: { call: ToolCall }) {
  const args =
    call.args === undefined ? "" : typeof call.args === "string" ? call.args : JSON.stringify(call.args, null, 2);
  return (
    <div class="tool-body">
      {args !== "" && args !== "{}" && <Output of={call.name} title="Arguments" text={args} />}
      {call.output !== undefined && call.output !== "" && (
        <Output of={call.name} title={call.state === "failed" ? "Error" : "Output"} text={call.output} />
      )}
      {call.images.map((src, index) => (
        <Picture key={index} src={src} name={`${call.name} result ${index + 1}`} />
      ))}
      {call.state === "running" && <p class="dim small">No output yet.</p>}
      {call.state === "ok" && !call.output && call.images.length === 0 && <p class="dim small">No output.</p>}
    </div>
  );
}

function Output({ of, title, text }: { of: string; title: string; text: string }) {
  const openBeside = useContext(OpenBeside);
  return (
    <section class="output">
      <header>
        <h3>{title}</h3>
        <span class="dim">{count(text.length)} characters</span>
        {openBeside && (
          <IconButton
            icon={PanelRightOpen}
            label={`Open ${title.toLowerCase()} beside the conversation`}
            class="open-beside"
            onClick={() => openBeside({ title: `${title} of ${of}`, text: stripCodes(text) })}
          />
        )}
        <CopyButton text={text} label={`Copy ${title.toLowerCase()}`} />
      </header>
      <pre tabIndex={0}>{stripCodes(text)}</pre>
    </section>
  );
}

/** Colour codes of terminals mean nothing here. */
const terminalCodes = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
const stripCodes = (text: string): string => text.replace(terminalCodes, "");

const telling = [
  "command",
  "path",
  "file_path",
  "file",
  "url",
  "query",
  "pattern",
  "action",
  "sessionKey",
  "message",
  "text",
];

/** The argument that says most, on one line. */
export function detailOf(args: unknown): string {
  if (typeof args === "string") return args.slice(0, 200);
  if (!isRecord(args)) return "";
  for (const name of telling) {
    const value = args[name];
    if (typeof value === "string" && value !== "") return value.split("\n")[0]?.slice(0, 200) ?? "";
  }
  const first = Object.values(args).find((value) => typeof value === "string" || typeof value === "number");
  return first === undefined ? "" : String(first).slice(0, 200);
}
