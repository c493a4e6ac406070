/** The body of a response: every field judged, what the run gets of it, and what the answer repeats (http.md §9.2). */
import type { CallSettings } from "../agents/index.ts";
import { effortOf, formatOf } from "./chat-request.ts";
import { clientToolsOf, type ClientTools } from "./client-tools.ts";
import type { Conversation } from "./conversation.ts";
import { type Body, defined, flag, invalid, isRecord, numberIn, positiveInteger, text } from "./fields.ts";
import { readInput } from "./response-input.ts";

export interface ResponseRequest {
  model: string;
  instructions: string | undefined;
  conversation: Conversation;
  tools: ClientTools;
  stream: boolean;
  settings: CallSettings;
  maxTokens: number | undefined;
  effort: string | undefined;
  user: string | undefined;
  previousId: string | undefined;
  /** False: the answer cannot be continued. */
  store: boolean;
  /** Fields of the response object that only repeat the request. */
  echo: Readonly<Record<string, unknown>>;
}

const maxMetadata = 16;

/** Throws HttpError 400. */
export function readResponse(body: Body): ResponseRequest {
  const model = text(body, "model")?.trim();
  if (!model) throw invalid("`model` is required.", "model");
  if (flag(body, "background")) throw invalid("`background` is not supported.", "background");
  const temperature = numberIn(body, "temperature", 0, 2);
  const topP = numberIn(body, "top_p", 0, 1);
  const maxTokens = positiveInteger(body, "max_output_tokens");
  const maxToolCalls = positiveInteger(body, "max_tool_calls");
  const form = isRecord(body["text"]) ? body["text"] : undefined;
  const reasoning = isRecord(body["reasoning"]) ? body["reasoning"] : undefined;
  const instructions = text(body, "instructions");
  const previousId = text(body, "previous_response_id");
  const user = text(body, "user");
  const tools = clientToolsOf(body, "either");
  const metadata = metadataOf(body["metadata"]);
  const store = body["store"] === false ? false : (flag(body, "store"), true);
  return {
    model,
    instructions,
    tools,
    stream: flag(body, "stream"),
    settings: defined({ temperature, topP, format: formatOf(form?.["format"], "text.format") }),
    maxTokens,
    effort: effortOf(reasoning?.["effort"], "reasoning.effort"),
    user,
    previousId,
    store,
    conversation: readInput(body),
    echo: {
      previous_response_id: previousId ?? null,
      instructions: instructions ?? null,
      tools: echoedTools(body["tools"]),
      tool_choice: body["tool_choice"] ?? "auto",
      truncation: body["truncation"] === "auto" ? "auto" : "disabled",
      parallel_tool_calls: body["parallel_tool_calls"] !== false,
      text: { ...form, format: isRecord(form?.["format"]) ? form["format"] : { type: "text" } },
      top_p: topP ?? 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      top_logprobs: 0,
      temperature: temperature ?? 1,
      reasoning: reasoning ? { effort: reasoning["effort"] ?? null, summary: reasoning["summary"] ?? null } : null,
      user: user ?? null,
      max_output_tokens: maxTokens ?? null,
      max_tool_calls: maxToolCalls ?? null,
      store,
      background: false,
      service_tier: "default",
      metadata,
      safety_identifier: text(body, "safety_identifier") ?? null,
      prompt_cache_key: text(body, "prompt_cache_key") ?? null,
    },
  };
}

/** In the flat form, every field there. Judged already. */
function echoedTools(tools: unknown): unknown[] {
  if (!Array.isArray(tools)) return [];
  return (tools as Record<string, unknown>[]).map((tool) => {
    const fields = isRecord(tool["function"]) ? tool["function"] : tool;
    const { name, description = null, parameters = null, strict = null } = fields;
    return { type: "function", name, description, parameters, strict };
  });
}

function metadataOf(given: unknown): Record<string, string> {
  if (given === undefined || given === null) return {};
  if (!isRecord(given)) throw invalid("`metadata` must be an object.", "metadata");
  const entries = Object.entries(given);
  if (entries.length > maxMetadata) throw invalid(`\`metadata\` has more than ${maxMetadata} keys.`, "metadata");
  for (const [key, value] of entries) {
    if (typeof value !== "string" || value.length > 512 || key.length > 64)
      throw invalid("`metadata` maps keys of at most 64 characters to texts of at most 512.", "metadata");
  }
  return Object.fromEntries(entries) as Record<string, string>;
}
