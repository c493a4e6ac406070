/** The response object and its items: every field there, null where nothing is known (http.md §9.8). */
import type { ToolCallContent } from "@openclaw/protocol";
import type { Answer } from "./answer.ts";

export interface ResponseHead {
  id: string;
  /** s since the epoch. */
  createdAt: number;
  model: string;
  echo: Readonly<Record<string, unknown>>;
}

export interface Item {
  type: string;
  id: string;
  status: string;
  [field: string]: unknown;
}

export const textPart = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });

export const messageItem = (id: string, text: string): Item => ({
  type: "message",
  id,
  status: "completed",
  role: "assistant",
  content: [textPart(text)],
  phase: "final_answer",
});

export const callItem = (id: string, { id: callId, name, arguments: args }: ToolCallContent): Item => ({
  type: "function_call",
  id,
  call_id: callId,
  name,
  arguments: JSON.stringify(args),
  status: "completed",
});

export const unfinished = (head: ResponseHead) => responseObject(head, { status: "in_progress" });

export function finished(head: ResponseHead, answer: Answer, output: readonly Item[], completedAt: number) {
  const { usage, cut } = answer;
  return responseObject(head, {
    status: cut ? "incomplete" : "completed",
    completed_at: completedAt,
    incomplete_details: cut ? { reason: "max_output_tokens" } : null,
    output,
    usage: {
      input_tokens: usage.input,
      input_tokens_details: { cached_tokens: usage.cached },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.input + usage.output,
    },
  });
}

/** `error` carries the fields of an error body too, so that one object serves both readers. */
export const failed = (
  head: ResponseHead,
  error: { message: string; code?: string | undefined; type?: string | undefined },
) =>
  responseObject(head, {
    status: "failed",
    error: { code: error.code ?? "server_error", message: error.message, type: error.type ?? "api_error", param: null },
  });

function responseObject({ id, createdAt, model, echo }: ResponseHead, state: Record<string, unknown>) {
  return {
    id,
    object: "response",
    created_at: createdAt,
    completed_at: null,
    status: "in_progress",
    incomplete_details: null,
    model,
    output: [],
    error: null,
    usage: null,
    ...echo,
    ...state,
  };
}
