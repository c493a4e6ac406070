/** `Idempotency-Key` (http.md §8.11): the same request under the same key is answered once, and a repetition gets that answer again.
 *  In memory for five minutes, bounded in number and size. */
import { createHash } from "node:crypto";
import { type EventStream, HttpError, type HttpCall, type HttpReply } from "../../kernel/http.ts";
import type { World } from "../../kernel/world.ts";

export const onceLimits = {
  keptMs: 5 * 60_000,
  entries: 200,
  keyChars: 256,
  /** Of one answer; a longer one is not kept. */
  answerBytes: 1_000_000,
} as const;

type Sent = [data: string, event: string | undefined];

interface Entry {
  hash: string;
  until: number;
  /** Absent while the first request is being answered. */
  answer?: Kept;
}

type Kept = { reply: HttpReply } | { events: Sent[] } | "too large";

export class Once {
  readonly #world: Pick<World, "monotonic">;
  readonly #entries = new Map<string, Entry>();

  constructor(world: Pick<World, "monotonic">) {
    this.#world = world;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Answers a call by `work`, or by what was answered before. Throws HttpError: 409 while that goes on, 422 for another body. */
  async answer(
    call: HttpCall,
    work: (call: HttpCall) => Promise<HttpReply | undefined>,
  ): Promise<HttpReply | undefined> {
    const given = call.headers["idempotency-key"]?.trim();
    if (!given) return work(call);
    if (given.length > onceLimits.keyChars)
      throw new HttpError(400, `\`Idempotency-Key\` is longer than ${onceLimits.keyChars} characters.`);
    const key = `${call.path} ${given}`;
    const hash = createHash("sha256")
      .update(await call.bytes())
      .digest("hex");
    const known = this.#find(key);
    if (known) return replay(call, known, hash);
    const entry: Entry = { hash, until: this.#world.monotonic() + onceLimits.keptMs };
    this.#entries.set(key, entry);
    const recorder = new Recorder(call);
    try {
      const reply = await work(recorder.call);
      if (call.signal.aborted) this.#entries.delete(key);
      else entry.answer = reply ? keepable(reply) : recorder.sent;
      return reply;
    } catch (error) {
      // Nothing was begun, or nobody knows how it ended: a repetition is a new request.
      this.#entries.delete(key);
      throw error;
    }
  }

  #find(key: string): Entry | undefined {
    const now = this.#world.monotonic();
    for (const [oldest, { until, answer }] of this.#entries) {
      if (until > now && this.#entries.size < onceLimits.entries) break;
      if (answer !== undefined || until <= now) this.#entries.delete(oldest);
    }
    return this.#entries.get(key);
  }
}

function replay(call: HttpCall, { hash, answer }: Entry, given: string): HttpReply | undefined {
  if (hash !== given) throw new HttpError(422, "This `Idempotency-Key` was used for another request.");
  if (answer === undefined)
    throw new HttpError(409, "A request with this `Idempotency-Key` is being answered.", {
      headers: { "Retry-After": "1" },
    });
  if (answer === "too large")
    throw new HttpError(409, "The answer to this `Idempotency-Key` was too large to be kept.", {
      headers: { "x-should-retry": "false" },
    });
  if ("reply" in answer) return answer.reply;
  const stream = call.events();
  for (const [data, event] of answer.events) stream.send(data, event);
  return undefined;
}

const keepable = (reply: HttpReply): Kept =>
  "json" in reply && JSON.stringify(reply.json).length > onceLimits.answerBytes ? "too large" : { reply };

/** Remembers the events of a call as they are sent. */
class Recorder {
  readonly call: HttpCall;
  readonly #events: Sent[] = [];
  #bytes = 0;

  constructor(call: HttpCall) {
    const { id, method, path, query, headers, caller, signal, log } = call;
    this.call = {
      id,
      method,
      path,
      query,
      headers,
      caller,
      signal,
      log,
      bytes: () => call.bytes(),
      json: (options) => call.json(options),
      events: (more) => this.#recorded(call.events(more)),
    };
  }

  get sent(): Kept {
    return this.#bytes > onceLimits.answerBytes ? "too large" : { events: this.#events };
  }

  #recorded(stream: EventStream): EventStream {
    const record = (data: string, event: string | undefined) => {
      this.#bytes += data.length;
      if (this.#bytes <= onceLimits.answerBytes) this.#events.push([data, event]);
    };
    return {
      get open() {
        return stream.open;
      },
      send(data, event) {
        record(data, event);
        stream.send(data, event);
      },
      end: () => stream.end(),
    };
  }
}
