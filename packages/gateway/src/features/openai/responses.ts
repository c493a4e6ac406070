/** POST /v1/responses (http.md §9): one run of an agent per request, streamed or whole, continued by id, session or user. */
import { HttpError, type EventStream, type HttpCall, type HttpReply } from "../../kernel/http.ts";
import type { World } from "../../kernel/world.ts";
import type { Agents, ClientMessage, ClientToolResult, EndedRun } from "../agents/index.ts";
import { type Answer, answerOf, noReply, streamError } from "./answer.ts";
import type { ClientTools } from "./client-tools.ts";
import { bodyOf, invalid } from "./fields.ts";
import type { FileReader } from "./file-reader.ts";
import type { ImageReader } from "./image-reader.ts";
import { messageOf, pendingOf, resultsFor } from "./message.ts";
import { ResponseEvents } from "./response-events.ts";
import type { ResponseMemory } from "./response-memory.ts";
import { callItem, failed, finished, messageItem, type ResponseHead } from "./response-object.ts";
import { readResponse, type ResponseRequest } from "./response-request.ts";
import type { ApiRuns } from "./runs.ts";
import { agentOf, type Headers, type SessionChoice, sessionOf } from "./target.ts";

export interface ResponsesParts {
  world: World;
  agents: Agents;
  runs: ApiRuns;
  images: ImageReader;
  files: FileReader;
  memory: ResponseMemory;
}

interface Turn {
  request: ResponseRequest;
  message: ClientMessage;
  head: ResponseHead;
}

export class Responses {
  readonly #parts: ResponsesParts;

  constructor(parts: ResponsesParts) {
    this.#parts = parts;
  }

  async handle(call: HttpCall): Promise<HttpReply | undefined> {
    const turn = await this.#turnOf(readResponse(bodyOf(await call.json())), call.headers, call.signal);
    return turn.request.stream ? this.#stream(call, turn) : this.#whole(call, turn);
  }

  async #turnOf(request: ResponseRequest, headers: Headers, signal: AbortSignal): Promise<Turn> {
    const { agents, world, images: imageReader, files: fileReader } = this.#parts;
    const { conversation, tools, settings, maxTokens, effort, instructions } = request;
    const agentId = agentOf(request.model, headers, agents.directory);
    const fresh = world.uuid();
    const session = this.#sessionOf(request, headers, agentId, fresh);
    const results = this.#resultsOf(request, session);
    const read = await fileReader.readAll(conversation.files, signal);
    const images = [...(await imageReader.readAll(conversation.images, signal)), ...read.images];
    const runId = `resp_${fresh}`;
    const asked = { runId, agentId, session, conversation, images, files: read.texts, instructions };
    const message = messageOf({ ...asked, tools, settings, maxTokens, effort, headers }, results);
    const head = { id: runId, createdAt: this.#seconds(), model: request.model, echo: request.echo };
    return { request, message, head };
  }

  /** The session of the previous response; a session or user named beside it must be the same. */
  #sessionOf(request: ResponseRequest, headers: Headers, agentId: string, fresh: string): SessionChoice {
    const { user, previousId } = request;
    const chosen = sessionOf(
      { headers, user, agentId, kind: "openresponses", fresh },
      this.#parts.agents.deps.sessions,
    );
    if (previousId === undefined) return chosen;
    const previous = this.#parts.memory.find(previousId);
    if (!previous) {
      const shown = previousId.replace(/[^\w-]/g, "?").slice(0, 80);
      throw new HttpError(404, `Previous response with id '${shown}' not found.`, {
        param: "previous_response_id",
        code: "previous_response_not_found",
      });
    }
    if (previous.agentId !== agentId)
      throw invalid("The previous response was given by another agent.", "previous_response_id");
    if (!chosen.hidden && chosen.sessionKey !== previous.sessionKey)
      throw invalid("The previous response belongs to another session.", "previous_response_id");
    return { sessionKey: previous.sessionKey, hidden: previous.hidden };
  }

  #resultsOf({ conversation, previousId }: ResponseRequest, session: SessionChoice): ClientToolResult[] {
    const { agents } = this.#parts;
    const continued = previousId !== undefined;
    const pending = continued ? agents.pendingCalls(session.sessionKey) : pendingOf(agents, session);
    if (continued || !session.hidden) {
      const stray = conversation.results.find(
        ({ callId }) => !conversation.calls.has(callId) && !pending.some(({ id }) => id === callId),
      );
      if (stray)
        throw invalid(
          `No tool call found for function call output with call_id ${stray.callId.slice(0, 128)}.`,
          "input",
        );
    }
    const missing = (callId: string) => `No tool output found for function call ${callId}.`;
    const results = resultsFor(pending, conversation.results, missing);
    const [open] = pending;
    if (continued && open && results.length === 0) throw invalid(missing(open.id.slice(0, 128)), "input");
    return results;
  }

  async #whole(call: HttpCall, { request, message, head }: Turn): Promise<HttpReply> {
    const run = await this.#parts.runs.begin(message, { signal: call.signal });
    try {
      const answer = completed(await run.ended, request.tools);
      const output = [
        ...(answer.text === "" ? [] : [messageItem(this.#id("msg"), answer.text)]),
        ...answer.calls.map((one) => callItem(this.#id("fc"), one)),
      ];
      this.#remember(request, message);
      return { json: finished(head, answer, output, this.#seconds()) };
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return { status: error.status, headers: error.headers, json: failed(head, error) };
    }
  }

  async #stream(call: HttpCall, { request, message, head }: Turn): Promise<undefined> {
    let stream: EventStream | undefined;
    const events = new ResponseEvents({
      head,
      newId: (prefix) => this.#id(prefix),
      now: () => this.#seconds(),
      send: (type, payload) => stream?.send(JSON.stringify(payload), type),
    });
    // Nothing is said before the first commit of the run, and by then the stream is open.
    const run = await this.#parts.runs.begin(message, { signal: call.signal, say: (delta) => events.say(delta) });
    stream = call.events();
    events.begin();
    try {
      const answer = completed(await run.ended, request.tools);
      this.#remember(request, message);
      const { said } = events;
      events.end(answer, answer.text.startsWith(said) ? answer.text.slice(said.length) : "");
    } catch (error) {
      events.fail(streamError(error, call));
    }
    stream.send("[DONE]");
    return undefined;
  }

  #remember({ store }: ResponseRequest, { runId, sessionKey, hidden, agentId }: ClientMessage): void {
    if (store) this.#parts.memory.remember(runId, { sessionKey, hidden, agentId });
  }

  #id(prefix: string): string {
    return `${prefix}_${this.#parts.world.uuid()}`;
  }

  #seconds(): number {
    return Math.floor(this.#parts.world.now() / 1_000);
  }
}

/** An answer has a text or a call. Throws HttpError for a run that did not end well. */
function completed(ended: EndedRun, tools: ClientTools): Answer {
  const answer = answerOf(ended, tools);
  return answer.text === "" && answer.calls.length === 0 ? { ...answer, text: noReply } : answer;
}
