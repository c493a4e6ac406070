/** From transcript messages to what is drawn: one turn per message, tool results folded into the calls they answer, reserved
 *  words and directives taken out (control-ui.md §4.4, §4.5). Pure. */
import { isRecord } from "../gateway/storage.ts";

/** A message of `chat.history`; other gateways and other times may put other shapes here. */
export interface HistoryMessage {
  id: string;
  role: string;
  content: unknown;
  timestamp: number;
  [field: string]: unknown;
}

export interface ToolCall {
  id: string;
  name: string;
  args: unknown;
  state: "running" | "ok" | "failed" | "open";
  /** ms since the epoch; of calls seen live. */
  startedAt?: number;
  durationMs?: number;
  output?: string;
  images: readonly string[];
}

export type Part =
  | { kind: "text"; text: string }
  | { kind: "thinking"; text: string }
  | { kind: "image"; src: string }
  | { kind: "tool"; call: ToolCall }
  | { kind: "unknown"; json: string };

export interface TurnUsage {
  input: number;
  output: number;
  cacheRead: number;
  cost: number;
}

export interface Turn {
  id: string;
  role: "user" | "assistant" | "system";
  parts: readonly Part[];
  at: number;
  /** The first of consecutive turns of one sender: it shows name and time. */
  first: boolean;
  /** The last of them: it shows what they took. */
  last: boolean;
  model?: string;
  usage?: TurnUsage;
  stopped?: boolean;
  error?: string;
}

/** Characters of one output that are kept; more would make the page slow. */
export const maxOutput = 120_000;
const reserved = /^\s*(NO_REPLY|HEARTBEAT_OK)\s*$/;
const directives = /\[\[\s*(reply_to[^\]]*|audio_as_voice|line_break)\s*\]\]\s?/gi;
const mediaLine = /^\s*MEDIA:\s*(\S.*)$/gim;

export function cleanText(text: string): string {
  if (reserved.test(text)) return "";
  return text
    .replace(directives, "")
    .replace(mediaLine, (_line, path: string) => `📎 ${path.trim()}`)
    .trim();
}

/** `messages` oldest first. */
export function toTurns(messages: readonly HistoryMessage[]): Turn[] {
  const turns: Turn[] = [];
  const calls = new Map<string, { call: ToolCall; at: number }>();
  for (const message of messages) {
    if (isToolResult(message.role)) {
      answer(calls, message, turns);
      continue;
    }
    const turn = toTurn(message, calls);
    if (turn.parts.length === 0 && turn.error === undefined && turn.stopped !== true) continue;
    append(turns, turn);
  }
  return turns;
}

/** Longer pauses begin a new group of the same sender. */
const pauseMs = 30 * 60_000;

function append(turns: Turn[], turn: Turn): void {
  const before = turns.at(-1);
  turn.first = before?.role !== turn.role || turn.at - before.at > pauseMs;
  if (before && !turn.first) before.last = false;
  turns.push(turn);
}

const isToolResult = (role: string): boolean => /^tool(_?result)?$|^function$/i.test(role);

function toTurn(message: HistoryMessage, calls: Map<string, { call: ToolCall; at: number }>): Turn {
  const role = message.role === "user" ? "user" : message.role === "assistant" ? "assistant" : "system";
  const parts: Part[] = [];
  for (const block of blocksOf(message.content)) {
    const part = toPart(block, message.timestamp, calls);
    if (part) parts.push(part);
  }
  const turn: Turn = { id: message.id, role, parts, at: message.timestamp, first: true, last: true };
  if (typeof message.model === "string" && role === "assistant") turn.model = message.model;
  const usage = usageOf(message.usage);
  if (usage && role === "assistant") turn.usage = usage;
  if (message.stopReason === "aborted") turn.stopped = true;
  if (message.stopReason === "error")
    turn.error = typeof message.errorMessage === "string" ? message.errorMessage : "The reply failed.";
  return turn;
}

function blocksOf(content: unknown): unknown[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return Array.isArray(content) ? content : [];
}

