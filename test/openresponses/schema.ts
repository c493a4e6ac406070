/** JSON Schemas of the response object, its items and the events of its stream, as http.md §9.8 and §9.9 state them. Every field
 *  of a response is required. */
const text = { type: "string" };
const number = { type: "number" };
const integer = { type: "integer" };
const orNull = (schema: object) => ({ anyOf: [schema, { type: "null" }] });
const object = (properties: Record<string, object>, optional: readonly string[] = []) => ({
  type: "object",
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});

const outputText = object({
  type: { const: "output_text" },
  text,
  annotations: { type: "array" },
  logprobs: { type: "array" },
});

const itemStatus = { enum: ["in_progress", "completed", "incomplete"] };

const messageItem = object(
  {
    type: { const: "message" },
    id: text,
    status: itemStatus,
    role: { const: "assistant" },
    content: { type: "array", items: outputText },
    phase: { enum: ["commentary", "final_answer"] },
  },
  ["phase"],
);

const callItem = object({
  type: { const: "function_call" },
  id: text,
  call_id: text,
  name: text,
  arguments: text,
  status: itemStatus,
});

const item = { anyOf: [messageItem, callItem] };

const tool = object({
  type: { const: "function" },
  name: text,
  description: orNull(text),
  parameters: orNull({ type: "object" }),
  strict: orNull({ type: "boolean" }),
});

const usage = object({
  input_tokens: integer,
  input_tokens_details: object({ cached_tokens: integer }),
  output_tokens: integer,
  output_tokens_details: object({ reasoning_tokens: integer }),
  total_tokens: integer,
});

export const responseSchema = object({
  id: { type: "string", minLength: 1 },
  object: { const: "response" },
  created_at: integer,
  completed_at: orNull(integer),
  status: { enum: ["in_progress", "completed", "failed", "incomplete"] },
  incomplete_details: orNull(object({ reason: text })),
  model: text,
  previous_response_id: orNull(text),
  instructions: orNull(text),
  output: { type: "array", items: item },
  error: orNull(object({ code: text, message: text })),
  tools: { type: "array", items: tool },
  tool_choice: { type: ["string", "object"] },
  truncation: { enum: ["auto", "disabled"] },
  parallel_tool_calls: { type: "boolean" },
  text: object({ format: object({ type: text }) }),
  top_p: number,
  presence_penalty: number,
  frequency_penalty: number,
  top_logprobs: integer,
  temperature: number,
  reasoning: orNull(object({ effort: orNull(text), summary: orNull(text) })),
  user: orNull(text),
  usage: orNull(usage),
  max_output_tokens: orNull(integer),
  max_tool_calls: orNull(integer),
  store: { type: "boolean" },
  background: { type: "boolean" },
  service_tier: text,
  metadata: { type: "object", additionalProperties: text },
  safety_identifier: orNull(text),
  prompt_cache_key: orNull(text),
});

const event = (type: string, properties: Record<string, object>, optional: readonly string[] = []) =>
  object({ type: { const: type }, sequence_number: { type: "integer", minimum: 0 }, ...properties }, optional);

const place = { item_id: text, output_index: integer };
const part = { ...place, content_index: integer };

const events = [
  ...["created", "in_progress", "completed", "incomplete", "failed"].map((name) =>
    event(`response.${name}`, { response: responseSchema }),
  ),
  event("response.output_item.added", { output_index: integer, item }),
  event("response.output_item.done", { output_index: integer, item }),
  event("response.content_part.added", { ...part, part: outputText }),
  event("response.content_part.done", { ...part, part: outputText }),
  event("response.output_text.delta", { ...part, delta: text, logprobs: { type: "array" } }),
  event("response.output_text.done", { ...part, text, logprobs: { type: "array" } }),
  event("response.function_call_arguments.delta", { ...place, delta: text }),
  event("response.function_call_arguments.done", { ...place, arguments: text, name: text }, ["name"]),
];

/** Of every event by its type. */
export const eventSchemas: ReadonlyMap<string, object> = new Map(
  events.map((schema) => [(schema.properties["type"] as { const: string }).const, schema]),
);
