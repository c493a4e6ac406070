/** Writes an answer in the real server-sent events of the four wires. */
import type { Answer, Api, Step, Usage } from "./script.ts";

/** What happens next on the socket. */
export type Action = { send: string } | { delayMs: number } | { die: true } | { hang: true };

interface Wire {
  begin(): string;
  text(delta: string): string;
  thinking(delta: string, signature: string | undefined): string;
  toolCall(id: string, name: string, args: Record<string, unknown> | string): string;
  error(error: { type: string; message: string; code?: number }): string;
  end(stop: Answer["stop"], called: boolean, usage: Usage | undefined): string;
}

/** The actions that play an answer, in order. */
export function play(api: Api, model: string, answer: Answer): Action[] {
  const wire = wires[api](model);
  const actions: Action[] = [{ send: wire.begin() }];
  let calls = 0;
  for (const step of answer.steps) {
    const action = one(wire, step, () => `call_${++calls}`);
    if (typeof step === "object" && "toolCall" in step && step.toolCall.id !== undefined) calls++;
    if (action) actions.push(action);
    if (typeof step === "object" && ("die" in step || "hang" in step || "cut" in step || "error" in step))
      return actions;
  }
  const usage = answer.usage === false ? undefined : (answer.usage ?? { input: 10, output: 5 });
  actions.push({ send: wire.end(answer.stop ?? "stop", calls > 0, usage) });
  return actions;
}

function one(wire: Wire, step: Step, nextId: () => string): Action | undefined {
  if (typeof step === "string") return { send: wire.text(step) };
  if ("text" in step) return { send: wire.text(step.text) };
  if ("thinking" in step) return { send: wire.thinking(step.thinking, step.signature) };
  if ("toolCall" in step)
    return { send: wire.toolCall(step.toolCall.id ?? nextId(), step.toolCall.name, step.toolCall.arguments) };
  if ("error" in step) return { send: wire.error(step.error) };
  if ("raw" in step) return { send: step.raw };
  if ("cut" in step) return undefined;
  return step;
}

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const named = (value: { type: string }) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
const asText = (args: Record<string, unknown> | string) => (typeof args === "string" ? args : JSON.stringify(args));
const halves = (text: string): [string, string] => [
  text.slice(0, Math.ceil(text.length / 2)),
  text.slice(Math.ceil(text.length / 2)),
];

const wires: Record<Api, (model: string) => Wire> = {
  "openai-completions": completions,
  "openai-responses": responses,
  "anthropic-messages": anthropic,
  "google-generative-ai": google,
};

