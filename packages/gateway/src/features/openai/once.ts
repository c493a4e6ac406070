/** `Idempotency-Key` (http.md §8.11): the same request under the same key is answered once, and a repetition gets that answer again.
 *  In memory for five minutes after the answer, bounded in number and size. */
import { createHash } from "node:crypto";
import { type EventStream, HttpError, type HttpCall, type HttpReply } from "../../kernel/http.ts";
import type { World } from "../../kernel/world.ts";

export const onceLimits = {
  keptMs: 5 * 60_000,
  entries: 200,
  keyChars: 256,
  /** Characters of one answer; a longer one is not kept. */
  answerChars: 1_000_000,
  /** Of all together; the oldest go first. */
  charsInAll: 16_000_000,
} as const;

type Sent = [data: string, event: string | undefined];

interface Entry {
  hash: string;
  /** Absent while the first request is being answered: that may take longer than an answer is kept. */
  answered?: { answer: Kept; until: number };
}

type Kept = { chars: number } & ({ reply: HttpReply } | { events: Sent[] } | { tooLarge: true });

export class Once {
  readonly #world: Pick<World, "monotonic">;
  /** Those with an answer in the order of their answers, so that the oldest go first. */
  readonly #entries = new Map<string, Entry>();
  #chars = 0;

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
    this.#makeRoom();
    const known = this.#entries.get(key);
    if (known) return replay(call, known, hash);
    this.#entries.set(key, { hash });
    const recorder = new Recorder(call);
    try {
      const reply = await work(recorder.call);
      this.#entries.delete(key);
      if (!call.signal.aborted) this.#keep(key, { hash, answer: reply ? keepable(reply) : recorder.sent });
      return reply;
    } catch (error) {
      // Nothing was begun, or nobody knows how it ended: a repetition is a new request.
      this.#entries.delete(key);
      throw error;
    }
  }

  #keep(key: string, { hash, answer }: { hash: string; answer: Kept }): void {
    this.#chars += answer.chars;
    this.#entries.set(key, { hash, answered: { answer, until: this.#world.monotonic() + onceLimits.keptMs } });
    this.#makeRoom();
  }

  #makeRoom(): void {
    const now = this.#world.monotonic();
    for (const [key, { answered }] of this.#entries) {
      if (!answered) continue;
      const full = this.#entries.size > onceLimits.entries || this.#chars > onceLimits.charsInAll;
      if (answered.until > now && !full) return;
      this.#entries.delete(key);
      this.#chars -= answered.answer.chars;
    }
  }
}

function replay(call: HttpCall, { hash, answered }: Entry, given: string): HttpReply | undefined {
  if (hash !== given) throw new HttpError(422, "This `Idempotency-Key` was used for another request.");
  if (answered === undefined)
    throw new HttpError(409, "A request with this `Idempotency-Key` is being answered.", {
      headers: { "Retry-After": "1" },
    });
  const { answer } = answered;
  if ("tooLarge" in answer)
    throw new HttpError(409, "The answer to this `Idempotency-Key` was too large to be kept.", {
      headers: { "x-should-retry": "false" },
    });
  if ("reply" in answer) return answer.reply;
  const stream = call.events();
  for (const [data, event] of answer.events) stream.send(data, event);
  return undefined;
}

function keepable(reply: HttpReply): Kept {
  const chars = "json" in reply ? JSON.stringify(reply.json).length : 0;
  return chars > onceLimits.answerChars ? { tooLarge: true, chars: 0 } : { reply, chars };
}

/** Remembers the events of a call as they are sent. */
class Recorder {
  readonly call: HttpCall;
  readonly #events: Sent[] = [];
  #chars = 0;

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
    return this.#chars > onceLimits.answerChars
      ? { tooLarge: true, chars: 0 }
      : { events: this.#events, chars: this.#chars };
  }

  #recorded(stream: EventStream): EventStream {
    const record = (data: string, event: string | undefined) => {
      this.#chars += data.length;
      if (this.#chars <= onceLimits.answerChars) this.#events.push([data, event]);
      else this.#events.length = 0;
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
