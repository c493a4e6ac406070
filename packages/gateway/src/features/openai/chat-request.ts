/** The body of a chat completion: every field judged, and what the run gets of it (http.md §8.1). */
import type { CallSettings } from "../agents/index.ts";
import { readMessages } from "./chat-messages.ts";
import { clientToolsOf, type ClientTools } from "./client-tools.ts";
import type { Conversation } from "./conversation.ts";
import {
  type Body,
  defined,
  flag,
  integer,
  invalid,
  isRecord,
  numberIn,
  positiveInteger,
  stopTexts,
  text,
} from "./fields.ts";

export interface ChatRequest {
  /** As sent; echoed. */
  model: string;
  messages: Conversation;
  stream: boolean;
  includeUsage: boolean;
  user: string | undefined;
  tools: ClientTools;
  maxTokens: number | undefined;
  settings: CallSettings;
  /** Thinking level. */
  effort: string | undefined;
}

const efforts = new Map([
  ["none", "off"],
  ["minimal", "minimal"],
  ["low", "low"],
  ["medium", "medium"],
  ["high", "high"],
  ["xhigh", "xhigh"],
]);

/** Throws HttpError 400. */
export function readChat(body: Body): ChatRequest {
  const model = text(body, "model") ?? "";
  const maxCompletion = positiveInteger(body, "max_completion_tokens");
  const maxOld = positiveInteger(body, "max_tokens");
  const n = body["n"];
  if (n !== undefined && n !== null && n !== 1) throw invalid("`n` must be 1.", "n");
  const settings = defined({
    temperature: numberIn(body, "temperature", 0, 2),
    topP: numberIn(body, "top_p", 0, 1),
    frequencyPenalty: numberIn(body, "frequency_penalty", -2, 2),
    presencePenalty: numberIn(body, "presence_penalty", -2, 2),
    seed: integer(body, "seed"),
    stopSequences: stopTexts(body),
    format: formatOf(body["response_format"], "response_format"),
  });
  const options = body["stream_options"];
  return {
    model,
    stream: flag(body, "stream"),
    includeUsage: isRecord(options) && options["include_usage"] === true,
    user: text(body, "user"),
    tools: clientToolsOf(body, "nested"),
    maxTokens: maxCompletion ?? maxOld,
    settings,
    effort: effortOf(body["reasoning_effort"], "reasoning_effort"),
    messages: readMessages(body),
  };
}

/** The thinking level of an effort. Throws HttpError 400 for one nobody knows. */
export function effortOf(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  const level = typeof value === "string" ? efforts.get(value) : undefined;
  if (level === undefined) throw invalid(`\`${name}\` must be one of ${[...efforts.keys()].join(", ")}.`, name);
  return level;
}

/** The form of the answer: absent for plain text. */
export function formatOf(given: unknown, name: string): CallSettings["format"] | undefined {
  if (given === undefined || given === null) return undefined;
  if (!isRecord(given)) throw invalid(`\`${name}\` must be an object.`, name);
  const { type } = given;
  if (type === "text") return undefined;
  if (type === "json_object") return {};
  if (type !== "json_schema") throw invalid(`\`${name}.type\` must be text, json_object or json_schema.`, name);
  const nested = given["json_schema"];
  const fields = isRecord(nested) ? nested : given;
  const { schema, name: title } = fields;
  return {
    ...(isRecord(schema) ? { schema } : {}),
    ...(typeof title === "string" ? { name: title.slice(0, 64) } : {}),
  };
}
