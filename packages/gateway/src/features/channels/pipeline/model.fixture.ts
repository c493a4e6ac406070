/** A scripted model for the tests of the pipeline. */
import { type AssistantMessage, emptyUsage } from "@openclaw/protocol";
import type { ModelEntry, ModelEvent, ModelRequest } from "../../models/index.ts";

export type Script = (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent>;

export const model: ModelEntry = {
  ref: "mock/one",
  provider: "mock",
  id: "one",
  name: "One",
  api: "openai-completions",
  reasoning: false,
  input: ["text", "image"],
  contextWindow: 200_000,
  maxTokens: 8_000,
  auth: "none needed",
  available: true,
};

const reply = (content: AssistantMessage["content"]): AssistantMessage => ({
  role: "assistant",
  content,
  api: "openai-completions",
  provider: "mock",
  model: "one",
  usage: { ...emptyUsage(), input: 10, output: 5, totalTokens: 15 },
  stopReason: content.some((part) => part.type === "toolCall") ? "toolUse" : "stop",
  timestamp: 0,
});

export async function* say(text: string): AsyncGenerator<ModelEvent> {
  yield { type: "text", delta: text };
  yield { type: "done", message: reply([{ type: "text", text }]) };
}

export async function* callTool(name: string, args: Record<string, unknown> = {}): AsyncGenerator<ModelEvent> {
  const part = { type: "toolCall" as const, id: "c1", name, arguments: args };
  yield part;
  yield { type: "done", message: reply([part]) };
}

export async function* fail(message: string): AsyncGenerator<ModelEvent> {
  yield { type: "failed", failure: { reason: "billing", message }, attempts: [] };
}

/** Answers once `open` is called, or ends with the abort. */
export function gate(text: string): { script: Script; open: () => void } {
  const opened = Promise.withResolvers<void>();
  return {
    open: opened.resolve,
    script: async function* (_request, signal) {
      signal.addEventListener("abort", () => opened.resolve(), { once: true });
      await opened.promise;
      yield* say(text);
    },
  };
}

/** Call by call; the last script repeats. */
export const inTurn = (...scripts: Script[]): Script => {
  let at = 0;
  return (request, signal) => (scripts[Math.min(at++, scripts.length - 1)] ?? (() => say("")))(request, signal);
};
