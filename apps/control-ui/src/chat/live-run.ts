/** The reply that is being written: text and tool calls in the order they came. Pure: every function answers with a new value,
 *  or the same one when nothing changed. */
import { readResult, type Part, type ToolCall } from "./turns.ts";
import { isRecord } from "../gateway/storage.ts";

export interface LiveRun {
  runId: string;
  startedAt: number;
  parts: readonly Part[];
  compacting: boolean;
  /** It ended; its words stand here until the history has them. */
  over: boolean;
}

/** Tool calls kept of one run; the oldest leave first. */
const maxTools = 50;

export const newRun = (runId: string, startedAt: number): LiveRun => ({
  runId,
  startedAt,
  parts: [],
  compacting: false,
  over: false,
});

/** `text` is all of the present message so far. A shorter text of the same message is late and ignored; after a tool call a
 *  text that does not continue the former one begins a new part. */
export function withText(run: LiveRun, text: string): LiveRun {
  if (text === "") return run;
  const last = run.parts.at(-1);
  if (last?.kind === "text") {
    if (text.length <= last.text.length) return run;
    return { ...run, parts: [...run.parts.slice(0, -1), { kind: "text", text }] };
  }
  // The same message, told again after its tool call began.
  const former = run.parts.findLast((part) => part.kind === "text");
  if (former?.kind === "text" && former.text.startsWith(text)) return run;
  return { ...run, parts: [...run.parts, { kind: "text", text }] };
}

/** `data` of an `agent` event of stream `tool`. */
export function withTool(run: LiveRun, data: Record<string, unknown>, now: number): LiveRun {
  const id = String(data.toolCallId ?? "");
  if (id === "") return run;
  const known = run.parts.find((part) => part.kind === "tool" && part.call.id === id);
  const before: ToolCall =
    known?.kind === "tool"
      ? known.call
      : { id, name: String(data.name ?? "tool"), args: data.args, state: "running", startedAt: now, images: [] };
  const call = applyPhase(before, data, now);
  if (known) return { ...run, parts: run.parts.map((part) => (part === known ? { kind: "tool", call } : part)) };
  const parts: Part[] = [...run.parts, { kind: "tool", call }];
  const tools = parts.filter((part) => part.kind === "tool");
  return { ...run, parts: tools.length > maxTools ? parts.filter((part) => part !== tools[0]) : parts };
}

function applyPhase(call: ToolCall, data: Record<string, unknown>, now: number): ToolCall {
  const args = data.args ?? call.args;
  if (data.phase === "update") {
    if (call.state !== "running" || data.partialResult === undefined) return call;
    return { ...call, args, ...readResult(data.partialResult) };
  }
  if (data.phase !== "result") return { ...call, args };
  const shown = isRecord(data.result) || typeof data.result === "string" ? readResult(data.result) : {};
  const durationMs = call.startedAt === undefined ? {} : { durationMs: now - call.startedAt };
  return { ...call, args, state: data.isError === true ? "failed" : "ok", ...shown, ...durationMs };
}

export const liveText = (run: LiveRun): string =>
  run.parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("\n\n");
