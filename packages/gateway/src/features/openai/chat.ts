/** POST /v1/chat/completions (http.md §8): one run of an agent per request, streamed or whole. */
import type { EventStream, HttpCall, HttpReply } from "../../kernel/http.ts";
import type { World } from "../../kernel/world.ts";
import type { Agents, ClientMessage, EndedRun } from "../agents/index.ts";
import { type Answer, answerOf, noReply, streamError } from "./answer.ts";
import { readChat, type ChatRequest } from "./chat-request.ts";
import { bodyOf } from "./fields.ts";
import type { ImageReader } from "./image-reader.ts";
import { messageOf, pendingOf, resultsFor } from "./message.ts";
import type { ApiRuns } from "./runs.ts";
import { agentOf, sessionOf, type Headers } from "./target.ts";

export interface ChatParts {
  world: World;
  agents: Agents;
  runs: ApiRuns;
  images: ImageReader;
}

export class ChatCompletions {
  readonly #parts: ChatParts;

  constructor(parts: ChatParts) {
    this.#parts = parts;
  }

  async handle(call: HttpCall): Promise<HttpReply | undefined> {
    const request = readChat(bodyOf(await call.json()));
    const message = await this.#messageOf(request, call.headers, call.signal);
    const created = Math.floor(this.#parts.world.now() / 1_000);
    const head = { id: message.runId, created, model: request.model || "openclaw" };
    if (request.stream) return this.#stream(call, request, message, head);
    const run = await this.#parts.runs.begin(message, { signal: call.signal });
    const answer = answerOf(await run.ended, request.tools);
    return { json: wholeAnswer(head, answer) };
  }

  async #messageOf(request: ChatRequest, headers: Headers, signal: AbortSignal): Promise<ClientMessage> {
    const { agents, world, images: reader } = this.#parts;
    const { messages: conversation, tools, settings, maxTokens, user, effort } = request;
    const agentId = agentOf(request.model, headers, agents.directory);
    const fresh = world.uuid();
    const session = sessionOf({ headers, user, agentId, kind: "openai", fresh }, agents.deps.sessions);
    const images = await reader.readAll(conversation.images, signal);
    const results = resultsFor(
      pendingOf(agents, session),
      conversation.results,
      (callId) => `No tool message for the tool call '${callId}' in \`messages\`.`,
    );
    const runId = `chatcmpl_${fresh}`;
    const asked = {
      runId,
      agentId,
      session,
      conversation,
      images,
      files: [],
      tools,
      settings,
      maxTokens,
      effort,
      headers,
    };
    return messageOf(asked, results);
  }

  async #stream(call: HttpCall, request: ChatRequest, message: ClientMessage, head: Head): Promise<undefined> {
    let stream: EventStream | undefined;
    let said = "";
    const run = await this.#parts.runs.begin(message, {
      signal: call.signal,
      // Nothing is said before the first commit of the run, and by then the stream is open.
      say: (delta) => {
        said += delta;
        stream?.send(chunk(head, request, { content: delta }));
      },
    });
    stream = call.events();
    stream.send(chunk(head, request, { role: "assistant", content: "" }));
    const ended = await run.ended;
    try {
      finish(stream, request, head, ended, () => said);
    } catch (error) {
      const { message, type = "api_error", code = null } = streamError(error, call);
      stream.send(JSON.stringify({ error: { message, type, code } }));
    }
    stream.send("[DONE]");
    return undefined;
  }
}

interface Head {
  id: string;
  created: number;
  model: string;
}

/** Throws HttpError for a run that did not end well. */
function finish(stream: EventStream, request: ChatRequest, head: Head, ended: EndedRun, said: () => string): void {
  const answer = answerOf(ended, request.tools);
  const text = answer.text === "" && answer.calls.length === 0 ? noReply : answer.text;
  // What no event carried yet: a reply made without a model, or the last words of one.
  const rest = text.startsWith(said()) ? text.slice(said().length) : said() === "" ? text : "";
  if (rest !== "") stream.send(chunk(head, request, { content: rest }));
  for (const [index, { id, name, arguments: args }] of answer.calls.entries()) {
    const opened = { index, id, type: "function", function: { name, arguments: "" } };
    stream.send(chunk(head, request, { tool_calls: [opened] }));
    stream.send(chunk(head, request, { tool_calls: [{ index, function: { arguments: JSON.stringify(args) } }] }));
  }
  stream.send(chunk(head, request, {}, finishReason(answer)));
  if (request.includeUsage)
    stream.send(JSON.stringify({ ...base(head, "chat.completion.chunk"), choices: [], usage: usageOf(answer) }));
}

const base = ({ id, created, model }: Head, object: string) => ({
  id,
  object,
  created,
  model,
  system_fingerprint: null,
});

function chunk(head: Head, request: ChatRequest, delta: object, finishReason: string | null = null): string {
  const choice = { index: 0, delta, logprobs: null, finish_reason: finishReason };
  return JSON.stringify({
    ...base(head, "chat.completion.chunk"),
    choices: [choice],
    ...(request.includeUsage ? { usage: null } : {}),
  });
}

const finishReason = ({ calls, cut }: Answer): string => (calls.length > 0 ? "tool_calls" : cut ? "length" : "stop");

const usageOf = ({ usage }: Answer) => ({
  prompt_tokens: usage.input,
  completion_tokens: usage.output,
  total_tokens: usage.input + usage.output,
  prompt_tokens_details: { cached_tokens: usage.cached },
});

function wholeAnswer(head: Head, answer: Answer) {
  const { text, calls } = answer;
  const toolCalls = calls.map(({ id, name, arguments: args }) => ({
    id,
    type: "function",
    function: { name, arguments: JSON.stringify(args) },
  }));
  const message = {
    role: "assistant",
    content: text !== "" ? text : calls.length > 0 ? null : noReply,
    refusal: null,
    ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
  };
  return {
    ...base(head, "chat.completion"),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(answer) }],
    usage: usageOf(answer),
  };
}
