/** What a transcript must look like before a model sees it (agent.md §6.6). In memory only; the store is never rewritten. */
import type {
  AssistantMessage,
  ImageContent,
  Message,
  TextContent,
  ToolResultMessage,
  UserMessage,
} from "@openclaw/protocol";
import type { ModelEntry } from "./provider.ts";

type Target = Pick<ModelEntry, "api" | "provider" | "id">;

/** The same conversation, fit for `model`: every tool call is followed by exactly one result, no orphan or duplicate results,
 *  no empty assistant turns, ids the provider accepts, no thinking of another model, and for Anthropic and Google
 *  alternating roles that start with the user. Pure; the input stays as it is. Applying it twice changes nothing. */
export function hygiene(messages: readonly Message[], model: Target): Message[] {
  const rename = idRenamer(model);
  const turns: (UserMessage | Turn)[] = [];
  // Calls still waiting, by the id in the transcript. A later turn that reuses an id takes over the results after it.
  const open = new Map<string, Slot>();
  for (const message of messages) {
    if (message.role === "user") turns.push(message);
    else if (message.role === "toolResult") {
      const slot = open.get(message.toolCallId);
      if (slot && !slot.result) slot.result = message;
    } else {
      const cleaned = cleanAssistant(message, model);
      if (!cleaned) continue;
      const slots = new Map<string, Slot>();
      for (const part of cleaned.content) if (part.type === "toolCall") slots.set(part.id, { id: rename(part.id) });
      for (const [id, slot] of slots) open.set(id, slot);
      turns.push({ message: cleaned, slots });
    }
  }
  const flat = turns.flatMap((turn): Message[] => ("slots" in turn ? paired(turn) : [turn]));
  if (model.api !== "anthropic-messages" && model.api !== "google-generative-ai") return flat;
  const ordered = mergeRoles(flat);
  const first = ordered[0];
  if (first && first.role !== "user")
    ordered.unshift({ role: "user", content: "(the conversation continues)", timestamp: first.timestamp });
  return ordered;
}

interface Slot {
  /** Id the model will see. */
  id: string;
  result?: ToolResultMessage;
}

interface Turn {
  message: AssistantMessage;
  slots: Map<string, Slot>;
}

/** Without thinking of other models and without empty parts; undefined when nothing is left. A turn that failed or was
 *  aborted keeps its text, but its tool calls were never run. */
function cleanAssistant(message: AssistantMessage, model: Target): AssistantMessage | undefined {
  const own = message.provider === model.provider && message.model === model.id && message.api === model.api;
  const broken = isBroken(message);
  const seen = new Set<string>();
  const content = message.content.filter((part) => {
    if (part.type === "text") return part.text.trim() !== "";
    // A thought that was cut off carries no valid signature.
    if (part.type === "thinking")
      return own && !broken && (part.thinking !== "" || part.thinkingSignature !== undefined);
    if (seen.has(part.id)) return false;
    seen.add(part.id);
    return true;
  });
  if (!content.some((part) => part.type !== "thinking")) return undefined;
  return { ...message, content: own ? content : content.map(withoutSignature) };
}

const isBroken = (message: AssistantMessage): boolean =>
  message.stopReason === "error" || message.stopReason === "aborted";

function withoutSignature(part: AssistantMessage["content"][number]): AssistantMessage["content"][number] {
  if (part.type === "text" && part.textSignature !== undefined) return { type: "text", text: part.text };
  if (part.type === "toolCall" && part.thoughtSignature !== undefined) {
    return { type: "toolCall", id: part.id, name: part.name, arguments: part.arguments };
  }
  return part;
}

/** The turn and one result for each of its calls, in the order of the calls. */
function paired({ message, slots }: Turn): Message[] {
  const results: ToolResultMessage[] = [];
  const content = message.content.map((part) => {
    const slot = part.type === "toolCall" ? slots.get(part.id) : undefined;
    if (part.type !== "toolCall" || !slot) return part;
    results.push(
      slot.result
        ? { ...slot.result, toolCallId: slot.id, toolName: part.name }
        : missingResult(slot.id, part.name, message.timestamp),
    );
    return slot.id === part.id ? part : { ...part, id: slot.id };
  });
  return [{ ...message, content }, ...results];
}

const missingResult = (toolCallId: string, toolName: string, timestamp: number): ToolResultMessage => ({
  role: "toolResult",
  toolCallId,
  toolName,
  content: [{ type: "text", text: "No result: the run ended before this tool finished." }],
  isError: true,
  timestamp,
});

/** Neighbours of one role become one message. A turn with tool calls ends there: its results come next. */
function mergeRoles(messages: Message[]): Message[] {
  const merged: Message[] = [];
  for (const message of messages) {
    const last = merged.at(-1);
    if (last?.role === "user" && message.role === "user") {
      merged[merged.length - 1] = { ...message, content: [...parts(last), ...parts(message)] };
    } else if (
      last?.role === "assistant" &&
      message.role === "assistant" &&
      !last.content.some((part) => part.type === "toolCall")
    ) {
      // One good half makes a good whole: its thoughts are complete.
      const stopReason = isBroken(message) ? last.stopReason : message.stopReason;
      merged[merged.length - 1] = { ...message, stopReason, content: joined(last, message) };
    } else merged.push(message);
  }
  return merged;
}

/** Signatures are bound to one model: turns of two models are joined without them. */
function joined(a: AssistantMessage, b: AssistantMessage): AssistantMessage["content"] {
  const content = [...a.content, ...b.content];
  if (a.api === b.api && a.provider === b.provider && a.model === b.model) return content;
  return content.filter((part) => part.type !== "thinking").map(withoutSignature);
}

const parts = (message: UserMessage): (TextContent | ImageContent)[] =>
  typeof message.content === "string" ? [{ type: "text", text: message.content }] : message.content;

/** Names for calls, each different, in what the provider accepts. Mistral wants exactly nine letters and digits; the others
 *  take letters, digits, `_` and `-`, at most 64. An id that fits and is free stays. */
function idRenamer(model: Target): (id: string) => string {
  const nine = model.provider === "mistral" || /mistral|codestral|devstral|magistral/i.test(model.id);
  const fits = nine ? /^[A-Za-z0-9]{9}$/ : /^[A-Za-z0-9_-]{1,64}$/;
  const used = new Set<string>();
  return (id) => {
    let name = id;
    for (let salt = 0; !fits.test(name) || used.has(name); salt++) {
      const unique = code(`${salt}${id}`);
      name = nine ? unique : `${id.replace(/[^A-Za-z0-9_-]/g, "").slice(0, 50) || "call"}_${unique}`;
    }
    used.add(name);
    return name;
  };
}

/** Nine letters and digits that depend on the text alone (FNV-1a, twice). */
function code(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193) >>> 0;
    b = Math.imul(b ^ text.charCodeAt(text.length - 1 - i), 0x85ebca6b) >>> 0;
  }
  return (a.toString(36).padStart(7, "0") + b.toString(36).padStart(7, "0")).slice(0, 9);
}
