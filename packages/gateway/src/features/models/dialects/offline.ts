/** `offline/echo`: what answers when no model is configured. It repeats the last message in small pieces, says how to set a
 *  provider, and calls tools on request, so that the whole path can be tried without a network. Deterministic.
 *
 *  Lines it understands: `tool: <name> {json}` (several make parallel calls) and `sleep: <ms>` (at most 60,000). */
import type { AssistantMessage, Message, ToolResultMessage } from "@openclaw/protocol";
import { messageText } from "@openclaw/protocol";
import { commandLine } from "../../../kernel/paths.ts";
import type { World } from "../../../kernel/world.ts";
import { abortedFailure } from "../failure.ts";
import type { CallEnd, ModelEntry, ModelEvent, ModelProvider, ModelRequest } from "../provider.ts";
import { pause } from "../pause.ts";
import { usageOf } from "../usage.ts";
import type { DialectDeps } from "./transport.ts";

const advice = (world: World): string =>
  [
    "No model is configured: this is the built-in offline/echo, which only repeats what you say.",
    `Set ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or OPENROUTER_API_KEY and restart, or run "${commandLine(world, "models set <provider/model>")}".`,
  ].join("\n");

/** Pieces after which there is no more delay, so that a long message does not take long. */
const delayedPieces = 40;
const maxSleepMs = 60_000;
const maxToolText = 500;

export const provider = ({ world }: DialectDeps): ModelProvider => ({
  stream: (model, request, signal) => answer(world, model, request, signal),
});

async function* answer(
  world: World,
  model: ModelEntry,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent | CallEnd> {
  const message = emptyAnswer(model, world.now());
  const aborted = (text: string): CallEnd => ({
    type: "ended",
    failure: abortedFailure(),
    message: text === "" ? undefined : { ...message, content: [{ type: "text", text }], stopReason: "aborted" },
  });

  const { question, results } = lastTurn(request.messages);
  const wait = Math.min(maxSleepMs, Number(/^\s*sleep:\s*(\d{1,9})\s*$/m.exec(question)?.[1] ?? 0));
  if (wait > 0 && results.length === 0 && !(await pause(world, wait, signal))) return yield aborted("");

  const calls = results.length > 0 ? [] : toolLines(question);
  if (calls.length > 0) {
    for (const call of calls) {
      const id = `call_${world.uuid().replaceAll("-", "").slice(-24)}`;
      message.content.push({ type: "toolCall", id, name: call.name, arguments: call.arguments });
      yield { type: "toolCall", id, ...call };
    }
    message.stopReason = "toolUse";
    return yield { type: "done", message };
  }

  const reply = `${results.length > 0 ? results.map(describe).join("\n") : question}\n\n${advice(world)}`;
  let text = "";
  let pieces = 0;
  for (const [piece] of reply.matchAll(/\s*\S+\s?/g)) {
    if (signal.aborted || (pieces++ < delayedPieces && pieces > 1 && !(await pause(world, 1, signal))))
      return yield aborted(text);
    text += piece;
    yield { type: "text", delta: piece };
  }
  message.content.push({ type: "text", text });
  yield { type: "done", message };
}

const emptyAnswer = (model: ModelEntry, timestamp: number): AssistantMessage => ({
  role: "assistant",
  content: [],
  api: model.api,
  provider: model.provider,
  model: model.id,
  usage: usageOf(model, { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }),
  stopReason: "stop",
  timestamp,
});

/** The last thing the user said, and the tool results that came after it. */
function lastTurn(messages: readonly Message[]): { question: string; results: ToolResultMessage[] } {
  const at = messages.findLastIndex((message) => message.role === "user");
  const user = messages[at];
  return {
    question: user ? messageText(user) : "",
    results: messages.slice(at + 1).filter((message) => message.role === "toolResult"),
  };
}

function toolLines(text: string): { name: string; arguments: Record<string, unknown>; invalid?: string }[] {
  return [...text.matchAll(/^\s*(?:\[[^\]\n]*\]\s*)?tool:[ \t]*([\w.-]{1,64})[ \t]*(.*)$/gm)]
    .slice(0, 8)
    .map(([, name = "", rest = ""]) => {
      const json = rest.trim();
      if (json === "") return { name, arguments: {} };
      try {
        const value: unknown = JSON.parse(json);
        if (typeof value === "object" && value !== null && !Array.isArray(value))
          return { name, arguments: { ...value } };
      } catch {
        // Reported as invalid below, as from any model.
      }
      return { name, arguments: {}, invalid: json };
    });
}

function describe(result: ToolResultMessage): string {
  const text = messageText(result).trim();
  const shown =
    text.length > maxToolText ? `${text.slice(0, maxToolText)} … (${text.length} characters)` : text || "(no output)";
  return `${result.toolName} ${result.isError ? "failed" : "answered"}: ${shown}`;
}