function completions(model: string): Wire {
  const chunk = (delta: unknown, finish: string | null = null) =>
    data({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1,
      model,
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
  let index = 0;
  return {
    begin: () => chunk({ role: "assistant", content: "" }),
    text: (content) => chunk({ content }),
    thinking: (reasoning_content) => chunk({ reasoning_content }),
    toolCall(id, name, args) {
      const [a, b] = halves(asText(args));
      const at = index++;
      return (
        chunk({ tool_calls: [{ index: at, id, type: "function", function: { name, arguments: "" } }] }) +
        chunk({ tool_calls: [{ index: at, function: { arguments: a } }] }) +
        chunk({ tool_calls: [{ index: at, function: { arguments: b } }] })
      );
    },
    error: (error) =>
      data({
        error: { message: error.message, type: error.type, ...(error.code === undefined ? {} : { code: error.code }) },
      }),
    end(stop, called, usage) {
      const counts = usage && {
        prompt_tokens: usage.input + (usage.cacheRead ?? 0),
        completion_tokens: usage.output,
        total_tokens: usage.input + (usage.cacheRead ?? 0) + usage.output,
        prompt_tokens_details: { cached_tokens: usage.cacheRead ?? 0 },
      };
      const tail = counts
        ? data({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model, choices: [], usage: counts })
        : "";
      return `${chunk({}, called ? "tool_calls" : (stop ?? "stop"))}${tail}data: [DONE]\n\n`;
    },
  };
}

function responses(model: string): Wire {
  let sequence = 0;
  let index = 0;
  let open: { type: "message" | "reasoning"; id: string; text: string; index: number; signature?: string } | undefined;
  const emit = (value: { type: string } & Record<string, unknown>) =>
    named({ ...value, sequence_number: sequence++ } as { type: string });
  const response = (status: string, rest: Record<string, unknown> = {}) => ({
    id: "resp_1",
    object: "response",
    created_at: 1,
    status,
    model,
    output: [],
    service_tier: null,
    ...rest,
  });
  const close = (): string => {
    if (!open) return "";
    const { type, id, text, index: at, signature } = open;
    open = undefined;
    if (type === "reasoning") {
      return (
        emit({
          type: "response.reasoning_summary_part.done",
          item_id: id,
          output_index: at,
          summary_index: 0,
          part: { type: "summary_text", text },
        }) +
        emit({
          type: "response.output_item.done",
          output_index: at,
          item: { type, id, summary: [{ type: "summary_text", text }], encrypted_content: signature ?? null },
        })
      );
    }
    return emit({
      type: "response.output_item.done",
      output_index: at,
      item: {
        type,
        id,
        status: "completed",
        role: "assistant",
        content: [{ type: "output_text", text, annotations: [] }],
      },
    });
  };
  const ensure = (type: "message" | "reasoning"): string => {
    if (open?.type === type) return "";
    const before = close();
    const at = index++;
    const id = `${type === "message" ? "msg" : "rs"}_${at}`;
    open = { type, id, text: "", index: at };
    if (type === "reasoning") {
      return (
        before +
        emit({
          type: "response.output_item.added",
          output_index: at,
          item: { type, id, summary: [], encrypted_content: null },
        }) +
        emit({
          type: "response.reasoning_summary_part.added",
          item_id: id,
          output_index: at,
          summary_index: 0,
          part: { type: "summary_text", text: "" },
        })
      );
    }
    return (
      before +
      emit({
        type: "response.output_item.added",
        output_index: at,
        item: { type, id, status: "in_progress", role: "assistant", content: [] },
      }) +
      emit({
        type: "response.content_part.added",
        item_id: id,
        output_index: at,
        content_index: 0,
        part: { type: "output_text", text: "", annotations: [] },
      })
    );
  };
  return {
    begin: () =>
      emit({ type: "response.created", response: response("in_progress") }) +
      emit({ type: "response.in_progress", response: response("in_progress") }),
    text(delta) {
      const before = ensure("message");
      if (open) open.text += delta;
      return (
        before +
        emit({
          type: "response.output_text.delta",
          item_id: open?.id,
          output_index: open?.index,
          content_index: 0,
          delta,
          logprobs: [],
        })
      );
    },
    thinking(delta, signature) {
      const before = ensure("reasoning");
      if (open) open.text += delta;
      if (open && signature !== undefined) open.signature = signature;
      return (
        before +
        emit({
          type: "response.reasoning_summary_text.delta",
          item_id: open?.id,
          output_index: open?.index,
          summary_index: 0,
          delta,
        })
      );
    },
    toolCall(id, name, args) {
      const before = close();
      const at = index++;
      const text = asText(args);
      const item = { type: "function_call", id: `fc_${at}`, call_id: id, name };
      const pieces = halves(text).map((delta) =>
        emit({ type: "response.function_call_arguments.delta", item_id: item.id, output_index: at, delta }),
      );
      return (
        before +
        emit({
          type: "response.output_item.added",
          output_index: at,
          item: { ...item, status: "in_progress", arguments: "" },
        }) +
        pieces.join("") +
        emit({ type: "response.function_call_arguments.done", item_id: item.id, output_index: at, arguments: text }) +
        emit({
          type: "response.output_item.done",
          output_index: at,
          item: { ...item, status: "completed", arguments: text },
        })
      );
    },
    error: (error) =>
      emit({
        type: "response.failed",
        response: response("failed", {
          error: { code: error.type, message: error.message },
          incomplete_details: null,
          usage: null,
        }),
      }),
    end(stop, _called, usage) {
      const counts = {
        input_tokens: (usage?.input ?? 0) + (usage?.cacheRead ?? 0),
        input_tokens_details: { cached_tokens: usage?.cacheRead ?? 0 },
        output_tokens: usage?.output ?? 0,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: (usage?.input ?? 0) + (usage?.cacheRead ?? 0) + (usage?.output ?? 0),
      };
      const reason = stop === "length" ? "max_output_tokens" : stop === "content_filter" ? "content_filter" : undefined;
      const status = reason ? "incomplete" : "completed";
      return (
        close() +
        emit({
          type: `response.${status}`,
          response: response(status, { incomplete_details: reason ? { reason } : null, usage: counts }),
        })
      );
    },
  };
}

function anthropic(model: string): Wire {
  let index = -1;
  let open: "text" | "thinking" | undefined;
  let signature: string | undefined;
  const close = (): string => {
    if (!open) return "";
    const sign =
      open === "thinking" && signature !== undefined
        ? named({ type: "content_block_delta", index, delta: { type: "signature_delta", signature } } as {
            type: string;
          })
        : "";
    open = undefined;
    signature = undefined;
    return sign + named({ type: "content_block_stop", index } as { type: string });
  };
  const start = (block: Record<string, unknown>) =>
    named({ type: "content_block_start", index: ++index, content_block: block } as { type: string });
  const delta = (value: Record<string, unknown>) =>
    named({ type: "content_block_delta", index, delta: value } as { type: string });
  const ensure = (type: "text" | "thinking"): string => {
    if (open === type) return "";
    const before = close();
    open = type;
    return before + start(type === "text" ? { type, text: "" } : { type, thinking: "", signature: "" });
  };
  return {
    begin: () =>
      named({
        type: "message_start",
        message: {
          id: "msg_1",
          type: "message",
          role: "assistant",
          model,
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 0, output_tokens: 1 },
        },
      } as { type: string }) + named({ type: "ping" }),
    text: (text) => ensure("text") + delta({ type: "text_delta", text }),
    thinking(thinking, given) {
      const before = ensure("thinking");
      signature = given ?? signature;
      return before + delta({ type: "thinking_delta", thinking });
    },
    toolCall(id, name, args) {
      const before = close() + start({ type: "tool_use", id, name, input: {} });
      const pieces = halves(asText(args)).map((partial_json) => delta({ type: "input_json_delta", partial_json }));
      return before + pieces.join("") + named({ type: "content_block_stop", index } as { type: string });
    },
    error: (error) => named({ type: "error", error: { type: error.type, message: error.message } } as { type: string }),
    end(stop, called, usage) {
      const reason = called
        ? "tool_use"
        : stop === "length"
          ? "max_tokens"
          : stop === "content_filter"
            ? "refusal"
            : "end_turn";
      const counts = usage
        ? { input_tokens: usage.input, cache_read_input_tokens: usage.cacheRead ?? 0, output_tokens: usage.output }
        : { output_tokens: 0 };
      return (
        close() +
        named({ type: "message_delta", delta: { stop_reason: reason, stop_sequence: null }, usage: counts } as {
          type: string;
        }) +
        named({ type: "message_stop" })
      );
    },
  };
}

function google(model: string): Wire {
  const chunk = (parts: unknown[], rest: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
    data({
      candidates: [{ content: { role: "model", parts }, index: 0, ...rest }],
      modelVersion: model,
      responseId: "resp-1",
      ...more,
    });
  return {
    begin: () => "",
    text: (text) => chunk([{ text }]),
    thinking: (text, thoughtSignature) =>
      chunk([{ text, thought: true, ...(thoughtSignature === undefined ? {} : { thoughtSignature }) }]),
    toolCall: (id, name, args) => chunk([{ functionCall: { id, name, args: typeof args === "string" ? {} : args } }]),
    error: (error) => data({ error: { code: error.code ?? 500, message: error.message, status: error.type } }),
    end(stop, _called, usage) {
      const reason = stop === "length" ? "MAX_TOKENS" : stop === "content_filter" ? "SAFETY" : "STOP";
      const counts = usage && {
        promptTokenCount: usage.input + (usage.cacheRead ?? 0),
        candidatesTokenCount: usage.output,
        cachedContentTokenCount: usage.cacheRead ?? 0,
        totalTokenCount: usage.input + (usage.cacheRead ?? 0) + usage.output,
      };
      return chunk([{ text: "" }], { finishReason: reason }, counts ? { usageMetadata: counts } : {});
    },
  };
}