function toPart(block: unknown, at: number, calls: Map<string, { call: ToolCall; at: number }>): Part | undefined {
  if (!isRecord(block)) return { kind: "unknown", json: JSON.stringify(block) };
  const type = String(block.type).toLowerCase().replace("_", "");
  if (type === "text") {
    const text = cleanText(String(block.text ?? ""));
    return text === "" ? undefined : { kind: "text", text };
  }
  if (type === "thinking") {
    const text = String(block.thinking ?? block.text ?? "").trim();
    return text === "" ? undefined : { kind: "thinking", text };
  }
  if (type === "image") return imagePart(block);
  if (type === "toolcall" || type === "tooluse") {
    const id = String(block.id ?? "");
    const call: ToolCall = {
      id,
      name: String(block.name ?? "tool"),
      args: block.arguments ?? block.input ?? block.args,
      state: "open",
      images: [],
    };
    calls.set(id, { call, at });
    return { kind: "tool", call };
  }
  return { kind: "unknown", json: JSON.stringify(block, null, 2).slice(0, maxOutput) };
}

function imagePart(block: Record<string, unknown>): Part | undefined {
  const src = imageSource(block);
  return src === undefined ? { kind: "text", text: "[image]" } : { kind: "image", src };
}

/** A data URL. Images at addresses are not fetched: nothing may leave the origin. */
export function imageSource(block: Record<string, unknown>): string | undefined {
  const source = isRecord(block.source) ? block.source : block;
  const data = source.data ?? block.data;
  const type = String(source.mimeType ?? source.media_type ?? block.mimeType ?? "image/png");
  if (typeof data !== "string" || !/^image\/(png|jpeg|gif|webp|avif)$/.test(type)) return undefined;
  return data.startsWith("data:") ? data : `data:${type};base64,${data}`;
}

function answer(calls: Map<string, { call: ToolCall; at: number }>, message: HistoryMessage, turns: Turn[]): void {
  const id = String(message.toolCallId ?? message.tool_call_id ?? "");
  const { output, images } = readResult(message.content);
  const state = message.isError === true ? "failed" : "ok";
  const known = calls.get(id);
  if (known) {
    const durationMs = durationOf(message.details) ?? Math.max(0, message.timestamp - known.at);
    Object.assign(known.call, { state, output, images, durationMs });
    return;
  }
  // The call itself is on an older page.
  const call: ToolCall = { id, name: String(message.toolName ?? "tool"), args: undefined, state, output, images };
  const turn: Turn = {
    id: message.id,
    role: "assistant",
    parts: [{ kind: "tool", call }],
    at: message.timestamp,
    first: true,
    last: true,
  };
  append(turns, turn);
}

function durationOf(details: unknown): number | undefined {
  return isRecord(details) && typeof details.durationMs === "number" ? details.durationMs : undefined;
}

/** Text and images of a tool's result, live or stored: `{content:[…]}`, a list of blocks, or a string. */
export function readResult(result: unknown): { output: string; images: string[] } {
  const content = isRecord(result) ? result.content : result;
  const images: string[] = [];
  let output = "";
  for (const block of blocksOf(content)) {
    if (!isRecord(block)) continue;
    if (typeof block.text === "string") output += (output === "" ? "" : "\n") + block.text;
    const src = block.type === "image" ? imageSource(block) : undefined;
    if (src !== undefined) images.push(src);
  }
  return { output: clip(output), images };
}

function clip(text: string): string {
  if (text.length <= maxOutput) return text;
  return `${text.slice(0, maxOutput)}\n… cut: ${text.length - maxOutput} more characters are not shown.`;
}

function usageOf(value: unknown): TurnUsage | undefined {
  if (!isRecord(value)) return undefined;
  const number = (field: unknown): number => (typeof field === "number" && Number.isFinite(field) ? field : 0);
  const cost = isRecord(value.cost) ? number(value.cost.total) : 0;
  const usage = { input: number(value.input), output: number(value.output), cacheRead: number(value.cacheRead), cost };
  return usage.input + usage.output + usage.cacheRead > 0 ? usage : undefined;
}

/** The plain text of a turn: for copying, and to recognise a message that was sent from here. */
export const turnText = (turn: Pick<Turn, "parts">): string =>
  turn.parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("\n\n");
