/** Our port of the OpenResponses cases (http.md §16.1): what is sent, and what must come back. They run against any base URL. */
import { Ajv, type ValidateFunction } from "ajv";
import { pdfFile } from "../integration/pdf-file.ts";
import { eventSchemas, responseSchema } from "./schema.ts";

export interface Target {
  /** Ends with `/v1`. */
  baseUrl: string;
  apiKey: string;
  model: string;
}

interface Case {
  id: string;
  what: string;
  run(call: Caller): Promise<void>;
}

export interface Result {
  id: string;
  what: string;
  /** Absent: passed. */
  failure?: string;
  ms: number;
}

type Json = Record<string, unknown>;
interface OutputItem {
  type: string;
  call_id?: string;
  name?: string;
  arguments?: string;
  phase?: string;
  content?: { text: string }[];
}

const validators = new Map<string, ValidateFunction>();

function check(name: string, schema: object, value: unknown): void {
  let validate = validators.get(name);
  if (!validate) {
    validate = new Ajv({ allErrors: true, strict: false }).compile(schema);
    validators.set(name, validate);
  }
  if (validate(value)) return;
  const first = validate.errors?.[0];
  throw new Error(`${name}: ${first?.instancePath || "(root)"} ${first?.message ?? "does not fit"}`);
}

function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** Posts to one target and judges every answer by its schema. */
class Caller {
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  async #post(body: Json): Promise<Response> {
    const { baseUrl, apiKey, model } = this.#target;
    return fetch(`${baseUrl}/responses`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ model, ...body }),
    });
  }

  async whole(body: Json): Promise<Json> {
    const response = await this.#post(body);
    const json = (await response.json()) as Json;
    expect(response.status === 200, `status ${response.status}: ${JSON.stringify(json).slice(0, 200)}`);
    check("response", responseSchema, json);
    expect(json["status"] === "completed", `status is ${String(json["status"])}`);
    return json;
  }

  async streamed(body: Json): Promise<Json[]> {
    const response = await this.#post({ ...body, stream: true });
    expect(response.headers.get("content-type")?.startsWith("text/event-stream") === true, "not an event stream");
    const blocks = (await response.text()).split("\n\n").filter((block) => block !== "" && !block.startsWith(":"));
    expect(blocks.at(-1) === "data: [DONE]", "the stream does not end with [DONE]");
    return blocks.slice(0, -1).map((block, index) => {
      const [first = "", second = ""] = block.split("\n");
      const event = JSON.parse(second.replace(/^data: /, "")) as Json;
      expect(first === `event: ${String(event["type"])}`, `event line and type differ in ${block.slice(0, 80)}`);
      expect(event["sequence_number"] === index, `sequence_number of event ${index}`);
      const schema = eventSchemas.get(String(event["type"]));
      expect(schema !== undefined, `unknown event ${String(event["type"])}`);
      check(String(event["type"]), schema, event);
      return event;
    });
  }
}

const itemsOf = (response: Json): OutputItem[] => response["output"] as OutputItem[];
const textOf = (response: Json): string =>
  itemsOf(response)
    .flatMap(({ content = [] }) => content)
    .map(({ text }) => text)
    .join("");
const message = (role: string, content: unknown) => ({ type: "message", role, content });
const weather = {
  type: "function",
  name: "get_weather",
  description: "The weather of a place",
  parameters: { type: "object", properties: { location: { type: "string" } }, required: ["location"] },
};
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

function assertCall(items: readonly OutputItem[]): void {
  const call = items.find(({ type }) => type === "function_call");
  expect(call?.name === "get_weather", "no call of get_weather");
  expect(typeof (JSON.parse(call.arguments ?? "") as Json)["location"] === "string", "arguments without location");
}

