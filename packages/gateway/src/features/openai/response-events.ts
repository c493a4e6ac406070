/** The events of a streamed response, in the one order there is (http.md §9.9): created, in progress, each item from its beginning
 *  to its end, then exactly one terminal event. */
import type { Answer } from "./answer.ts";
import {
  callItem,
  failed,
  finished,
  type Item,
  messageItem,
  type ResponseHead,
  textPart,
  unfinished,
} from "./response-object.ts";

export interface ResponseEventsOptions {
  head: ResponseHead;
  newId: (prefix: string) => string;
  /** s since the epoch. */
  now: () => number;
  send: (type: string, payload: Record<string, unknown>) => void;
}

export class ResponseEvents {
  readonly #options: ResponseEventsOptions;
  readonly #output: Item[] = [];
  #sequence = 0;
  /** Of the message that is being written. */
  #messageId: string | undefined;
  #text = "";
  #over = false;

  constructor(options: ResponseEventsOptions) {
    this.#options = options;
  }

  begin(): void {
    const response = unfinished(this.#options.head);
    this.#send("response.created", { response });
    this.#send("response.in_progress", { response });
  }

  /** The message is opened by its first text. */
  say(delta: string): void {
    if (delta === "" || this.#over) return;
    this.#messageId ??= this.#openMessage();
    this.#text += delta;
    this.#send("response.output_text.delta", { ...this.#place(), delta, logprobs: [] });
  }

  /** `rest`: text that was not said yet. */
  end(answer: Answer, rest: string): void {
    this.say(rest);
    if (this.#messageId !== undefined) this.#closeMessage(this.#messageId);
    for (const call of answer.calls) this.#call(callItem(this.#options.newId("fc"), call));
    const { head, now } = this.#options;
    this.#terminal(
      answer.cut ? "response.incomplete" : "response.completed",
      finished(head, answer, this.#output, now()),
    );
  }

  fail(error: Parameters<typeof failed>[1]): void {
    this.#terminal("response.failed", failed(this.#options.head, error));
  }

  get said(): string {
    return this.#text;
  }

  #terminal(type: string, response: Record<string, unknown>): void {
    if (this.#over) return;
    this.#send(type, { response });
    this.#over = true;
  }

  #openMessage(): string {
    const id = this.#options.newId("msg");
    const item = { type: "message", id, status: "in_progress", role: "assistant", content: [], phase: "final_answer" };
    this.#send("response.output_item.added", { output_index: this.#output.length, item });
    this.#messageId = id;
    this.#send("response.content_part.added", { ...this.#place(), part: textPart("") });
    return id;
  }

  #closeMessage(id: string): void {
    this.#send("response.output_text.done", { ...this.#place(), text: this.#text, logprobs: [] });
    this.#send("response.content_part.done", { ...this.#place(), part: textPart(this.#text) });
    this.#itemDone(messageItem(id, this.#text));
  }

  #call(item: Item): void {
    const place = { item_id: item.id, output_index: this.#output.length };
    const { arguments: args, name } = item;
    this.#send("response.output_item.added", {
      output_index: place.output_index,
      item: { ...item, arguments: "", status: "in_progress" },
    });
    this.#send("response.function_call_arguments.delta", { ...place, delta: args });
    this.#send("response.function_call_arguments.done", { ...place, name, arguments: args });
    this.#itemDone(item);
  }

  #itemDone(item: Item): void {
    this.#send("response.output_item.done", { output_index: this.#output.length, item });
    this.#output.push(item);
  }

  #place() {
    return { item_id: this.#messageId, output_index: this.#output.length, content_index: 0 };
  }

  #send(type: string, payload: Record<string, unknown>): void {
    if (this.#over) return;
    this.#options.send(type, { type, sequence_number: this.#sequence++, ...payload });
  }
}