const cases: readonly Case[] = [
  {
    id: "basic-response",
    what: "a message is answered by a completed response with text",
    async run(call) {
      const response = await call.whole({ input: [message("user", "Say hello in exactly 3 words.")] });
      expect(textOf(response) !== "", "no text");
    },
  },
  {
    id: "assistant-phase",
    what: "an assistant message with a phase is accepted in the input",
    async run(call) {
      const assistant = { ...message("assistant", [{ type: "output_text", text: "Hello." }]), phase: "final_answer" };
      await call.whole({ input: [message("user", "Hi"), assistant, message("user", "Go on")] });
    },
  },
  {
    id: "response-output-phase-schema",
    what: "messages of the answer carry a known phase or none",
    async run(call) {
      const response = await call.whole({ input: "Hi" });
      const phases = itemsOf(response).flatMap(({ phase }) => phase ?? []);
      expect(
        phases.every((phase) => phase === "commentary" || phase === "final_answer"),
        `phases: ${phases.join()}`,
      );
    },
  },
  {
    id: "streaming-response",
    what: "a stream begins, says text, and ends once",
    async run(call) {
      const events = await call.streamed({ input: [message("user", "Count from 1 to 5.")] });
      const types = events.map(({ type }) => type);
      expect(types[0] === "response.created" && types[1] === "response.in_progress", "wrong beginning");
      expect(types.at(-1) === "response.completed", `ends with ${String(types.at(-1))}`);
      expect(types.filter((type) => /\.(?:completed|failed|incomplete)$/.test(String(type))).length === 1, "two ends");
      const deltas = events
        .filter(({ type }) => type === "response.output_text.delta")
        .map(({ delta }) => String(delta));
      expect(deltas.join("") === textOf(events.at(-1)?.["response"] as Json), "deltas and text differ");
    },
  },
  {
    id: "system-prompt",
    what: "a system message is accepted before the question",
    async run(call) {
      await call.whole({ input: [message("system", "You are a pirate."), message("user", "Say hello.")] });
    },
  },
  {
    id: "tool-calling",
    what: "a function tool is called",
    async run(call) {
      assertCall(itemsOf(await call.whole({ input: "Weather in San Francisco?", tools: [weather] })));
    },
  },
  {
    id: "tool-calling-streaming",
    what: "a streamed call has its own events",
    async run(call) {
      const events = await call.streamed({ input: "Weather in San Francisco?", tools: [weather] });
      const types = new Set(events.map(({ type }) => type));
      for (const type of ["delta", "done"])
        expect(types.has(`response.function_call_arguments.${type}`), `no event function_call_arguments.${type}`);
      assertCall(itemsOf(events.at(-1)?.["response"] as Json));
    },
  },
  {
    id: "function-call-roundtrip",
    what: "the output of a call, with the history, is answered by text",
    async run(call) {
      const question = message("user", "Weather in San Francisco?");
      const first = await call.whole({ input: [question], tools: [weather] });
      const made = itemsOf(first).find(({ type }) => type === "function_call");
      const output = { type: "function_call_output", call_id: made?.call_id, output: '{"temperature":"72F"}' };
      const second = await call.whole({ input: [question, ...itemsOf(first), output], tools: [weather] });
      expect(textOf(second) !== "", "no text");
    },
  },
  {
    id: "image-input",
    what: "an image by data URL",
    async run(call) {
      const parts = [
        { type: "input_text", text: "What do you see?" },
        { type: "input_image", image_url: `data:image/png;base64,${png}` },
      ];
      expect(textOf(await call.whole({ input: [message("user", parts)] })) !== "", "no text");
    },
  },
  {
    id: "file-input",
    what: "a PDF by file_data",
    async run(call) {
      const data = pdfFile({ pages: [["Invoice 17, total 42 euro"]] }).toString("base64");
      const parts = [
        { type: "input_text", text: "What is the total?" },
        { type: "input_file", filename: "invoice.pdf", file_data: `data:application/pdf;base64,${data}` },
      ];
      expect(textOf(await call.whole({ input: [message("user", parts)] })) !== "", "no text");
    },
  },
  {
    id: "multi-turn",
    what: "a history of several turns",
    async run(call) {
      const input = [
        message("user", "My name is Alice."),
        message("assistant", "Hello Alice."),
        message("user", "What is my name?"),
      ];
      expect(textOf(await call.whole({ input })) !== "", "no text");
    },
  },
  {
    id: "previous-response-id",
    what: "a response goes on from an earlier one",
    async run(call) {
      const first = await call.whole({ input: "My name is Alice." });
      const second = await call.whole({ input: "What is my name?", previous_response_id: first["id"] });
      expect(second["previous_response_id"] === first["id"], "previous_response_id is not repeated");
    },
  },
];

/** Cases of the list that are not run, and why. */
export const leftOut: readonly { id: string; why: string }[] = [
  { id: "file-search, offline-web-search", why: "need tools that a provider hosts" },
  { id: "compact-response, compact-missing-model", why: "`/v1/responses/compact` is not offered (404)" },
  { id: "websocket-*", why: "the WebSocket transport of responses is not built" },
];

/** All at once, as the published runner does. */
export function runCases(target: Target): Promise<Result[]> {
  return Promise.all(
    cases.map(async ({ id, what, run }) => {
      const startedAt = performance.now();
      const done = (failure?: string): Result => ({
        id,
        what,
        ms: Math.round(performance.now() - startedAt),
        ...(failure === undefined ? {} : { failure }),
      });
      return run(new Caller(target)).then(
        () => done(),
        (error: unknown) => done(error instanceof Error ? error.message : String(error)),
      );
    }),
  );
}
